"""Every exchange format: what is written is read again, and what other tools write is read too."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from audioclf.datasets import dataset
from audioclf.datasets.formats import (
    audacity,
    audiofolder,
    birdnet,
    label_studio,
    plain_csv,
    raven,
    textgrid,
)
from audioclf.datasets.formats.base import Label
from audioclf.datasets.formats.registry import FORMATS
from audioclf.storage import csv_cells
from tests.sentences import refusal

HARD = [
    "wren",
    "Zaunkönig, jung",
    'he said "boo"',
    "=HYPERLINK(1)",
    "'=not a formula",
    "-5 dB",
    "<img src=x onerror=alert(1)>",
    "${x} `y`",
    "../x",
    "🎧 [3] item",
    "عصفور",
    "x" * 300,
]
DURATIONS = {"a.wav": 10.0, "far/b.ogg": 3_600.25}
every = pytest.mark.parametrize("name", FORMATS)


def spans_of(labels: list[Label]) -> list[tuple[str, str, float | None, float | None]]:
    return sorted(
        (label.file, label.name, label.start_s, label.end_s) for label in labels
    )  # fmt: skip


def stretches() -> list[Label]:
    """Regions that touch, overlap and are far into a long file."""
    labels = [Label("a.wav", name, 0.5 * i, 0.5 * i + 0.75) for i, name in enumerate(HARD)]
    return [*labels, Label("far/b.ogg", "late", 3_599.125, 3_600.25)]


@every
def test_labels_of_whole_files_survive(name: str) -> None:
    form = FORMATS[name]
    files = [f"{i}.wav" for i in range(len(HARD))]
    labels = [
        Label(file, hard, fold=1, group=f"g{file}") for file, hard in zip(files, HARD, strict=True)
    ]
    durations = dict.fromkeys(files, 2.0)
    read_back = form.read(form.write(labels, durations))
    if name in ("audacity", "raven", "textgrid"):  # these know stretches alone
        expected = [(label.file, label.name, 0.0, 2.0) for label in labels]
        assert sorted(spans_of(read_back)) == sorted(expected)
        return
    places = {"esc50": "audio/", "urbansound8k": "audio/fold1/"}.get(name, "")
    assert [(one.file, one.name) for one in read_back] == [
        (places + label.file, label.name) for label in labels
    ]
    assert all(label.is_whole for label in read_back)
    if name != "label_studio":
        assert [label.fold for label in read_back] == [1] * len(read_back)
        assert [label.group for label in read_back] == [label.group for label in labels]


@every
def test_stretches_survive_to_the_microsecond_or_are_refused(name: str) -> None:
    form = FORMATS[name]
    if not form.holds_segments:
        message = refusal(lambda: form.write(stretches(), DURATIONS))
        assert "have the regions of “a.wav” become files" in message
        return
    assert spans_of(form.read(form.write(stretches(), DURATIONS))) == spans_of(stretches())


@every
def test_no_labels_are_no_labels(name: str) -> None:
    form = FORMATS[name]
    assert form.read(form.write([], {})) == []


@every
@pytest.mark.parametrize("text", ["", "nonsense", "a,b\n1,2\n", "[" * 10_000, '{"x": 1}', "\0\0"])
def test_what_is_no_such_file_is_a_sentence_or_nothing(name: str, text: str) -> None:
    try:
        assert FORMATS[name].read({"x.txt": text}) == []
    except ValueError as error:
        message = str(error)
        assert message.endswith(".") and "x.txt" in message and "\n" not in message


def test_a_table_is_no_formula_in_a_spreadsheet_and_numbers_stay_numbers() -> None:
    text = plain_csv.write([Label("a.wav", name, -0.5, 1.0) for name in HARD], {})["labels.csv"]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert not any(row["label"][0] in "=+-@" for row in rows)
    assert {row["start_s"] for row in rows} == {"-0.5"}
    for hard in ("=1", "'=1", "''=1", "@x", "+", "-", "'", "''", "-1e5", "plain"):
        assert csv_cells.unescape_formula(csv_cells.escape_formula(hard)) == hard


def test_everything_that_is_known_survives_in_the_plain_table() -> None:
    label = Label("a.wav", "wren", 1.5, 2.0, 800.0, 4_000.5, 3, "rec 7", "Ann", "2026-11-23T10:00Z")
    assert plain_csv.read(plain_csv.write([label, replace(label, fold=None)], {})) == [
        label,
        replace(label, fold=None),
    ]


def test_a_table_of_another_tool_needs_only_files_and_labels() -> None:
    text = "label,file,extra\r\nwren,a.wav,1\r\n"
    assert plain_csv.read({"t.csv": "\ufeff" + text}) == [Label("a.wav", "wren")]
    assert "no column “file”" in refusal(lambda: plain_csv.read({"t.csv": "label\nwren\n"}))
    wrong = "file,label,start_s\na.wav,wren,soon\n"
    assert "“soon” where start_s should be" in refusal(lambda: plain_csv.read({"t.csv": wrong}))


def test_several_classes_of_a_file_are_one_line_of_an_audiofolder() -> None:
    labels = [Label("a.wav", "wren"), Label("a.wav", "rain"), Label("b.wav", "wren")]
    (path, text), *_ = audiofolder.write(labels, {}).items()
    assert path == "metadata.jsonl"
    first, second = map(json.loads, text.splitlines())
    assert first == {"file_name": "a.wav", "label": ["wren", "rain"]}
    assert audiofolder.read({path: text}) == labels
    message = refusal(lambda: audiofolder.read({path: text + '{"file_name": "c.wav"}\n'}))
    assert message == "Line 3 of “metadata.jsonl” lacks file_name or label: add them."


def test_an_audiofolder_by_hand_with_its_table_in_a_folder() -> None:
    text = "file_name,label\n1.wav,wren\n2.wav,rain\n"
    assert audiofolder.read({"train/metadata.csv": text})[1] == Label("train/2.wav", "rain")


def test_esc50_as_it_is_published() -> None:
    text = (
        "filename,fold,target,category,esc10,src_file,take\n"
        "1-100032-A-0.wav,1,0,dog,True,100032,A\n"
        "5-9032-A-0.wav,5,0,dog,True,9032,A\n"
    )
    assert FORMATS["esc50"].read({"meta/esc50.csv": text}) == [
        Label("audio/1-100032-A-0.wav", "dog", fold=1, group="100032"),
        Label("audio/5-9032-A-0.wav", "dog", fold=5, group="9032"),
    ]


def test_urbansound8k_as_it_is_published() -> None:
    text = (
        "slice_file_name,fsID,start,end,salience,fold,classID,class\n"
        "100032-3-0-0.wav,100032,0.0,0.317551,1,5,3,dog_bark\n"
    )
    assert FORMATS["urbansound8k"].read({"metadata/UrbanSound8K.csv": text}) == [
        Label("audio/fold5/100032-3-0-0.wav", "dog_bark", fold=5, group="100032")
    ]


@pytest.mark.parametrize("name", ["audiofolder", "esc50", "urbansound8k"])
def test_what_is_written_is_a_data_set_to_train_on(name: str, tmp_path: Path) -> None:
    labels = [Label(f"{i}.wav", ("wren", "rain")[i % 2], fold=1 + i // 2) for i in range(4)]
    form = FORMATS[name]
    texts = form.write(labels, {})
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    for label in form.read(texts):
        (tmp_path / label.file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / label.file).write_bytes(b"sound")
    data = dataset.load(tmp_path)
    assert data.classes == ("rain", "wren") and data.folds == (1, 2)


def test_audacity_tracks_with_frequencies_old_ones_and_those_of_other_tools() -> None:
    text = "0.5\t1.5\twren\n\\\t800.0\t4000.0\n2.0\t2.0\n3\t4\train\t0.93\n"
    labels = audacity.read({"a.wav.txt": text})
    assert labels == [
        Label("a.wav", "wren", 0.5, 1.5, 800.0, 4_000.0),
        Label("a.wav", "", 2.0, 2.0),
        Label("a.wav", "rain", 3.0, 4.0),
    ]
    written = audacity.write(labels[:1], {})["a.wav.txt"]
    assert written == "0.500000\t1.500000\twren\n\\\t800.000000\t4000.000000\n"


RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\t"
    "Species\tBegin Path\tFile Offset (s)\n"
    "1\tWaveform 1\t1\t12.5\t14.0\t0.0\t8000.0\twren\tb.wav\t2.5\n"
    "1\tSpectrogram 1\t1\t12.5\t14.0\t0.0\t8000.0\twren\tb.wav\t2.5\n"
)


def test_a_raven_table_of_several_files_and_views() -> None:
    assert raven.read({"t.txt": RAVEN}) == [Label("b.wav", "wren", 2.5, 4.0, 0.0, 8_000.0)]
    alone = "Begin Time (s)\tEnd Time (s)\tAnnotation\n1.0\t2.0\train\n"
    labels = raven.read({"a.wav.Table.1.selections.txt": alone})
    assert labels == [Label("a.wav", "rain", 1.0, 2.0)]


def test_a_raven_table_runs_on_from_file_to_file() -> None:
    text = raven.write(stretches(), DURATIONS)["selections.txt"]
    last = dict(
        zip(text.splitlines()[0].split("\t"), text.splitlines()[-1].split("\t"), strict=True)
    )
    assert float(last["Begin Time (s)"]) == pytest.approx(10.0 + 3_599.125)
    assert float(last["File Offset (s)"]) == pytest.approx(3_599.125)


def test_label_studio_s_own_export() -> None:
    task = {
        "id": 3,
        "data": {"audio": "/data/upload/1/a.wav"},
        "annotations": [
            {
                "id": 9,
                "completed_by": 1,
                "was_cancelled": False,
                "created_at": "2026-11-01T08:00:00Z",
                "result": [
                    {
                        "original_length": 10.0,
                        "value": {"start": 1.0, "end": 2.5, "channel": 0, "labels": ["wren", "x"]},
                        "id": "ab", "from_name": "label", "to_name": "audio", "type": "labels",
                    },
                    {"value": {"choices": ["noisy"]}, "type": "choices"},
                    {"value": {"text": ["words"]}, "type": "textarea"},
                ],
            },
            {"was_cancelled": True, "result": [{"type": "choices", "value": {"choices": ["no"]}}]},
        ],
        "predictions": [{"result": [{"type": "choices", "value": {"choices": ["guess"]}}]}],
    }  # fmt: skip
    labels = label_studio.read({"export.json": json.dumps([task])})
    assert spans_of(labels) == [
        ("/data/upload/1/a.wav", "noisy", None, None),
        ("/data/upload/1/a.wav", "wren", 1.0, 2.5),
        ("/data/upload/1/a.wav", "x", 1.0, 2.5),
    ]
    assert {(label.annotator, label.created_at) for label in labels} == {
        ("1", "2026-11-01T08:00:00Z")
    }


def test_who_said_it_survives_in_label_studio() -> None:
    labels = [
        Label(
            "a.wav",
            "wren",
            0.0,
            1.0,
            annotator="ann@example.org",
            created_at="2026-11-01T08:00:00Z",
        )
    ]
    assert label_studio.read(label_studio.write(labels, DURATIONS)) == labels


TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.3
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "birds"
        xmin = 0
        xmax = 2.3
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.25
            text = "wren ""small"" [2]"
        intervals [3]:
            xmin = 1.25
            xmax = 2.3
            text = ""
    item [2]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 2.3
        points: size = 1
        points [1]:
            number = 1.5
            mark = "click"
"""


