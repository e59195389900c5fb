"""Every smaller world that a world may become, pass by pass. ddmin: Zeller and Hildebrandt, TSE 28.

A pass yields candidates and is sent whether each was taken; then it goes on from there.
"""

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

from sim.fuzz.explicit import (
    SITES,
    Words,
    as_station,
    ends,
    fitting,
    kinds,
    merged,
    time_text,
    without,
)
from sim.fuzz.text import to_toml
from sim.words.quantities import TIME, duration
from virtualtap.errors import UsageError
from virtualtap.units import Duration

T = TypeVar("T")
Pass: TypeAlias = Generator[Words, bool, None]
Where: TypeAlias = tuple[str | int, ...]  # keys and numbers that lead to a value
Weight: TypeAlias = tuple[int, int, int, int, int, int, str]

_SURE = (0, 1)  # probabilities that are no luck
_LUCKY = ("jitter", "poisson")  # no matter what is said of them
_FRAME = re.compile(r"([0-9a-f]{2})+")
_PIECES = 32  # that a frame is taken apart into, at most
_LOOPS: Where = ("topology", "loops")
_WORLD = ("name", "topology", "until")  # keys that no scenario is without


def weight(words: Words) -> Weight:
    """What a smaller world has less of; the earlier count more.

    Nodes and links, luck, payloads and frames that it says will be sent, entries, the time it
    takes, and its text.
    """
    until = _ns(words.get("until", "10s"))
    sends = sum(_sends(rule, until, words) for rule in words.get("traffic", ()))
    sends += sum(_frames(entry) for entry in words.get("timeline", ()))
    entries = sum(len(value) for value in words.values() if isinstance(value, list))
    size = len(kinds(words)) + len(ends(words))
    text = to_toml(words)
    return size, _luck(words), sends, entries, until.bit_length(), len(text), text


def shortest(words: Words) -> Pass:
    """The run ends as early as it can: the first of some ends is tried first."""
    for until in _ladder(words):
        if (yield _until(words, until)):
            return


def shorter(words: Words) -> Pass:
    """The run ends earlier, and what would come after its end is left out."""
    ladder = _ladder(words)
    low, high = 0, len(ladder)
    while low < high:
        middle = (low + high) // 2
        if (yield _until(words, ladder[middle])):
            high = middle
        else:
            low = middle + 1


def calm(words: Words) -> Pass:
    """No link does anything to what it carries."""
    links = [
        {**rule, "faults": []} if "faults" in rule else rule for rule in words.get("links", ())
    ]
    timeline = [one for one in words.get("timeline", ()) if not {"begin", "end"} & {*one}]
    yield {**words, "links": links, "timeline": timeline}


def is_lucky(words: Words) -> bool:
    """Whether links leave anything to luck."""
    return bool(_luck([words.get("links", ()), words.get("timeline", ())]))


def entries(words: Words) -> Pass:
    """Traffic, timeline and all other lists have fewer entries."""
    lists = [key for key, value in words.items() if isinstance(value, list)]
    for key in sorted(lists, key=lambda key: key not in ("traffic", "timeline")):
        words = yield from _fewer_at(words, (key,))


def sites(words: Words) -> Pass:
    """Hubs and switches go, with all that hangs from them; or two become one."""
    found = [name for name, kind in kinds(words).items() if kind in SITES]
    words = yield from _fewer_nodes(words, [(name, *_hanging(words, name)) for name in found])
    for one, other in ends(words):
        for kept, gone in ((one, other), (other, one)):
            there = kinds(words)
            if there.get(kept) in SITES and there.get(gone) in SITES:
                candidate = merged(words, kept, gone)
                if (yield candidate):
                    words = candidate


def endpoints(words: Words) -> Pass:
    """Stations, gateways, hosts with their taps go; a station takes the place of such a pair."""
    pairs = [(host, tap) for host, tap in _pairs(words)]
    alone = [(name,) for name in fitting("*", words, ("station", "gateway"))]
    words = yield from _fewer_nodes(words, [*alone, *pairs])
    for host, tap in _pairs(words):
        candidate = as_station(words, host, tap)
        if (yield candidate):
            words = candidate


def seldom(words: Words) -> Pass:
    """Who speaks says it once, at the start if it can be, or half as often; or begins later."""
    until = words.get("until", "10s")
    rules = [_once(rule, until) for rule in words.get("traffic", ())]
    if rules and (yield {**words, "traffic": rules}):
        return
    for i, once in enumerate(rules):
        rule = words["traffic"][i]
        seldom_ones = (once, {**rule, "every": until}, _half(rule), _half(_half(rule)))
        for less in (*seldom_ones, *_later(rule, until)):
            candidate = _put(words, ("traffic", i), less)
            if (yield candidate):
                words = candidate
                break


