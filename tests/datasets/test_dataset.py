"""A labelled folder is read by its layout, and what is wrong with it is said."""

from collections import Counter
from pathlib import Path

import pytest

from audioclf.datasets import dataset
from tests.sentences import refusal
from tests.sounds import noise, write_container


def make(folder: Path, table: str | bytes, *files: str) -> Path:
    """A folder with a metadata.csv and files that stand for sounds."""
    for name in files or ("a.wav", "b.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"sound")
    content = table.encode() if isinstance(table, str) else table
    (folder / "metadata.csv").write_bytes(content)
    return folder


def fill(folder: Path, **n_clips: int) -> Path:
    """A folder per class with so many files each."""
    for label, n in n_clips.items():
        (folder / label).mkdir(parents=True)
        for number in range(n):
            (folder / label / f"{number:03}.wav").write_bytes(b"sound")
    return folder


def test_a_folder_per_class_is_read(tmp_path: Path) -> None:
    fill(tmp_path / "birds", wren=3, robin=2)
    write_container(tmp_path / "birds" / "robin" / "phone.m4a", noise(0.2, 44_100), 44_100)
    (tmp_path / "birds" / "robin" / "notes.txt").write_text("seen at dawn")
    (tmp_path / "birds" / "README.md").write_text("birds")
    loaded = dataset.load(tmp_path / "birds")
    assert loaded.name == "birds"
    assert loaded.classes == ("robin", "wren")
    assert Counter(clip.label for clip in loaded.clips) == {"wren": 3, "robin": 3}
    assert all(clip.path.is_file() and clip.path.parent.name == clip.label for clip in loaded.clips)
    assert not loaded.has_own_folds and loaded.attribution == ""


@pytest.mark.parametrize("hidden", ["dog/._1.wav", ".cache/1.wav", "__MACOSX/1.wav"])
def test_what_a_mac_or_a_program_leaves_behind_is_no_clip(tmp_path: Path, hidden: str) -> None:
    fill(tmp_path, dog=2, cat=2)
    (tmp_path / hidden).parent.mkdir(exist_ok=True)
    (tmp_path / hidden).write_bytes(b"resource fork")
    loaded = dataset.load(tmp_path)
    assert loaded.classes == ("cat", "dog")
    assert len(loaded.clips) == 4


def test_a_folder_with_a_sound_s_name_is_no_clip(tmp_path: Path) -> None:
    fill(tmp_path, dog=2, cat=2)
    (tmp_path / "cat" / "session.wav").mkdir()
    assert len(dataset.load(tmp_path).clips) == 4


def test_a_table_with_folds_is_read(tmp_path: Path) -> None:
    table = "file_name,label,fold\nx/a.wav,dog,1\nx/b.wav,cat,1\nc.wav,dog,3\n"
    loaded = dataset.load(make(tmp_path, table, "x/a.wav", "x/b.wav", "c.wav"))
    assert [(clip.label, clip.fold) for clip in loaded.clips] == [
        ("dog", 1),
        ("cat", 1),
        ("dog", 3),
    ]
    assert loaded.has_own_folds and loaded.folds == (1, 3)
    assert all(clip.path.is_file() for clip in loaded.clips)


def test_a_table_without_folds_gets_folds_made(tmp_path: Path) -> None:
    loaded = dataset.load(make(tmp_path, "file_name,label\na.wav,dog\nb.wav,cat\n"))
    assert loaded.classes == ("cat", "dog") and not loaded.has_own_folds


@pytest.mark.parametrize(
    "table",
    [
        b"\xef\xbb\xbffile_name,label\r\na.wav,dog\r\nb.wav,cat\r\n",
        b'"label","file_name"\n"dog","a.wav"\n"cat","b.wav"\n\n',
        "file_name,label\na.wav,dog\nb.wav,Kätzchen\n".encode(),
    ],
    ids=["with the mark of Excel", "quoted, other order", "umlaut"],
)
def test_tables_of_other_programs_are_read(tmp_path: Path, table: bytes) -> None:
    loaded = dataset.load(make(tmp_path, table))
    assert {clip.path.name for clip in loaded.clips} == {"a.wav", "b.wav"}
    assert "dog" in loaded.classes and len(loaded.classes) == 2


HEAD = "file_name,label\n"
WRONG = {
    "no label column": ("file_name,fold\na.wav,1\n", "has no column “label”"),
    "no file_name column": ("path,label\na.wav,dog\n", "has no column “file_name”"),
    "empty": ("", "has no column “file_name”"),
    "missing file": (f"{HEAD}a.wav,dog\nz.wav,cat\n", "Line 3 of “metadata.csv” names “z.wav”"),
    "path outside": (f"{HEAD}../x.wav,dog\nb.wav,cat\n", "“../x.wav”, which is not in the folder"),
    "absolute path": (f"{HEAD}/etc/passwd,dog\nb.wav,cat\n", "“/etc/passwd”, which is not in the"),
    "no file": (f"{HEAD},dog\nb.wav,cat\n", "Line 2"),
    "null byte": (f"{HEAD}a\0.wav,dog\nb.wav,cat\n", "Line 2"),
    "no label": (f"{HEAD}a.wav,\nb.wav,cat\n", "Line 2 of “metadata.csv” has no label"),
    "blank label": (f"{HEAD}a.wav,   \nb.wav,cat\n", "Line 2 of “metadata.csv” has no label"),
    "short line": (f"{HEAD}a.wav,dog\nb.wav\n", "Line 3 of “metadata.csv” has no label"),
    "blank lines": (f"{HEAD}\na.wav,dog\n\nb.wav,\n", "Line 5 of “metadata.csv” has no label"),
    "fold in words": (
        "file_name,label,fold\na.wav,dog,one\nb.wav,cat,2\n",
        "has the fold “one” for a.wav: folds are whole numbers",
    ),
    "one class": (f"{HEAD}a.wav,dog\nb.wav,dog\n", "fewer than two classes"),
    "no rows": (HEAD, "fewer than two classes"),
}


@pytest.mark.parametrize(("table", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_table_is_refused_with_the_place(tmp_path: Path, table: str, words: str) -> None:
    (tmp_path / "x.wav").write_bytes(b"outside")
    (tmp_path / "data").mkdir()
    assert words in refusal(lambda: dataset.load(make(tmp_path / "data", table)))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_table_that_is_not_utf_8_is_refused_with_a_sentence(
    tmp_path: Path, encoding: str
) -> None:
    table = "file_name,label\na.wav,Kätzchen\nb.wav,dog\n".encode(encoding)
    assert "metadata.csv" in refusal(lambda: dataset.load(make(tmp_path, table)))


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"outside")
    (tmp_path / "data").mkdir()
    make(tmp_path / "data", "file_name,label\na.wav,dog\nlink.wav,cat\n")
    (tmp_path / "data" / "link.wav").symlink_to(tmp_path / "secret.wav")
    assert "“link.wav”, which is not in" in refusal(lambda: dataset.load(tmp_path / "data"))


def test_one_class_only_is_refused(tmp_path: Path) -> None:
    message = refusal(lambda: dataset.load(fill(tmp_path / "birds", wren=3)))
    assert "“birds” holds fewer than two classes of sounds (wren, 3 clips)" in message


def test_what_is_not_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.csv").touch()
    for name in ("file.csv", "nowhere"):
        message = refusal(lambda name=name: dataset.load(tmp_path / name))
        assert "There is no folder" in message and name in message


def test_clips_are_chosen_by_fold_and_missing_folds_are_refused(tmp_path: Path) -> None:
    table = "file_name,label,fold\na.wav,dog,1\nb.wav,cat,2\n"
    loaded = dataset.load(make(tmp_path, table))
    assert [clip.label for clip in loaded.of_folds({2}).clips] == ["cat"]
    assert loaded.of_folds({1, 2}) == loaded
    message = refusal(lambda: loaded.of_folds({1, 7}))
    assert "no fold 7" in message and "1, 2" in message


def test_made_folds_are_the_same_every_time_and_share_every_class(tmp_path: Path) -> None:
    fill(tmp_path, dog=20, cat=13, sea=7)
    loaded = dataset.load(tmp_path)
    assert loaded == dataset.load(tmp_path)
    assert loaded.folds == (1, 2, 3, 4, 5)
    for label, n in {"dog": 20, "cat": 13, "sea": 7}.items():
        per_fold = Counter(clip.fold for clip in loaded.clips if clip.label == label)
        assert sum(per_fold.values()) == n
        assert max(per_fold.values()) - min(per_fold.values()) <= 1 and len(per_fold) == 5


def test_a_group_is_never_split_over_folds(tmp_path: Path) -> None:
    rows = [(f"{n}.wav", "ab"[n % 2], f"recording {n // 4}") for n in range(48)]
    table = "file_name,label,group\n" + "".join(f"{','.join(row)}\n" for row in rows)
    loaded = dataset.load(make(tmp_path, table, *(row[0] for row in rows)))
    assert loaded.folds == (1, 2, 3, 4, 5)
    folds = {name: set() for _, _, name in rows}  # type: dict[str, set[int]]
    for clip, (_, _, group) in zip(loaded.clips, rows, strict=True):
        folds[group].add(clip.fold)
    assert all(len(held) == 1 for held in folds.values())
    for fold in loaded.folds:
        assert {clip.label for clip in loaded.of_folds({fold}).clips} == {"a", "b"}
    assert dataset.load(tmp_path).clips == loaded.clips


def test_one_group_alone_cannot_be_held_out(tmp_path: Path) -> None:
    table = "file_name,label,group\na.wav,dog,1\nb.wav,cat,1\n"
    with pytest.raises(ValueError, match="none can be held out"):
        dataset.load(make(tmp_path, table))


def test_those_who_recorded_are_named_once_with_their_licences(tmp_path: Path) -> None:
    rows = ["a.wav,dog,Zoe,CC0", "b.wav,cat,anna,CC-BY", "c.wav,cat,Zoe,CC0", "d.wav,dog,,"]
    table = "file_name,label,author,license\n" + "\n".join(rows) + "\n"
    loaded = dataset.load(make(tmp_path, table, "a.wav", "b.wav", "c.wav", "d.wav"))
    assert loaded.attribution == "Recordings by anna, Zoe. Licences of the recordings: CC-BY, CC0."


def test_esc_50_is_read_by_its_own_table(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    (tmp_path / "audio").mkdir()
    names = ["1-100032-A-0.wav", "1-100032-B-0.wav", "2-5-A-14.wav"]
    for name in names:
        (tmp_path / "audio" / name).write_bytes(b"sound")
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    lines += [f"{names[0]},1,0,dog,True,100032,A", f"{names[1]},1,0,dog,True,100032,B"]
    lines += [f"{names[2]},2,14,chirping_birds,False,5,A"]
    (tmp_path / "meta" / "esc50.csv").write_text("\n".join(lines) + "\n")
    loaded = dataset.load(tmp_path)
    assert loaded.has_own_folds and loaded.layout == "meta/esc50.csv"
    assert [(c.label, c.fold, c.group) for c in loaded.clips] == [
        ("dog", 1, "100032"), ("dog", 1, "100032"), ("chirping_birds", 2, "5"),
    ]  # fmt: skip
    assert all(clip.path.is_file() for clip in loaded.clips)


def test_urbansound_8k_is_read_by_its_own_table(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    rows = [("100032-3-0-0.wav", 5, "dog_bark", 100032), ("7061-6-0-0.wav", 1, "gun_shot", 7061)]
    table = "slice_file_name,fsID,start,end,salience,fold,classID,class\n"
    for name, fold, label, source in rows:
        (tmp_path / "audio" / f"fold{fold}").mkdir(parents=True)
        (tmp_path / "audio" / f"fold{fold}" / name).write_bytes(b"sound")
        table += f"{name},{source},0.0,0.317551,1,{fold},3,{label}\n"
    (tmp_path / "metadata" / "UrbanSound8K.csv").write_text(table)
    loaded = dataset.load(tmp_path)
    assert [(c.label, c.fold, c.group) for c in loaded.clips] == [
        ("dog_bark", 5, "100032"), ("gun_shot", 1, "7061"),
    ]  # fmt: skip


def test_json_lines_are_read_and_what_is_wrong_in_them_is_said(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"sound")
    table = tmp_path / "metadata.jsonl"
    table.write_text('{"file_name": "a.wav", "label": "dog", "fold": 1}\n\n'
                     '{"file_name": "b.wav", "label": "cat", "fold": 2}\n')  # fmt: skip
    loaded = dataset.load(tmp_path)
    assert [(c.label, c.fold) for c in loaded.clips] == [("dog", 1), ("cat", 2)]
    table.write_text('{"file_name": "a.wav"}\n')
    assert "Line 1 of “metadata.jsonl” has no label" in refusal(lambda: dataset.load(tmp_path))
    table.write_text('{"file_name": "a.wav", "label": ["dog", "cat"]}\n')
    assert "Line 1 of “metadata.jsonl” has several labels" in refusal(
        lambda: dataset.load(tmp_path)
    )
    table.write_text('{"file_name": "a.wav", "label": ["dog"]}\n{"file_name": "b.wav", "label": 7}')
    assert dataset.load(tmp_path).classes == ("7", "dog")
    table.write_text('{"file_name": "a.wav", \n')
    assert "is no JSONL" in refusal(lambda: dataset.load(tmp_path))


def test_a_folder_in_a_folder_is_found_as_archives_hold_it(tmp_path: Path) -> None:
    fill(tmp_path / "my download" / "birds", wren=2, robin=2)
    (tmp_path / "__MACOSX").mkdir()
    loaded = dataset.load(tmp_path)
    assert loaded.classes == ("robin", "wren") and loaded.name == "birds"


def test_numbers_in_front_of_all_classes_are_left_out(tmp_path: Path) -> None:
    for name in ("001 - Dog bark", "002 - Rain"):
        (tmp_path / "esc10" / name).mkdir(parents=True)
        (tmp_path / "esc10" / name / "1.ogg").write_bytes(b"sound")
    assert dataset.load(tmp_path / "esc10").classes == ("Dog bark", "Rain")
    fill(tmp_path / "mixed", **{"003 - Sea": 1, "wind": 1})
    assert dataset.load(tmp_path / "mixed").classes == ("003 - Sea", "wind")


def test_folds_are_made_for_the_share_that_is_held_out(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(20):
            (tmp_path / name / f"{i}.wav").write_bytes(b"")
    for share, n_held_out in ((0.1, 4), (0.2, 8), (0.25, 10), (0.5, 20)):
        data = dataset.load(tmp_path, dataset.n_folds_for(share))
        held_out = data.of_folds(data.held_out(share))
        assert len(held_out.clips) == n_held_out and held_out.classes == ("a", "b")
    assert data.held_out(0) == set()
    assert data.missing_per_split({1}) == ([], [])
    assert data.missing_per_split(set(data.folds)) == (["a", "b"], [])
    assert data.clips[0].relative_path == "a/0.wav"


def test_two_clips_of_the_same_name_are_two_places(tmp_path: Path) -> None:
    for name in ("x/dog/0.wav", "y/dog/0.wav", "x/cat/0.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    rows = ["file_name,label,fold"]
    rows += ["x/dog/0.wav,dog,1", "y/dog/0.wav,dog,1", "x/cat/0.wav,cat,1"]
    (tmp_path / "metadata.csv").write_text("\n".join(rows))
    data = dataset.load(tmp_path)
    assert len(data.without({"x/dog/0.wav"}).clips) == 2
    assert not data.has_own_folds and len(data.folds) > 1  # one fold for all is none


@pytest.mark.parametrize("table", ["file_name,label\n" + "x" * 3_000 + ".wav,dog\n"])
def test_a_table_that_names_what_no_disk_can_hold_is_a_sentence(tmp_path: Path, table: str) -> None:
    (tmp_path / "metadata.csv").write_text(table)
    refusal(lambda: dataset.load(tmp_path))
    (tmp_path / "metadata.csv").unlink()
    (tmp_path / "metadata.jsonl").write_text("[" * 200_000)
    refusal(lambda: dataset.load(tmp_path))
