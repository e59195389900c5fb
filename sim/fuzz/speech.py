"""What the endpoints of a world say to one another: few words each, of every kind."""

from typing import Any

from sim.fuzz.sketch import WORK_MAX, Sketch, ms
from sim.rng import Stream

_SIZES = (16, 56, 600, 1000, 1400, 1472, 1473, 3000)


def draw_traffic(sketch: Sketch, luck: Stream) -> None:
    """Some conversations, within the work that a world may take."""
    endpoints = sketch.named("host", "station", "gateway")
    left = WORK_MAX
    for _ in range(2 + luck.below(4)):
        left -= _speak(sketch, luck, endpoints, max(4, left // 2))


def _speak(sketch: Sketch, luck: Stream, endpoints: list[str], most: int) -> int:
    """One conversation; how many payloads it has, more or less."""
    sender, senders = _senders(sketch, luck, endpoints)
    to = _receiver(sketch, luck, endpoints)
    times = 1 + luck.below(max(1, most // senders))
    start = luck.below(max(1, sketch.until // 2)) if luck.chance(0.5) else 0
    every = max(1, (sketch.until - start) // times)
    kind = luck.choice(("ping", "ping", "stream", "poisson", "burst"))
    words: dict[str, Any] = {"kind": kind, "from": sender, "to": to, "every": ms(every)}
    if luck.chance(0.5):
        words["size"] = luck.choice(_SIZES)
    if start:
        words["start"] = ms(start)
    if luck.chance(0.25):
        words["stagger"] = ms(1 + luck.below(20))
    if kind == "burst":
        words["count"] = 2 + luck.below(6)
        words["every"] = ms(every * 4)
    if sketch.has_ipv6 and luck.chance(0.5):
        words["family"] = 6
    sketch.say(words)
    return senders * times


def _senders(sketch: Sketch, luck: Stream, endpoints: list[str]) -> tuple[str, int]:
    """A name or a pattern, and how many it fits."""
    hosts = sketch.named("host")
    if hosts and luck.chance(0.4):
        return "h*", len(hosts)
    return luck.choice(hosts if hosts and luck.chance(0.6) else endpoints), 1


def _receiver(sketch: Sketch, luck: Stream, endpoints: list[str]) -> str:
    return luck.choice(endpoints)
