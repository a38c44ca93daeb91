"""Events: exact ones from made tables of probabilities, and those of real clips in a row."""

from pathlib import Path

import numpy as np
import pytest

from audioclf.audio import io, silence
from audioclf.features import windowing
from audioclf.inference import detection, events
from audioclf.inference.events import Event, EventSettings, SoundEvents, find_events
from audioclf.inference.levels import Levels, measure_levels
from audioclf.inference.prediction import Prediction
from audioclf.models import checkpoint
from tests import sounds
from tests.sentences import refusal

PLAIN = EventSettings(min_length_s=0.0, min_gap_s=0.0, median_s=0.0)


def prediction_of(
    rows: list[list[float]], classes: tuple[str, ...], *, is_multi_label: bool = False
) -> Prediction:
    """A window of one second for every row, one after the other."""
    starts_s = np.arange(len(rows), dtype=float)
    table = np.array(rows, np.float32)
    return Prediction("made", classes, starts_s, starts_s + 1, table, is_multi_label=is_multi_label)


def loud(duration_s: float, quiet: tuple[float, float] | None = None) -> Levels:
    """A sound at -20 dB; with nothing between two times."""
    db = np.full(round(duration_s / 0.05), -20.0)
    if quiet:
        db[round(quiet[0] / 0.05) : round(quiet[1] / 0.05)] = -120.0
    return Levels(db, duration_s)


def spans(sound: SoundEvents) -> list[tuple[str, float, float]]:
    return [(e.label, round(e.start_s, 2), round(e.end_s, 2)) for e in sound.events]


def test_an_event_lasts_until_its_class_falls_below_the_lower_threshold() -> None:
    prediction = prediction_of(
        [[0.9, 0.1], [0.4, 0.1], [0.4, 0.1], [0.0, 0.1], [0.4, 0.1]], ("a", "b")
    )
    events = find_events(prediction, loud(5), PLAIN)
    # from 0.4 at 2.5 s straight to 0 at 3.5 s: 0.3 is passed at 2.75 s
    assert spans(events) == [("a", 0.0, 2.75)]  # at the end 0.4 alone begins no event
    assert events.events[0].confidence == pytest.approx(0.577, abs=0.005)
    upper_alone = EventSettings(release=1.0, min_length_s=0.0, min_gap_s=0.0, median_s=0.0)
    assert spans(find_events(prediction, loud(5), upper_alone)) == [("a", 0.0, 1.3)]


def test_a_window_that_disagrees_alone_is_no_event() -> None:
    rows = [[1.0, 0.0]] * 5 + [[0.0, 1.0]] + [[1.0, 0.0]] * 5
    prediction = prediction_of(rows, ("a", "b"))
    assert [e.label for e in find_events(prediction, loud(11), PLAIN).events] == ["a", "b", "a"]
    median = EventSettings(min_length_s=0.0, min_gap_s=0.0, median_s=2.55)
    assert spans(find_events(prediction, loud(11), median)) == [("a", 0.0, 11.0)]


def test_short_events_are_left_out_and_short_pauses_bridged() -> None:
    prediction = prediction_of([[1.0]] * 6, ("a",))
    levels = loud(6, quiet=(0.5, 3.0))
    assert spans(find_events(prediction, levels, PLAIN)) == [("a", 0.0, 0.5), ("a", 3.0, 6.0)]
    long_ones = EventSettings(min_length_s=0.6, min_gap_s=0.0, median_s=0.0)
    assert spans(find_events(prediction, levels, long_ones)) == [("a", 3.0, 6.0)]
    bridged = EventSettings(min_length_s=0.6, min_gap_s=2.6, median_s=0.0)
    assert spans(find_events(prediction, levels, bridged)) == [("a", 0.0, 6.0)]


def test_a_quiet_moment_is_no_class_whatever_the_model_says() -> None:
    events = find_events(
        prediction_of([[1.0, 0.0]] * 6, ("sneeze", "b")), loud(6, quiet=(2, 4)), PLAIN
    )
    assert spans(events) == [("sneeze", 0.0, 2.0), ("sneeze", 4.0, 6.0)]
    assert [(round(a, 2), round(b, 2)) for a, b in events.quiet] == [(2.0, 4.0)]
    silent = find_events(prediction_of([[1.0]], ("sneeze",)), Levels(np.full(20, -120.0), 1.0))
    assert silent.events == () and spans(silent) == [] and silent.quiet == ((0.0, 1.0),)


def test_a_noise_floor_is_quiet_and_a_steady_sound_is_not() -> None:
    noise = 0.03 * sounds.noise(6, seed=1)
    noise[2 * sounds.RATE_HZ : 4 * sounds.RATE_HZ] += 0.5 * sounds.sine(600, 2.0)
    quiet = measure_levels([noise], sounds.RATE_HZ).quiet_at(np.array([1.0, 3.0, 5.0]))
    assert quiet.tolist() == [True, False, True]
    steady = measure_levels([0.03 * sounds.noise(6, seed=1)], sounds.RATE_HZ)
    assert not steady.quiet_at(np.array([1.0, 3.0, 5.0])).any()


