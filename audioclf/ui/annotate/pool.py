"""What Label does in the background: a fixed number of threads, fair between data sets.

Work is done in steps of about one file, and the sets take turns step by step: however much is asked
for one set, the others go on. Threads are daemons, so that a long step does not keep the page from
ending.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

N_THREADS = 2
Step = Callable[[], bool]  # one step of some work; whether there is more of it


class FairPool:
    """Threads that do the steps of work; what is asked again while it waits, replaces itself."""

    def __init__(self, n_threads: int) -> None:
        self._n_threads = n_threads
        self._work: OrderedDict[Hashable, OrderedDict[Hashable, Step]] = OrderedDict()
        self._busy: set[Hashable] = set()  # owners of which a step is being done
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def submit(self, owner: Hashable, key: Hashable, step: Step) -> None:
        """Have the steps of this work done in turn; it takes the place of what has the same key."""
        with self._changed:
            self._work.setdefault(owner, OrderedDict())[key] = step
            while len(self._threads) < self._n_threads:
                thread = threading.Thread(target=self._run, name="label", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()

    def n_waiting(self) -> int:
        """How much work waits or is between two steps."""
        with self._changed:
            return sum(len(own) for own in self._work.values())

    def _run(self) -> None:
        while True:
            owner, key, step = self._take()
            is_more = False
            try:
                is_more = step()
            except Exception:  # the work itself tells what it can; the thread goes on
                logging.exception("work of Label")
            self._give_back(owner, key, step, is_more=is_more)

    def _take(self) -> tuple[Hashable, Hashable, Step]:
        """The next step of the owner whose turn it is; of each owner one at a time."""
        with self._changed:
            while (owner := next((o for o in self._work if o not in self._busy), None)) is None:
                self._changed.wait()
            own = self._work.pop(owner)
            key, step = own.popitem(last=False)
            if own:
                self._work[owner] = own  # behind the others
            self._busy.add(owner)
            return owner, key, step

    def _give_back(self, owner: Hashable, key: Hashable, step: Step, *, is_more: bool) -> None:
        with self._changed:
            self._busy.discard(owner)
            if is_more:
                self._work.setdefault(owner, OrderedDict()).setdefault(key, step)
            self._changed.notify_all()


POOL = FairPool(N_THREADS)
