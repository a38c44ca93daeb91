"""One visitor's costly work never stands before another one's prediction."""

import asyncio
import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fastapi.testclient import TestClient
from gradio.routes import App
from gradio_client import Client, handle_file

from audioclf.audio import io
from audioclf.models import checkpoint
from audioclf.ui.app import build_app
from audioclf.ui.classify import answers, compare, exports, models, spectrogram
from audioclf.ui.models import tab as models_tab
from audioclf.ui.page import requests, state
from tests import sounds

HALF = "\ud800"  # half a character: JSON may carry it, UTF-8 cannot
HUGE = 10**30
JUNK = [HALF, HUGE, -HUGE, [], {}, [HALF], "x" * 10_000, True, 1.5]


@pytest.fixture
def networks(made_checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The made networks are those that the page finds; nothing was asked before."""
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(made_checkpoints))
    monkeypatch.delenv("AUDIOCLF_LOCAL", raising=False)
    state._predicted.cache_clear()
    return made_checkpoints


def test_predictions_comparisons_views_and_timings_have_slots_of_their_own(networks: Path) -> None:
    slots: dict[str, set[Any]] = defaultdict(set)
    for event in build_app().fns.values():
        slots[str(event.concurrency_id)].add((event.name, event.concurrency_limit))
    answers_first = {"predict_clip", "watch_prediction", "predict_segment"}
    assert slots["predict"] == {(name, 2) for name in answers_first}
    assert slots["compare"] == {("compare_models", 1)}
    assert slots["timings"] == {("benchmark_models", 1)}
    costly = {*("denoise_clip", "split_clip", "show_spectrogram", "draw_figure", "choose_segment")}
    costly |= {"write_segments", "pack_segments", "explain_segment"}
    assert slots["views"] == {(name, 2) for name in costly}


@pytest.mark.browser
def test_a_prediction_does_not_wait_for_others_comparisons(page_url: str, tmp_path: Path) -> None:
    """Against the running page, over its endpoints."""
    long, short = tmp_path / "long.wav", tmp_path / "short.wav"
    io.write(long, 0.3 * sounds.noise(60, seed=3), sounds.RATE_HZ)
    io.write(short, 0.3 * sounds.noise(5, seed=4), sounds.RATE_HZ)
    usable = [
        one.name
        for one in checkpoint.find_all()
        if not (one.is_ensemble or one.unavailable_reason())
    ]
    names = usable[: compare.MAX_HOSTED]
    comparisons = [
        Client(page_url, verbose=False).submit(
            handle_file(str(long)), models, "denoised", api_name="/compare_models"
        )
        for models in (names, names[::-1], usable[8:16])
    ]
    answer, _ = Client(page_url, verbose=False).predict(
        handle_file(str(short)), names[0], "as_is", api_name="/predict_clip"
    )
    assert "error" not in answer
    assert not all(one.done() for one in comparisons)
    assert [len(one.result(120)["rows"]) for one in comparisons] == [8, 8, 8]


def test_on_a_public_page_few_networks_are_compared_and_ensembles_count_as_their_members(
    networks: Path, made_wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "MAX_HOSTED", 2)
    (shown,) = compare.compare_models(str(made_wav), ["both", "another"], "as_is")
    assert shown["error"].startswith("These are 3 models, with the members of ensembles")
    *_, shown = compare.compare_models(str(made_wav), ["both", "full"], "as_is")
    assert len(shown["rows"]) == 2  # the ensemble's two members, one of them twice
    monkeypatch.setattr(compare, "MAX_HOSTED_S", 15.0)
    (shown,) = compare.compare_models(str(made_wav), ["full", "old"], "as_is")
    assert "lasts 10 s, and at most 1 models" in shown["error"]
    monkeypatch.setenv("AUDIOCLF_LOCAL", "1")
    *_, shown = compare.compare_models(str(made_wav), ["both", "another"], "as_is")
    assert len(shown["rows"]) == 2


def test_a_comparison_ends_when_the_same_visitor_asks_anew(networks: Path, made_wav: Path) -> None:
    me, other = gr.Request(session_hash="me"), gr.Request(session_hash="other")
    steps = compare.compare_models(str(made_wav), ["full", "old", "another"], "as_is", me)
    for _ in range(2):  # the empty rows, and the first network's
        shown = next(steps)
    compare.cancel_comparison(other)
    shown = next(steps)
    assert sum("answer" in row for row in shown["rows"]) == 2
    compare.cancel_comparison(me)
    assert list(steps) == []
    again = list(compare.compare_models(str(made_wav), ["full", "old"], "as_is", me))
    assert len(again) == 3


def test_a_prediction_reads_no_card_but_that_of_its_network(
    networks: Path, made_wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "networks"
    shutil.copytree(networks, copied)
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(copied))
    read: list[str] = []
    monkeypatch.setattr(
        checkpoint, "read", lambda folder, f=checkpoint.read: _noted(f, folder, read)
    )
    for _ in range(2):
        answer, _, _ = answers.predict_clip(str(made_wav), "full", "as_is")
        assert "error" not in answer
    assert read == ["full"]
    card = copied / "full" / checkpoint.CARD
    card.write_text(card.read_text().replace("{", "{ ", 1))  # published anew: read again
    assert state.find_model("full").name == "full" and read == ["full", "full"]


def _noted(read: Any, folder: Path, names: list[str]) -> Any:
    names.append(folder.name)
    return read(folder)


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_what_no_form_sends_is_answered_with_a_sentence_that_can_be_sent(
    networks: Path, made_wav: Path, junk: Any
) -> None:
    wav = str(made_wav)
    sentences = [
        answers.predict_clip(wav, junk, "as_is")[0].get("error"),
        answers.predict_clip(wav, "full", junk)[0].get("error"),
        *(compare.compare_models(wav, junk, "as_is")),
        spectrogram.show_spectrogram(wav, junk, 0, 0, 80, "magma")[1],
        spectrogram.show_spectrogram(wav, "mel", 0, 0, 80, junk)[1],
        models.describe_model(junk),
    ]
    for shown in sentences:
        sentence = (shown.get("error") or shown["sentence"]) if isinstance(shown, dict) else shown
        assert isinstance(sentence, str) and sentence.endswith(".")
        assert len(sentence.encode("utf-8")) < 1_000  # and no half of a character in it


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_lists_keep_what_they_can(networks: Path, junk: Any) -> None:
    """What was chosen before is told by the browser, which may tell anything."""
    assert "choices" in compare.update_choices(junk)
    *_, selected, _ = models_tab.list_trained(junk)
    assert selected["value"] in [name for _, name in selected["choices"]]
    assert exports.write_tables(None, junk, junk)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"fn_index": 10**6, "data": []}, 422),
        ({"fn_index": -1, "data": [HALF]}, 422),
        ({"fn_index": 10**30, "data": []}, 422),
        ({"fn_index": "predict", "data": []}, 422),
        ({"data": []}, 400),
    ],
)
def test_a_function_that_does_not_exist_is_refused(
    networks: Path, body: dict[str, Any], status: int
) -> None:
    app = App.create_app(build_app(), app_kwargs={"exception_handlers": requests.HANDLERS})
    with TestClient(app) as client:
        sent = client.post(
            "/gradio_api/queue/join",
            content=json.dumps({**body, "session_hash": "a"}),
            headers={"content-type": "application/json"},
        )
    assert sent.status_code == status


def test_values_that_no_page_sends_are_refused_without_a_trace(networks: Path) -> None:
    page = build_app()
    functions = {event.name: event for event in page.fns.values()}
    for name, values in (
        ("predict_clip", []),
        ("predict_clip", [{"path": "/etc/passwd"}, "full", "as_is"]),
        ("predict_clip", [[HALF], HUGE, {}]),
        ("show_spectrogram", [None, "x" * 10_000, HUGE, HALF, 0, "magma"]),
        ("compare_models", [7, HUGE, HALF]),
    ):
        with pytest.raises(gr.Error) as refused:
            asyncio.run(page.preprocess_data(functions[name], values, None))
        assert not refused.value.print_exception
        assert len(refused.value.message.encode("utf-8")) < 1_000


def test_calls_that_no_page_makes_leave_no_trace(
    networks: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    page = build_app()
    of_the_browser = next(event for event in page.fns.values() if not event.fn)
    of_a_selection = next(event for event in page.fns.values() if event.name == "choose_row")
    app = App.create_app(page, app_kwargs={"exception_handlers": requests.HANDLERS})
    with TestClient(app) as client:
        for event in (of_the_browser, of_a_selection):
            values = [None for _ in event.inputs]
            sent = client.post(
                "/gradio_api/run/predict",
                json={"fn_index": event._id, "data": values, "session_hash": "a"},
            )
            assert sent.json()["error"] == requests.UNUSABLE
    assert "Traceback" not in capfd.readouterr().err
