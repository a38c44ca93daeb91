"""YAMNet: our network against Google's own file, its front end, the way here, and its page."""

import hashlib
import http.server
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, expect

from audioclf.audio import io
from audioclf.features import compute, stream
from audioclf.features.config import FEATURE_DEFAULTS
from audioclf.inference import predict
from audioclf.models import checkpoint
from audioclf.models import download as fetch
from audioclf.models.checkpoint import Checkpoint
from audioclf.ui.models import download as fetch_view
from tests import sounds
from tests.browsing import upload
from tests.conftest import ROOT, serve, visit
from tests.sentences import refusal

FILE = ROOT.parent / "shared" / "models" / "yamnet" / "yamnet.tflite"
RECIPE = FEATURE_DEFAULTS["yamnet_mel"]
RATE_HZ = RECIPE.spectrogram.sample_rate_hz
N_SAMPLES = 15_600


class Quiet:
    """A bar that only counts."""

    total: float | None = None
    n = 0.0

    def update(self, n: float = 1) -> None:
        self.n += n

    def reset(self, total: float | None = None) -> None:
        self.n = 0

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def yamnet_file() -> Path:
    if not FILE.is_file():
        pytest.skip("YAMNet's own file is not beside this checkout")
    return FILE


@pytest.fixture(scope="session")
def yamnet(yamnet_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """The real network, made of the file as people make it: by the command line."""
    out = tmp_path_factory.mktemp("yamnet")
    done = audioclf("download", "yamnet", "--from", str(yamnet_file), "--output-dir", str(out))
    assert done.returncode == 0, done.stderr
    return checkpoint.read(out / "yamnet-audioset")


def audioclf(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "audioclf", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def window(samples: NDArray[Any]) -> NDArray[np.float32]:
    """What YAMNet hears at once."""
    return np.resize(samples, N_SAMPLES).astype(np.float32)


def made_windows() -> dict[str, NDArray[np.float32]]:
    return {
        "silence": window(sounds.silence(1, RATE_HZ)),
        "sine": window(sounds.sine(440, 1, RATE_HZ)),
        "noise": window(sounds.noise(1, RATE_HZ)),
        "clicks": window(sounds.clicks(1, RATE_HZ)),
    }


def real_windows(esc10: Path) -> dict[str, NDArray[np.float32]]:
    """The first second of every eighth clip that begins with sound."""
    paths = sorted(esc10.glob("**/*.ogg"))[::8]
    windows = {path.name: window(io.load(path, RATE_HZ)[0]) for path in paths}
    return {name: values for name, values in windows.items() if np.abs(values[:100]).max() > 1e-3}


@pytest.mark.slow
def test_the_network_says_what_the_file_says_of_the_same_patch(
    yamnet: Checkpoint, yamnet_file: Path, esc10: Path
) -> None:
    from audioclf.inference.onnx_session import load_classifier
    from tests.litert import Interpreter, as_floats

    theirs, ours = Interpreter(as_floats(yamnet_file)), load_classifier(yamnet)
    for name, samples in (made_windows() | real_windows(esc10)).items():
        scores, patch = theirs(samples)
        (probabilities,) = ours(patch[None, :, :, None])
        assert np.abs(probabilities - scores).max() < 1e-4, name
        assert probabilities.argmax() == scores.argmax(), name


@pytest.mark.slow
def test_from_sound_to_scores_it_is_as_near_to_the_weights_as_eight_bits_allow(
    yamnet: Checkpoint, yamnet_file: Path, esc10: Path
) -> None:
    from tests.litert import Interpreter, as_floats

    exact, shipped = Interpreter(as_floats(yamnet_file)), Interpreter(yamnet_file.read_bytes())
    apart, theirs_apart, same = [], [], []
    for samples in real_windows(esc10).values():
        probabilities = predict.predict(samples, RATE_HZ, yamnet).probabilities[0]
        scores = exact(samples)[0]
        apart.append(np.abs(probabilities - scores).max())
        theirs_apart.append(np.abs(shipped(samples)[0] - scores).max())
        same.append(probabilities.argmax() == scores.argmax())
    assert np.median(apart) < 0.02 and np.mean(same) >= 0.9
    assert np.quantile(apart, 0.9) < 0.2
    assert np.median(apart) < np.median(theirs_apart)


@pytest.mark.slow
def test_the_front_end_is_the_file_s_but_for_its_rounded_spectrum(yamnet_file: Path) -> None:
    from tests.litert import Interpreter, as_floats

    theirs = Interpreter(as_floats(yamnet_file))
    for name, samples in made_windows().items():
        _, patch = theirs(samples)
        mel = compute(RECIPE.feature, samples, RECIPE.spectrogram)[..., 0]
        assert mel.shape == patch.shape == (96, 64)
        # Its Fourier matrices are whole steps of 1 / 127, which leak into quiet bins.
        magnitudes, expected = np.exp(mel), np.exp(patch)
        assert np.abs(magnitudes - expected).max() < 0.02 * expected.max(), name


@pytest.mark.parametrize("name", ["noise", "clicks", "sine"])
def test_the_front_end_is_the_published_formula(name: str) -> None:
    samples = made_windows()[name]
    frames = librosa.util.frame(samples, frame_length=400, hop_length=160).T
    spectra = np.abs(np.fft.rfft(frames * librosa.filters.get_window("hann", 400), 512))
    bank = librosa.filters.mel(
        sr=RATE_HZ, n_fft=512, n_mels=64, fmin=125, fmax=7_500, htk=True, norm=None
    )
    mel = compute(RECIPE.feature, samples, RECIPE.spectrogram)[..., 0]
    # librosa's triangles are straight in Hz, YAMNet's in mel: they differ by a little in between.
    assert np.abs(np.exp(mel) - spectra @ bank.T).max() < 0.05 * np.exp(mel).max()
    exact = spectra @ triangles_in_mel().T + 1e-3
    assert np.abs(np.exp(mel) - exact).max() < 1e-5 * exact.max()
    assert np.median(np.abs(mel - np.log(exact))) < 1e-3


def triangles_in_mel() -> NDArray[np.float64]:
    """As `spectrogram_to_mel_matrix` of YAMNet's own code, bin by bin."""
    low, high = 1127 * np.log(1 + np.array([125.0, 7_500.0]) / 700)
    edges = np.linspace(low, high, 66)
    bins = 1127 * np.log(1 + np.linspace(0, RATE_HZ / 2, 257) / 700)
    rows = []
    for low, centre, high in zip(edges, edges[1:], edges[2:], strict=False):
        rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
        rows.append(np.maximum(0, np.minimum(rising, falling)))
    bank = np.array(rows)
    bank[:, 0] = 0
    return bank


def test_a_window_is_0_96_s_every_0_48_s_and_none_is_padded_with_silence() -> None:
    from audioclf.features import windowing

    assert RECIPE.window_samples == N_SAMPLES and RECIPE.input_shape == (96, 64, 1)
    one = windowing.windows(RECIPE, sounds.noise(1, RATE_HZ)[:N_SAMPLES])
    assert len(one.inputs) == 1
    windows = windowing.windows(RECIPE, sounds.noise(10, RATE_HZ))
    assert np.diff(windows.starts_s[:-1]) == pytest.approx(0.48)
    assert windows.inputs.min() > -6  # a frame of zeros would be log(0.001) = -6.9


@pytest.mark.parametrize("n_samples", [1, 300, 399, 400, 401])
def test_less_than_a_frame_is_one_frame(n_samples: int) -> None:
    sound = sounds.noise(1, RATE_HZ)[:n_samples]
    whole = compute(RECIPE.feature, sound, RECIPE.spectrogram)
    assert whole.shape == (1, 64, 1)
    (part,) = stream(RECIPE.feature, [sound], RECIPE.spectrogram)
    assert np.abs(part - whole).max() < 1e-6


def test_blocks_of_a_long_sound_give_the_same_windows() -> None:
    from audioclf.features import windowing

    sound = sounds.noise(5, RATE_HZ)
    blocks = np.array_split(sound, 13)
    parts = list(windowing.windows_of_blocks(RECIPE, blocks))
    whole = windowing.windows(RECIPE, sound)
    assert np.concatenate([p.starts_s for p in parts]) == pytest.approx(whole.starts_s)
    assert np.abs(np.concatenate([p.inputs for p in parts]) - whole.inputs).max() < 1e-4


@pytest.mark.slow
def test_the_card_says_whose_it_is_and_that_classes_are_independent(
    yamnet: Checkpoint, yamnet_file: Path
) -> None:
    assert len(yamnet.classes) == 521 and yamnet.classes[0] == "Speech"
    assert yamnet.is_multi_label and yamnet.evaluation is None
    assert yamnet.card["licence"] == "Apache-2.0" and "Google" in yamnet.card["attribution"]
    assert yamnet.source_sha256() == checkpoint.sha256(yamnet_file) in fetch.YAMNET.accepted_sha256
    checkpoint.verify(yamnet)


def test_what_is_no_yamnet_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "junk.tflite").write_bytes(b"no flatbuffer at all" * 100)
    done = audioclf("download", "yamnet", "--from", str(tmp_path / "junk.tflite"))
    assert done.returncode == 2 and done.stderr.strip().endswith("download the original.")
    assert "Traceback" not in done.stderr
    done = audioclf("download", "yamnet", "--from", str(tmp_path / "nothing.tflite"))
    assert done.returncode == 2 and "There is no file" in done.stderr
    assert "name yamnet" in audioclf("download", "vggish").stderr


@contextmanager
def server(answers: dict[str, bytes | int]) -> Iterator[str]:
    """A real server: a path's bytes or status; what is called broken ends too early."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers[self.path]
            if isinstance(answer, int):
                self.send_error(answer)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer) + 1000 * ("broken" in self.path)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http_server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http_server.server_port}"
    finally:
        http_server.shutdown()
        http_server.server_close()


def wanted(url: str, paths: list[str], content: bytes) -> fetch.Source:
    return fetch.Source(
        "YAMNet", tuple(url + path for path in paths), hashlib.sha256(content).hexdigest(),
        len(content), "Apache-2.0", "yamnet-audioset",
    )  # fmt: skip


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUDIOCLF_CACHE", str(tmp_path))
    return tmp_path / "downloads"


@pytest.mark.parametrize("first", ["/missing", "/another", "/broken"])
def test_where_the_first_address_fails_the_second_is_asked(empty_cache: Path, first: str) -> None:
    content = bytes(range(256)) * 50
    answers = {"/missing": 404, "/another": b"something else", "/broken": content, "/ok": content}
    bar = Quiet()
    with server(answers) as url:
        content_path = fetch.download(wanted(url, [first, "/ok"], content), bar)
        assert content_path.read_bytes() == content and bar.n == len(content)
    again = fetch.download(wanted("http://127.0.0.1:9", ["/gone"], content), Quiet())
    assert again == content_path  # what is here needs no server
    assert [path.name for path in empty_cache.iterdir()] == [content_path.name]


def test_where_every_address_fails_one_sentence_says_so_and_nothing_is_left(
    empty_cache: Path,
) -> None:
    with server({"/another": b"something else", "/missing": 404}) as url:
        source = wanted(url, ["/missing", "/another"], b"expected")
        message = refusal(lambda: fetch.download(source, Quiet()))
        assert "not the file that was expected" in message and "--from FILE" in message
        message = refusal(lambda: fetch.download(wanted(url, ["/missing"], b"x"), Quiet()))
        assert "the server answered 404" in message
    source = wanted("http://127.0.0.1:9", ["/x"], b"x")
    assert "no connection" in refusal(lambda: fetch.download(source, Quiet()))
    assert list(empty_cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_told_as_that(empty_cache: Path) -> None:
    content = b"content"
    empty_cache.write_bytes(b"a file where the folder should be")
    with server({"/ok": content}) as url:
        message = refusal(lambda: fetch.download(wanted(url, ["/ok"], content), Quiet()))
    assert "cannot be kept in the cache, which AUDIOCLF_CACHE names (" in message


def test_visitors_who_press_at_once_follow_the_same_fetch(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(tmp_path / "none"))
    content = b"no network at all" * 1_000
    with server({"/ok": content}) as url:
        monkeypatch.setattr(fetch_view, "YAMNET", wanted(url, ["/ok"], content))
        first, second = fetch_view.download_model(), fetch_view.download_model()
        next(first), next(second)
        assert first is not second
        followed = fetch_view._running
        first.close()  # this one's tab is closed
        assert list(second)[-1].endswith("download the original.")
        assert fetch_view._running is followed


def test_the_page_tells_why_it_cannot_be_fetched(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(tmp_path / "none"))
    monkeypatch.setattr(fetch_view, "YAMNET", wanted("http://127.0.0.1:9", ["/x"], b"x"))
    updates = list(fetch_view.download_model())
    assert "no connection" in updates[-1]
    assert "no connection" in list(fetch_view.download_model())[-1]  # it can be tried again


@pytest.mark.browser
def test_downloaded_on_the_page_it_is_the_first_choice_and_predicts_many_classes(
    browser: Browser, yamnet_file: Path, tmp_path: Path, made_wav: Path
) -> None:
    folder, content = tmp_path / "checkpoints", yamnet_file.read_bytes()
    folder.mkdir()
    shutil.copytree(checkpoint.find("cldnn-mel").folder, folder / "cldnn-mel")
    with (
        server({"/yamnet.tflite": content}) as url,
        serve(
            AUDIOCLF_CHECKPOINTS=str(folder),
            AUDIOCLF_CACHE=str(tmp_path / "cache"),
            AUDIOCLF_YAMNET_URL=f"{url}/yamnet.tflite",
        ) as address,
        visit(browser, address) as page,
    ):
        page.get_by_role("tab", name="Models").click()
        expect(page.locator("#offer")).to_contain_text("Apache-2.0")
        page.locator("#get-yamnet").click()
        expect(page.locator("#fetched")).to_contain_text("first choice", timeout=120_000)
        expect(page.locator("#offer")).to_be_hidden()
        page.get_by_role("tab", name="Classify").click()
        expect(page.locator("#network input")).to_have_value(
            "Recommended · yamnet-audioset (521 classes, any sound)"
        )
        upload(page, made_wav)
        expect(page.locator("#answer .ac-sentence")).to_be_visible()
        expect(page.locator("#lane-windows canvas")).to_be_visible()
        rows = page.locator("#lane-windows .ac-row").all_text_contents()
        assert 3 <= len(rows) <= 10 and "Silence" in rows
        assert page.locator("#answer .ac-bar").count() == 8
        page.locator("input.ac-field").fill("accord")
        expect(page.locator("#answer .ac-name")).to_have_text(["Accordion"])
        page.locator("input.ac-field").fill("no such class")
        expect(page.locator("#answer")).to_contain_text("No class has that")
        before = page.locator("#lane-windows .ac-when").text_content()
        page.locator("#lane-windows .ac-heat").press("ArrowRight")
        expect(page.locator("#lane-windows .ac-when")).not_to_have_text(before or "")
        with visit(browser, address) as another:  # who comes later starts with it too
            first = another.locator("#network input")
            expect(first).to_have_value("Recommended · yamnet-audioset (521 classes, any sound)")
