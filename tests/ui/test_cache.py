"""Results are kept up to so many bytes, and computed once where several ask at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from audioclf.ui.page.cache import kept


def test_two_who_ask_at_once_compute_once() -> None:
    computed: list[str] = []
    has_begun, may_end = threading.Event(), threading.Event()

    @kept(100, len)
    def answer(question: str) -> str:
        computed.append(question)
        has_begun.set()
        assert may_end.wait(10)
        return question * 2

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(answer, "a")
        assert has_begun.wait(10)
        others = [pool.submit(answer, "a") for _ in range(2)]
        may_end.set()
        assert [one.result(10) for one in (first, *others)] == ["aa"] * 3
    assert computed == ["a"]


def test_the_last_used_are_kept_up_to_so_many_bytes() -> None:
    computed: list[str] = []

    @kept(10, len)
    def answer(question: str) -> str:
        computed.append(question)
        return question * 4

    for question in ("a", "b", "a", "c", "a", "b"):  # two of three have room
        assert answer(question) == question * 4
    assert computed == ["a", "b", "c", "b"]
    assert answer.held_bytes <= 10
    assert answer("long") == "long" * 4  # larger than all: given away, and nothing is dropped
    assert answer("b") == "bbbb" and computed == ["a", "b", "c", "b", "long"]
    answer.cache_clear()
    assert answer.held_bytes == 0


def test_a_failure_is_told_to_all_and_not_kept() -> None:
    tries: list[int] = []

    @kept(10, len)
    def answer(question: str) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("No: ask again.")
        return question

    with pytest.raises(ValueError, match="ask again"):
        answer("a")
    assert answer("a") == "a"
