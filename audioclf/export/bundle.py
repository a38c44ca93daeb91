"""A model to export: one ZIP, or one folder, that needs no other checkpoint.

`model.keras`, `model.onnx` and `card.json`, a script that predicts and a README. A linear probe is
joined with its backbone, and must then give the outputs that it gave before.
"""

import shutil
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audioclf.export import standalone
from audioclf.features import windowing
from audioclf.inference.onnx_session import load_classifier
from audioclf.models import architectures, checkpoint, linear_head
from audioclf.models.checkpoint import CARD, KERAS, ONNX, Checkpoint
from audioclf.models.equivalence import check_same_outputs
from audioclf.storage.atomic import atomic_folder, zip_folder
from audioclf.storage.hub_card import model_card
from audioclf.text import escape_markdown

N_WINDOWS, SOUND_S = 3, 8.0
TAGS = ["audio", "audio-classification", "keras", "onnx", "audioclf"]
README = """# {name}

{description} It tells apart {n_classes} classes: {classes}.

{results}

`model.onnx` (what predicts), `model.keras` (what can be trained further) and `card.json`: front
end, classes, training, results, and whose recordings it was trained on. The input of the model is
computed from audio by the front end in the card: `frontend/` is its NumPy code. Nothing else is
needed but ONNX Runtime, NumPy, SciPy and soundfile:

```
pip install -r requirements.txt
python predict.py audio.wav
```

{attribution}
"""


def write_zip(network: Checkpoint, path: Path, formats: Collection[str] = ()) -> Path:
    """Write a model as a ZIP with one folder in it.

    Parameters
    ----------
    network : Checkpoint
        The model; a linear head is joined with its backbone.
    path : Path
        The ZIP; `.zip` is added to a name without it, and a file of that name is replaced.
    formats : collection of str, optional
        Further formats, of `audioclf.export.formats.FORMATS`: "saved_model", "litert".

    Returns
    -------
    Path
        The path of the ZIP.

    Raises
    ------
    ValueError
        As `write_folder`.
    """
    path = path if path.suffix == ".zip" else path.with_name(f"{path.name}.zip")
    with tempfile.TemporaryDirectory() as temporary:
        zip_folder(write_folder(network, Path(temporary, network.name), formats), path)
    return path


def write_folder(network: Checkpoint, folder: Path, formats: Collection[str] = ()) -> Path:
    """Write a model as a folder that needs no other checkpoint.

    Parameters
    ----------
    network : Checkpoint
        The model; a linear head is joined with its backbone.
    folder : Path
        The new folder: the model's files, its card, a script that predicts and a README.
    formats : collection of str, optional
        Further formats, of `audioclf.export.formats.FORMATS`: "saved_model", "litert".

    Returns
    -------
    Path
        The path `folder`.

    Raises
    ------
    ValueError
        For an ensemble, a damaged model, a folder that is not empty, and an export whose outputs
        differ from the model's.
    """
    if network.is_ensemble:
        names = ", ".join(member.name for member in network.load_members())
        raise ValueError(f"“{network.name}” is an ensemble: export {names} one by one.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"“{folder.name}” is there already: name a new folder.")
    with atomic_folder(folder) as partial:
        if network.is_head:
            _join(network, partial)
        else:
            checkpoint.verify(network)
            for name in (KERAS, ONNX, CARD):
                if not (network.folder / name).is_file():
                    raise ValueError(f"“{network.name}” lacks {name}: save it again.")
                shutil.copy(network.folder / name, partial / name)
        _export(checkpoint.read(partial), formats, partial)
        standalone.write(partial)
        text = readme(checkpoint.read(partial), network.name)
        (partial / "README.md").write_text(text, encoding="utf-8")
    return folder


def readme(network: Checkpoint, name: str) -> str:
    """What the model is, its results, and how it is used, as Markdown."""
    card, measured = network.card, network.evaluation
    results = "It was not evaluated on held-out clips."
    if measured:
        results = (
            f"{100 * measured['accuracy']:.2f} % of {measured['n_clips']} clips right on "
            f"{_line(measured['data'])}."
        )
    body = README.format(
        name=name,
        description=_line(card.get("description")),
        n_classes=len(network.classes),
        classes=", ".join(map(_line, network.classes)),
        results=results,
        attribution=_line(card.get("attribution")),
    )
    return model_card(
        body,
        card.get("licence"),
        library_name="keras",
        pipeline_tag="audio-classification",
        tags=TAGS,
    )


def _join(head: Checkpoint, folder: Path) -> None:
    """The head and its backbone as one model."""
    from audioclf.export import attach_head, save

    backbone = head.load_backbone()
    assert backbone is not None  # it is a linear probe
    checkpoint.verify(head)
    model = attach_head.with_head(backbone, linear_head.read(head.folder / ONNX))
    architecture = replace(architectures.load(backbone.card["architecture"]), multi_label=False)
    inherited = {"training", "results", "calibration", "licence", "attribution"}
    card = {
        **save.build_card(architecture, backbone.frontend, head.classes, model),
        **{key: value for key, value in head.card.items() if key in inherited},
        "description": head.card["description"],
    }
    inputs = _windows(head)
    with tempfile.TemporaryDirectory() as temporary:
        saved = save.save_checkpoint(
            model, card, Path(temporary, head.name), inputs, architecture.max_bytes
        )
        apart, joined = load_classifier(head)(inputs), load_classifier(saved)(inputs)
        names = "The head with its backbone and the joined model"
        check_same_outputs({"label": apart}, {"label": joined}, names)
        for file in saved.folder.iterdir():
            shutil.copy(file, folder / file.name)


def _export(network: Checkpoint, formats: Collection[str], folder: Path) -> None:
    if not formats:
        return
    import keras

    from audioclf.export import formats as exports

    model = keras.saving.load_model(folder / KERAS)
    for form in formats:
        exports.export(model, form, folder, _windows(network))


def _windows(network: Checkpoint) -> NDArray[np.float32]:
    """Windows of a made sound: a rising tone in noise, (windows, frames, bins, channels)."""
    rate_hz = network.frontend.spectrogram.sample_rate_hz
    time_s = np.arange(int(SOUND_S * rate_hz)) / rate_hz
    noise = np.random.default_rng(0).normal(0, 0.05, len(time_s))
    sound = 0.3 * np.sin(2 * np.pi * (200 + 150 * time_s) * time_s) + noise
    return windowing.windows(network.frontend, sound.astype(np.float32)).inputs[:N_WINDOWS]


def _line(text: Any) -> str:
    """Words on one line that Markdown shows as they are."""
    return escape_markdown(" ".join(str(text or "").split()))
