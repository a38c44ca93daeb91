"""Label Studio's JSON: a list of tasks, each a sound with the annotations that people made of it.

Regions are results of the type `labels`, whole files of the type `choices`; cancelled annotations
are no labels, and predictions are none either.
"""

import json
import uuid
from collections import defaultdict
from dataclasses import replace
from typing import Any

from audioclf.datasets.formats.base import Durations, Label, Texts, number

FILE = "label_studio.json"
NAMESPACE = uuid.UUID("6f6a3c52-0a51-4f0e-9d5e-6a7c0c1d9b11")  # ids follow from the labels


def write(labels: list[Label], durations: Durations) -> dict[str, str]:
    """One file; a task per sound and an annotation per person."""
    tasks: dict[str, dict[str, list[Label]]] = defaultdict(lambda: defaultdict(list))
    for label in labels:
        tasks[label.file][label.who].append(label)
    made = [
        {
            "id": task,
            "data": {"audio": file},
            "annotations": [_annotation(task, own, durations) for own in people.values()],
            "predictions": [],
        }
        for task, (file, people) in enumerate(tasks.items(), start=1)
    ]
    return {FILE: json.dumps(made, ensure_ascii=False, indent=1) + "\n"}


def read(texts: Texts) -> list[Label]:
    """The labels of exported tasks. Raises ValueError."""
    found = []
    for place, text in texts.items():
        try:
            tasks = json.loads(text)
            for task in tasks:
                for annotation in task.get("annotations") or ():
                    if not annotation.get("was_cancelled"):
                        found += _labels(str(task["data"]["audio"]), annotation, place)
        except (json.JSONDecodeError, RecursionError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f"“{place}” is no export of Label Studio: export the project as JSON."
            ) from error
    return found


def _annotation(task: int, own: list[Label], durations: Durations) -> dict[str, Any]:
    made = {
        "id": task,
        "result": [_result(label, place, durations) for place, label in enumerate(own)],
        "was_cancelled": False,
        "ground_truth": False,
    }
    if own[0].when:
        made["created_at"] = own[0].when
    if own[0].who:
        made["completed_by"] = {"email": own[0].who}
    return made


def _result(label: Label, place: int, durations: Durations) -> dict[str, Any]:
    about = f"{label.file}\0{place}\0{label.start_s}\0{label.end_s}\0{label.name}"
    made: dict[str, Any] = {
        "id": uuid.uuid5(NAMESPACE, about).hex[:10],
        "from_name": "label",
        "to_name": "audio",
    }
    if label.file in durations:
        made["original_length"] = durations[label.file]
    if label.is_whole:
        return {**made, "type": "choices", "value": {"choices": [label.name]}}
    value = {"start": label.start_s, "end": label.end_s, "labels": [label.name]}
    return {**made, "type": "labels", "value": value}


def _labels(file: str, annotation: dict[str, Any], place: str) -> list[Label]:
    who, when = annotation.get("completed_by") or "", annotation.get("created_at") or ""
    who = who.get("email") or who.get("id") or "" if isinstance(who, dict) else who
    found = []
    for result in annotation.get("result") or ():
        value = result.get("value") or {}
        if result.get("type") == "labels":
            times = (number(str(value[key]), f"the {key}", place) for key in ("start", "end"))
            start_s, end_s = times
            found += [Label(file, str(name), start_s, end_s) for name in value["labels"]]
        elif result.get("type") == "choices":
            found += [Label(file, str(name)) for name in value["choices"]]
    return [replace(label, who=str(who), when=str(when)) for label in found]
