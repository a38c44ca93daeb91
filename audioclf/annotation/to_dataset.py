"""What is labelled in a data set, as a labelled folder to train on."""

import shutil

from audioclf.annotation import exporting
from audioclf.annotation.project import LabelledSet
from audioclf.datasets import dataset, uploads
from audioclf.datasets.uploads import Limits
from audioclf.storage.deadline import Check, never


def from_labels(one: LabelledSet, limits: Limits, in_time: Check = never) -> str:
    """A new collection with what is labelled in a set now, every stretch as a clip.

    Clips of one recording stay together; those of several classes are left out. Raises ValueError.
    """
    uploads.check_room(limits, uploads.home())
    with uploads.new_collection() as made:
        with exporting.made(one, exporting.FOR_TEACHING, in_time) as folder:
            shutil.copytree(folder, made / uploads.safe_name(one.name))
        uploads.check(dataset.load(made / uploads.safe_name(one.name)), limits)
    return made.name
