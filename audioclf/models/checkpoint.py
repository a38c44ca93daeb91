"""Checkpoints: a folder each with `model.keras`, `model.onnx` and `card.json`; the reading half.

An ensemble is a checkpoint too: a card alone, which names its members. So is a
linear head: an ONNX file of kilobytes and a card that names its backbone, another checkpoint.
"""

import functools
import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audioclf.features import config
from audioclf.features.config import FrontendConfig
from audioclf.models import card as cards
from audioclf.storage import paths
from audioclf.storage.atomic import atomic_file
from audioclf.storage.format import NewerFormatError
from audioclf.storage.names import shown

CARD, KERAS, ONNX = "card.json", "model.keras", "model.onnx"
AGAIN = "save the checkpoint again"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Checkpoint:
    """A trained model: its folder and its card.

    Attributes
    ----------
    folder : Path
        The folder with `model.keras`, `model.onnx` and `card.json`; an ensemble has the card alone,
        a linear head no Keras file.
    card : dict
        The card: front end, classes, training, results, attribution and SHA-256 of the files.
    """

    folder: Path
    card: dict[str, Any]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the model's outputs."""
        return tuple(self.card["classes"])

    @property
    def frontend(self) -> FrontendConfig:
        """The front end that makes its input."""
        return config.from_dict(self.card["frontend"])

    @property
    def evaluation(self) -> dict[str, Any] | None:
        """The first result in the card: data, accuracy, macro_f1, n_clips."""
        return next(iter(self.card.get("results", [])), None)

    def weights_sha256(self) -> str:
        """The SHA-256 of the ONNX file, of an ensemble that of its members'; for caches."""
        if self.is_ensemble:
            members = "".join(member.weights_sha256() for member in self.load_members())
            return hashlib.sha256(members.encode()).hexdigest()
        return str(self.card["sha256"][ONNX])

    @property
    def is_ensemble(self) -> bool:
        """Whether it averages the predictions of other checkpoints."""
        return bool(self.card.get("members"))

    @property
    def is_multi_label(self) -> bool:
        """Whether its probabilities are independent: several classes may occur at once."""
        return bool(self.card.get("multi_label"))

    @property
    def is_head(self) -> bool:
        """Whether it is a linear head on another checkpoint's embedding."""
        return bool(self.card.get("backbone"))

    def source_sha256(self) -> str:
        """The SHA-256 of the file that its weights were converted from, or of its own weights."""
        return str((self.card.get("source") or {}).get("sha256") or self.weights_sha256())

    def load_backbone(self) -> "Checkpoint | None":
        """The checkpoint that a linear head is on, in the same folder or among those that ship.

        None for any other. Raises ValueError where it is missing or another.
        """
        named = self.card.get("backbone")
        return _backbone(self, named) if named else None

    def unavailable_reason(self) -> str | None:
        """Why it cannot be used, in a sentence; None where it can."""
        try:
            for member in self.load_members():
                _ = member.load_backbone()
        except ValueError as error:
            return str(error)
        return None

    def load_members(self) -> tuple["Checkpoint", ...]:
        """The members of an ensemble; of any other itself alone. Raises ValueError."""
        names = self.card.get("members") or ()
        return tuple(_member(self, name) for name in names) if names else (self,)

    def feature_names(self) -> str:
        """Its feature, or those of its members."""
        features = (member.card["frontend"]["feature"] for member in self.load_members())
        return ", ".join(dict.fromkeys(features))

    def count_bytes(self) -> int:
        """The size of its files, with its backbone's; or of its members'."""
        if self.is_ensemble:
            return sum(member.count_bytes() for member in self.load_members())
        n_bytes = sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())
        backbone = None if self.unavailable_reason() else self.load_backbone()
        return n_bytes + (backbone.count_bytes() if backbone else 0)

    @property
    def temperature(self) -> float:
        """What its logits are divided by; 1 where it is not calibrated."""
        return float((self.card.get("calibration") or {}).get("temperature", 1.0))

    def uncalibrated(self) -> "Checkpoint":
        """The same model with a temperature of 1; an ensemble's members keep theirs."""
        return replace(self, card={**self.card, "calibration": None})


