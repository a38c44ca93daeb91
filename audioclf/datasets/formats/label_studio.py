"""Label Studio's JSON: a list of tasks, each a sound with the annotations that people made of it.

Regions are results of the type `labels`, whole files of the type `choices`; cancelled annotations
are no labels, and predictions are none either. Beside the tasks lies the labelling configuration,
which a project there needs before it takes them. An audio file is an address that its server can
reach: a prefix, and the file's path.
"""

import json
import uuid
from collections import defaultdict
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

from audioclf.datasets.formats.base import Durations, Label, Texts, number

FILE, CONFIG = "label_studio.json", "config.xml"
LOCAL_PREFIX = "/data/local-files/?d="  # of files on the disk of its server
LABELS, CHOICES = "label", "choice"  # the controls of the configuration
NAMESPACE = uuid.UUID("6f6a3c52-0a51-4f0e-9d5e-6a7c0c1d9b11")  # ids follow from the labels


def write(labels: list[Label], durations: Durations, prefix: str = LOCAL_PREFIX) -> dict[str, str]:
    """The tasks, one per sound with an annotation per person, and the labelling configuration.

    prefix: what stands before every file; behind `?d=` paths are percent-encoded.
    """
    tasks: dict[str, dict[str, list[Label]]] = defaultdict(lambda: defaultdict(list))
    for label in labels:
        tasks[label.file][label.annotator].append(label)
    content = [
        {
            "id": task,
            "data": {"audio": f"{prefix}{quote(file) if prefix else file}"},
            "annotations": [
                _annotation(task, annotator_labels, durations)
                for annotator_labels in people.values()
            ],
            "predictions": [],
        }
        for task, (file, people) in enumerate(tasks.items(), start=1)
    ]
    names = list(dict.fromkeys(label.name for label in labels))
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    return {FILE: text, CONFIG: _configuration(names)}


def _configuration(names: list[str]) -> str:
    """The labelling configuration: the classes as labels of regions and of whole files."""
    labels = "".join(f"    <Label value={quoteattr(name)}/>\n" for name in names)
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in names)
    return (
        f'<View>\n  <Labels name="{LABELS}" toName="audio">\n{labels}  </Labels>\n'
        '  <Audio name="audio" value="$audio"/>\n'
        f'  <Choices name="{CHOICES}" toName="audio" choice="multiple">\n{choices}  </Choices>\n'
        "</View>\n"
    )


def read(texts: Texts) -> list[Label]:
    """The labels of exported tasks. Raises ValueError."""
    labels = []
    for path, text in texts.items():
        if path.endswith(CONFIG):
            continue
        try:
            tasks = json.loads(text)
            for task in tasks:
                for annotation in task.get("annotations") or ():
                    if not annotation.get("was_cancelled"):
                        labels += _labels(_file(str(task["data"]["audio"])), annotation, path)
        except (json.JSONDecodeError, RecursionError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f"“{path}” is no export of Label Studio: export the project as JSON."
            ) from error
    return labels


def _file(address: str) -> str:
    """The path that an address ends with, where it is one of a file on the server's disk."""
    _, mark, path = address.rpartition("?d=")
    return unquote(path) if mark else address


def _annotation(task: int, labels: list[Label], durations: Durations) -> dict[str, Any]:
    annotation = {
        "id": task,
        "result": [_result(label, index, durations) for index, label in enumerate(labels)],
        "was_cancelled": False,
        "ground_truth": False,
    }
    if labels[0].created_at:
        annotation["created_at"] = labels[0].created_at
    if labels[0].annotator:
        annotation["annotator"] = labels[0].annotator  # who is no user there cannot be one
    return annotation


def _result(label: Label, index: int, durations: Durations) -> dict[str, Any]:
    identity = f"{label.file}\0{index}\0{label.start_s}\0{label.end_s}\0{label.name}"
    result: dict[str, Any] = {
        "id": uuid.uuid5(NAMESPACE, identity).hex[:10],
        "from_name": CHOICES if label.is_whole else LABELS,
        "to_name": "audio",
    }
    if label.file in durations:
        result["original_length"] = durations[label.file]
    if label.is_whole:
        return {**result, "type": "choices", "value": {"choices": [label.name]}}
    value = {"start": label.start_s, "end": label.end_s, "channel": 0, "labels": [label.name]}
    return {**result, "type": "labels", "value": value}


def _labels(file: str, annotation: dict[str, Any], path: str) -> list[Label]:
    annotator = annotation.get("annotator") or annotation.get("completed_by") or ""
    created_at = annotation.get("created_at") or ""
    if isinstance(annotator, dict):
        annotator = annotator.get("email") or annotator.get("id") or ""
    labels = []
    for result in annotation.get("result") or ():
        value = result.get("value") or {}
        if result.get("type") == "labels":
            times = (number(str(value[key]), f"the {key}", path) for key in ("start", "end"))
            start_s, end_s = times
            labels += [Label(file, str(name), start_s, end_s) for name in value["labels"]]
        elif result.get("type") == "choices":
            labels += [Label(file, str(name)) for name in value["choices"]]
    return [
        replace(label, annotator=str(annotator), created_at=str(created_at)) for label in labels
    ]
