"""Intervals in the formats of other tools."""

import csv
import io
from collections.abc import Callable

import pytest

from audioclf.datasets.formats import audacity, raven
from audioclf.datasets.formats.base import Interval, one_line

FIELD = [Interval(0.0, 2.5, "wren"), Interval(2.5, 1234.000001, "Zaunkönig, jung")]

FORMATS: dict[str, Callable[[list[Interval]], str]] = {
    "audacity": audacity.track,
    "raven": lambda intervals: raven.table(intervals, 11_025.0),
}


def read_audacity(text: str) -> list[Interval]:
    rows = csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [Interval(float(start_s), float(end_s), name) for start_s, end_s, name in rows]


def read_raven(text: str) -> list[Interval]:
    rows = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [
        Interval(float(row["Begin Time (s)"]), float(row["End Time (s)"]), row["Annotation"])
        for row in rows
    ]


READERS = {"audacity": read_audacity, "raven": read_raven}
every_format = pytest.mark.parametrize("name", FORMATS)


@every_format
def test_intervals_survive_to_the_microsecond(name: str) -> None:
    assert READERS[name](FORMATS[name](FIELD)) == FIELD


@every_format
def test_no_intervals_are_no_rows(name: str) -> None:
    assert READERS[name](FORMATS[name]([])) == []


@every_format
@pytest.mark.parametrize("text", ["a\tb", "a\nb", "a\r\nb", "a\x0bb", "a\x85b", "a\u2029b"])
def test_a_name_cannot_break_a_row_or_a_column(name: str, text: str) -> None:
    assert READERS[name](FORMATS[name]([Interval(1, 2, text), *FIELD])) == [
        Interval(1, 2, "a b"),
        *FIELD,
    ]


def test_audacity_has_no_header() -> None:
    assert audacity.track(FIELD[:1]) == "0.000000\t2.500000\twren\n"


def test_raven_selections_are_numbered_boxes_up_to_the_highest_frequency() -> None:
    header, first, second = raven.table(FIELD, 8_000.0).splitlines()
    assert header.split("\t") == list(raven.HEADER)
    assert first.split("\t")[:3] == ["1", "Spectrogram 1", "1"]
    assert second.split("\t")[0] == "2"
    assert first.split("\t")[5:7] == ["0.0", "8000.0"]


def test_one_line_keeps_plain_words() -> None:
    assert one_line("  crackling   fire ") == "crackling fire"
