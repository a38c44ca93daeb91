"""Checkpoints: a folder each with `model.keras`, `model.onnx` and `card.json`; the reading half.

An ensemble is a checkpoint too: a card alone, which names the checkpoints beside it that vote. So
is a head: an ONNX file of kilobytes and a card that names the checkpoint whose embedding it reads.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audioclf import recipe
from audioclf.recipe import Recipe

CARD, KERAS, ONNX = "card.json", "model.keras", "model.onnx"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Checkpoint:
    """A trained network: its folder and what its card says."""

    folder: Path
    card: dict[str, Any]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the network's outputs."""
        return tuple(self.card["classes"])

    @property
    def recipe(self) -> Recipe:
        """How its input is made."""
        return recipe.from_dict(self.card["recipe"])

    @property
    def measured(self) -> dict[str, Any] | None:
        """The first result in the card: data, accuracy, macro_f1, n_clips."""
        return next(iter(self.card.get("results", [])), None)

    @property
    def stamp(self) -> str:
        """Which weights these are: the SHA-256 of the ONNX file, or of the members', for caches."""
        if self.is_ensemble:
            stamps = "".join(member.stamp for member in self.members)
            return hashlib.sha256(stamps.encode()).hexdigest()
        return str(self.card["sha256"][ONNX])

    @property
    def is_ensemble(self) -> bool:
        """Whether others vote in its name."""
        return bool(self.card.get("members"))

    @property
    def is_multi_label(self) -> bool:
        """Whether its probabilities are independent: several classes may be heard at once."""
        return bool(self.card.get("multi_label"))

    @property
    def is_head(self) -> bool:
        """Whether it reads another checkpoint's embedding."""
        return bool(self.card.get("backbone"))

    @property
    def identity(self) -> str:
        """Which network this is: the SHA-256 of the file that its weights are from, or its own."""
        return str((self.card.get("source") or {}).get("sha256") or self.stamp)

    @property
    def backbone(self) -> "Checkpoint | None":
        """The checkpoint whose embedding a head reads, beside it or among those that ship.

        None for any other. Raises ValueError where it is missing or another.
        """
        named = self.card.get("backbone")
        return _backbone(self, named) if named else None

    @property
    def trouble(self) -> str | None:
        """Why it cannot be used as things are, in a sentence; None where it can."""
        try:
            for member in self.members:
                _ = member.backbone
        except ValueError as error:
            return str(error)
        return None

    @property
    def members(self) -> tuple["Checkpoint", ...]:
        """The checkpoints that vote: itself alone, unless it is an ensemble. Raises ValueError."""
        names = self.card.get("members") or ()
        return tuple(read(self.folder.parent / name) for name in names) if names else (self,)

    @property
    def feature(self) -> str:
        """What it hears: its feature, or those of its members."""
        heard = (member.card["recipe"]["feature"] for member in self.members)
        return ", ".join(dict.fromkeys(heard))

    @property
    def n_bytes(self) -> int:
        """The size of its files, with its backbone's; or of its members'."""
        if self.is_ensemble:
            return sum(member.n_bytes for member in self.members)
        own = sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())
        backbone = None if self.trouble else self.backbone
        return own + (backbone.n_bytes if backbone else 0)

    @property
    def temperature(self) -> float:
        """What its logits are divided by; 1 where it is not calibrated."""
        return float((self.card.get("calibration") or {}).get("temperature", 1.0))

    def uncalibrated(self) -> "Checkpoint":
        """The same network with a temperature of 1; an ensemble's members keep theirs."""
        return replace(self, card={**self.card, "calibration": None})


def home() -> Path:
    """The folder that ships the checkpoints; AUDIOCLF_CHECKPOINTS names another."""
    named = os.environ.get("AUDIOCLF_CHECKPOINTS")
    return Path(named) if named else Path(__file__).parent.parent / "checkpoints"


def find_all(folder: Path | None = None) -> list[Checkpoint]:
    """Every readable checkpoint in `folder`, sorted by name; half-written ones are not listed."""
    found = []
    for card in sorted((folder or home()).glob(f"*/{CARD}")):
        try:
            found.append(read(card.parent))
        except ValueError:
            continue
    return found


def find(name_or_folder: str | Path) -> Checkpoint:
    """A checkpoint by its name or its folder. Raises ValueError."""
    known = {checkpoint.name: checkpoint for checkpoint in find_all()}
    if str(name_or_folder) in known:
        return known[str(name_or_folder)]
    if Path(name_or_folder, CARD).is_file():
        return read(Path(name_or_folder))
    raise ValueError(
        f"There is no checkpoint “{name_or_folder}”: name a checkpoint's folder, or one of "
        f"{', '.join(known) or '(there are none yet)'}."
    )


def _backbone(head: Checkpoint, named: dict[str, Any]) -> Checkpoint:
    name = str(named.get("name"))
    folders = [head.folder.parent / name, home() / name]
    folders += [Path(named["folder"])] if named.get("folder") else []
    found = [read(folder) for folder in folders if (folder / CARD).is_file()]
    how = named.get("how") or "copy it here"
    if not found:
        raise ValueError(f"“{head.name}” reads what “{name}” hears, which is not here: {how}.")
    for one in found:
        if not (one.is_head or one.is_ensemble) and one.identity in named.get("sha256", ()):
            return one
    raise ValueError(
        f"“{head.name}” was taught on another “{name}” than the one that is here: {how}, or teach "
        "it again."
    )


def read(folder: Path) -> Checkpoint:
    """The checkpoint in `folder`. Raises ValueError where the card cannot be used."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        missing = {"architecture", "classes"} - set(card)
        if not card.get("members"):
            missing |= {"recipe", "sha256"} - set(card)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"The card of “{folder.name}” cannot be read: publish the checkpoint again."
        ) from error
    found = Checkpoint(folder.resolve(), card)
    if missing or not (found.is_ensemble or (folder / ONNX).is_file()):
        lack = ", ".join(sorted(missing)) or ONNX
        raise ValueError(f"“{folder.name}” lacks {lack}: publish the checkpoint again.")
    if any(member.is_ensemble for member in found.members) and found.is_ensemble:
        raise ValueError(f"“{folder.name}” names an ensemble as a member: name plain networks.")
    backbone = card.get("backbone") or {"sha256": []}
    source = card.get("source") or {}
    if not (isinstance(backbone, dict) and isinstance(source, dict)) or not isinstance(
        backbone.get("sha256"), list
    ):
        raise ValueError(f"“{folder.name}” does not say what it reads: publish it again.")
    return found


def write_card(folder: Path, card: dict[str, Any]) -> Checkpoint:
    """The card in its folder, in one go, read back. Raises ValueError where it cannot be used."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{CARD}.part"
    part.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(folder / CARD)
    return read(folder)


def verify(checkpoint: Checkpoint) -> None:
    """Check its files, or its members', by the cards. Raises ValueError for a changed one."""
    for member in checkpoint.members:
        for name, expected in member.card["sha256"].items():
            verify_file(member.folder / name, expected)


def verify_file(path: Path, expected: str) -> None:
    """Check one file's SHA-256. Raises ValueError where it is missing or another."""
    if not path.is_file() or sha256(path) != expected:
        raise ValueError(
            f"{path.name} of “{path.parent.name}” is not the file that its card describes: copy "
            "or publish the checkpoint again."
        )


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_name(name: str) -> str:
    """The name itself, where it can be a checkpoint's. Raises ValueError."""
    if not NAME.fullmatch(name):
        raise ValueError(
            f"“{name}” cannot name a network: use up to 64 letters, digits, dots, dashes and "
            "underscores."
        )
    return name
