"""The labelled clips of a project as a data set to train on."""

import shutil

from audioclf.annotation import exporting
from audioclf.annotation.project import AnnotationProject
from audioclf.datasets import dataset, uploads
from audioclf.datasets.uploads import Limits
from audioclf.storage.deadline import Check, never


def from_labels(project: AnnotationProject, limits: Limits, check: Check = never) -> str:
    """Upload the labelled clips of a project as a new collection; every segment is a clip.

    Clips of one recording stay together; those of several classes are left out. Raises ValueError.
    """
    uploads.check_quota(limits, uploads.home())
    with uploads.new_collection() as collection:
        with exporting.exported_folder(project, exporting.TRAINING_EXPORT, check) as folder:
            only_clips = shutil.ignore_patterns("README.md", exporting.FULL_CSV)
            target = collection / uploads.safe_name(project.read_name())
            shutil.copytree(folder, target, ignore=only_clips)
        uploads.check(dataset.load(collection / uploads.safe_name(project.read_name())), limits)
    return collection.name
