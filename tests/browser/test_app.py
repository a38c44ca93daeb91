"""The app's process, and the page's handlers as plain functions."""

import csv
import subprocess
import sys
import zipfile
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import soundfile

from audioclf.audio import io
from audioclf.datasets.formats import audacity, raven
from audioclf.features import FEATURES
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from audioclf.ui.classify import answers, denoise, spectrogram, split, split_exports, tab
from audioclf.ui.page import state
from audioclf.ui.page.limits import HOSTED, LOCAL, limits
from tests import sounds
from tests.conftest import ROOT
from tests.sentences import refusal


@pytest.fixture
def network(trained_model: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    """The only network that the page finds."""
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(trained_model.folder.parent))
    return checkpoint.find("three_sounds")


@pytest.fixture
def two_stretches(tmp_path: Path) -> str:
    path = tmp_path / "two.wav"
    parts = [0.2 * sounds.noise(2, seed=1), sounds.silence(1.5), 0.2 * sounds.sine(900, 2)]
    io.write(path, np.concatenate(parts), sounds.RATE_HZ)
    return str(path)


def test_the_app_imports_neither_tensorflow_nor_keras() -> None:
    code = (
        "import sys, app; from audioclf.ui.app import build_app; build_app();"
        "print([m for m in ('tensorflow', 'keras', 'torch', 'jax') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_predicting_imports_neither_tensorflow_nor_keras(
    network: Checkpoint, two_stretches: str
) -> None:
    code = (
        "import sys; from audioclf.models import checkpoint;"
        "from audioclf.inference import predict;"
        f"predict.predict_file({two_stretches!r}, checkpoint.find({str(network.folder)!r}));"
        "print([m for m in ('tensorflow', 'keras', 'librosa') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_sound_is_answered_with_a_sentence_and_windows(
    network: Checkpoint, two_stretches: str
) -> None:
    answer, lane, answered = answers.predict_clip(two_stretches, network.name, "as_is")
    # two classes within five seconds are like neither to statistics of 24 clips
    assert answer["sentence"].startswith(("Noise", "Sine", "Not sure", "Unlike"))
    prediction = answered.prediction
    assert [row["class"] for row in answer["ranking"]] == [n for n, _ in prediction.ranking()]
    assert lane["duration_s"] == pytest.approx(5.5)
    assert len(lane["windows"]) == len(prediction.starts_s)
    assert len(lane["colours"]) == 3


def test_without_a_sound_the_page_says_what_to_do(network: Checkpoint) -> None:
    answer, lane, _ = answers.predict_clip(None, network.name, "as_is")
    assert "Upload or record" in answer["sentence"]
    assert lane is None


@pytest.mark.parametrize("name", ["../three_sounds", "/etc", "nonesuch", ""])
def test_a_network_is_a_name_from_the_list_and_never_a_path(
    network: Checkpoint, two_stretches: str, name: str
) -> None:
    answer, lane, _ = answers.predict_clip(two_stretches, name, "as_is")
    assert "no model" in answer["error"].lower()
    assert lane is None


def test_an_unknown_cleaning_is_a_sentence(network: Checkpoint, two_stretches: str) -> None:
    answer, _, _ = answers.predict_clip(two_stretches, network.name, "polished")
    assert "no preprocessing “polished”" in answer["error"]


