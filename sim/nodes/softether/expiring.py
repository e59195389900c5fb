"""Things that end at a time unless they are prolonged: what SecureNAT's tables are made of."""

from collections.abc import ItemsView
from typing import Generic, TypeVar

from virtualtap.units import Duration, Instant

K = TypeVar("K")
V = TypeVar("V")


class Expiring(Generic[K, V]):
    """key → value, until its time. What is over stays until a sweep: a lookup never asks.

    With an `interval` sweeps fall on its multiples, as a tick of the product.
    """

    def __init__(self, interval: Duration = 1) -> None:
        self._interval = interval
        self._values: dict[K, V] = {}
        self._expiries: dict[K, Instant] = {}
        self._soonest: Instant | None = None  # nothing ends before it

    def put(self, key: K, value: V, expires: Instant) -> None:
        """Add it, or replace it."""
        self._values[key] = value
        self.prolong(key, expires)

    def prolong(self, key: K, expires: Instant) -> None:
        """It ends then, earlier or later than it would."""
        self._expiries[key] = expires
        if self._soonest is None or expires < self._soonest:
            self._soonest = expires

    def get(self, key: K) -> V | None:
        """The value, even where its time is over."""
        return self._values.get(key)

    def pop(self, key: K) -> V | None:
        """Remove it; None where there is none."""
        self._expiries.pop(key, None)
        value = self._values.pop(key, None)
        if not self._values:
            self._soonest = None
        return value

    def sweep(self, now: Instant) -> list[tuple[K, V]]:
        """Remove what is over, the oldest entry first."""
        if self.due is None or self.due > now:
            return []
        over = [key for key, expires in self._expiries.items() if expires <= now]
        gone = [(key, self._values.pop(key)) for key in over]
        for key in over:
            del self._expiries[key]
        self._soonest = min(self._expiries.values(), default=None)
        return gone

    @property
    def due(self) -> Instant | None:
        """When the next sweep is worth it."""
        if self._soonest is None:
            return None
        return -(-self._soonest // self._interval) * self._interval

    def items(self) -> ItemsView[K, V]:
        """What there is."""
        return self._values.items()

    def __len__(self) -> int:
        return len(self._values)