def test_a_textgrid_as_praat_writes_it() -> None:
    labels = textgrid.read({"a.wav.TextGrid": TEXTGRID})
    assert spans_of(labels) == [
        ("a.wav", "click", 1.5, 1.5),
        ("a.wav", 'wren "small" [2]', 0.5, 1.25),
    ]
    short = "\n".join(
        ['"ooTextFile"', '"TextGrid"', "", "0", "1", "<exists>", "1", '"IntervalTier"', '"t"']
        + ["0", "1", "1", "0", "1", '"rain"']
    )
    assert spans_of(textgrid.read({"b.TextGrid": short})) == [("b", "rain", 0.0, 1.0)]


def test_the_intervals_of_a_textgrid_fill_the_whole_file_without_overlap() -> None:
    labels = [Label("a.wav", "x", 1.0, 3.0), Label("a.wav", "y", 2.0, 4.0)]
    text = textgrid.write(labels, DURATIONS)["a.TextGrid"]
    assert "size = 2 \nitem" in text
    edges = [float(line.split("=")[1]) for line in text.splitlines() if "xm" in line]
    assert max(edges) == 10.0 and min(edges) == 0.0
    assert textgrid.write([Label("a.wav", "x")], DURATIONS)
    assert "must be known" in refusal(lambda: textgrid.write([Label("z.wav", "x")], {}))


