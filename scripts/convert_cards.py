"""Write the cards of checkpoints in today's format.

    python scripts/convert_cards.py [FOLDER]

FOLDER holds checkpoints; without one, those that ship. Only `card.json` files of an older format
are written; numbers stay as they are. Descriptions and citations are those of the architectures,
and sentences that older versions wrote are today's.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from audioclf.models import architectures, card, card_conversion, checkpoint
from audioclf.models.checkpoint import CARD

MODELS = {  # what a result's model is, in the words of older versions and of this one
    "a head taught the same way without that fold": (
        "a linear probe trained in the same way without these clips"
    ),
}


def convert(folder: Path) -> bool:
    """Rewrite the card of one checkpoint where it is of an older format; whether it was."""
    stored = json.loads((folder / CARD).read_text(encoding="utf-8"))
    if stored.get("format", 1) >= card_conversion.FORMAT:
        return False
    checkpoint.write_card(folder, _in_todays_words(card.read(folder / CARD)))
    return True


def _in_todays_words(converted: dict[str, Any]) -> dict[str, Any]:
    """The card with the architecture's description and citation, and today's sentences."""
    names = ", ".join(converted.get("members") or ())
    if converted.get("backbone"):
        description = f"A linear probe on the embeddings of {converted['backbone']['name']}."
    elif names:
        description = f"The mean probabilities of {names}."
    else:
        architecture = architectures.load(converted["architecture"])
        description, converted["citation"] = architecture.description, architecture.reference
    converted["description"] = description
    for result in converted.get("results") or []:
        if (model := result.get("model")) in MODELS:
            result["model"] = MODELS[model]
    return converted


def main() -> None:
    """Convert every checkpoint in the folder."""
    parser = argparse.ArgumentParser(description="write cards in today's format")
    parser.add_argument("folder", nargs="?", type=Path, default=checkpoint.home())
    folder = parser.parse_args().folder
    folders = sorted(path.parent for path in folder.glob(f"*/{CARD}"))
    # members and backbones first: an ensemble's card is read back with theirs
    folders.sort(key=lambda path: '"members"' in (path / CARD).read_text(encoding="utf-8"))
    converted = [path.name for path in folders if convert(path)]
    print(f"{len(converted)} of {len(folders)} cards converted", *converted, sep="\n")


if __name__ == "__main__":
    main()