def test_levels_are_those_of_the_whole_in_whatever_blocks_it_comes() -> None:
    sound = sounds.noise(2.013, seed=3)
    blocks = np.split(sound, [7, 5000, 5001, 30_000])
    whole, parts = (measure_levels(x, sounds.RATE_HZ) for x in ([sound], blocks))
    assert np.allclose(whole.db, parts.db) and whole.duration_s == parts.duration_s
    assert len(whole.db) == 41
    sine = measure_levels([sounds.sine(1000, 1.0)], sounds.RATE_HZ)
    expected = 20 * np.log10(np.sqrt(np.mean(sounds.sine(1000, 1.0) ** 2)))
    assert sine.of_segment(0.2, 0.8) == pytest.approx(expected, abs=0.1)


def test_of_one_class_at_a_time_the_likelier_holds_and_of_many_each_for_itself() -> None:
    rows = [[0.9, 0.6]] * 4
    exclusive = find_events(prediction_of(rows, ("a", "b")), loud(4), PLAIN)
    assert spans(exclusive) == [("a", 0.0, 4.0)]
    independent = find_events(prediction_of(rows, ("a", "b"), is_multi_label=True), loud(4), PLAIN)
    assert spans(independent) == [("a", 0.0, 4.0), ("b", 0.0, 4.0)]


def test_a_parent_gives_way_to_its_likely_child() -> None:
    classes = ("Animal", "Domestic animals, pets", "Dog", "Cat", "Rain")
    rows = [[0.9, 0.8, 0.47, 0.1, 0.6]] * 3 + [[0.9, 0.2, 0.1, 0.1, 0.0]] * 3
    half_a_second = EventSettings(min_length_s=0.5, min_gap_s=0.0, median_s=0.0)
    events = find_events(prediction_of(rows, classes, is_multi_label=True), loud(6), half_a_second)
    # Dog alone would be too weak to begin; after it there is an animal that nobody can name.
    assert [e.label for e in events.events] == ["Dog", "Rain", "Animal"]
    assert events.events[2].start_s == pytest.approx(events.events[0].end_s, abs=0.8)


@pytest.mark.parametrize("name", ["separable_cnn-mel", "modulation_net-modulation"])
def test_real_clips_in_a_row_are_their_three_events(esc10: Path, name: str) -> None:
    files = ("dog_bark/4-207124-A", "rain/4-163264-A", "rooster/4-164064-A")
    clips = [io.load(esc10 / f"{file}.ogg", 44_100)[0][: 5 * 44_100] for file in files]
    sound = detection.detect(np.concatenate(clips), 44_100, checkpoint.find(name))
    assert [event.label for event in sound.events] == ["dog_bark", "rain", "rooster"]
    for number, (clip, event) in enumerate(zip(clips, sound.events, strict=True)):
        start_s, end_s = silence.trim(clip, 44_100)  # where the clip itself is not silent
        assert event.start_s == pytest.approx(5 * number + start_s, abs=0.5)
        assert event.end_s == pytest.approx(5 * number + end_s, abs=0.5)
        assert event.confidence > 0.5


def test_silence_has_no_event_in_memory_or_in_a_long_file(tmp_path: Path) -> None:
    model = checkpoint.find("separable_cnn-mel")
    assert detection.detect(sounds.silence(3), sounds.RATE_HZ, model).events == ()
    io.write(tmp_path / "long.wav", sounds.silence(130, 8000), 8000)
    sound = detection.detect_file(tmp_path / "long.wav", model)
    assert sound.events == () and sound.duration_s == pytest.approx(130)
    assert "No event" in sound.summary() and sound.to_dict("x")["events"] == []


def test_a_long_file_in_blocks_has_the_events_of_the_whole(
    esc10: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = checkpoint.find("separable_cnn-mel")
    clip, _ = io.load(esc10 / "rain/4-163264-A.ogg", 44_100)
    io.write(tmp_path / "rain.wav", np.concatenate([clip, 0 * clip, clip]), 44_100)
    lasting = EventSettings(min_length_s=1.0)
    whole = detection.detect_file(tmp_path / "rain.wav", model, lasting)
    monkeypatch.setattr(windowing, "LONG_S", 1.0)
    blocks = detection.detect_file(tmp_path / "rain.wav", model, lasting)
    assert [e.label for e in whole.events] == ["rain", "rain"] == [e.label for e in blocks.events]
    for one, other in zip(whole.events, blocks.events, strict=True):
        assert (one.start_s, one.end_s) == pytest.approx((other.start_s, other.end_s), abs=0.1)


def test_events_are_sorted_by_time_or_by_confidence() -> None:
    first, second = Event("a", 0, 1, 0.6), Event("b", 2, 3, 0.9)
    assert events.sort_events((second, first)) == (first, second)
    assert events.sort_events((first, second), events.CONFIDENCE) == (second, first)
    assert "time or confidence" in refusal(lambda: events.sort_events((), "name"))


def test_settings_out_of_bounds_are_refused_in_a_sentence() -> None:
    assert "threshold" in refusal(lambda: EventSettings(threshold=1.5))
    assert "negative" in refusal(lambda: EventSettings(min_length_s=-1))
    assert "share" in refusal(lambda: EventSettings(release=0))
    assert "60 s" in refusal(lambda: EventSettings(median_s=float("nan")))
