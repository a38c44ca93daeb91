"""AudioSet's tree of classes: which class is a kind of which.

Gemmeke, Ellis, Freedman, Jansen, Lawrence, Moore, Plakal and Ritter (2017), "Audio Set: An ontology
and human-labeled dataset for audio events", ICASSP 2017. The relation in
`assets/audioset_tree.csv` is that of the AudioSet ontology, among its 521 classes in YAMNet: see
`assets/audioset_tree.LICENSE.txt`.

A class's parents are its nearest ancestors among the 521: "Bicycle" stands under "Vehicle", for
YAMNet does not know the class between them, "Non-motorized land vehicle". A class with none, such
as "Breathing", is a top one. All of several parents are kept, in the ontology's order, and the
ancestors are those of each: "Growling" is a sound of dogs, of cats, of roaring cats and of
Canidae, and whichever of them a model names is the broader class.
"""

import csv
from functools import lru_cache
from importlib import resources

FILE = "audioset_tree.csv"


@lru_cache(maxsize=1)
def parents() -> dict[str, tuple[str, ...]]:
    """The nearest broader classes, none, one or several, of every AudioSet class in YAMNet."""
    text = (resources.files("audioclf") / "assets" / FILE).read_text(encoding="utf-8")
    return {
        row["class"]: tuple(filter(None, row["parents"].split(";")))
        for row in csv.DictReader(text.splitlines())
    }


@lru_cache(maxsize=1024)
def ancestors(name: str) -> frozenset[str]:
    """All broader classes of one, over each parent, without itself; none if not AudioSet's."""
    above: set[str] = set()
    level = set(parents().get(name, ()))
    while level:
        above |= level
        level = {parent for child in level for parent in parents()[child]} - above
    return frozenset(above)
