"""AudioSet's tree of classes is that of the published ontology."""

import csv
from pathlib import Path

import pytest

from audioclf.inference import ontology

ASSETS = Path(ontology.__file__).parent.parent / "assets"

# Read in ontology.json of github.com/audioset/ontology, commit 1e85b88.
PARENTS = [
    # Human sounds
    ("Throat clearing", ["Cough"]),
    ("Breathing", []),  # under "Respiratory sounds", abstract
    ("Choir", ["Singing", "Musical instrument"]),
    # Animal
    ("Growling", ["Dog", "Cat", "Roaring cats (lions, tigers)", "Canidae, dogs, wolves"]),
    ("Howl", ["Dog", "Canidae, dogs, wolves"]),
    ("Clip-clop", ["Horse", "Clicking"]),
    # Music
    ("Soul music", ["Music"]),  # under "Music genre", abstract
    ("Wedding music", ["Music"]),  # under "Music role", abstract
    ("Tuning fork", ["Bell"]),
    ("Swing music", ["Country"]),
    ("Cowbell", ["Cattle, bovinae", "Percussion", "Bell"]),
    # Natural sounds
    ("Waves, surf", ["Ocean"]),
    ("Hiss", ["Cat", "Snake", "Steam"]),
    ("Wind noise (microphone)", ["Wind"]),  # and under "Microphone", which YAMNet does not know
    # Sounds of things
    ("Bicycle", ["Vehicle"]),  # under "Non-motorized land vehicle", which YAMNet does not know
    ("Bicycle bell", ["Bell", "Bicycle", "Alarm"]),
    ("Jet engine", ["Aircraft engine", "Engine"]),
    ("Train whistle", ["Train"]),
    ("Cupboard open or close", []),  # under "Domestic sounds, home sounds", not under "Door"
    ("Fill (with liquid)", ["Liquid"]),
    ("Thunk", ["Thump, thud"]),
    # Source-ambiguous sounds
    ("Bang", []),  # under "Generic impact sounds", abstract
    ("Clickety-clack", ["Clicking"]),
    ("Chirp tone", ["Sine wave"]),
    # Channel, environment and background
    ("White noise", ["Noise"]),
    ("Static", ["Noise"]),  # under "Background noise", which YAMNet does not know
    ("Echo", []),  # under "Acoustic environment", abstract
]


@pytest.mark.parametrize(("name", "parents"), PARENTS)
def test_a_class_has_the_parents_of_the_ontology(name: str, parents: list[str]) -> None:
    assert list(ontology.parents()[name]) == parents


def test_the_tree_has_the_classes_of_yamnet_in_order_and_no_other() -> None:
    parents = ontology.parents()
    with (ASSETS / "audioset_classes.csv").open(encoding="utf-8") as file:
        assert list(parents) == [row["display_name"] for row in csv.DictReader(file)]
    assert all(parent in parents for above in parents.values() for parent in above)
    assert all(len(set(above)) == len(above) for above in parents.values())


def test_ancestors_are_those_over_each_parent_and_never_the_class_itself() -> None:
    assert ontology.ancestors("Bark") == {"Dog", "Domestic animals, pets", "Animal"}
    assert ontology.ancestors("Bicycle bell") == (
        {"Bell", "Musical instrument", "Music"} | {"Bicycle", "Vehicle"} | {"Alarm"}
    )
    assert ontology.ancestors("Rain on surface") == {"Rain", "Water"}
    assert ontology.ancestors("dog_bark") == frozenset()
    assert not any(name in ontology.ancestors(name) for name in ontology.parents())


def test_the_licence_of_the_ontology_goes_with_the_tree() -> None:
    licence = (ASSETS / "audioset_tree.LICENSE.txt").read_text(encoding="utf-8")
    assert "CC BY-SA 4.0" in licence and "Google" in licence
