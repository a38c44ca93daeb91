"""A cache of results: bounded in bytes, and computed once at a time."""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any


class BoundedCache:
    """A function whose last results are kept; two who ask the same at once compute it once.

    A result that alone is larger than all that may be kept is given away and not kept.
    """

    def __init__(
        self, compute: Callable[..., Any], max_bytes: int, n_bytes: Callable[[Any], int]
    ) -> None:
        functools.update_wrapper(self, compute)
        self.compute, self.max_bytes, self.n_bytes = compute, max_bytes, n_bytes
        self.lock = threading.Lock()
        self.results: OrderedDict[Hashable, Any] = OrderedDict()  # the last used one last
        self.running: dict[Hashable, Future[Any]] = {}
        self.held_bytes = 0

    def __call__(self, *key: Hashable) -> Any:
        """The result, as it was kept, as somebody is computing it, or computed now."""
        with self.lock:
            if key in self.results:
                self.results.move_to_end(key)
                return self.results[key]
            future = self.running.get(key)
            if future is None:
                own_future: Future[Any] = Future()
                self.running[key] = own_future
        if future is not None:
            return future.result()
        return self._computed(key, own_future)

    def known(self, *key: Hashable) -> Any:
        """The result that was kept, or None; nothing is computed."""
        with self.lock:
            return self.results.get(key)

    def put(self, result: Any, *key: Hashable) -> None:
        """Keep a result that was computed elsewhere."""
        with self.lock:
            if key not in self.results:
                self._keep(key, result)

    def cache_clear(self) -> None:
        """Forget everything."""
        with self.lock:
            self.results.clear()
            self.held_bytes = 0

    def _computed(self, key: tuple[Hashable, ...], own_future: "Future[Any]") -> Any:
        try:
            result = self.compute(*key)
        except BaseException as error:
            with self.lock:
                del self.running[key]
            own_future.set_exception(error)
            raise
        with self.lock:
            del self.running[key]
            self._keep(key, result)
        own_future.set_result(result)
        return result

    def _keep(self, key: Hashable, result: Any) -> None:
        if self.n_bytes(result) > self.max_bytes:
            return
        self.results[key] = result
        self.held_bytes += self.n_bytes(result)
        while self.held_bytes > self.max_bytes:
            _, oldest = self.results.popitem(last=False)
            self.held_bytes -= self.n_bytes(oldest)


def cached(
    max_bytes: int, n_bytes: Callable[[Any], int]
) -> Callable[[Callable[..., Any]], BoundedCache]:
    """The last results of a function, up to so many bytes; `n_bytes` tells how large one is."""
    return lambda compute: BoundedCache(compute, max_bytes, n_bytes)
