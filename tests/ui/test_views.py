"""Costly views end when nobody looks at them any more, and are made anew when somebody does."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from audioclf.audio import io
from audioclf.ui.classify import denoise, split
from audioclf.ui.page.latest import Requests, SupersededError
from tests import sounds


@pytest.mark.parametrize("view", ["denoised", "split"])
def test_a_view_that_nobody_looks_at_ends(tmp_path: Path, view: str) -> None:
    path = tmp_path / "noise.wav"
    io.write(path, sounds.noise(60), sounds.RATE_HZ)
    module: Any = {"denoised": denoise, "split": split}[view]
    before = module.requests.of(None)
    module.requests.end_running(None)
    assert module.requests.of(None) == before  # at rest: what is shown stays
    with ThreadPoolExecutor(1) as pool:
        if view == "denoised":
            work = pool.submit(denoise.denoise_clip, str(path), "non_stationary", 1.0, 0, 0)
        else:
            work = pool.submit(split.split_clip, str(path), 40.0, 0.1, 0.1)
        while not module.requests.running[""] and not work.done():
            time.sleep(0.001)
        module.requests.end_running(None)
        result = work.result(120)
    assert all(isinstance(part, dict) and "value" not in part for part in result)
    assert module.requests.of(None) == before + 1 and not module.requests.running[""]


def test_work_ends_where_it_asks_whether_it_is_wanted() -> None:
    requests = Requests()
    with requests.run(None) as end_if_unwanted:
        end_if_unwanted(None)
        requests.end_running(None)
        with pytest.raises(SupersededError):
            end_if_unwanted(None)
    assert not requests.running
