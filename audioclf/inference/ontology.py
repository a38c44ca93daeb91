"""AudioSet's tree of classes: which class is a kind of which.

Gemmeke, Ellis, Freedman, Jansen, Lawrence, Moore, Plakal and Ritter (2017), "Audio Set: An ontology
and human-labeled dataset for audio events", ICASSP 2017. The relation in
`assets/audioset_tree.csv` is that of the AudioSet ontology, among its 521 classes in YAMNet: see
`assets/audioset_tree.LICENSE.txt`.
"""

import csv
from functools import lru_cache
from importlib import resources

FILE = "audioset_tree.csv"


@lru_cache(maxsize=1)
def parents() -> dict[str, tuple[str, ...]]:
    """The nearest broader classes of every class of AudioSet in YAMNet, by name."""
    text = (resources.files("audioclf") / "assets" / FILE).read_text(encoding="utf-8")
    return {
        row["class"]: tuple(filter(None, row["parents"].split(";")))
        for row in csv.DictReader(text.splitlines())
    }


@lru_cache(maxsize=1024)
def ancestors(name: str) -> frozenset[str]:
    """All broader classes of one, without itself; none for a class that is not AudioSet's."""
    above: set[str] = set()
    level = set(parents().get(name, ()))
    while level:
        above |= level
        level = {parent for child in level for parent in parents()[child]} - above
    return frozenset(above)
