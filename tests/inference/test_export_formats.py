"""A prediction is taken away as JSON, CSV, Audacity labels or a Raven table, and read back."""

import csv
import io
import json

import numpy as np
import pytest

from audioclf.inference import export_formats
from audioclf.inference.prediction import Prediction

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.05, 0.9, 0.05], [0.25, 0.25, 0.5]], np.float32)


def prediction_of(*classes: str) -> Prediction:
    starts_s = np.array([0.0, 1.5, 3.123456])
    return Prediction("small", classes, starts_s, starts_s + 3, PROBABILITIES)


PLAIN = prediction_of("dog", "rain", "sea_waves")


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_json_says_what_the_command_line_promises() -> None:
    read = json.loads(export_formats.to_json(PLAIN, "walk.wav"))
    assert list(read) == ["file", "checkpoint", "classes", "clip", "windows"]
    assert (read["file"], read["checkpoint"]) == ("walk.wav", "small")
    assert read["classes"] == ["dog", "rain", "sea_waves"]
    expected = dict(zip(PLAIN.classes, PROBABILITIES.mean(axis=0), strict=True))
    assert read["clip"] == pytest.approx(expected, abs=1e-5)
    assert [window["start_s"] for window in read["windows"]] == [0, 1.5, 3.1235]
    assert [window["end_s"] for window in read["windows"]] == [3, 4.5, 6.1235]
    for window, row in zip(read["windows"], PROBABILITIES, strict=True):
        assert window["probabilities"] == pytest.approx(list(row), abs=1e-5)


def test_csv_has_a_row_per_window_and_a_column_per_class() -> None:
    header, *rows = rows_of(export_formats.to_csv(PLAIN, "walk.wav"))
    assert header[:5] == ["file", "start_s", "end_s", "class", "probability"]
    assert header[5:] == ["dog", "rain", "sea_waves"]
    assert [row[3] for row in rows] == ["dog", "rain", "sea_waves"]
    assert [float(row[4]) for row in rows] == pytest.approx([0.7, 0.9, 0.5], abs=1e-5)
    assert [float(row[1]) for row in rows] == pytest.approx([0, 1.5, 3.1235])
    np.testing.assert_allclose([list(map(float, row[5:])) for row in rows], PROBABILITIES, 1e-5)
    assert {row[0] for row in rows} == {"walk.wav"}


def test_audacity_has_a_label_per_window() -> None:
    rows = [line.split("\t") for line in export_formats.to_audacity(PLAIN, "walk.wav").splitlines()]
    assert [row[2] for row in rows] == ["dog", "rain", "sea_waves"]
    times = [(float(start_s), float(end_s)) for start_s, end_s, _ in rows]
    np.testing.assert_allclose(times, np.stack([PLAIN.starts_s, PLAIN.ends_s], 1), atol=1e-6)


def test_raven_has_a_selection_per_window() -> None:
    text = export_formats.to_raven(PLAIN, "walk.wav")
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    assert [row["Selection"] for row in rows] == ["1", "2", "3"]
    assert [row["Annotation"] for row in rows] == ["dog", "rain", "sea_waves"]
    starts_s = [float(row["Begin Time (s)"]) for row in rows]
    np.testing.assert_allclose(starts_s, PLAIN.starts_s, atol=1e-6)
    assert all(float(row["Low Freq (Hz)"]) < float(row["High Freq (Hz)"]) for row in rows)


@pytest.mark.parametrize("lead", ["=", "+", "-", "@", "\t=", "\r="])
def test_no_cell_of_the_csv_is_a_formula(lead: str) -> None:
    evil = f"{lead}HYPERLINK(1)"
    header, first, *_ = rows_of(
        export_formats.to_csv(prediction_of(evil, "rain", "sea"), f"{evil}.wav")
    )
    for cell in (header[5], first[0], first[3]):
        assert cell.startswith("'") and evil.strip() in cell


def test_harmless_names_stay_as_they_are() -> None:
    header, first, *_ = rows_of(
        export_formats.to_csv(prediction_of("a=b", "c-d", "Vögel, drei"), "x+y.wav")
    )
    assert header[5:] == ["a=b", "c-d", "Vögel, drei"]
    assert (first[0], first[3]) == ("x+y.wav", "a=b")


BREAKING = [
    "two\twords",
    "two\nwords",
    "two\r\nwords",
    "two\rwords",
    "two\u2028words",
    'two"words',
    "two,words",
]


@pytest.mark.parametrize("name", BREAKING, ids=ascii)
def test_a_name_cannot_break_a_row(name: str) -> None:
    prediction = prediction_of(name, "rain", "sea")
    rows = rows_of(export_formats.to_csv(prediction, f"{name}.wav"))
    assert {len(row) for row in rows} == {8} and len(rows) == 4
    assert rows[1][3] == " ".join(name.split())
    audacity = export_formats.to_audacity(prediction, f"{name}.wav").splitlines()
    assert [line.count("\t") for line in audacity] == [2, 2, 2]
    raven = export_formats.to_raven(prediction, f"{name}.wav").splitlines()
    assert [line.count("\t") for line in raven] == [7, 7, 7, 7]
    assert json.loads(export_formats.to_json(prediction, name))["classes"][0] == name


def test_every_format_is_offered_and_ends_with_a_line() -> None:
    assert set(export_formats.FORMATS) == {"json", "csv", "audacity", "raven"}
    for write in export_formats.FORMATS.values():
        assert write(PLAIN, "walk.wav").endswith("\n")
