"""Candidates: whole files, windows, and what lies between silences."""

from pathlib import Path

import numpy as np
import pytest

from audioclf.annotation import catalog, database, project, tasks
from audioclf.annotation.tasks import AnnotationTask, Segmentation, SegmentationKind
from audioclf.audio import io, silence
from audioclf.audio.silence import Split
from tests import sounds
from tests.sentences import refusal

SILENCES, WHOLE, WINDOWS = (
    SegmentationKind.SILENCES,
    SegmentationKind.WHOLE,
    SegmentationKind.WINDOWS,
)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path / "made"))


@pytest.fixture
def field(tmp_path: Path) -> project.AnnotationProject:
    """A short sound, a broken one, and 40 s with three calls in silence."""
    root = tmp_path / "field"
    root.mkdir()
    io.write(root / "short.wav", sounds.sine(440, 2.0), sounds.RATE_HZ)
    (root / "broken.wav").write_bytes(b"RIFF")
    call, pause = sounds.sine(880, 2.0), sounds.silence(9.0)
    parts = [pause, call, pause, call, pause, call, sounds.silence(7.0)]
    io.write(root / "long.wav", np.concatenate(parts), sounds.RATE_HZ)
    new_project = project.create("field", root)
    project.scan_files(new_project)
    return new_project


def test_long_recordings_become_windows_and_short_ones_stay_whole(
    field: project.AnnotationProject,
) -> None:
    windows = tasks.build_tasks(field, Segmentation(WINDOWS, window_s=15.0))
    assert windows[-1] == AnnotationTask("short.wav")
    ends = [(one.start_s, one.end_s) for one in windows[:-1]]
    assert ends == [(0.0, 15.0), (15.0, 30.0), (25.0, 40.0)]  # the last ends with the file
    whole = tasks.build_tasks(field, Segmentation(WHOLE))
    assert whole == [AnnotationTask("long.wav"), AnnotationTask("short.wav")]


def test_windows_begin_on_samples_and_leave_nothing_out(field: project.AnnotationProject) -> None:
    built = tasks.build_tasks(field, Segmentation(WINDOWS, long_s=1.0, window_s=0.7))
    own = [one for one in built if one.file == "long.wav"]
    starts = np.array([one.start_s for one in own]) * sounds.RATE_HZ
    np.testing.assert_allclose(starts, np.round(starts), atol=1e-6)
    ends = np.array([one.end_s for one in own])
    assert (np.array([one.start_s for one in own])[1:] <= ends[:-1] + 1e-9).all()
    assert ends[-1] == pytest.approx(40.0)


def test_silences_are_looked_for_once_per_setting(field: project.AnnotationProject) -> None:
    cutting = Segmentation(SILENCES)
    assert tasks.build_tasks(field, cutting) == [AnnotationTask("short.wav")]
    assert list(tasks.detect_silences(field, cutting)) == [0]
    built = [one for one in tasks.build_tasks(field, cutting) if one.file == "long.wav"]
    assert [round(one.start_s or 0) for one in built] == [9, 20, 31]
    assert all(1.9 < (one.end_s or 0) - (one.start_s or 0) < 2.2 for one in built)
    assert list(tasks.detect_silences(field, cutting)) == []  # known
    assert list(
        tasks.detect_silences(field, Segmentation(SILENCES, split=Split(min_length_s=3.0)))
    ) == [0]


def test_a_long_recording_that_breaks_off_is_left_out_with_the_reason(
    field: project.AnnotationProject, tmp_path: Path
) -> None:
    content = (tmp_path / "field" / "long.wav").read_bytes()
    (tmp_path / "field" / "long.wav").write_bytes(content[:100_000])
    assert list(tasks.detect_silences(field, Segmentation(SILENCES))) == [0]
    with database.connect(field.store) as db:
        file = catalog.file(db, "long.wav")
    assert file is not None and file.error and "long.wav" in file.error
    assert tasks.build_tasks(field, Segmentation(SILENCES)) == [AnnotationTask("short.wav")]


def test_settings_that_make_no_sense_are_a_sentence(field: project.AnnotationProject) -> None:
    assert "no segmentation" in refusal(lambda: Segmentation("magic"))
    for seconds in (0.0, float("nan"), 4_000.0):
        assert "Windows last" in refusal(lambda s=seconds: Segmentation(window_s=s))
    tiny = Segmentation(WINDOWS, long_s=0.0, window_s=0.1)
    assert len(tasks.build_tasks(field, tiny)) > 400


@pytest.mark.parametrize("block_s", [0.01, 0.3, 7.0, 100.0])
def test_a_sound_in_blocks_is_split_as_the_whole(block_s: float) -> None:
    parts = [sounds.noise(1.0), sounds.silence(0.5), sounds.sine(440, 0.7), sounds.silence(2.0)]
    whole = np.concatenate(parts)
    size = max(1, round(block_s * sounds.RATE_HZ))
    blocks = [whole[i : i + size] for i in range(0, len(whole), size)]
    np.testing.assert_array_equal(
        silence.split_blocks(blocks, sounds.RATE_HZ), silence.split(whole, sounds.RATE_HZ)
    )
    assert len(silence.split(whole, sounds.RATE_HZ)) == 2
    assert silence.split_blocks([], sounds.RATE_HZ).shape == (0, 2)


def test_a_task_has_the_windows_that_it_overlaps() -> None:
    starts_s, ends_s = np.arange(5.0), np.arange(5.0) + 2
    overlap_weights = tasks.overlap_weights(AnnotationTask("a", 1.0, 3.0), starts_s, ends_s)
    np.testing.assert_allclose(overlap_weights, [0.25, 0.5, 0.25, 0, 0])
    np.testing.assert_allclose(
        tasks.overlap_weights(AnnotationTask("a"), starts_s, ends_s), [0.2] * 5
    )
    late = tasks.overlap_weights(AnnotationTask("a", 9.0, 9.5), starts_s, ends_s)
    np.testing.assert_allclose(late, [0, 0, 0, 0, 1])


def test_a_preview_shows_what_would_be_asked_about(field: project.AnnotationProject) -> None:
    (long_one,) = [file for file in field.files() if file.relative_path == "long.wav"]
    samples = io.load(field.path_of("long.wav"))[0][: 15 * sounds.RATE_HZ]
    windows = tasks.preview(long_one, Segmentation(WINDOWS), samples, sounds.RATE_HZ)
    assert windows == [(0.0, 5.0), (5.0, 10.0), (10.0, 15.0)]
    calls = tasks.preview(long_one, Segmentation(SILENCES), samples, sounds.RATE_HZ)
    assert len(calls) == 1 and round(calls[0][0]) == 9
