"""The files of jobs of format 1 in format 2: a training begun by an older version goes on here."""

from collections.abc import Callable, Mapping
from typing import Any

from audioclf.storage.format import FORMAT, METRICS, check, rename, rename_overrides

Values = dict[str, Any]

REQUEST = {
    "kind": "mode",
    "out": "output_dir",
    "start": "base_model",
    "credit": "attribution",
    "share": "validation_split",
    "left_out": "excluded",
    "settings": "hyperparameters",
}
MODES = {"head": "linear_probe", "whole": "fine_tune"}
STATE = {"asked_at": "submitted_at", "sentence": "message"}
PROGRESS = {"n_all": "n_total"}
STAGES = {"Learning": "Training"}
RESULT = {"beside": "comparison", "sentence": "error"}
CLIP = {
    "place": "relative_path",
    "expected": "true_class",
    "heard": "predicted_class",
    "of_the_truth": "true_class_probability",
}
COMPARISON = {"start": "base_model"}


def request(values: Mapping[str, Any]) -> Values:
    """A request of any format in today's. Raises ValueError for a later one."""
    return _converted(values, _request)


def state(values: Mapping[str, Any]) -> Values:
    """A state of any format in today's. Raises ValueError for a later one."""
    return _converted(values, lambda old: rename(old, STATE))


def progress(values: Mapping[str, Any]) -> Values:
    """The progress of any format in today's. Raises ValueError for a later one."""
    return _converted(values, _progress)


def result(values: Mapping[str, Any]) -> Values:
    """A result of any format in today's. Raises ValueError for a later one."""
    return _converted(values, _result)


def epoch(values: Mapping[str, Any]) -> Values:
    """The report of an epoch, of any format, in today's."""
    return rename(values, METRICS)


def _converted(values: Mapping[str, Any], convert: Callable[[Mapping[str, Any]], Values]) -> Values:
    if check(values) == FORMAT:
        return dict(values)
    return {**convert(values), "format": FORMAT}


def _request(values: Mapping[str, Any]) -> Values:
    converted = rename(values, REQUEST)
    mode = converted.get("mode")
    converted["mode"] = MODES.get(str(mode), mode)
    converted["hyperparameters"] = rename_overrides(converted.get("hyperparameters") or ())
    return converted


def _progress(values: Mapping[str, Any]) -> Values:
    converted = rename(values, PROGRESS)
    stage = converted.get("stage")
    return {**converted, "stage": STAGES.get(str(stage), stage)}


def _result(values: Mapping[str, Any]) -> Values:
    converted = rename(values, RESULT)
    converted["clips"] = [rename(clip, CLIP) for clip in converted.get("clips") or ()]
    if isinstance(comparison := converted.get("comparison"), Mapping):
        converted["comparison"] = rename(comparison, COMPARISON)
    return converted
