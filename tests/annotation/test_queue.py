"""The queue: what is asked next, what is suggested, and what the page's functions answer."""

import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audioclf.annotation import catalog, database, embedding, event_log, project
from audioclf.annotation.event_log import AnnotationEvent, EventKind, Suggestion
from audioclf.annotation.queue import LabelQueue, accuracy
from audioclf.annotation.tasks import AnnotationTask, Segmentation
from audioclf.audio import io
from audioclf.models import checkpoint
from audioclf.ui.annotate import browse_api, payloads, queue_api, regions_api, sessions
from tests import sounds
from tests.sentences import refusal

LABEL, UNSURE = EventKind.LABEL, EventKind.UNSURE

BACKBONE = "separable_cnn-mel"
N_EACH = 8
HOSTILE = (
    "<img src=x onerror=alert(1)>", "${7*7}", '=HYPERLINK("http://x")', "../x", "🐸", "ضفدع",
    "x" * 100,
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path / "made"))
    monkeypatch.delenv("AUDIOCLF_LOCAL", raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sines, noises and clicks, one of them broken behind its header, and a long recording."""
    root = tmp_path_factory.mktemp("three kinds")
    for i in range(N_EACH):
        io.write(root / f"sine{i}.wav", sounds.sine(300 + 90 * i, 2.0), sounds.RATE_HZ)
        io.write(root / f"noise{i}.wav", sounds.noise(2.0, seed=i), sounds.RATE_HZ)
        io.write(
            root / f"clicks{i}.wav", sounds.clicks(2.0, every_s=0.1 + 0.04 * i), sounds.RATE_HZ
        )
    parts = [sounds.noise(20, seed=9), sounds.sine(440, 20)]
    io.write(root / "long.wav", np.concatenate(parts), sounds.RATE_HZ)
    return root


@pytest.fixture
def three(folder: Path) -> project.AnnotationProject:
    new_project = project.create("three", folder)
    project.scan_files(new_project)
    return new_project


@pytest.fixture
def embedded_queue(three: project.AnnotationProject) -> LabelQueue:
    queue = LabelQueue(three, Segmentation())
    for _ in queue.embed_all(checkpoint.find(BACKBONE), embedding.SuggestionKind.OWN_LABELS):
        pass
    return queue


def kind_of(candidate: AnnotationTask) -> str:
    if candidate.file == "long.wav":
        return "noise" if (candidate.start_s or 0) < 20 else "sine"
    return candidate.file.rstrip("0123456789.wav")


def say(queue: LabelQueue, candidate: AnnotationTask, name: str) -> None:
    with database.connect(queue.project.store) as db:
        catalog.add_class(db, name)
        event_log.add(
            db, AnnotationEvent(candidate.file, LABEL, (name,), candidate.start_s, candidate.end_s)
        )
    queue.refit()


def test_a_few_labels_are_enough_to_suggest_the_others(embedded_queue: LabelQueue) -> None:
    assert len(embedded_queue.tasks) == 3 * N_EACH + 8
    for _ in range(9):
        (item,) = embedded_queue.next_items("useful", 1)
        assert item.event is None
        say(embedded_queue, item.task, kind_of(item.task))
    events = embedded_queue.events()
    left = [n for n in range(len(embedded_queue.tasks)) if n not in events]
    right = [embedded_queue.suggestion(n).name == kind_of(embedded_queue.tasks[n]) for n in left]
    assert np.mean(right) >= 0.9
    alike = embedded_queue.similar(AnnotationTask("sine0.wav"), 5)
    assert {kind_of(one.task) for one in alike} == {"sine"}
    assert not {embedded_queue.numbers[one.task] for one in alike} & set(events)


def test_nothing_is_asked_twice_and_nothing_is_left_out(embedded_queue: LabelQueue) -> None:
    for order in ("useful", "certain", "filed"):
        items = embedded_queue.next_items(order, 100)
        assert len({one.task for one in items}) == len(embedded_queue.tasks)
    first = embedded_queue.next_items("filed", 3)
    assert [one.task for one in first] == embedded_queue.tasks[:3]
    later = embedded_queue.next_items("filed", 3, [one.task for one in first])
    assert [one.task for one in later] == embedded_queue.tasks[3:6]
    assert "no order" in refusal(lambda: embedded_queue.next_items("magic", 1))


def test_before_anything_is_embedded_sounds_come_as_filed(three: project.AnnotationProject) -> None:
    queue = LabelQueue(three, Segmentation())
    assert [one.task for one in queue.next_items("useful", 2)] == queue.tasks[:2]
    assert queue.suggestion(0) is None
    assert "wait a little" in refusal(lambda: queue.similar(queue.tasks[0], 3))


def test_a_network_s_own_classes_are_suggested_under_the_set_s_names(
    three: project.AnnotationProject,
) -> None:
    with database.connect(three.store) as db:
        for name in ("Sea Waves", "rooster", "toaster"):
            catalog.add_class(db, name)
    queue = LabelQueue(three, Segmentation())
    list(queue.embed_all(checkpoint.find(BACKBONE), embedding.SuggestionKind.MODEL_CLASSES))
    assert queue.model is not None and set(queue.model.classes) == {"Sea Waves", "rooster"}
    suggested = queue.suggestion(queue.numbers[AnnotationTask("noise0.wav")])
    assert suggested is not None and suggested.name == "Sea Waves" and suggested.source == BACKBONE
    assert suggested.probability > 0.5
    queue.refit()
    assert queue.model.source == BACKBONE  # labels do not change what a network says


def test_what_cannot_be_embedded_is_reported_and_left_out(
    three: project.AnnotationProject, folder: Path, tmp_path: Path
) -> None:
    content = (folder / "sine0.wav").read_bytes()
    own = tmp_path / "own"
    own.mkdir()
    (own / "cut off.wav").write_bytes(content[:2_000])
    (own / "good.wav").write_bytes(content)
    new_project = project.create("own", own)
    project.scan_files(new_project)
    queue = LabelQueue(new_project, Segmentation())
    parts = list(queue.embed_all(checkpoint.find(BACKBONE), embedding.SuggestionKind.OWN_LABELS))
    assert [bool(part.error) for part in parts].count(True) == len(queue.tasks) - 1
    assert [one.task.file for one in queue.next_items("useful", 5)] == ["good.wav"]
    troubles = {file.relative_path: file.error for file in new_project.files()}
    assert troubles["cut off.wav"] and troubles["good.wav"] is None


def test_accuracy_is_of_what_stood_there_when_a_label_was_given() -> None:
    right = Suggestion("a", 0.9, "your labels", is_random=True)
    wrong = Suggestion("b", 0.9, "your labels")
    events = [
        AnnotationEvent("1", LABEL, ("a",), suggested=right),
        AnnotationEvent("2", LABEL, ("a",), suggested=wrong),
        AnnotationEvent("3", LABEL, ("a",)),
        AnnotationEvent("4", UNSURE, suggested=right),
    ]
    assert accuracy(events) == (1, 2, 1, 1)


# What the page asks for


def asking(one: project.AnnotationProject, **more: Any) -> dict[str, Any]:
    return {"set": one.id, "kind": "none", "network": "", "order": "filed", "n": 4, **more}


def placed(name: str) -> dict[str, Any]:
    return {"file": name, "start_s": None, "end_s": None}


def test_a_label_is_kept_once_with_what_was_suggested(three: project.AnnotationProject) -> None:
    opened = queue_api.open_queue(asking(three))
    assert opened["n_total"] == 3 * N_EACH + 8
    assert opened["name"] == "three" and not opened["classes"] and opened["format"] == 2
    shown = {"name": "sine", "probability": 0.8, "source": "your labels", "is_random": False}
    payload = asking(three, token="a" * 16, mark="label", names=["sine"], suggested=shown,
                  accepted=True, **placed("sine1.wav"))  # fmt: skip
    for _ in range(2):  # sent again after a broken connection
        answer = queue_api.submit_annotation(payload)
    assert answer["n_labelled"] == 1 and answer["classes"][0]["n"] == 1
    with database.connect(three.store) as db:
        ((event, _),) = event_log.history(db)
    assert event.accepted == ("your labels", 0.8) and event.suggested == Suggestion(
        "sine", 0.8, "your labels"
    )
    assert answer["accuracy"]["n_right"] == 1
    undone = queue_api.undo_annotation(asking(three, token="a" * 16))
    assert undone["undone"]["file"] == "sine1.wav" and undone["n_labelled"] == 0
    assert queue_api.undo_annotation(asking(three, token="a" * 16))["undone"] is None


def test_each_window_takes_back_its_own_last_word(three: project.AnnotationProject) -> None:
    for token, file in (("first000", "sine0.wav"), ("second00", "sine1.wav")):
        queue_api.submit_annotation(
            asking(three, token=token, mark="label", names=["a"], **placed(file))
        )
    assert (
        queue_api.undo_annotation(asking(three, token="first000"))["undone"]["file"] == "sine0.wav"
    )
    assert queue_api.undo_annotation(asking(three))["undone"]["file"] == "sine1.wav"


@pytest.mark.parametrize("name", HOSTILE)
def test_classes_come_back_as_they_were_typed(three: project.AnnotationProject, name: str) -> None:
    answer = queue_api.submit_annotation(
        asking(three, token="t" * 8, mark="label", names=[name], **placed("sine0.wav"))
    )
    assert [one["name"] for one in answer["classes"]] == [name]
    assert three.labels()[0].name == name


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"names": ["x" * 101]}, "1 to 100 characters"),
        ({"names": ["a\nb"]}, "1 to 100 characters"),
        ({"names": [" "]}, "1 to 100 characters"),
        ({"names": [str(i) for i in range(30)]}, "At most 20"),
        ({"names": []}, "choose one"),
        ({"mark": "magic"}, "choose one"),
        ({"token": ""}, "reload"),
        ({"file": "../../etc/passwd"}, "not in the queue"),
        ({"file": ["x"]}, "not in the queue"),
        ({"start_s": {}}, "no such value"),
        ({"set": "../three"}, "not here any more"),
        ({"set": None}, "not here any more"),
        ({"cutting": {"window_s": -1}}, "Windows last"),
        ({"cutting": {"window_s": float("nan")}}, "Windows last"),
        ({"cutting": {"kind": "magic"}}, "no segmentation"),
        ({"order": "magic"}, "no order"),
        ({"n": "x"}, "no number"),
        ({"token": "../../x" * 4}, "reload"),
        ({"set": "x" * 300}, "not here any more"),
        ({"who": "\ud800", "names": ["\ud800"]}, "letters that are none"),
        ({"n": float("inf")}, "no number"),
        ({"held": 3}, "no such value"),
    ],
)
def test_what_a_stranger_sends_is_answered_with_a_sentence(
    three: project.AnnotationProject, more: dict[str, Any], words: str
) -> None:
    payload = asking(three, token="t" * 8, mark="label", names=["a"], **placed("sine0.wav"))
    answer = queue_api.submit_annotation({**payload, **more})
    assert words in answer.get("error", "")
    for nonsense in (None, [], "x", 3):
        assert "error" in queue_api.submit_annotation(nonsense)


def test_a_task_can_be_played_and_seen(three: project.AnnotationProject) -> None:
    got = queue_api.prepare_clip(asking(three, **placed("clicks0.wav")))
    assert got["audio"].startswith("data:audio/wav;base64,")
    assert got["waveform"]["duration_s"] == pytest.approx(2.0) and got["spectrogram"]["pictures"]


def test_two_sounds_are_decoded_at_a_time_and_the_next_is_asked_for_again(
    three: project.AnnotationProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payloads, "WAIT_S", 0.05)
    payload = asking(three, **placed("clicks0.wav"))
    with payloads.decoding(), payloads.decoding():
        answers = [
            queue_api.prepare_clip(payload),
            regions_api.read_page({**payload, "start_s": 0.0, "end_s": 1.0}),
            regions_api.read_outline(payload),
        ]
    for answer in answers:
        assert "try it again in a moment" in answer["error"] and answer["is_passing"]
    assert "audio" in queue_api.prepare_clip(payload)
    assert queue_api.open_queue(asking(three))["n_errors"] == 0


def test_few_wait_for_a_sound_and_the_others_are_told_at_once(
    three: project.AnnotationProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payloads, "_waiting", threading.Semaphore(1))
    payload = asking(three, **placed("clicks0.wav"))
    answers = []

    def prepare() -> None:
        answers.append(queue_api.prepare_clip(payload))

    with ThreadPoolExecutor(3) as pool:
        with payloads.decoding(), payloads.decoding():
            waiting = [pool.submit(prepare) for _ in range(3)]
            wait(waiting, return_when=FIRST_COMPLETED, timeout=20)
            while len(answers) < 2:
                wait(waiting, timeout=0.05)
            assert all("error" in answer for answer in answers)
        wait(waiting, timeout=60)
    assert len(answers) == 3 and "audio" in answers[-1]


def test_a_file_that_is_away_is_asked_about_when_it_is_back(
    three: project.AnnotationProject, folder: Path, tmp_path: Path
) -> None:
    own = tmp_path / "drive"
    own.mkdir()
    for name in ("a.wav", "b.wav"):
        (own / name).write_bytes((folder / "sine0.wav").read_bytes())
    new_project = project.create("drive", own)
    project.scan_files(new_project)
    own.rename(tmp_path / "unplugged")
    answer = queue_api.prepare_clip(asking(new_project, **placed("a.wav")))
    assert "a.wav" in answer["unplayable"]
    assert [one["file"] for one in queue_api.next_items(asking(new_project))["next"]] == ["b.wav"]
    (tmp_path / "unplugged").rename(own)
    assert queue_api.open_queue(asking(new_project))["n_total"] == 2
    (own / "a.wav").write_bytes(b"RIFF, and nothing more")
    assert "unplayable" in queue_api.prepare_clip(asking(new_project, **placed("a.wav")))
    assert queue_api.open_queue(asking(new_project))["n_errors"] == 1
    time.sleep(0.05)
    (own / "a.wav").write_bytes((folder / "sine1.wav").read_bytes())
    project.scan_files(new_project)
    assert queue_api.open_queue(asking(new_project))["n_errors"] == 0


def test_regions_are_kept_to_the_sample_moved_renamed_and_removed(
    three: project.AnnotationProject,
) -> None:
    opened = regions_api.open_recording(asking(three, file="long.wav"))
    assert opened["duration_s"] == pytest.approx(40.0) and opened["regions"] == []
    payload = asking(three, file="long.wav", region="region-1", names=["call"])
    saved = regions_api.save_region({**payload, "token": "1" * 8, "start_s": 3.00001, "end_s": 1})
    (one,) = saved["regions"]
    assert (one["start_s"], one["end_s"]) == (1.0, round(3.00001 * 22_050) / 22_050)
    moved = {**payload, "token": "2" * 8, "start_s": 4, "end_s": 50, "names": ["song"]}
    (one,) = regions_api.save_region(moved)["regions"]
    assert (one["start_s"], one["end_s"], list(one["names"])) == (4.0, 40.0, ["song"])
    gone = regions_api.save_region({**moved, "token": "3" * 8, "names": []})
    assert gone["regions"] == []
    queue_api.undo_annotation(asking(three, token="3" * 8))
    assert len(regions_api.open_recording(payload)["regions"]) == 1
    page = regions_api.read_page({**payload, "start_s": 19.0, "end_s": 21.0})
    assert (page["start_s"], page["end_s"]) == (19.0, 21.0)
    far = regions_api.read_page({**payload, "start_s": 1e9, "end_s": 2e9})
    assert "Nothing lies" in far["error"]
    for wrong in (
        {"start_s": 5, "end_s": 5},
        {"start_s": float("nan"), "end_s": 1},
        {"start_s": "x"},
    ):
        assert "error" in regions_api.save_region({**payload, "token": "4" * 8, **wrong})
    assert len(regions_api.read_outline(payload)["waveform"]["peaks"]) == 1_200


def test_a_stretch_that_was_labelled_in_the_queue_moves_as_a_region(
    three: project.AnnotationProject,
) -> None:
    queue_api.submit_annotation(
        asking(
            three, token="t" * 8, mark="label", names=["a"], file="long.wav", start_s=5, end_s=10
        )
    )
    moved = regions_api.save_region(
        asking(three, file="long.wav", region="region-2", names=["a"], token="u" * 8, start_s=5.5,
               end_s=10, was={"start_s": 5, "end_s": 10})
    )  # fmt: skip
    (one,) = moved["regions"]
    assert one["start_s"] == 5.5 and [label.start_s for label in three.labels()] == [5.5]
    queue_api.undo_annotation(asking(three, token="u" * 8))  # both what went and what came
    assert [label.start_s for label in three.labels()] == [5.0]
    named = asking(
        three, file="long.wav", region="", names=["b"], token="v" * 8, start_s=5, end_s=10
    )
    regions_api.save_region(named)
    assert queue_api.next_items(asking(three))["n_labelled"] == 1  # it is not asked again
    assert [label.name for label in three.labels()] == ["b"]
    regions_api.save_region({**named, "token": "w" * 8, "names": []})
    assert three.labels() == []


def test_all_sounds_are_listed_searched_and_turned(three: project.AnnotationProject) -> None:
    queue_api.submit_annotation(
        asking(three, token="t" * 8, mark="label", names=["Pure"], **placed("sine3.wav"))
    )
    listed = browse_api.list_clips(asking(three, text="pure"))
    assert [row["file"] for row in listed["rows"]] == ["sine3.wav"] and listed["n_found"] == 1
    assert browse_api.list_clips(asking(three, only="nothing"))["n_found"] == 3 * N_EACH + 7
    assert browse_api.list_clips(asking(three, first=30))["rows"][0]["file"] == "sine6.wav"
    assert browse_api.list_clips(asking(three, text="nowhere"))["rows"] == []


def test_embeddings_are_computed_in_the_background_and_the_map_is_there_afterwards(
    three: project.AnnotationProject,
) -> None:
    payload = asking(three, kind=embedding.SuggestionKind.OWN_LABELS, network=BACKBONE)
    assert "wait a little" in browse_api.draw_map(payload)["error"]
    queue_api.open_queue(payload)
    for _ in range(300):
        status = queue_api.next_items(payload)["embedding"]
        if status["is_ready"]:
            break
        time.sleep(0.1)
    assert status["is_ready"] and status["n_done"] == status["n_total"] == 3 * N_EACH + 1
    points = browse_api.draw_map(payload)["points"]
    assert len(points) == 3 * N_EACH + 8 and all(0 <= one["x"] <= 1 for one in points)
    assert len(browse_api.find_similar({**payload, **placed("sine0.wav")})["similar"]) == 24
    wrong = {**payload, "network": "no such"}
    queue_api.open_queue(wrong)
    for _ in range(100):
        if trouble := queue_api.next_items(wrong)["embedding"]["error"]:
            break
        time.sleep(0.05)
    assert "no such" in trouble


def test_many_windows_label_at_once_and_nothing_is_lost(three: project.AnnotationProject) -> None:
    def label(window: int) -> None:
        for i in range(N_EACH):
            name = ("sine", "noise", "clicks")[window]
            answer = queue_api.submit_annotation(
                asking(three, token=f"{window}-{i}-00000", mark="label", names=[name],
                       **placed(f"{name}{i}.wav"))
            )  # fmt: skip
            assert "error" not in answer

    windows = [threading.Thread(target=label, args=(number,)) for number in range(3)]
    for one in windows:
        one.start()
    for one in windows:
        one.join()
    assert len(three.labels()) == 3 * N_EACH
    assert queue_api.next_items(asking(three))["n_labelled"] == 3 * N_EACH


def test_a_desk_is_opened_again_when_sounds_were_added(
    three: project.AnnotationProject, folder: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    new_project = project.create("own", own)
    assert queue_api.open_queue(asking(new_project))["n_total"] == 0
    io.write(own / "new.wav", sounds.sine(440, 1.0), sounds.RATE_HZ)
    project.scan_files(new_project)
    assert queue_api.next_items(asking(new_project))["next"][0]["file"] == "new.wav"
    for number in range(sessions.MAX_SESSIONS + 2):
        queue_api.open_queue(asking(new_project, cutting={"window_s": 1.0 + number}))
    assert len(sessions._SESSIONS) == sessions.MAX_SESSIONS


def test_a_page_of_either_format_is_understood_and_a_later_one_is_not(
    three: project.AnnotationProject,
) -> None:
    """One that was open before an update goes on, with what its outbox still has."""
    old = asking(three, token="request-1", mark="label", names=["owl"], **placed("0.wav"))
    old |= {"suggested": {"name": "owl", "probability": 0.5, "by": "a", "by_chance": True}}
    new = {
        "format": 2, "project": three.id, "suggestions": "none", "model": "", "order": "filed",
        "n": 1, "request_id": "request-2", "kind": "label", "names": ["elk"],
        "suggestion": {"name": "elk", "probability": 0.5, "source": "b", "is_random": False},
    }  # fmt: skip
    first = next(iter(queue_api.next_items(asking(three))["next"]))
    target = {name: first[name] for name in ("file", "start_s", "end_s")}
    for payload in ({**old, **target}, {**new, **target}):
        assert "error" not in queue_api.submit_annotation(payload)
    with database.connect(three.store) as db:
        one, two = (event for event, _ in event_log.history(db))
    assert one.suggested == Suggestion("owl", 0.5, "a", True) and one.request_id == "request-1"
    assert two.suggested == Suggestion("elk", 0.5, "b", False) and two.names == ("elk",)
    undone = {**new, "request_id": "request-2", "undo_id": "request-3"}
    assert queue_api.undo_annotation(undone)["undone"]["names"] == ["elk"]
    assert queue_api.undo_annotation({**asking(three), "token": "request-1"})["undone"]
    message = queue_api.next_items({**new, "format": 3})["error"]
    assert message.startswith("What the page sent is of format 3") and message.endswith(
        "reload it."
    )