def manners(words: Words) -> Pass:
    """Who speaks sends pings, or else a stream."""
    for i in range(len(words.get("traffic", ()))):
        rule = words["traffic"][i]
        bare = {key: rule[key] for key in rule if key not in ("kind", "count", "port")}
        unpaced = {key: bare[key] for key in bare if key != "every"}
        for kind, rest in (("ping", unpaced), ("ping", bare), ("stream", bare)):
            candidate = _put(words, ("traffic", i), {"kind": kind, **rest})
            if (yield candidate):
                words = candidate
                break


def options(words: Words) -> Pass:
    """Whatever is said beyond the needful is not said; lists inside have fewer entries."""
    for where in _places(words):
        value = _at(words, where)
        if value is _NOTHING or (where[0] in _WORLD and where != _LOOPS):
            continue
        if isinstance(where[-1], str):
            candidate = _put(words, where, _NOTHING)
            if (yield candidate):
                words = candidate
                continue
        if isinstance(value, list) and len(where) > 1:
            words = yield from _fewer_at(words, where)


def cables(words: Words) -> Pass:
    """Links between sites go."""
    words = yield from _fewer_at(words, ("topology", "links"))


def values(words: Words) -> Pass:
    """Numbers, times and frames become plainer ones."""
    for where in _places(words):
        value = _at(words, where)
        if value is _NOTHING or where[0] in ("name", "topology"):
            continue
        for plain in _plainer(value):
            candidate = _put(words, where, plain)
            if (yield candidate):
                words = candidate
                break
        if isinstance(value, str) and len(value) >= 2 and _FRAME.fullmatch(value):
            words = yield from _plainer_frame(words, where)


def _patient(one: Callable[[Words], Pass]) -> Callable[[Words], Pass]:
    """The pass, where the run may last four times as long: fewer nodes may need the time."""

    def longer(words: Words) -> Pass:
        yield from one({**words, "until": time_text(4 * _ns(words.get("until", "10s")))})

    return longer


PASSES: tuple[Callable[[Words], Pass], ...] = (
    *(shorter, entries, sites, endpoints, seldom, manners, shorter, cables, options, values),
    *(_patient(sites), _patient(endpoints)),
)


def fewer(items: Sequence[T], made: Callable[[list[T]], Words]) -> Generator[Words, bool, list[T]]:
    """Leave out runs of items, the long ones first; what is left of them."""
    left = list(items)
    size = len(left)
    while size:
        at = 0
        while at < len(left):
            rest = left[:at] + left[at + size :]
            if (yield made(rest)):
                left = rest
            else:
                at += size
        size //= 2
    return left


def _fewer_at(words: Words, where: Where) -> Generator[Words, bool, Words]:
    """The list at `where` has fewer entries; an empty list is left out."""

    def made(left: list[Any]) -> Words:
        is_kept = left or where[0] == "topology"
        found: Words = _put(words, where, left if is_kept else _NOTHING)
        return found

    return made((yield from fewer(_at(words, where), made)))


def _fewer_nodes(words: Words, units: list[tuple[str, ...]]) -> Generator[Words, bool, Words]:
    def made(left: list[tuple[str, ...]]) -> Words:
        kept = {unit[0] for unit in left}
        return without(words, frozenset(n for unit in units if unit[0] not in kept for n in unit))

    return made((yield from fewer(units, made)))


def _hanging(words: Words, site: str) -> list[str]:
    """Who has no link but to this site, and the hosts behind taps."""
    there = kinds(words)
    near: dict[str, list[str]] = {name: [] for name in there}
    for one, other in ends(words):
        near[one].append(other)
        near[other].append(one)
    found = [name for name in near[site] if there[name] in ("tap", "ipc") or near[name] == [site]]
    found = [name for name in found if there[name] not in SITES]
    return found + [host for tap in found for host in near[tap] if there[host] == "host"]


def _pairs(words: Words) -> list[tuple[str, str]]:
    """Each host and its tap or in-process client."""
    there = kinds(words)
    both = [pair for one, other in ends(words) for pair in ((one, other), (other, one))]
    return [(host, tap) for host, tap in both if there[host] == "host"]


def _once(rule: Words, until: str) -> Words:
    return {
        **{key: value for key, value in rule.items() if key not in ("start", "stop")},
        "every": until,
    }


def _later(rule: Words, until: str) -> Iterator[Words]:
    """The last time alone, or without half of the times, a quarter, …, the first."""
    start, every = _ns(rule.get("start", "0s")), _ns(rule.get("every", "100ms")) or 1
    left_out = (min(_ns(rule.get("stop", until)), _ns(until)) - start - 1) // every
    while left_out > 0:
        yield {**rule, "start": time_text(start + left_out * every)}
        left_out //= 2


