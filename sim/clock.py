"""A clock that runs fast or slow: integers in, integers out, and it never goes back."""

from dataclasses import dataclass

from virtualtap.units import Duration, Instant

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Clock:
    """It said `said` when it was `since`, and gains `ppm` millionths from then on."""

    since: Instant
    said: Instant
    ppm: int
    slowest: int  # of all that it ever gained

    def at(self, now: Instant) -> Instant:
        """What it says."""
        return self.said + (now - self.since) * (_MILLION + self.ppm) // _MILLION

    def when(self, said: Instant) -> Instant:
        """The first instant at which it says `said`, or more."""
        return self.since - (self.said - said) * _MILLION // (_MILLION + self.ppm)

    def most(self, span: Duration) -> Duration:
        """How long it takes at most until as much has passed by it."""
        return -(-span * _MILLION // (_MILLION + self.slowest))

    def skewed(self, now: Instant, ppm: int) -> "Clock":
        """The same clock, with another speed from now on."""
        return Clock(now, self.at(now), ppm, min(ppm, self.slowest))


RIGHT = Clock(0, 0, 0, 0)
