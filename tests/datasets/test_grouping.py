"""Sources of clips: known from a column, from folders or from a pattern, else never claimed."""

import csv
from pathlib import Path

import pytest

from audioclf.annotation import catalog, database, event_log, project, to_dataset
from audioclf.annotation.event_log import AnnotationEvent, EventKind
from audioclf.audio import io
from audioclf.datasets import dataset, inspection, uploads
from audioclf.datasets.checks import Severity
from audioclf.datasets.dataset import Dataset
from audioclf.datasets.grouping import Grouping, GroupingKind, propose_pattern
from tests import sounds
from tests.sentences import refusal

CLAIM = "no clip and no source is on both sides"
PATTERN = "{source}_*"
N_SOURCES, N_EACH = 6, 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of three recordings each, of which three clips were cut: `dog/site1_0.wav`."""
    for number in range(N_SOURCES):
        label = ("dog", "rain")[number % 2]
        for clip in range(N_EACH):
            path = tmp_path / "clips" / label / f"site{number}_{clip}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            io.write(path, sounds.noise(0.5, seed=10 * number + clip), sounds.RATE_HZ)
    return tmp_path / "clips"


def claims(data: Dataset) -> str:
    report = inspection.inspect(data, 0.5)
    return " ".join(one.sentence for one in report.findings if one.kind == Severity.INFO)


def sides(data: Dataset) -> dict[str, set[bool]]:
    held_out = data.held_out(0.34)
    found: dict[str, set[bool]] = {}
    for clip in data.clips:
        found.setdefault(clip.path.stem.partition("_")[0], set()).add(clip.fold in held_out)
    return found


def test_names_alone_claim_nothing_and_a_pattern_keeps_sources_together(folder: Path) -> None:
    data = dataset.load(folder, 3)
    assert any(len(both) == 2 for both in sides(data).values())
    assert CLAIM not in claims(data) and "share a recording is not known" in claims(data)
    assert data.hints.pattern == PATTERN
    grouped = dataset.load(folder, 3, Grouping(GroupingKind.PATTERN, PATTERN))
    assert len({clip.group for clip in grouped.clips}) == N_SOURCES
    assert all(len(both) == 1 for both in sides(grouped).values())
    assert f"{CLAIM} of a split (sources by the pattern {PATTERN} on file names)" in claims(grouped)


def test_a_column_and_folders_tell_sources(folder: Path) -> None:
    clips = sorted(folder.glob("*/*.wav"))
    moved = []
    for path in clips:
        target = folder / "audio" / path.stem.partition("_")[0] / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        moved.append((path.parent.name, path.rename(target)))
    with (folder / "metadata.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("file_name", "label", "site", "rate"))
        for label, path in moved:
            rows.writerow((path.relative_to(folder), label, path.stem.partition("_")[0], "44100"))
    data = dataset.load(folder)
    assert data.hints.columns == ("label", "site") or data.hints.columns == ("site",)
    assert data.hints.has_folders and not data.hints.has_table
    assert CLAIM not in claims(data)
    for grouping, words in (
        (Grouping(GroupingKind.COLUMN, "site"), "by the column “site”"),
        (Grouping(GroupingKind.FOLDER), "by folder"),
    ):
        grouped = dataset.load(folder, 3, grouping)
        assert all(len(both) == 1 for both in sides(grouped).values())
        assert CLAIM in claims(grouped) and words in claims(grouped)
    unknown = dataset.load(folder, 3, Grouping(GroupingKind.UNKNOWN))
    assert CLAIM not in claims(unknown)
    assert "has nothing in the column “place”" in refusal(
        lambda: dataset.load(folder, 3, Grouping(GroupingKind.COLUMN, "place"))
    )


def test_what_label_hands_over_claims_no_source(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path / "made"))
    monkeypatch.setenv("AUDIOCLF_CACHE", str(tmp_path / "cache"))
    io.write(folder / "long.wav", sounds.noise(4.0, seed=99), sounds.RATE_HZ)
    labelled = project.create("mine", folder)
    project.scan_files(labelled)
    with database.connect(labelled.store) as db:
        catalog.add_classes(db, ["dog", "rain"])
        for file in labelled.files():
            if file.relative_path != "long.wav":
                name = file.relative_path.partition("/")[0]
                event_log.add(db, AnnotationEvent(file.relative_path, EventKind.LABEL, (name,)))
        for start_s in (0.0, 1.0, 2.0):
            event = AnnotationEvent("long.wav", EventKind.LABEL, ("dog",), start_s, start_s + 1)
            event_log.add(db, event)
    data = dataset.load(uploads.folder_of(to_dataset.from_labels(labelled, uploads.Limits())))
    assert CLAIM not in claims(data)
    assert "of one recording stays together; but which recordings share a source is not" in claims(
        data
    )
    cut = [clip.fold for clip in data.clips if "long" in clip.path.name]
    assert len(cut) == 3 and len(set(cut)) == 1
    assert data.ignored == ()


@pytest.mark.parametrize(
    ("files", "pattern"),
    [
        (["rec1-a-0.wav", "rec1-a-1.wav", "rec2-a-0.wav", "rec2-a-1.wav"], "{source}-{source}-*"),
        (["1-10-A-0.ogg", "1-10-B-0.ogg", "2-20-A-0.ogg", "2-20-B-0.ogg"], "{source}-{source}-*"),
        (["x1.wav", "x2.wav", "y1.wav", "y2.wav"], ""),
        (["dog_1.wav", "dog_2.wav", "cat_1.wav", "cat_2.wav"], ""),  # no more than the class
        (["a_1.wav", "b_2.wav", "c_3.wav", "d_4.wav"], ""),  # nothing is shared
        ([], ""),
    ],
)
def test_a_pattern_is_proposed_where_names_share_prefixes(files: list[str], pattern: str) -> None:
    is_of_class = bool(files) and files[0].startswith("dog")
    labels = [file[:3] if is_of_class else "same" for file in files]
    assert propose_pattern(files, labels) == pattern


@pytest.mark.parametrize("pattern", ["", "*_x", "{source}{source}_*", "{source}*", "(a+)+$" * 60])
def test_what_is_no_pattern_is_a_sentence(folder: Path, pattern: str) -> None:
    grouping = Grouping(GroupingKind.PATTERN, pattern)
    assert "is no pattern of file names" in refusal(lambda: dataset.load(folder, 5, grouping))
    assert "no grouping “x”" in refusal(lambda: Grouping("x"))


def test_every_ignored_file_is_listed_and_classes_are_taken_out(folder: Path) -> None:
    io.write(folder / "top.wav", sounds.sine(440, 0.5), sounds.RATE_HZ)
    for number in range(7):
        path = folder / "nested" / "inner" / f"{number}.ogg"
        path.parent.mkdir(parents=True, exist_ok=True)
        io.write(path, sounds.sine(440, 0.5), sounds.RATE_HZ)
    (folder / "empty").mkdir()
    (folder / "dog" / "notes.txt").write_text("x")
    (folder / "dog" / ".DS_Store").write_text("x")
    data = dataset.load(folder)
    reasons = {one.path: one.reason for one in data.ignored}
    assert reasons == {
        "top.wav": "in no folder of a class",
        "empty": "an empty folder",
        "dog/notes.txt": "no audio file",
        **{f"nested/inner/{n}.ogg": "deeper than the folders of the classes" for n in range(7)},
    }
    text = claims(data)
    assert "nested/inner/0.ogg" in text and "and 2 more" in text and "dog/notes.txt" in text
    report = inspection.inspect(data, 0.5)
    listed = {file for finding in report.findings for file in finding.files}
    assert set(reasons) <= listed
    io.write(folder / "empty" / "one.wav", sounds.sine(500, 0.5), sounds.RATE_HZ)
    bad = dataset.load(folder)
    assert inspection.inspect(bad, 0.5).has_errors
    assert not inspection.inspect(bad.without((), ["empty"]), 0.5).has_errors
