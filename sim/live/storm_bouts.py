"""The storm limiter of an ordinary client's session, frame by frame. Hub.c:CheckBroadcastStorm."""

from collections.abc import Callable, Iterable, Sequence
from copy import copy

from sim.live.bout import Bout, Played, Say
from sim.live.fidelity import Row
from sim.live.hub_bouts import ONE, TWO, UNKNOWN, arp, ipv4, plain
from sim.nodes.softether.constants import constants
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import Packet
from sim.nodes.softether.storm import Entry, StormLimiter
from sim.rng import Stream
from virtualtap.units import MS, SECOND, Duration, Instant
from virtualtap.wire.address import BROADCAST

# The clock of 5.01 moves in steps of 10 ms, and a busy machine is late: when a window of 500 ms
# ends is known no better.
TOLERANCE: Duration = 15 * MS

Make = Callable[[int], bytes]


class Luck(Stream):
    """Chosen, not drawn: 0 lets the frame pass, 1 does not."""

    def __init__(self) -> None:
        super().__init__(0, "chosen")
        self.value = 0

    def below(self, limit: int) -> int:
        return self.value


def _numbered(frame: bytes, number: int) -> bytes:
    """With a number at the end, so that each is known."""
    return frame.ljust(60, b"\0") + number.to_bytes(4)


def _request(number: int) -> bytes:
    return _numbered(arp(ONE, "10.0.0.1"), number)


def _other(number: int) -> bytes:
    return _numbered(plain(BROADCAST), number)


def _unknown(number: int) -> bytes:
    return _numbered(plain(UNKNOWN), number)


def _known(number: int) -> bytes:
    return _numbered(plain(TWO), number)


def _scan(number: int) -> bytes:
    return _numbered(arp(ONE, "10.0.0.1", f"10.0.{1 + number // 250}.{number % 250}"), number)


def _two_ips(number: int) -> bytes:
    return _numbered(arp(ONE, f"10.0.0.{1 + number % 2}"), number)


def _two_macs(number: int) -> bytes:
    return _numbered(plain(BROADCAST, (ONE, UNKNOWN)[number % 2]), number)


def _two_targets(number: int) -> bytes:
    packet = ipv4("10.0.0.1", f"10.0.{number % 2}.255", b"x" * 26 + number.to_bytes(4))
    return BROADCAST + ONE + b"\x08\0" + packet


