"""Jitter: how much the delays of consecutive frames of a stream differ. RFC 4689 3.2.5."""

from sim.standard.rfc2544 import fastest
from sim.standard.rig import Rig, Row, rate
from virtualtap.units import SECOND


def jitter(rig: Rig, size: int) -> Row:
    """Least, mean and largest difference over one trial at the rate of `throughput`."""
    every = fastest(rig, size)
    differences: list[int] = []
    if every is not None:
        (came,) = rig.stream("jitter", size, every, rig.trial).values()
        delays = came.delays
        differences = [abs(delays[i] - delays[i - 1]) for i in range(1, len(delays))]
    return {
        "size": size,
        "frames_per_s": None if every is None else rate(every),
        "least_s": min(differences) / SECOND if differences else None,
        "mean_s": sum(differences) / len(differences) / SECOND if differences else None,
        "largest_s": max(differences) / SECOND if differences else None,
    }
