"""Cards of checkpoints: a bad one is listed with its reason, and the rest works."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audioclf.cli import main
from audioclf.models import card, checkpoint, ranking
from audioclf.storage.format import FORMAT
from audioclf.ui import app as ui
from audioclf.ui.classify import compare
from audioclf.ui.models import details, tab
from audioclf.ui.page import model_lists
from audioclf.ui.page.state import find_model
from tests.sentences import refusal

Card = dict[str, Any]
GOOD, OTHER, HEAD, ENSEMBLE = "cldnn-mel", "lstm-mel", "yamnet-esc10", "both"


def with_values(**values: Any) -> Callable[[Card], Card]:
    return lambda card: {**card, **values}


def with_result(**values: Any) -> Callable[[Card], Card]:
    return lambda card: {**card, "results": [{**card["results"][0], **values}]}


def with_frontend(**values: Any) -> Callable[[Card], Card]:
    return lambda card: {**card, "frontend": {**card["frontend"], **values}}


def ensemble(*members: str) -> Callable[[Card], Card]:
    def make(card: Card) -> Card:
        rest = {k: v for k, v in card.items() if k not in ("frontend", "sha256")}
        return {**rest, "architecture": "ensemble", "members": list(members)}

    return make


def deep(card: Card) -> Card:
    value: Any = []
    for _ in range(200):
        value = [value]
    return {**card, "notes": value}


BAD: dict[str, tuple[Callable[[Card], Any], str]] = {
    "results": (with_values(results="x"), "results should be a valid list"),
    "markup": (with_values(n_params="<b>"), "n_params should be a valid integer"),
    "yes-and-no": (with_values(n_params=True), "n_params"),
    "negative": (with_values(n_params=-1), "n_params"),
    "endless-number": (with_values(n_params=10**30), "out of bounds"),
    "endless-elsewhere": (with_values(own={"number": 10**30}), "out of bounds"),
    "half-a-character": (with_values(description="\ud800"), "out of bounds"),
    "deep": (deep, "nested too deep"),
    "no-object": (lambda card_values: [card_values], "no JSON object"),
    "newer": (with_values(format=3), "is of format 3, and this audioclf reads up to 2"),
    "odd-format": (with_values(format="1"), "format"),
    "no-classes": (with_values(classes=[]), "lacks classes"),
    "classes-twice": (with_values(classes=["a", "a"]), "names a class twice"),
    "class-in-lines": (with_values(classes=["a\n# b"]), "printable"),
    "sure": (with_result(accuracy=1.5), "results.0.accuracy"),
    "nan": (with_result(accuracy=float("nan")), "results.0.accuracy"),
    "no-accuracy": (with_values(results=[{"data": "x"}]), "results.0.accuracy"),
    "no-clips": (with_result(n_clips=0), "results.0.n_clips"),
    "confusion": (with_result(confusion=[[1, 2]]), "confusion matrix"),
    "path-outside": (with_values(sha256={"../../x": "0" * 64}), "sha256"),
    "no-digest": (with_values(sha256={"model.onnx": "x"}), "sha256.model.onnx"),
    "feature": (with_frontend(feature="nonesuch"), "nonesuch"),
    "bins": (with_frontend(spectrogram={"n_bins": 10**9}), "frontend.spectrogram.n_bins"),
    "cold": (with_values(calibration={"temperature": 0}), "calibration.temperature"),
    "history": (with_values(training={"history": {"loss": ["x"]}}), "training.history.loss.0"),
    "backbone": (with_values(backbone={"name": "../up", "sha256": []}), "backbone.name"),
    "itself": (ensemble("itself", GOOD), "names an ensemble as a member"),
    "round-1": (ensemble("round-2", GOOD), "names an ensemble as a member"),
    "round-2": (ensemble("round-1", GOOD), "names an ensemble as a member"),
    "lonely": (ensemble(GOOD, "nobody"), "needs “nobody”, which is not here"),
    "of-a-bad-one": (ensemble(GOOD, "nan"), "The card of “nan”"),
    "member-outside": (ensemble(GOOD, "../cldnn-mel"), "members.1"),
    "other-classes": (ensemble(GOOD, "two-classes"), "do not know the same classes"),
}


def copied(name: str, folder: Path, change: Callable[[Card], Any]) -> None:
    source = next((one for one in checkpoint.find_all() if one.name == name), None)
    if source is None:
        pytest.skip("no checkpoint ships")
    folder.mkdir()
    for path in source.folder.glob("*.onnx"):
        (folder / path.name).symlink_to(path)
    (folder / checkpoint.CARD).write_text(json.dumps(change(source.card)), encoding="utf-8")


@pytest.fixture(scope="module")
def bad_cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    for name in (GOOD, OTHER):
        copied(name, folder / name, with_values())
    copied(GOOD, folder / ENSEMBLE, ensemble(GOOD, OTHER))
    copied(GOOD, folder / "two-classes", with_result(confusion=None))
    content = json.loads((folder / "two-classes" / checkpoint.CARD).read_text())
    two = {**content, "classes": ["a", "b"], "results": []}
    (folder / "two-classes" / checkpoint.CARD).write_text(json.dumps(two))
    for name, (change, _) in BAD.items():
        copied(GOOD, folder / name, change)
    (folder / "no-json").mkdir()
    (folder / "no-json" / checkpoint.CARD).write_text("[" * 200_000)
    (folder / "huge").mkdir()
    with (folder / "huge" / checkpoint.CARD).open("wb") as file:
        file.truncate(100_000_000)
    return folder


@pytest.fixture
def here(bad_cards: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(bad_cards))
    return bad_cards


REST = sorted([GOOD, OTHER, ENSEMBLE, "two-classes"])


def test_every_bad_card_is_listed_with_its_reason_and_the_rest_works(here: Path) -> None:
    checkpoints, damaged = checkpoint.scan()
    assert sorted(one.name for one in checkpoints) == REST
    reasons = {one.name: one.unavailable_reason for one in damaged}
    assert set(reasons) == {*BAD, "no-json", "huge"}
    for name, (_, words) in BAD.items():
        assert words in reasons[name], reasons[name]
    assert "no JSON" in reasons["no-json"] and "has 100 MB" in reasons["huge"]
    assert "update audioclf" in reasons["newer"]
    assert all(one.unavailable_reason.isprintable() for one in damaged)


def test_a_bad_one_is_never_chosen_and_says_why_when_it_is_named(here: Path) -> None:
    names = {one.name for one in checkpoint.scan()[1]}
    assert not names & {one.name for one in ranking.best_first()}
    assert not names & {name for _, name in model_lists.model_choices()}
    assert not names & set(compare.first_choice())
    for name in ("results", "itself", "newer", "huge"):
        message = refusal(lambda n=name: checkpoint.find(n))
        assert message == refusal(lambda n=name: find_model(n))
        assert name in message
        assert details.model_results(name)[2] == message


def test_the_tab_networks_lists_them_with_their_reasons_escaped(here: Path) -> None:
    *_, damaged = tab.list_trained(None)
    assert damaged.visible and "**Unavailable** (35 models)" in damaged.value
    assert "- markup: The card of “markup”" in damaged.value and "<b>" not in damaged.value
    rows = tab.list_trained(None)[2]["data"]
    assert sorted(row[0] for row in rows) == REST


def test_the_commands_list_them_too(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["checkpoints", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows[GOOD]["trouble"] is None and rows[GOOD]["accuracy"] > 0.5
    assert "names an ensemble" in rows["itself"]["trouble"] and rows["itself"]["accuracy"] is None
    assert main.main(["checkpoints"]) == 0
    assert "results should be a valid list" in capsys.readouterr().out
    assert main.main(["checkpoints", "--markdown"]) == 0
    assert "results" not in capsys.readouterr().out


def test_what_is_not_known_stays_in_the_card(here: Path, tmp_path: Path) -> None:
    more = {"of_mine": {"anything": [1, "two", None]}, "format": 2}
    copied(GOOD, tmp_path / "more", with_values(**more))
    assert checkpoint.read(tmp_path / "more").card["of_mine"] == more["of_mine"]


def test_a_head_reads_no_head_and_no_ensemble(here: Path, tmp_path: Path) -> None:
    stamp = checkpoint.find(ENSEMBLE).source_sha256()
    copied(GOOD, tmp_path / "head", with_values(backbone={"name": ENSEMBLE, "sha256": [stamp]}))
    assert "another “both”" in str(checkpoint.read(tmp_path / "head").unavailable_reason())
    own = checkpoint.read(tmp_path / "head").source_sha256()
    copied(GOOD, tmp_path / "top", with_values(backbone={"name": "head", "sha256": [own]}))
    assert "another “head”" in str(checkpoint.read(tmp_path / "top").unavailable_reason())


def test_a_bad_card_is_not_written_over_a_good_one(here: Path, tmp_path: Path) -> None:
    copied(GOOD, tmp_path / "mine", with_values())
    before = (tmp_path / "mine" / checkpoint.CARD).read_bytes()
    good = checkpoint.read(tmp_path / "mine").card
    refusal(lambda: checkpoint.write_card(tmp_path / "mine", {**good, "results": "x"}))
    assert (tmp_path / "mine" / checkpoint.CARD).read_bytes() == before


def test_a_card_that_changed_is_read_again(here: Path, tmp_path: Path) -> None:
    copied(GOOD, tmp_path / "mine", with_values())
    assert checkpoint.read(tmp_path / "mine").card["description"] != "new"
    good = checkpoint.read(tmp_path / "mine").card
    assert checkpoint.write_card(tmp_path / "mine", {**good, "description": "new"})
    assert checkpoint.read(tmp_path / "mine").card["description"] == "new"


def test_every_card_that_ships_is_valid() -> None:
    folders = sorted(Path(checkpoint.__file__).parents[2].glob("checkpoints/*/card.json"))
    assert len(folders) >= 27 or not folders
    for path in folders:
        assert card.read(path)["format"] == FORMAT
    assert checkpoint.scan(Path(checkpoint.__file__).parents[2] / "checkpoints")[1] == []


def test_the_page_is_built_with_bad_cards_beside_good_ones(here: Path) -> None:
    app = ui.build_app()
    words = [str(block.value) for block in app.blocks.values() if hasattr(block, "value")]
    assert any("35 models" in text for text in words)
