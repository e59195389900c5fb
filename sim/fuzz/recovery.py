"""The second phase of a world: a core is healed, and lasts as long as it may take to converge."""

from pathlib import Path

from sim.actions.healing import core_of
from sim.fuzz.sketch import Sketch, ms
from sim.fuzz.text import to_toml
from sim.laws.bounds import bound
from sim.laws.law import Scene
from sim.rng import Stream
from sim.run import Order, built
from virtualtap.units import MS

_LONGEST = 500 * 1000  # ms: a core that may take longer to converge is not waited for
_ENDLESS = "36500d"


def draw_heal(sketch: Sketch, luck: Stream) -> None:
    """All or some sites, with all that hangs from them; and who speaks there to the end."""
    core = _core(sketch, luck)
    speakers = [name for name in sketch.named("host", "station", "gateway") if name in core]
    at = sketch.until
    sketch.head["heal"] = {"at": ms(at), "core": ["*"] if len(core) == len(sketch.kinds) else core}
    lasts = _bound(sketch)
    if len(speakers) < 2 or lasts > _LONGEST:
        del sketch.head["heal"]
        return
    for words in sketch.conversations():
        words.setdefault("stop", ms(at))
    until = at + lasts * 3 // 2 + 1000  # what waits on links is not known yet
    for _ in range(1 + luck.below(3)):
        start = luck.choice((0, at // 2, at))
        words = {"kind": "ping", "from": luck.choice(speakers), "to": luck.choice(speakers)}
        words |= {"every": ms((until - start) // 12), "start": ms(start)}
        if sketch.has_ipv6 and luck.chance(0.4):
            words["family"] = 6
        sketch.say(words)
    sketch.head["until"] = ms(until)


def _core(sketch: Sketch, luck: Stream) -> list[str]:
    """A connected part of the map: some sites, and who is at them alone."""
    sites = sketch.named("hub", "switch")
    inside = [luck.choice(sites)]
    most = luck.choice((len(sites), 1 + luck.below(len(sites))))
    for site in inside:
        near = [one for one in sketch.graph[site] if one in sites and one not in inside]
        inside += near[: most - len(inside)]
    for name in inside.copy():
        hanging = [one for one in sketch.graph[name] if one not in sites]
        for one in hanging:
            if all(near in inside for near in sketch.graph[one] if near in sites):
                inside += [one, *sketch.behind(one)]
    chosen = set(inside)
    return [name for name in sketch.kinds if name in chosen]


def _bound(sketch: Sketch) -> int:
    """What the law allows the core, in ms: it depends on all that is there, and not on traffic."""
    content = {**sketch.content(), "until": _ENDLESS}
    content.pop("traffic", None)
    order = Order(text=to_toml(content), folder=Path())
    scenario, there = order.scenario(), built(order)
    assert scenario.heal is not None
    lasts = bound(Scene(scenario, there, []), core_of(scenario.heal, there)).total
    return -(-lasts // MS)
