"""What is computed from files is kept by their content, and room is made by age and size."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from audioclf.storage import cache, paths

OLD_S = 2 * cache.IN_USE_S


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(paths.CACHE, str(tmp_path))
    return tmp_path


def write(name: str, n_bytes: int = 1_000, used_s: float = 0.0, kind: str = cache.FEATURES) -> Path:
    path = cache.entry(kind, name)
    cache.write(path, lambda part: part.write_bytes(bytes(n_bytes)) and None)
    os.utime(path, (time.time() - used_s,) * 2)
    return path


def array(path: Path, value: float = 1.0) -> np.ndarray:
    return cache.load_or_make(
        path, np.load, lambda: np.full(1_000, value), lambda part, values: save(part, values)
    )


def save(path: Path, values: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, values)


def test_a_value_is_made_once_and_again_where_its_entry_is_damaged_or_gone() -> None:
    path = cache.entry(cache.FEATURES, "key", "one.npy")
    assert array(path, 1.0)[0] == 1 and array(path, 2.0)[0] == 1
    path.write_bytes(path.read_bytes()[:200])
    assert array(path, 3.0)[0] == 3
    path.unlink()
    assert array(path, 4.0)[0] == 4 and array(path, 5.0)[0] == 4


def test_what_is_used_longest_ago_goes_first_and_what_is_in_use_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    oldest = write("oldest", used_s=OLD_S + 20, kind=cache.DECODED)
    older, old, new = (write(str(s), used_s=s) for s in (OLD_S + 10, OLD_S, 5))
    assert cache.is_there(oldest)  # used now
    monkeypatch.setenv(cache.MAX_MB, "0.003")
    cache.evict()
    assert [path.exists() for path in (oldest, older, old, new)] == [True, False, True, True]
    monkeypatch.setenv(cache.MAX_MB, "0.0001")
    cache.evict()
    assert [path.exists() for path in (oldest, old, new)] == [True, False, True]


def test_what_was_not_used_for_days_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write("x", used_s=3 * cache.DAY_S)
    other = tmp_path / "runs" / "state"
    other.parent.mkdir()
    other.touch()
    os.utime(other, (0, 0))
    cache.evict()
    assert cache.entry(cache.FEATURES, "x").exists()
    monkeypatch.setenv(cache.MAX_DAYS, "2")
    cache.evict()
    assert not cache.entry(cache.FEATURES, "x").exists() and other.exists()
    write("y", used_s=5_000)
    cache.evict(3_600)
    assert not cache.entry(cache.FEATURES, "y").exists()


def test_room_is_made_while_much_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.MAX_MB, "0.01")
    for number in range(40):
        write(str(number), used_s=OLD_S)
    entries = list(cache.entry(cache.FEATURES).iterdir())
    assert sum(path.stat().st_size for path in entries) <= 11_000


def test_readers_and_eviction_at_once_never_see_half_a_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cache, "IN_USE_S", -1.0)
    monkeypatch.setenv(cache.MAX_MB, "0.00001")

    def use(number: int) -> bool:
        if number % 3 == 0:
            cache.evict()
        return bool((array(cache.entry(cache.FEATURES, f"{number % 4}.npy"), 7.0) == 7).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(200)))
