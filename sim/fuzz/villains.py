"""Who in a world sends what is not so: hostile frames, false claims, old truths, rogue servers."""

from typing import Any

from sim.fuzz import hostile
from sim.fuzz.letters import Ends
from sim.fuzz.sketch import Sketch, ms
from sim.rng import Stream
from virtualtap.wire.ethernet import HEADER_LEN, IPV4, IPV6

_FRAMES_MOST = 12  # of one attacker


def draw_hostile(sketch: Sketch, luck: Stream) -> None:
    """Frames that lie, from an endpoint of a LAN; packets that lie, from a host to its own tap."""
    known = sketch.addresses()
    for _ in range(1 + luck.below(3)):
        sender = luck.choice(list(known))
        ends = Ends(known[sender], *(luck.choice(list(known.values())) for _ in range(2)))
        made = hostile.frames(luck, ends, 1 + luck.below(_FRAMES_MOST))
        if sketch.kinds[sender] == "host":
            made = [frame[HEADER_LEN:] for frame in made if frame[12:14] in (IPV4, IPV6)]
            made = [packet for packet in made if packet]
        else:
            made = [frame for frame in made if len(frame) >= HEADER_LEN]
        if made:
            every = ms(1 + luck.below(max(1, sketch.until // 50)))
            words = {"from": sender, "frames": [one.hex() for one in made], "every": every}
            sketch.happen(sketch.moment(luck), inject=words)


def draw_spoof(sketch: Sketch, luck: Stream) -> None:
    """Somebody says that he is somebody else."""
    for attacker, victim in _pairs(sketch, luck):
        others = near(sketch, attacker)
        to = luck.choice(["all", *(name for name in others if name != attacker)])
        words: dict[str, Any] = {
            "from": attacker,
            "claims": victim,
            "to": to,
            **_turns(sketch, luck),
        }
        if sketch.has_ipv6 and luck.chance(0.5):
            words |= {"family": 6, "as": "advertisement"}
        elif luck.chance(0.6):
            words["as"] = luck.choice(("reply", "request"))
        sketch.happen(sketch.moment(luck), spoof=words)


def draw_flap(sketch: Sketch, luck: Stream) -> None:
    """Frames with somebody else's source address."""
    for attacker, victim in _pairs(sketch, luck):
        words = {"from": attacker, "of": victim, **_turns(sketch, luck)}
        sketch.happen(sketch.moment(luck), flap=words)


def draw_old_arp(sketch: Sketch, luck: Stream) -> None:
    """What was said before is said again."""
    for attacker, _ in _pairs(sketch, luck):
        words = {"from": attacker, **_turns(sketch, luck)}
        sketch.happen(sketch.moment(luck), **{"repeat-arp": words})


def draw_storm(sketch: Sketch, luck: Stream) -> None:
    """Many broadcasts at once."""
    for attacker, _ in _pairs(sketch, luck)[:1]:
        words = {"from": attacker, "times": 2 + luck.below(40), "every": ms(1 + luck.below(20))}
        sketch.happen(sketch.moment(luck), storm=words)


def draw_rogue(sketch: Sketch, luck: Stream) -> None:
    """A station that leases addresses, with itself as the gateway."""
    stations = sketch.named("station")
    if stations:
        at = sketch.moment(luck)
        words: dict[str, Any] = {"node": luck.choice(stations)}
        if luck.chance(0.5):
            words["stop"] = ms(sketch.later(at, luck))
        if luck.chance(0.5):
            words["lease"] = luck.choice(("2s", "10s", "1min"))
        sketch.happen(at, rogue=words)


def draw_twins(sketch: Sketch, luck: Stream) -> None:
    """A station that has somebody else's address, or MAC, as well."""
    stations = sketch.named("station")
    others = [name for name in near(sketch, stations[0]) if name != stations[0]] if stations else []
    if others:
        what = luck.choice(("address", "mac"))
        words = {"node": stations[0], "of": luck.choice(others), "what": what}
        sketch.happen(sketch.moment(luck), duplicate=words)


def _pairs(sketch: Sketch, luck: Stream) -> list[tuple[str, str]]:
    """One or two attackers, each with a victim: who is on a LAN himself may attack."""
    attackers = sketch.named("station", "gateway")
    if not attackers:
        return []
    chosen = [luck.choice(attackers) for _ in range(1 + luck.below(2))]
    pairs = [(attacker, luck.choice(near(sketch, attacker))) for attacker in chosen]
    return [(attacker, victim) for attacker, victim in pairs if attacker != victim]


def near(sketch: Sketch, attacker: str) -> list[str]:
    """Every endpoint of the attacker's LAN."""
    known = sketch.addresses()
    speakers = sketch.named("host", "station", "gateway")
    return [name for name in speakers if known[name].ip[:2] == known[attacker].ip[:2]]


def _turns(sketch: Sketch, luck: Stream) -> dict[str, Any]:
    return {
        "every": ms(1 + luck.below(max(1, sketch.until // 8))),
        "times": 1 + luck.below(8),
    }