def home() -> Path:
    """The folder that new checkpoints are saved in; see `storage.paths.checkpoint_dirs`."""
    return paths.checkpoint_dirs()[0]


def locate(name: str) -> Path | None:
    """The folder of the checkpoint of that name, in the first folder that has it."""
    folders = (folder / name for folder in paths.checkpoint_dirs())
    return next((folder for folder in folders if (folder / CARD).is_file()), None)


@dataclass(frozen=True)
class Damaged:
    """A folder with a card that cannot be used: its name, and why, in a sentence."""

    name: str
    unavailable_reason: str


def scan(folder: Path | None = None) -> tuple[list[Checkpoint], list[Damaged]]:
    """Every checkpoint in `folder`, sorted by name, and those whose card cannot be used.

    Without a folder in all folders of checkpoints; of two with one name, that in the first counts.
    """
    folders: dict[str, Path] = {}
    for parent in [folder] if folder else paths.checkpoint_dirs():
        for card in parent.glob(f"*/{CARD}"):
            folders.setdefault(card.parent.name, card.parent)
    checkpoints, damaged = [], []
    for name in sorted(folders):
        try:
            checkpoints.append(read(folders[name]))
        except ValueError as error:
            damaged.append(Damaged(name, str(error)))
    return checkpoints, damaged


def find_all(folder: Path | None = None) -> list[Checkpoint]:
    """Find every checkpoint whose card can be used.

    Parameters
    ----------
    folder : Path, optional
        The folder with a folder per checkpoint; None for all of `storage.paths.checkpoint_dirs`,
        where of two checkpoints with one name that in the first folder counts.

    Returns
    -------
    list of Checkpoint
        The checkpoints, sorted by name.
    """
    return scan(folder)[0]


def find(name_or_folder: str | Path) -> Checkpoint:
    """Find a checkpoint by its name or its folder.

    Parameters
    ----------
    name_or_folder : str or Path
        A name among those of `find_all`, or the path of a checkpoint's folder.

    Returns
    -------
    Checkpoint
        The checkpoint of that name; where none has it, the one in that folder.

    Raises
    ------
    ValueError
        Where there is none, or its card cannot be used.
    """
    checkpoints, damaged = scan()
    by_name = {checkpoint.name: checkpoint for checkpoint in checkpoints}
    if str(name_or_folder) in by_name:
        return by_name[str(name_or_folder)]
    check_damaged(str(name_or_folder), damaged)
    if Path(name_or_folder, CARD).is_file():
        return read(Path(name_or_folder))
    raise ValueError(
        f"There is no checkpoint “{name_or_folder}”: name a checkpoint's folder, or one of "
        f"{', '.join(by_name) or '(there are none yet)'}."
    )


def check_damaged(name: str | None, damaged: list[Damaged] | None = None) -> None:
    """Raise ValueError with its reason where that is the name of one that cannot be used."""
    for checkpoint in scan()[1] if damaged is None else damaged:
        if checkpoint.name == name:
            raise ValueError(checkpoint.unavailable_reason)


def _backbone(head: Checkpoint, named: dict[str, Any]) -> Checkpoint:
    name = str(named["name"])
    folders = [head.folder.parent / name, *(parent / name for parent in paths.checkpoint_dirs())]
    folders += [Path(named["folder"])] if named.get("folder") else []
    existing = [folder for folder in folders if (folder / CARD).is_file()]
    hint = named.get("hint") or "copy it here"
    if not existing:
        raise ValueError(f"“{head.name}” needs the model “{name}”, which is not here: {hint}.")
    for folder in existing:
        backbone = _read_alone(folder)
        is_single = not (backbone.is_head or backbone.is_ensemble)
        if is_single and backbone.source_sha256() in named["sha256"]:
            return backbone
    raise ValueError(
        f"“{head.name}” was trained on another “{name}” than the one that is here: {hint}, or "
        "train it again."
    )


