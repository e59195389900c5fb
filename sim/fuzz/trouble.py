"""What befalls the links and nodes of a world: faults, slow links, crashes, cuts, sleep."""

from collections.abc import Callable, Mapping
from typing import Any

from sim.fuzz.sketch import Sketch, ms
from sim.rng import Stream

_PERCENTS = (0.01, 0.05, 0.1, 0.1, 0.3, 0.3, 1.0)


def _chance(luck: Stream) -> dict[str, Any]:
    return {"probability": luck.choice(_PERCENTS)}


def _recorded(luck: Stream) -> dict[str, Any]:
    """What befell single frames, as a log of decisions has it."""
    some: list[int] = []
    number = 0
    for _ in range(1 + luck.below(4)):
        number += 1 + luck.below(5)
        some.append(number)
    key = luck.choice(("lose", "repeat", "late", "flip", "cut"))
    of: dict[str, Callable[[], Any]] = {
        "late": lambda: ms(1 + luck.below(50)),
        "flip": lambda: luck.below(480),
        "cut": lambda: 1 + luck.below(60),
    }
    return {key: [[one, of[key]()] for one in some] if key in of else some}


FAULTS: Mapping[str, Callable[[Stream], dict[str, Any]]] = {
    "loss": _chance,
    "duplication": _chance,
    "bit-flip": _chance,
    "truncation": _chance,
    "jitter": lambda luck: {"most": ms(1 + luck.below(200))},
    "reordering": lambda luck: {**_chance(luck), "hold": ms(1 + luck.below(50))},
    "mtu": lambda luck: {"most": luck.choice((60, 100, 600, 1300, 1513))},
    "exactly": _recorded,
}


def draw_fault(name: str) -> Callable[[Sketch, Stream], None]:
    """Who draws this fault: on some links, from the start or for a while."""

    def draw(sketch: Sketch, luck: Stream) -> None:
        for link in _some(sketch.links("hub", "switch"), luck):
            words = {"fault": name, **FAULTS[name](luck)}
            toward = {"toward": luck.choice(link.split("--"))} if luck.chance(0.3) else {}
            words |= toward
            if luck.chance(0.4):
                sketch.entry("links", link).setdefault("faults", []).append(words)
                continue
            at = sketch.moment(luck)
            sketch.happen(at, begin={"link": link, **words})
            if luck.chance(0.7):
                sketch.happen(sketch.later(at, luck), end={"link": link, "fault": name, **toward})

    return draw


def draw_links(sketch: Sketch, luck: Stream) -> None:
    """Slow, far and narrow ones."""
    for link in _some(sketch.links("hub", "switch"), luck):
        words: dict[str, Any] = {}
        if luck.chance(0.5):
            words["delay"] = ms(luck.choice((0, 1, 50, 300)))
        if luck.chance(0.4):
            words["rate"] = luck.choice(("100kbit", "1Mbit", "none"))
        if luck.chance(0.3):
            words["queue"] = luck.choice((0, 1500, 10_000, "none"))
        if words:
            sketch.entry("links", link).update(words)


def draw_cuts(sketch: Sketch, luck: Stream) -> None:
    """Links that go down, and most of them up again."""
    for link in _some(sketch.links(), luck, 3):
        for _ in range(1 + luck.below(2)):
            at = sketch.moment(luck)
            sketch.happen(at, down=link)
            if luck.chance(0.8):
                sketch.happen(sketch.later(at, luck), up=link)


def draw_crashes(sketch: Sketch, luck: Stream) -> None:
    """Nodes that lose their state, and most of them come back."""
    for node in _some(list(sketch.kinds), luck, 3):
        at = sketch.moment(luck)
        sketch.happen(at, crash=node)
        if luck.chance(0.8):
            sketch.happen(sketch.later(at, luck), restart=node)


def draw_sleep(sketch: Sketch, luck: Stream) -> None:
    """Hosts with a transport that sleep, and most of them wake."""
    asleep = [host for link in sketch.carried for host in sketch.behind(link.split("--")[0])]
    for host in _some(asleep, luck, 3):
        at = sketch.moment(luck)
        sketch.happen(at, sleep=host)
        if luck.chance(0.8):
            sketch.happen(sketch.later(at, luck), wake=host)


def draw_roaming(sketch: Sketch, luck: Stream) -> None:
    """Clients that go over to another network."""
    for link in sketch.carried:
        if luck.chance(0.5):
            words: dict[str, Any] = {"link": link, "delay": ms(luck.choice((5, 50, 200)))}
            sketch.happen(sketch.moment(luck), roam=words)


def draw_partition(sketch: Sketch, luck: Stream) -> None:
    """Links on which one side hears nothing of the other."""
    for link in _some(sketch.links("hub", "switch"), luck, 2):
        words = {"link": link, "fault": "loss", "toward": luck.choice(link.split("--"))}
        at = sketch.moment(luck)
        sketch.happen(at, begin={**words, "probability": 1.0})
        if luck.chance(0.7):
            sketch.happen(sketch.later(at, luck), end=words)


def draw_moves(sketch: Sketch, luck: Stream) -> None:
    """Stations, gateways and taps that are plugged in elsewhere."""
    carried = [link.split("--")[0] for link in sketch.carried]
    movers = [name for name in sketch.named("station", "tap", "gateway") if name not in carried]
    for node in _some(movers, luck, 2):
        site = luck.choice(sketch.named("hub", "switch"))
        if len(sketch.graph[node]) == 1 + (sketch.kinds[node] == "tap"):
            sketch.happen(sketch.moment(luck), move={"node": node, "to": site})


def draw_reconnects(sketch: Sketch, luck: Stream) -> None:
    """Sessions that end and begin anew."""
    for link in _some(sketch.links("hub"), luck, 2):
        sketch.happen(sketch.moment(luck), reconnect=link)


def draw_clogs(sketch: Sketch, luck: Stream) -> None:
    """Links that clog one after another, stay so, and come free in another order."""
    at = sketch.moment(luck)
    links = luck.choice(["*", *_some(sketch.links(), luck, 3)])
    over, hold = (ms(luck.below(max(1, (sketch.until - at) // 3))) for _ in range(2))
    sketch.happen(at, clog={"links": links, "over": over, "hold": hold})


def draw_skew(sketch: Sketch, luck: Stream) -> None:
    """Clocks that run fast or slow."""
    for node in _some(sketch.named("station", "tap", "gateway"), luck, 3):
        ppm = luck.choice((-100_000, -10_000, -100, 100, 10_000, 100_000))
        sketch.happen(sketch.moment(luck), skew={"node": node, "ppm": ppm})


def _some(names: list[str], luck: Stream, most: int = 4) -> list[str]:
    """One to `most` of them, in their order."""
    if not names:
        return []
    share = 1 + luck.below(most)
    chosen = {luck.below(len(names)) for _ in range(share)}
    return [name for number, name in enumerate(names) if number in chosen]
