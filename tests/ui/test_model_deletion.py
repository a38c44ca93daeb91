"""A model that was trained here is deleted, and is gone from every list."""

from pathlib import Path

import pytest

from audioclf.jobs import job, queue, records
from audioclf.jobs.records import JobResult, JobState, Request, State, TrainingMode
from audioclf.models import checkpoint
from audioclf.ui.finetune import settings
from audioclf.ui.models import delete, tab
from audioclf.ui.page import model_lists
from tests import made


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models, of which the trainings here made “full” and “old”."""
    folder = made.checkpoints(tmp_path / "models")
    monkeypatch.setenv("AUDIOCLF_LOCAL", "1")
    monkeypatch.setenv("AUDIOCLF_CHECKPOINTS", str(folder))
    monkeypatch.setenv("AUDIOCLF_JOBS", str(tmp_path / "jobs"))
    for name in ("full", "both"):
        new_job = job.Job(job.home() / queue.new_id())
        new_job.folder.mkdir(parents=True)
        request = Request(
            mode=TrainingMode.FINE_TUNE, folder="/x", name=name, output_dir=str(folder)
        )
        records.write(new_job.folder / job.REQUEST, request)
        records.write(new_job.folder / job.STATE, State(JobState.DONE, submitted_at=1.0))
        records.write(new_job.folder / job.RESULT, JobResult(name, str(folder / name)))
    return folder


def lists() -> list[set[str]]:
    """The names in every list of models: Models, Classify, and what Fine-tune starts from."""
    table = {row[0] for row in tab.list_trained(None)[2]["data"]}
    classify = {name for _, name in model_lists.list_models(None)["choices"]}
    return [table, classify, {name for _, name in settings.base_models()}]


def test_a_trained_model_is_deleted_after_its_name_was_typed(trained: Path) -> None:
    assert delete.show_delete("full", {})["visible"] is True
    assert delete.show_delete("another", {})["visible"] is False
    assert "Type “full”" in delete.delete_model("full", "ful", {})[1]
    assert "Only models that were trained here" in delete.delete_model("another", "another", {})[1]
    assert "Only models" in delete.delete_model(None, "", {})[1]
    refused = delete.delete_model("full", "full", {})[1]
    assert "is part of both: delete what is made of it first" in refused
    assert checkpoint.locate("full") is not None
    typed, sentence = delete.delete_model("both", "both", {})
    assert typed == "" and sentence == "**both** is deleted."
    assert delete.delete_model("full", " full ", {})[1] == "**full** is deleted."
    assert all({"full", "both"}.isdisjoint(names) for names in lists())
    assert all("another" in names for names in lists())
    assert sorted(path.name for path in trained.iterdir() if path.name.startswith(".")) == []


def test_on_a_public_page_nobody_deletes_another_s_model(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUDIOCLF_LOCAL")
    assert "Only models" in delete.delete_model("full", "full", {})[1]
    assert checkpoint.locate("full") is not None