BIRDNET_RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\t"
    "Common Name\tSpecies Code\tConfidence\tBegin Path\tFile Offset (s)\n"
    "1\tSpectrogram 1\t1\t3.0\t6.0\t0\t15000\tEurasian Wren\teurwre1\t0.7523\t/x/rec 1.wav\t3.0\n"
    "2\tSpectrogram 1\t1\t63.0\t66.0\t0\t15000\tRobin\teurrob1\t0.4\t/x/rec2.wav\t3.0\n"
    "3\tSpectrogram 1\t1\t0\t3\t0\t15000\tnocall\tnocall\t1.0\t/x/rec3.wav\t0\n"
)
CSV = (
    "Start (s),End (s),Scientific name,Common name,Confidence,File\n"
    "3.0,6.0,Troglodytes troglodytes,Eurasian Wren,0.7523,/x/rec 1.wav\n"
    "3.0,6.0,Erithacus rubecula,Robin,0.4,/x/rec2.wav\n"
)
KALEIDOSCOPE = (
    "INDIR,FOLDER,IN FILE,OFFSET,DURATION,scientific_name,common_name,confidence,lat,lon,week,"
    "overlap,sensitivity\n"
    "/x,,rec 1.wav,3.0,3.0,Troglodytes troglodytes,Eurasian Wren,0.7523,-1,-1,-1,0.0,1.0\n"
    "/x,,rec2.wav,3.0,3.0,Erithacus rubecula,Robin,0.4,-1,-1,-1,0.0,1.0\n"
)


