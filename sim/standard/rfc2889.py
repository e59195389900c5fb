"""A bridge's table, how fast it fills, and broadcasts. RFC 2889 5.7, 5.8, 5.10."""

from collections.abc import Mapping

from sim.standard.rig import (
    EVERYBODY,
    LEARN,
    SETTLE,
    SMALLEST,
    Rig,
    Row,
    rate,
    received,
    time_text,
)
from sim.standard.search import largest, shortest
from sim.standard.stopwatch import Arrivals
from virtualtap.units import SECOND, Duration

ADDRESSES_MAX = 131_072  # that a search tries, beside the tester's own two
ADDRESSES = 1_000  # of a learning rate, where the table has room
OWN = 2  # the tester's ports speak under their own addresses before


def caching(rig: Rig) -> Row:
    """How many addresses the device remembers without flooding a frame to one of them."""
    return {"addresses": None, "most": None} if not rig.device.is_bridge else _capacity(rig)


def learning(rig: Rig) -> Row:
    """How fast addresses may come so that none is flooded afterwards."""
    way = rig.path(SMALLEST)
    likely = way.slowest.interval
    count = ADDRESSES if rig.device.is_bridge else 0
    if count and not _learns(rig, count, likely):
        count = _capacity(rig)["addresses"] - OWN
    every = None
    if count:
        every = shortest(way.fastest, likely, lambda interval: _learns(rig, count, interval))
    return {
        "addresses": count or None,
        "addresses_per_s": None if every is None else rate(every),
        "theoretical_frames_per_s": rate(likely),
    }


def broadcast(rig: Rig, size: int) -> Row:
    """The fastest rate at which every port gets every broadcast, and how long they take."""
    trials: dict[Duration, Mapping[str, Arrivals]] = {}

    def passes(every: Duration) -> bool:
        trials[every] = rig.stream("broadcast", size, every, rig.trial, to=EVERYBODY)
        return all(came.lost == 0 for came in trials[every].values())

    way = rig.path(size)
    every = shortest(way.fastest, way.slowest.interval, passes)
    found = {} if every is None else trials[every]
    return {
        "size": size,
        "frames_per_s": None if every is None else rate(every),
        "theoretical_frames_per_s": rate(way.slowest.interval),
        "share": None if every is None else way.slowest.interval / every,
        "latency_s": {
            name: (sum(came.delays) / len(came.delays) - rig.path(size, name).outside) / SECOND
            for name, came in found.items()
        },
        "trials": len(trials),
    }


def table_text(rig: Rig, count: int, every: Duration) -> str:
    """The scenario of a trial: as many addresses come by one port, then each is spoken to."""
    asks = LEARN + count * every + SETTLE
    learn, test = rig.device.sender, rig.device.receivers[0]
    words = f'every = "{every}ns"\ncount = {count}\n'
    return rig.text(
        f"addresses-{rig.device.name}-{count}",
        asks + count * every + SETTLE,
        f"""\
[[traffic]]
kind = "addresses"
from = "{learn}"
to = "{test}"
start = "{LEARN}ns"
{words}
[[traffic]]
kind = "addresses"
from = "{test}"
to = "{learn}"
start = "{time_text(asks)}"
backward = true
{words}""",
    )


def _capacity(rig: Rig) -> Row:
    if "caching" not in rig.found:
        every = rig.path(SMALLEST).slowest.interval
        found = largest(ADDRESSES_MAX, lambda count: _learns(rig, count, every))
        rig.found["caching"] = {"addresses": found + OWN, "most": found == ADDRESSES_MAX}
    room: Row = rig.found["caching"]
    return room


def _learns(rig: Rig, count: int, every: Duration) -> bool:
    """Whether each frame to one of so many addresses came to its port, and to no other."""
    if "quiet" not in rig.found:
        rig.found["quiet"] = received(rig.run(rig.text("quiet", LEARN), rig.seed))
    before: Mapping[str, int] = rig.found["quiet"]
    after = received(rig.run(table_text(rig, count, every), rig.seed))
    learn, monitor = rig.device.sender, rig.device.receivers[-1]
    came, flooded = (after[name] - before[name] for name in (learn, monitor))
    rig.tell(f"{count} addresses, {rate(every):.1f} a second: {flooded} flooded")
    return came == count and flooded == 0
