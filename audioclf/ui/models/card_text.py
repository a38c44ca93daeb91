"""A card as text: front end, training, calibration, results, licence and where it comes from."""

from typing import Any

from audioclf.models.checkpoint import Checkpoint
from audioclf.models.ranking import format_accuracy

UNITS = {"hz": "Hz", "s": "s", "db": "dB"}
LONGEST = 8  # longer lists of numbers, such as a normalisation, are left to the JSON


def facts(model: Checkpoint) -> list[tuple[str, str]]:
    """Headings and what the card says under them; only what is there."""
    card, training = model.card, model.card.get("training") or {}
    shape = " x ".join(str(size) for size in card.get("input_shape") or ())
    rows = [
        ("Unavailable", model.unavailable_reason() or ""),
        ("Members", ", ".join(map(str, card.get("members") or ()))),
        ("Front end", format_settings(card.get("frontend") or {})),
        ("Input of a window", f"{shape} (frames, bins, channels)" if shape else ""),
        ("Size", _size(card)),
        ("Trained on", str(training.get("data") or "")),
        ("Training", _training(training)),
        ("Hyperparameters", format_settings(training.get("hyperparameters") or {})),
        ("Calibration", _calibration(card)),
        ("Other results", "; ".join(result_line(r) for r in card.get("results", [])[1:])),
        ("Licence", str(card.get("licence") or "")),
        ("Citation", " ".join(str(card.get("citation") or "").split())),
    ]
    return [(heading, text) for heading, text in rows if text]


def result_line(result: dict[str, Any]) -> str:
    """One result with the data that it is from: what was right, and how sure it was."""
    accuracy, n_clips = result.get("accuracy"), result.get("n_clips")
    parts = []
    if accuracy is not None:
        right = f"{round(accuracy * n_clips)} of {n_clips} clips right" if n_clips else "right"
        parts.append(f"{right}: {format_accuracy(accuracy, n_clips)}")
    names = (("macro F1", "macro_f1"), ("ECE", "ece"), ("negative log-likelihood", "nll"))
    parts += [f"{name} {result[key]:.3f}" for name, key in names if result.get(key) is not None]
    if result.get("ece_uncalibrated") not in (None, result.get("ece")):
        parts.append(f"ECE before calibration {result['ece_uncalibrated']:.3f}")
    line = f"{result.get('data') or 'Unnamed data'}: {', '.join(parts) or 'no numbers'}"
    return f"{line}; model: {result['model']}" if result.get("model") else line


def format_settings(settings: dict[str, Any]) -> str:
    """Settings as “name value unit”; nested ones in brackets, long lists left out."""
    return ", ".join(
        _setting(name, value)
        for name, value in settings.items()
        if value is not None and not _is_long(value)
    )


def _is_long(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_long(part) for part in value.values())
    return isinstance(value, list) and (len(value) > LONGEST or any(map(_is_long, value)))


def _setting(name: str, value: Any) -> str:
    stem, _, unit = name.rpartition("_")
    if unit not in UNITS or not stem:
        stem, unit = name, ""
    text = stem if stem.startswith("n_") else stem.replace("_", " ")
    return " ".join(filter(None, (text, _value(value), UNITS.get(unit, ""))))


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"({format_settings(value)})"
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return str(value).replace("_", " ")


def _size(card: dict[str, Any]) -> str:
    counts = (("n_params", "parameters"), ("multiply_adds", "multiply-adds per window"))
    return ", ".join(f"{card[key]:,} {noun}" for key, noun in counts if card.get(key))


def _training(training: dict[str, Any]) -> str:
    minutes = training.get("seconds", 0) / 60
    parts = [
        f"{training['n_clips']} clips" if training.get("n_clips") else "",
        f"weights: {training['weights']}" if training.get("weights") else "",
        f"{minutes:.1f} minutes" if minutes else "",
        str(training.get("date") or ""),
        format_settings(training.get("versions") or {}),
    ]
    return ", ".join(filter(None, parts))


def _calibration(card: dict[str, Any]) -> str:
    calibration = card.get("calibration")
    if not calibration:
        return "none: the probabilities are those of the model"
    return f"temperature {calibration['temperature']:.3g}, fitted on {calibration.get('fitted_on')}"
