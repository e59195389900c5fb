"""Throughput and latency of frames of one size. RFC 2544 26.1, 26.2; RFC 1242 3.8, 3.17."""

from sim.standard.rig import Rig, Row, rate
from sim.standard.search import shortest
from virtualtap.units import SECOND, Duration


def throughput(rig: Rig, size: int) -> Row:
    """The fastest rate at which every frame comes, against what the media allow."""
    every, trials = _fastest(rig, size)
    slowest = rig.path(size).slowest
    found = None if every is None else rate(every)
    return {
        "size": size,
        "frames_per_s": found,
        "interval_ns": every,
        "theoretical_frames_per_s": rate(slowest.interval),
        "medium": slowest.name,
        "share": None if found is None else found / rate(slowest.interval),
        "bits_per_s": None if found is None else found * size * 8,
        "trials": trials,
    }


def latency(rig: Rig, size: int) -> Row:
    """The mean over repeated trials of how long one frame stays in the device, at that rate.

    A trial lasts twice as long as one of `throughput`, and the frame in its middle is tagged. Where
    the first two trials, with two seeds, are the same in every frame, nothing is left to luck, and
    the others are not run.
    """
    every, _ = _fastest(rig, size)
    tagged: list[Duration] = []
    before = None
    done, same = 0, False
    while every is not None and done < rig.repeat and not same:
        tag, seed = -(-rig.trial // every), rig.seed + done
        (came,) = rig.stream("latency", size, every, 2 * rig.trial, tag=tag, seed=seed).values()
        tagged += [] if came.tagged is None else [came.tagged]
        same = done == 1 and came.delays == before
        before = came.delays if done == 0 else None
        done += 1
    one_way = sum(tagged) / len(tagged) if tagged else None
    return {
        "size": size,
        "frames_per_s": None if every is None else rate(every),
        "latency_s": None if one_way is None else (one_way - rig.path(size).outside) / SECOND,
        "one_way_s": None if one_way is None else one_way / SECOND,
        "trials": done,
        "lost_tags": done - len(tagged),
        "identical": same,
    }


def fastest(rig: Rig, size: int) -> Duration | None:
    """The shortest interval, in ns, at which every frame of this size comes."""
    return _fastest(rig, size)[0]


def _fastest(rig: Rig, size: int) -> tuple[Duration | None, int]:
    """That, and how many trials it took; each size is searched once."""
    key = "throughput", size
    if key not in rig.found:
        trials = 0

        def passes(every: Duration) -> bool:
            nonlocal trials
            trials += 1
            (came,) = rig.stream("throughput", size, every, rig.trial).values()
            return came.lost == 0

        way = rig.path(size)
        rig.found[key] = shortest(way.fastest, way.slowest.interval, passes), trials
    found: tuple[Duration | None, int] = rig.found[key]
    return found
