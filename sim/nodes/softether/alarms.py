"""One timer of a node for each of the things inside it that have deadlines."""

from collections.abc import Callable
from functools import partial

from sim.node import Node
from virtualtap.units import Instant


class Alarms:
    """Who is armed for when; a crash of the node forgets them, and so does `clear`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._armed: dict[object, Instant] = {}

    def arm(self, whom: object, when: Instant | None, action: Callable[[], None]) -> None:
        """Call `action` at `when`, unless something earlier is armed for `whom`."""
        armed = self._armed.get(whom)
        if when is not None and (armed is None or when < armed):
            self._armed[whom] = when
            self._node.call_at(when, partial(self._due, whom, when, action))

    def clear(self) -> None:
        """Forget them all."""
        self._armed.clear()

    def _due(self, whom: object, when: Instant, action: Callable[[], None]) -> None:
        if self._armed.get(whom) == when:  # else an earlier one was armed after it
            del self._armed[whom]
            action()
