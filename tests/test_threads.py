"""BLAS has one thread in everything that computes, and networks have as many as there are cores."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from audioclf import threads
from audioclf.inference import onnx_session
from audioclf.models import checkpoint
from audioclf.models.checkpoint import Checkpoint
from tests.conftest import ROOT

# NumPy's BLAS and SciPy's, which are two libraries.
COUNT = (
    "import numpy, scipy.linalg; from threadpoolctl import threadpool_info;"
    "print({one['num_threads'] for one in threadpool_info() if one['user_api'] == 'blas'})"
)


def counted(code: str, **environment: str) -> str:
    """What a fresh process prints last, started with more threads allowed."""
    env = {k: v for k, v in os.environ.items() if k not in threads.NAMES}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=env | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1]


def test_the_command_line_computes_with_one_blas_thread() -> None:
    code = f"from audioclf.cli import main; main.main(['checkpoints', '--json']); {COUNT}"
    assert counted(code) == "{1}"


def test_the_app_computes_with_one_blas_thread() -> None:
    starts = "import sys, types; page = sys.modules['audioclf.ui.app'] = types.ModuleType('ui');"
    serves = f"page.start = lambda **settings: exec({COUNT!r}); sys.argv = ['app.py'];"
    code = f"{starts} {serves} import app; app.main()"
    assert counted(code) == "{1}"


def test_what_is_loaded_already_is_told_too() -> None:
    code = "import numpy, scipy.linalg; from audioclf import threads; "
    assert counted(f"{code} threads.single_threaded_blas(); {COUNT}") == "{1}"


def test_what_a_user_has_set_stays() -> None:
    code = f"from audioclf import threads; threads.single_threaded_blas(); {COUNT}"
    assert counted(code, OPENBLAS_NUM_THREADS="2") == "{2}"


@pytest.mark.parametrize(
    ("written", "expected"),
    [("max 100000\n", None), ("100000 100000\n", 1), ("50000 100000\n", 1), ("?", None)],
)
def test_a_containers_share_of_the_cores_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, expected: int | None
) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(written)
    monkeypatch.setattr(threads, "QUOTA", quota)
    assert threads.n_cores() == (expected or len(os.sched_getaffinity(0)))


def test_a_network_has_the_threads_that_there_are_cores_for(
    made_checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network: Checkpoint = checkpoint.find(made_checkpoints / "full")
    for n_cores, expected in ((1, 1), (2, 2), (64, onnx_session.MAX_THREADS)):
        monkeypatch.setattr(threads, "n_cores", lambda n=n_cores: n)
        session = onnx_session.open_session(
            network.folder / checkpoint.ONNX, network.weights_sha256()
        )
        assert session.get_session_options().intra_op_num_threads == expected