def steady(rate: int, seconds: int, begin: Instant = 0) -> list[Instant]:
    """So many frames a second, evenly."""
    return [begin + n * SECOND // rate for n in range(rate * seconds)]


def storms() -> list[Bout]:
    """One session each, in a hub of its own."""
    thousand = [n * 200 * MS // 1000 for n in range(1000)]
    twenty = [n * 50 * MS // 20 for n in range(20)]
    after = steady(40, 8), steady(100, 8)
    return [
        *(_bout(f"{rate} a second", steady(rate, 8)) for rate in (25, 29, 30, 31, 40, 100)),
        _bout("no IP, 40 a second", steady(40, 8), _other),
        _bout("to an unknown MAC, 40 a second", steady(40, 8), _unknown),
        _bout("to a known MAC, 100 a second", steady(100, 8), _known),
        _bout("ARP for 320 targets, 40 a second", steady(40, 8), _scan),
        _bout("two sender addresses, 20 a second each", steady(40, 8), _two_ips),
        _bout("two MACs, 20 a second each", steady(40, 8), _two_macs),
        _bout("two broadcast addresses, 20 a second each", steady(40, 8), _two_targets),
        _bout(
            "20 in 50 ms, one after 0.6 s",
            [*twenty, *(t * MS for t in (600, 12_500, 13_600, 14_700))],
        ),
        _bout("20 in 50 ms, one after 10 s", [*twenty, 10 * SECOND, 11 * SECOND]),
        _bout(
            "1,000 in 0.2 s, one after 0.6 s",
            [*thousand, *(t * MS for t in (600, 1_700, 2_800, 3_900))],
        ),
        _bout("40 a second, then 1 a second", [*after[0], *steady(1, 12, 9 * SECOND)]),
        _bout("100 a second, 5 s of silence, then 5", [*after[1], *steady(5, 7, 13 * SECOND)]),
        _bout("40 a second, then 10 a second", [*after[0], *steady(10, 8, 8 * SECOND)]),
        *(
            _bout(f"threshold 100, {rate} a second", steady(rate, 8), threshold=100)
            for rate in (40, 60, 110)
        ),
        *(
            _bout(f"threshold 8, {rate} a second", steady(rate, 8), threshold=8)
            for rate in (5, 7, 10)
        ),
        _bout("a local bridge, 100 a second", steady(100, 8), ports="AB"),
    ]


def _bout(
    title: str,
    times: Iterable[Instant],
    make: Make = _request,
    *,
    threshold: int = 0,
    ports: str = "aB",
) -> Bout:
    first = Say(0, ports[1], plain(UNKNOWN, TWO), title)
    script = [Say(200 * MS + at, ports[0], make(number)) for number, at in enumerate(sorted(times))]
    return Bout(title=title, ports=ports, script=[first, *script], threshold=threshold)


def row(bout: Bout, model: Played, real: Played) -> Row:
    """Every frame of a sequence against the model's limiter.

    Between 3 and 127 the product draws luck: such a frame may pass or not. Where only the clock's
    tolerance decides, both are right, and what was observed says how the model goes on.
    """
    passed = {heard.frame for heard in real.heard if heard.port == bout.ports[1]}
    expected = {heard.frame for heard in model.heard if heard.port == bout.ports[1]}
    said = [say for say in real.said if say.port == bout.ports[0]]
    is_limited = bout.ports[0].islower() and said[0].frame[:6] != TWO
    if is_limited:
        free, wrong = _judge(bout, said, passed)
    else:
        free, wrong = 0, sum((say.frame in passed) is not (say.frame in expected) for say in said)
    count = len(said)
    decided = f"{count - free} of {count} decided"
    text = f"{decided}, {free} by chance or clock" if free else f"{decided}; {len(expected)} pass"
    losses = [say.at - said[0].at for say in said if say.frame not in passed]
    first = f", the first after {losses[0] / SECOND:.2f} s" if losses else ""
    reality = f"{len(losses)} of {count} lost{first}; {wrong} not as decided"
    return Row(bout.title, text, reality, wrong == 0)


def _judge(bout: Bout, said: Iterable[Say], passed: set[bytes]) -> tuple[int, int]:
    """How many frames may pass or not, and how many did what they may not."""
    free = wrong = 0
    senders: dict[object, list[StormLimiter]] = {}  # each with limiters of its own
    for say in said:
        got = say.frame in passed
        limiter = _limiter(bout)
        limiter.passes(Packet(say.frame), SECOND)
        sender = next(iter(vars(limiter)["_entries"]))
        outcomes = _outcomes(senders.get(sender) or [_limiter(bout)], say)
        may = {passes for passes, _ in outcomes}
        free += len(may) > 1
        wrong += got not in may
        left = [world for passes, world in outcomes if got not in may or passes is got]
        senders[sender] = _distinct(left)
    return free, wrong


def _limiter(bout: Bout) -> StormLimiter:
    options = HubOptions(BroadcastStormDetectionThreshold=bout.threshold)
    return StormLimiter(options, constants(), Luck())


def _outcomes(worlds: Sequence[StormLimiter], say: Say) -> list[tuple[bool, StormLimiter]]:
    """What may come of a frame, and the limiter afterwards."""
    found = []
    packet = Packet(say.frame)
    for world in worlds:
        luck: Luck = vars(world)["_luck"]
        for late in (-TOLERANCE, 0, TOLERANCE):
            for luck.value in (0, 1):
                after = _copied(world)
                passes = after.passes(packet, SECOND + say.at + late)
                found.append((passes, after))
                if not passes:
                    break  # it does not with less luck either
    return found


def _copied(world: StormLimiter) -> StormLimiter:
    made = copy(world)
    entries: dict[object, Entry] = vars(world)["_entries"]
    vars(made)["_entries"] = {key: copy(entry) for key, entry in entries.items()}
    return made


def _distinct(worlds: Iterable[StormLimiter]) -> list[StormLimiter]:
    return list({_state(world): world for world in worlds}.values())


def _state(world: StormLimiter) -> tuple[object, ...]:
    entries: dict[object, Entry] = vars(world)["_entries"]
    return tuple((key, one.start, one.count, one.discard) for key, one in entries.items())