def _half(rule: Words) -> Words:
    return {**rule, "every": time_text(2 * _ns(rule.get("every", "100ms")))}


def _ladder(words: Words) -> list[Duration]:
    """Ends of a run before its own, from a microsecond on."""
    until = _ns(words.get("until", "10s"))
    steps = (first * 10**power for power in range(3, 18) for first in (1, 2, 5))
    return [step for step in steps if step < until]


def _until(words: Words, until: Duration) -> Words:
    traffic = [rule for rule in words.get("traffic", ()) if _ns(rule.get("start", "0s")) < until]
    timeline = [entry for entry in words.get("timeline", ()) if _ns(entry["at"]) < until]
    cut = {**words, "until": time_text(until), "traffic": traffic, "timeline": timeline}
    return {key: value for key, value in cut.items() if value != []}


def _places(words: Words) -> list[Where]:
    """Where all values are, outer ones first."""
    return list(_inside((), words))


def _inside(where: Where, value: Any) -> Iterator[Where]:
    if isinstance(value, dict):
        inside: list[tuple[str | int, Any]] = list(value.items())
    elif isinstance(value, list):
        inside = list(reversed(list(enumerate(value))))
    else:
        return
    for key, one in inside:
        yield (*where, key)
        yield from _inside((*where, key), one)


class _Nothing:
    """There is no such value."""


_NOTHING = _Nothing()


def _at(value: Any, where: Where) -> Any:
    for key in where:
        if isinstance(value, dict):
            value = value.get(str(key), _NOTHING)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return _NOTHING
    return value


def _put(value: Any, where: Where, new: Any) -> Any:
    """The same with `new` there, or without what is there; what is given stays as it is."""
    key, *more = where
    changed = _put(value[key], tuple(more), new) if more else new
    if isinstance(value, dict):
        merged_in = {**value, key: changed}
        return {name: one for name, one in merged_in.items() if one is not _NOTHING}
    assert isinstance(key, int)
    kept = [*value[:key], changed, *value[key + 1 :]]
    return [one for one in kept if one is not _NOTHING]


def _plainer(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return []
    if isinstance(value, int):
        return [plain for plain in (0, 1, 2, value // 2, value - 1) if plain < value]
    if isinstance(value, float):
        return [1, 0.5] if value not in _SURE else []
    if isinstance(value, str) and re.match(TIME, value):
        ns = duration(value)
        size = 10 ** (len(str(ns)) - 1)  # to one digit
        plain = (0, 10**6, 10**7, 10**8, 10**9, ns - ns % size, ns - ns % size + size)
        return [time_text(one) for one in plain]
    return []


def _plainer_frame(words: Words, where: Where) -> Generator[Words, bool, Words]:
    """Shorter, from its end; then with zeros in it."""
    data = bytes.fromhex(_at(words, where))
    size = len(data) // 2
    while size:
        while len(data) > size and (yield _put(words, where, data[:-size].hex())):
            data = data[:-size]
        size //= 2
    least = max(1, len(data) // _PIECES)
    size = len(data)
    while size >= least:
        for at in range(0, len(data), size):
            plain = data[:at] + bytes(len(data[at : at + size])) + data[at + size :]
            if plain != data and (yield _put(words, where, plain.hex())):
                data = plain
        size //= 2
    found: Words = _put(words, where, data.hex())
    return found


def _sends(rule: Words, until: Duration, words: Words) -> int:
    """How many payloads a rule says, more or less."""
    every = _ns(rule.get("every", "100ms")) or 1
    span = min(_ns(rule["stop"]), until) if "stop" in rule else until
    span = max(0, span - _ns(rule.get("start", "0s")))
    count = rule.get("count", 1)
    times = -(-span // every) * (count if isinstance(count, int) else 1)
    return times * max(1, len(fitting(rule.get("from", ""), words)))


def _frames(entry: Words) -> int:
    """How many frames an entry of the timeline puts on the wire, if it does."""
    return sum(
        int(value.get("times", 1)) * max(1, len(value.get("frames", ())))
        for value in entry.values()
        if isinstance(value, dict)
    )


def _luck(value: Any) -> int:
    """How many things are left to luck."""
    if isinstance(value, dict):
        chance = value.get("probability", 1)
        lucky = chance not in _SURE or value.get("fault", value.get("kind")) in _LUCKY
        return lucky + sum(_luck(one) for one in value.values())
    return sum(_luck(one) for one in value) if isinstance(value, list | tuple) else 0


def _ns(text: Any) -> Duration:
    """A time; what is none is 0, and is refused when it is run."""
    try:
        return duration(str(text))
    except UsageError:
        return 0