@pytest.mark.parametrize("text", [BIRDNET_RAVEN, CSV, KALEIDOSCOPE])
def test_tables_of_birdnet_analyzer_are_read_with_their_confidence(text: str) -> None:
    detections = birdnet.read({"table": text})
    assert [
        (one.label.file.rpartition("/")[2], one.label.name, one.label.start_s, one.label.end_s)
        for one in detections
    ] == [("rec 1.wav", "Eurasian Wren", 3.0, 6.0), ("rec2.wav", "Robin", 3.0, 6.0)]
    assert [one.probability for one in detections] == [0.7523, 0.4]


def test_a_birdnet_table_without_files_is_of_the_file_that_it_is_named_after() -> None:
    lines = [line.rpartition(",")[0] for line in CSV.splitlines()]
    detections = birdnet.read({"rec 1.BirdNET.results.csv": "\n".join(lines)})
    assert {one.label.file for one in detections} == {"rec 1"}
    assert "is no table of BirdNET" in refusal(lambda: birdnet.read({"x.csv": "a,b\n1,2\n"}))
    wrong = CSV.replace("0.7523", "75")
    assert "between 0 and 1" in refusal(lambda: birdnet.read({"x.csv": wrong}))
    assert "as detections of BirdNET" in refusal(lambda: raven.read({"x.txt": BIRDNET_RAVEN}))


def test_label_studio_gets_addresses_a_configuration_and_channels() -> None:
    labels = [Label("a/rec 1.wav", 'wren "x" & <y>', 0.0, 1.0), Label("b.wav", "rain")]
    texts = label_studio.write(labels, {"a/rec 1.wav": 2.0, "b.wav": 2.0})
    tasks = json.loads(texts["label_studio.json"])
    assert tasks[0]["data"] == {"audio": "/data/local-files/?d=a/rec%201.wav"}
    assert tasks[0]["annotations"][0]["result"][0]["value"]["channel"] == 0
    view = ElementTree.fromstring(texts["config.xml"])
    controls = {child.get("name"): child for child in view}
    assert controls["audio"].get("value") == "$audio"
    for task in tasks:
        for result in task["annotations"][0]["result"]:
            names = {value.get("value") for value in controls[result["from_name"]]}
            assert set(result["value"].get("labels") or result["value"]["choices"]) <= names
    other = label_studio.write(labels, {}, "https://example.org/audio/")
    assert "https://example.org/audio/a/rec%201.wav" in other["label_studio.json"]
    assert label_studio.read(texts) == labels


def test_grids_are_named_as_praat_wants_and_two_files_of_one_name_are_kept_apart() -> None:
    labels = [Label(file, "x", 0.0, 1.0) for file in ("rec30.wav", "b/rec.wav", "b/rec.flac")]
    texts = textgrid.write(labels, {})
    assert set(texts) == {"rec30.TextGrid", "b/rec.wav.TextGrid", "b/rec.flac.TextGrid"}
    assert spans_of(textgrid.read(texts)) == spans_of(labels)