def test_limits_hold_inside_the_handlers(
    network: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.wav"
    io.write(path, sounds.noise(301, seed=0), 8_000 * sounds.RATE_HZ // sounds.RATE_HZ)
    monkeypatch.delenv("AUDIOCLF_LOCAL", raising=False)
    answer, _, _ = answers.predict_clip(str(path), network.name, "as_is")
    assert "300 s are accepted" in answer["error"]
    assert tab.show_waveform(str(path)) is None
    assert "300 s" in denoise.denoise_clip(str(path), "stationary", 1, 0, 0)[3]
    assert "300 s" in split.split_clip(str(path), 40, 0.1, 0.1)[3]
    monkeypatch.setenv("AUDIOCLF_LOCAL", "1")
    assert "error" not in answers.predict_clip(str(path), network.name, "as_is")[0]
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert "error" in answers.predict_clip(str(path), network.name, "as_is")[0]


def test_the_waveform_names_its_amplitude(two_stretches: str) -> None:
    lane = tab.show_waveform(two_stretches)
    assert lane is not None
    assert len(lane["peaks"]) == 1_200
    assert np.abs(lane["peaks"]).max() == 127
    assert lane["audio"]["path"] == two_stretches


def test_denoising_keeps_loudness_and_length(two_stretches: str) -> None:
    before, after, figure, words = denoise.denoise_clip(two_stretches, "non_stationary", 1.0, 0, 0)
    assert words == ""
    assert before[1].dtype == after[1].dtype == np.int16
    assert len(before[1]) == len(after[1])
    original, _ = io.load(two_stretches)
    assert np.abs(before[1] / 32_767 - original).max() < 1e-3
    assert [ax.get_title("left") for ax in figure.axes[:2]] == ["Before", "After"]


def test_an_empty_noise_stretch_is_a_sentence(two_stretches: str) -> None:
    *_, words = denoise.denoise_clip(two_stretches, "stationary", 1.0, 4, 2)
    assert "noise segment is empty" in words
    *_, words = denoise.denoise_clip(two_stretches, "stationary", 1.0, 2, 2.01)
    assert "too short" in words


def test_split_finds_both_stretches_and_trims(two_stretches: str) -> None:
    lane, rows, trimmed, words = split.split_clip(two_stretches, 40, 0.1, 0.1)
    assert [row[0] for row in rows] == pytest.approx([0, 3.5], abs=0.1)
    assert rows[0][2] == pytest.approx(2, abs=0.1)
    assert len(lane["stretches"]) == 2
    assert len(trimmed[1]) / trimmed[0] == pytest.approx(5.5, abs=0.1)
    assert words.startswith("2 segments")
    assert lane["sounding"] == pytest.approx([0, 5.5], abs=0.1)


def test_the_segments_of_split_are_taken_away(two_stretches: str) -> None:
    texts = [
        Path(button.value["path"]).read_text(encoding="utf-8")
        for button in split_exports.write_segments(two_stretches, 40, 0.1, 0.1)
    ]
    rows = list(csv.DictReader(texts[0].splitlines()))
    assert [float(row["start_s"]) for row in rows] == pytest.approx([0, 3.5], abs=0.1)
    for text, form in ((texts[1], audacity), (texts[2], raven)):
        spans = [(label.start_s, label.end_s) for label in form.read({"two.txt": text})]
        assert np.array(spans) == pytest.approx(np.array([[0, 2], [3.5, 5.5]]), abs=0.1)
    archive, _ = split_exports.pack_segments(two_stretches, 40, 0.1, 0.1)
    assert archive is not None
    with zipfile.ZipFile(archive) as opened:
        assert opened.read("segments.csv").decode() == texts[0]
        clips = [soundfile.info(opened.open(name)) for name in opened.namelist()[1:]]
    lengths_s = [float(row["length_s"]) for row in rows]
    assert [clip.duration for clip in clips] == pytest.approx(lengths_s, abs=0.001)
    assert {(clip.format, clip.samplerate) for clip in clips} == {("FLAC", sounds.RATE_HZ)}
    _, sentence = split_exports.pack_segments(two_stretches, 40, 60, 0.1)
    assert "There is no segment to pack" in sentence


def test_a_stretch_is_cut_to_listen_to(two_stretches: str) -> None:
    (rate_hz, part), _ = split.cut_clip(two_stretches, 3.5, 5.5)
    assert len(part) / rate_hz == pytest.approx(2, abs=0.01)
    with pytest.raises(ValueError, match="Nothing lies between"):
        split.cut_clip(two_stretches, 3, 3)


@pytest.mark.parametrize("setting", [None, "x", [1], float("nan"), 1e308, float("inf"), -5])
def test_settings_that_are_no_number_are_answered_with_a_sentence(
    two_stretches: str, setting: object
) -> None:
    for *_, words in (
        spectrogram.show_spectrogram(two_stretches, "mel", 0, 0, setting, "magma"),
        split.split_clip(two_stretches, setting, 0.1, 0.1),
        denoise.denoise_clip(two_stretches, "stationary", setting, 0, 0),
    ):
        assert words.endswith(".")
        assert len(words) > 10


def test_the_spectrogram_obeys_its_settings(two_stretches: str) -> None:
    settings = (two_stretches, "stft", 500, 2_000, 60, "viridis")
    lane, words = spectrogram.show_spectrogram(*settings)
    assert words == ""
    (picture,) = lane["pictures"]
    assert picture["image"].startswith("data:image/png;base64,")
    labels = {tick["label"] for tick in picture["ticks"]}
    assert "1 kHz" in labels
    assert labels <= {"500 Hz", "1 kHz", "1.5 kHz", "2 kHz"}
    drawn, _ = spectrogram.draw_figure(*settings)
    assert drawn.value is not None and drawn.visible


@pytest.mark.parametrize("feature", [name for _, name in spectrogram.CHOICES])
def test_every_feature_is_offered_and_drawn_channel_by_channel(
    two_stretches: str, feature: str
) -> None:
    lane, words = spectrogram.show_spectrogram(two_stretches, feature, None, None, 80, "magma")
    channels = FEATURES[feature].channels
    assert words == ""
    assert len(lane["pictures"]) == len(channels)
    for picture, channel in zip(lane["pictures"], channels, strict=True):
        assert channel.axis.label in picture["title"] and picture["ticks"]


def test_all_features_but_the_waveform_are_offered() -> None:
    assert {name for _, name in spectrogram.CHOICES} == set(FEATURES) - {"waveform"}


def test_an_empty_band_is_a_sentence_and_keeps_the_lane(two_stretches: str) -> None:
    lane, words = spectrogram.show_spectrogram(two_stretches, "mel", 5_000, 1_000, 60, "magma")
    assert lane == gr.skip()
    assert words.startswith("Nothing lies between 5000 and 1000 Hz")


def test_hosted_unless_local_and_never_local_on_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUDIOCLF_LOCAL", raising=False)
    assert limits() == HOSTED
    monkeypatch.setenv("AUDIOCLF_LOCAL", "1")
    assert limits() == LOCAL and limits().sound == io.ANY
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert limits() == HOSTED


def test_five_minutes_in_stereo_pass_and_rates_of_bats_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUDIOCLF_LOCAL", raising=False)

    def silent(name: str, rate_hz: int, n_channels: int, seconds: int) -> str:
        path = tmp_path / name
        with soundfile.SoundFile(path, "w", rate_hz, n_channels, "PCM_16") as file:
            for _ in range(seconds):
                file.write(np.zeros((rate_hz, n_channels), np.float32))
        return str(path)

    assert state.Sound(silent("long.flac", 48_000, 2, 300)).duration_s == 300
    assert state.Sound(silent("fine.flac", 192_000, 1, 2)).n_samples == 384_000
    for path, words in (
        (silent("bat.flac", 500_000, 1, 2), "500,000 Hz and 192,000 Hz are accepted here"),
        (silent("much.flac", 192_000, 1, 90), "too much for its length here"),
        (silent("many.flac", 48_000, 8, 90), "too much for its length here"),
    ):
        assert words in refusal(lambda path=path: state.Sound(path))
        assert words in refusal(lambda path=path: io.read_header(path, HOSTED.upload.sound))


def test_a_level_beyond_all_measure_is_a_sentence_in_every_view(
    network: Checkpoint, tmp_path: Path
) -> None:
    path = tmp_path / "loud.wav"
    soundfile.write(path, np.full(30_000, 3e38, np.float32), 22_050, subtype="FLOAT")
    words = "has values up to 3e+38"
    assert words in spectrogram.show_spectrogram(str(path), "mel", 0, 0, 80, "magma")[-1]
    assert words in split.split_clip(str(path), 40, 0.1, 0.1)[-1]
    assert words in refusal(lambda: state.predict_sound(state.Sound(str(path)), network, "as_is"))
    assert words in refusal(
        lambda: state.predict_sound(state.Sound(str(path)), network, "denoised")
    )
