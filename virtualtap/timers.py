"""One heap of deadlines."""

from collections.abc import Callable, Hashable
from heapq import heapify, heappop, heappush

from virtualtap.units import Instant

NEVER: Instant = 1 << 63

Action = Callable[[], None]


class Timers:
    """Actions by deadline; equal deadlines run in the order in which they were set."""

    def __init__(self) -> None:
        self.next: Instant = NEVER
        self._heap: list[tuple[Instant, int, Hashable, Action]] = []
        self._live: dict[Hashable, int] = {}
        self._count = 0

    def set(self, key: Hashable, deadline: Instant, action: Action) -> None:
        """Run `action` at `deadline`, or never; an earlier timer of this key is forgotten."""
        if deadline >= NEVER:
            self.cancel(key)
            return
        self._count += 1
        self._live[key] = self._count
        heappush(self._heap, (deadline, self._count, key, action))
        if len(self._heap) > 2 * len(self._live) + 64:  # cancelled ones must not pile up
            self._heap = [entry for entry in self._heap if self._live.get(entry[2]) == entry[1]]
            heapify(self._heap)
        self._settle()

    def cancel(self, key: Hashable) -> None:
        """Forget the timer of this key, if there is one."""
        if self._live.pop(key, None) is not None:
            self._settle()

    def pop(self, now: Instant) -> Action | None:
        """The next action due by `now`, or None."""
        if self.next > now:
            return None
        _, _, key, action = heappop(self._heap)
        del self._live[key]
        self._settle()
        return action

    def _settle(self) -> None:
        heap, live = self._heap, self._live
        while heap and live.get(heap[0][2]) != heap[0][1]:
            heappop(heap)
        self.next = heap[0][0] if heap else NEVER