def _member(ensemble: Checkpoint, name: str) -> Checkpoint:
    """A member of an ensemble. Raises ValueError where it is missing, or cannot be one."""
    sibling = ensemble.folder.parent / name
    folder = sibling if (sibling / CARD).is_file() else locate(name)
    if folder is None:
        raise ValueError(f"“{shown(ensemble.name)}” needs “{name}”, which is not here: copy it.")
    member = _read_alone(folder)
    if member.is_ensemble:
        raise ValueError(
            f"“{shown(ensemble.name)}” names an ensemble as a member: name single models."
        )
    if member.classes != ensemble.classes:
        raise ValueError(
            f"“{shown(ensemble.name)}” and its member “{name}” do not know the same classes: make "
            "it again."
        )
    return member


def read(folder: Path) -> Checkpoint:
    """Read the checkpoint in a folder.

    Parameters
    ----------
    folder : Path
        The folder with its `card.json`.

    Returns
    -------
    Checkpoint
        The checkpoint; the backbone of a linear head may be missing, which
        `Checkpoint.unavailable_reason` tells.

    Raises
    ------
    ValueError
        Where its card, or that of an ensemble's member, is missing or cannot be used, and where
        the ONNX file is missing.
    """
    checkpoint = _read_alone(folder)
    _ = checkpoint.load_members()
    return checkpoint


def _read_alone(folder: Path) -> Checkpoint:
    """The checkpoint in `folder`, without its members or its backbone."""
    path = folder / CARD
    try:
        stat = path.stat()
        version = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    except OSError:
        version = (0, 0, 0)
    try:
        card = _checked(path, version)
    except ValueError as error:
        remedy = "update audioclf" if isinstance(error, NewerFormatError) else AGAIN
        raise ValueError(f"The card of “{shown(folder.name)}” {error}: {remedy}.") from error
    checkpoint = Checkpoint(folder.resolve(), card)
    if not (checkpoint.is_ensemble or (folder / ONNX).is_file()):
        raise ValueError(f"“{shown(folder.name)}” lacks {ONNX}: {AGAIN}.")
    return checkpoint


@functools.lru_cache(maxsize=256)
def _checked(path: Path, version: tuple[int, int, int]) -> dict[str, Any]:
    """A card that was checked, once per version of its file. Raises ValueError."""
    card = cards.read(path)
    _check(card)
    return card


def _check(card: dict[str, Any]) -> None:
    """Raise ValueError, as `card.check` does, for a card that cannot be a checkpoint's."""
    cards.check(card)
    if card.get("members"):
        return
    try:
        config.from_dict(card["frontend"])
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise ValueError(
            f"cannot be used, because of its front end ({shown(reason, 300)})"
        ) from error
    if ONNX not in card["sha256"]:
        raise ValueError(f"lacks the SHA-256 of {ONNX}")


def write_card(folder: Path, card: dict[str, Any]) -> Checkpoint:
    """The card in its folder, in one go, read back. Raises ValueError where it cannot be used."""
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    try:
        _check(json.loads(text))
    except ValueError as error:
        raise ValueError(
            f"The card of “{shown(folder.name)}” {error}: nothing is written."
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_file(folder / CARD) as part:
        part.write_text(text, encoding="utf-8")
    return read(folder)


def verify(checkpoint: Checkpoint) -> None:
    """Check its files, or its members', by the cards. Raises ValueError for a changed one."""
    for member in checkpoint.load_members():
        for name, expected in member.card["sha256"].items():
            verify_file(member.folder / name, expected)


def verify_file(path: Path, expected: str) -> None:
    """Check one file's SHA-256. Raises ValueError where it is missing or another."""
    if not path.is_file() or sha256(path) != expected:
        raise ValueError(
            f"{path.name} of “{path.parent.name}” is not the file that its card describes: copy "
            "or save the checkpoint again."
        )


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_name(name: str) -> str:
    """The name itself, where it can be a checkpoint's. Raises ValueError."""
    if not NAME.fullmatch(name):
        raise ValueError(
            f"“{name}” cannot name a model: use up to 64 letters, digits, dots, dashes and "
            "underscores."
        )
    return name
