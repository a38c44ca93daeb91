"""Agreement of labellers: worked examples of the literature, and a project's own events."""

from pathlib import Path

import pytest

from audioclf.annotation import agreement, database, event_log, project
from audioclf.annotation.event_log import AnnotationEvent


def units(*rows: str) -> list[list[str]]:
    """A row per labeller, a column per target, a dot where there is no label."""
    columns = [[value for value in column if value != "."] for column in zip(*rows, strict=True)]
    return [column for column in columns if len(column) > 1]


def test_alpha_is_that_of_krippendorff_s_examples() -> None:
    two = units("0100000010", "1110010000")
    assert agreement.krippendorff_alpha(two) == pytest.approx(0.095, abs=5e-4)
    four = units("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
    assert agreement.krippendorff_alpha(four) == pytest.approx(0.743, abs=5e-4)
    assert agreement.krippendorff_alpha(units("11", "11")) is None


def test_kappa_is_that_of_the_table_by_hand() -> None:
    both_yes, first_only, second_only, both_no = 20, 5, 10, 15
    first = [True] * (both_yes + first_only) + [False] * (second_only + both_no)
    second = [True] * both_yes + [False] * first_only + [True] * second_only + [False] * both_no
    assert agreement.cohen_kappa(first, second) == pytest.approx(0.4)  # (0.7 - 0.5) / (1 - 0.5)
    assert agreement.cohen_kappa(["a"], ["a"]) is None


def test_a_project_s_labellers_are_compared_on_what_both_have_labelled(
    three_sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIOCLF_DATA", str(tmp_path))
    shared = project.create("shared", three_sounds)
    said = {
        "ann": {"1": "owl", "2": "owl", "3": "elk", "4": "elk", "5": "owl"},
        "bob": {"1": "owl", "2": "elk", "3": "elk", "4": "elk"},
    }
    with database.connect(shared.store) as db:
        event_log.add(db, AnnotationEvent("1", "label", ("elk",), annotator="bob"))  # changed below
        for annotator, labels in said.items():
            for file, name in labels.items():
                event_log.add(db, AnnotationEvent(file, "label", (name,), annotator=annotator))
        event_log.add(db, AnnotationEvent("6", "label", ("elk",), annotator="bob"))
        event_log.undo(db, "bob")
        event_log.add(db, AnnotationEvent("5", "unsure", annotator="bob"))
        measured = agreement.of_store(db)
        apart = agreement.disagreements(agreement.ratings(event_log.history(db)))
    assert set(measured.labellers) == {"ann", "bob"}
    assert (measured.n_shared, measured.n_equal) == (4, 3)
    assert measured.kappa == pytest.approx(0.5)  # 3 of 4 equal, 1 of 2 by chance
    assert measured.kappa_per_class == {"elk": pytest.approx(0.5), "owl": pytest.approx(0.5)}
    assert measured.alpha == pytest.approx(1 - 7 * 2 / 30)  # 5 elk and 3 owl: 64 - 34
    assert apart == [("2", None, None)]
