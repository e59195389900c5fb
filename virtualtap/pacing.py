"""When a question may be asked: few at once, none twice within an interval. RFC 1122 2.3.2.1."""

from virtualtap.units import Duration, Instant
from virtualtap.wire.address import Ip


class Pace:
    """Turns to ask: `burst_max` at once, then one in every `spacing`, each address its own rest.

    A turn that is given is kept, so whoever waits is asked for in the order of coming. What was
    asked is remembered for `interval` even if its entry is gone; no more than fits into one.
    """

    __slots__ = ("_asked", "_credit", "_full", "_interval", "_spacing")

    def __init__(self, burst_max: int, spacing: Duration, interval: Duration) -> None:
        self._spacing = spacing
        self._interval = interval
        self._credit = (burst_max - 1) * spacing
        self._full: Instant = 0  # when the whole burst would be free again
        self._asked: dict[Ip, Instant] = {}  # the longest ago first

    def rested(self, ip: Ip, now: Instant) -> Instant:
        """When `ip` may be asked for again, `now` or later."""
        return max(now, self._asked.get(ip, now - self._interval) + self._interval)

    def turn(self, now: Instant) -> Instant:
        """The next free turn, `now` or later; it is taken."""
        at = max(now, self._full - self._credit)
        self._full = max(at, self._full) + self._spacing
        return at

    def note(self, ip: Ip, now: Instant) -> None:
        """`ip` is asked for now."""
        asked = self._asked
        asked.pop(ip, None)
        asked[ip] = now
        while asked[oldest := next(iter(asked))] + self._interval <= now:
            del asked[oldest]
