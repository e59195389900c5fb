"""A TOML file ↔ a scenario: every key known, every value in range, or one line that says which."""

import json
import re
import tomllib
from difflib import get_close_matches
from functools import lru_cache, reduce
from itertools import pairwise
from operator import or_
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from sim.capture import escaped
from sim.words import attacks, faults, healing, phones, servers, taps
from sim.words.attacks import FRAME, Duplicate, Flap, Inject, RepeatArp, Rogue, Spoof, Storm
from sim.words.faults import Clog, Move, Skew
from sim.words.healing import Heal
from sim.words.phones import Hosts, Roam, Transport
from sim.words.quantities import (
    MSER5,
    RATE,
    RATE_OR_NONE,
    TIME,
    WARMUP,
    RateOrNone,
    Time,
    Warmup,
    duration,
)
from sim.words.servers import Server, Session
from sim.words.tables import Count, Few, Part, Pattern
from sim.words.traffic import TRAFFIC, Conversation, Ours, Ping, Stream, Stride
from virtualtap.errors import UsageError

SCHEMA = 1
SCENARIO_MAX = 1024 * 1024  # bytes
DEPTH_MAX = 16  # tables in tables
_HALVES = re.compile("[\ud800-\udfff]")
DOTS_MAX = 64  # of one line: the time that `tomllib` takes grows with the square of a key's parts
UNTIL_MAX = 100 * 365 * 86_400 * 10**9  # ns; time stamps have 64 bits

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}\Z")]
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Sites(Part, frozen=True, kw_only=True):
    """What stands at each hub or switch of a map that has no endpoints of its own."""

    taps: Count = 1  # each with a host behind it
    stations: Count = 1
    gateways: Count = 1  # in all, at the nodes of highest degree


class Links(Part, frozen=True, kw_only=True):
    """What is different about links whose name (`a--b`) matches."""

    match: Pattern
    delay: Time | None = None
    rate: RateOrNone | None = None
    overhead: Annotated[int, Meta(ge=0, le=65_535)] | None = None  # bytes for each frame
    least: Annotated[int, Meta(ge=0, le=65_535)] | None = None  # bytes of the shortest frame
    queue: Annotated[int, Meta(ge=0, le=2**40)] | Literal["none"] | None = None  # bytes
    faults: Annotated[tuple[dict[str, Any], ...], Few] = ()
    transport: Transport | None = None  # of a client's session


class Happening(Part, frozen=True, kw_only=True, rename={"repeat_arp": "repeat-arp"}):
    """One change at one time: exactly one of the keys beside `at`."""

    at: Time
    down: Pattern | None = None  # links
    up: Pattern | None = None
    crash: Pattern | None = None  # nodes
    restart: Pattern | None = None
    begin: dict[str, Any] | None = None  # { link = …, fault = …, … }
    end: dict[str, Any] | None = None  # { link = …, fault = … }
    roam: Roam | None = None
    sleep: Pattern | None = None  # hosts
    wake: Pattern | None = None
    inject: Inject | None = None
    spoof: Spoof | None = None
    flap: Flap | None = None
    repeat_arp: RepeatArp | None = None
    storm: Storm | None = None
    rogue: Rogue | None = None
    duplicate: Duplicate | None = None
    move: Move | None = None
    reconnect: Pattern | None = None  # links
    clog: Clog | None = None
    skew: Skew | None = None

    KEYS: ClassVar[tuple[str, ...]] = (
        *("down", "up", "crash", "restart", "begin", "end", "roam", "sleep", "wake"),
        *attacks.KEYS,
        *("move", "reconnect", "clog", "skew"),
    )

    def which(self) -> str:
        """The one key that is set. UsageError for none or several."""
        chosen = [key for key in self.KEYS if getattr(self, key) is not None]
        if len(chosen) != 1:
            raise UsageError(
                f"`timeline` at {self.at}: {len(chosen)} things happen, not one",
                f"give one of {', '.join(self.KEYS).replace('_', '-')}; "
                "write another `[[timeline]]` for more",
            )
        return chosen[0]


class Scenario(Part, frozen=True, kw_only=True):
    """One thing to try: a topology, traffic, a timeline, and what is expected."""

    name: Name
    seed: Seed = 1
    until: Time = "10s"
    warmup: Warmup | None = None  # what is sent before counts for no delay and no throughput
    topology: dict[str, Any]
    sites: Sites | None = None
    ipv6: bool = False
    capture: str = "taps"
    invariants: Annotated[tuple[str, ...], Few] | None = None  # None: all that hold
    servers: Annotated[tuple[Server, ...], Few] = ()
    sessions: Annotated[tuple[Session, ...], Few] = ()
    taps: Annotated[tuple[dict[str, Any], ...], Few] = ()  # fields of `TapConfig`
    links: Annotated[tuple[Links, ...], Few] = ()
    hosts: Annotated[tuple[Hosts, ...], Few] = ()
    traffic: Annotated[tuple[Ours, ...], Few] = ()
    timeline: Annotated[tuple[Happening, ...], Few] = ()
    heal: Heal | None = None
    expect: dict[str, Any] = msgspec.field(default_factory=dict)


_OURS = tuple(TRAFFIC.values())


@lru_cache
def form(traffic: tuple[type[Conversation], ...]) -> type[Scenario]:
    """What a scenario with these kinds of traffic may say."""
    if traffic == _OURS:
        return Scenario
    kinds: Any = reduce(or_, traffic)
    fields = [("traffic", Annotated[tuple[kinds, ...], Few], ())]
    made = msgspec.defstruct(
        "Scenario", fields, bases=(Scenario,), frozen=True, kw_only=True, forbid_unknown_fields=True
    )
    assert issubclass(made, Scenario)
    return made


CAPTURE_SCOPES = ("taps", "all", "none")


def decode(text: str, changes: tuple[str, ...] = (), where: str = "scenario") -> Scenario:
    """The scenario in TOML `text` after `changes` (`key.key=value`). UsageError: one line."""
    try:
        content = _toml(text)
    except ValueError as error:
        what = escaped(_lower(str(error)), 200)
        raise UsageError(f"`{where}` is not TOML: {what}", "see https://toml.io") from None
    for change in changes:
        _change(content, change)
    wild = _wild(content)
    if wild:
        raise UsageError(f"`{where}`: {wild}", "see docs/scenarios.md")
    try:
        scenario = msgspec.convert(content, form(tuple(TRAFFIC.values())))
    except msgspec.ValidationError as error:
        told = escaped(_lower(str(error)), 200)
        raise UsageError(f"`{where}`: {told}", _advice(str(error))) from None
    _check(scenario, where)
    return scenario


def read(path: Path) -> str:
    """The text of a scenario file. UsageError where it cannot be read."""
    try:
        if not path.is_file():
            raise UsageError(
                f"there is no file `{path}`", "name a scenario file, or use `--topology NAME`"
            )
        if path.stat().st_size > SCENARIO_MAX:
            raise UsageError(f"`{path}` is longer than {SCENARIO_MAX} bytes", "is it a scenario?")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"`{path}` is not UTF-8 text", "name a scenario file") from None
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        raise UsageError(f"cannot read `{path}`: {why}", "name a scenario file") from None


def of_topology(topology: str) -> str:
    """The scenario that `--topology X` alone means, as TOML. contracts: docs/scenarios.md."""
    path = Path(topology)
    called = path.stem if path.suffix.lower() in (".gml", ".graphml") else topology
    name = re.sub(r"[^a-z0-9]+", "-", called.lower()).strip("-")[:64].strip("-")
    # a JSON string is a TOML string, but for DEL
    quoted = json.dumps(topology, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"""\
name = "{name or "topology"}"
until = "10s"
topology = {{ name = {quoted} }}
sites = {{ taps = 1, stations = 1, gateways = 1 }}

[[traffic]]
kind = "ping"
from = "h*"
to = "gateway"
every = "100ms"

[[traffic]]
kind = "ping"
from = "h*"
to = "next"
every = "100ms"
"""


def _check(scenario: Scenario, where: str) -> None:
    _check_times(scenario, where)
    if scenario.capture not in CAPTURE_SCOPES:
        raise UsageError(
            f"`{where}`: `capture` is {scenario.capture!r:.60}",
            f"choose one of {', '.join(CAPTURE_SCOPES)}",
        )
    if not isinstance(scenario.topology.get("name"), str):
        raise UsageError(
            f"`{where}`: `topology` has no `name`", 'write `topology = { name = "abilene" }`'
        )
    if not isinstance(scenario.topology.get("loops", False), bool):
        raise UsageError(f"`{where}`: `loops` of `topology` is neither true nor false")
    for happening in scenario.timeline:
        attacks.check(happening.at, getattr(happening, happening.which()))
        if duration(happening.at) >= duration(scenario.until):
            raise UsageError(
                f"`{where}`: `timeline` at {happening.at} never happens",
                f"`until` is {scenario.until}, exclusive",
            )
    _check_traffic(scenario, where)
    try:
        healing.check(scenario.heal, (one.at for one in scenario.timeline), scenario.until)
        servers.check(scenario.servers)
        taps.check(scenario.taps)
    except UsageError as error:
        raise UsageError(f"`{where}`: {error}", error.hint) from None


def _check_times(scenario: Scenario, where: str) -> None:
    until, warmup = duration(scenario.until), scenario.warmup
    if not 0 < until <= UNTIL_MAX:
        raise UsageError(
            f"`{where}`: `until` is {scenario.until}", "give the run some time, at most 36500d"
        )
    if warmup is not None and warmup != MSER5 and duration(warmup) >= until:
        raise UsageError(
            f"`{where}`: `warmup` is {warmup}, nothing comes after it",
            f"`until` is {scenario.until}",
        )


def _check_traffic(scenario: Scenario, where: str) -> None:
    for rule in scenario.traffic:
        end = rule.stop or scenario.until
        if duration(rule.start) >= min(duration(end), duration(scenario.until)):
            raise UsageError(
                f"`{where}`: traffic that starts at {rule.start} never begins",
                f"`until` is {scenario.until}" + (f", `stop` {rule.stop}" if rule.stop else ""),
            )
        if isinstance(rule, Ping | Stream) and rule.family == 6 and not scenario.ipv6:
            raise UsageError(f"`{where}`: `family = 6` without IPv6", "write `ipv6 = true`")
        if isinstance(rule, Ping | Stream) and duration(rule.every) == 0:
            raise UsageError(f"`{where}`: `every` of a {rule.__class__.__name__.lower()} is 0")


def _toml(text: str) -> dict[str, Any]:
    """What TOML `text` says. ValueError where it is not TOML, or takes for ever to read."""
    if len(text) > SCENARIO_MAX:
        raise ValueError(f"it is longer than {SCENARIO_MAX} bytes")
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > DOTS_MAX and not line.lstrip().startswith("#"):
            raise ValueError(f"more than {DOTS_MAX} dots (at line {number})")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:  # Python reads no decimal number of more than 4300 digits
        raise ValueError("a number has too many digits") from None


def _wild(content: dict[str, Any]) -> str:
    """What in `content` no scenario needs and few programs bear, in words; empty if nothing."""
    level: list[Any] = [content]
    for _ in range(DEPTH_MAX):
        for one in level:
            if isinstance(one, int) and not -(2**63) <= one < 2**63:
                return "a number has more than 64 bits"
            if isinstance(one, str) and _HALVES.search(one):
                return "a word holds half a character"
        deeper: list[Any] = []
        for one in level:
            deeper += one if isinstance(one, dict | list) else ()
            deeper += one.values() if isinstance(one, dict) else ()
        level = deeper
    return f"nested deeper than {DEPTH_MAX} tables" if level else ""


def _change(content: dict[str, Any], change: str) -> None:
    path, equals, text = change.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise UsageError(f"`--set` cannot read `{change:.60}`", "write `--set key.key=value`")
    try:
        (value,) = _toml(f"value = {text}").values()
    except ValueError:
        value = text  # a bare word is a string
    where: Any = content
    for key, below in pairwise(keys):
        if isinstance(where, dict) and key not in where and below.isdecimal():
            told = f"`--set {change:.60}`: the scenario has no `[[{key:.60}]]`"
            raise UsageError(told, f"`{key:.60}.0` is the first of those that are there")
        where = _inside(where, key, change, fresh=True)
    last = keys[-1]
    if isinstance(where, list) and _counts(last, where):
        where[int(last)] = value
    elif isinstance(where, dict):
        where[last] = value
    else:
        raise UsageError(f"`--set {change:.60}`: there is no `{last:.60}`", "count tables from 0")


def _inside(where: Any, key: str, change: str, *, fresh: bool) -> Any:
    if isinstance(where, dict):
        return where.setdefault(key, {}) if fresh else where[key]
    if isinstance(where, list) and _counts(key, where):
        return where[int(key)]
    raise UsageError(f"`--set {change:.60}`: there is no `{key:.60}`", "count tables from 0")


def _counts(key: str, entries: list[Any]) -> bool:
    return key.isdecimal() and len(key) < 10 and int(key) < len(entries)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


_TABLES: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "$": (Scenario,),
    "$.sites": (Sites,),
    "$.links[...]": (Links,),
    "$.traffic[...]": (Conversation,),  # and its kinds: TRAFFIC
    "$.traffic[...].to": (Stride,),
    "$.timeline[...]": (Happening,),
    **phones.TABLES,
    **attacks.TABLES,
    **healing.TABLES,
    **faults.TABLES,
    **{f"$.{place}": (table,) for place, table in servers.TABLES.items()},
}


def _advice(error: str) -> str:
    """The keys that are known where an unknown one was found, or the form that was missed."""
    _, at, place = error.rpartition(" - at `")
    place = re.sub(r"\[[0-9]+\]", "[...]", place.rstrip("`")) if at else "$"
    forms = (
        *((TIME, "`10ms` or `2s`"), (RATE, "`50Mbit`"), (RATE_OR_NONE, "`50Mbit` or `none`")),
        (WARMUP, "`2s` or `mser5`"),
        (FRAME, "`ffffffffffff…`, two digits a byte"),
    )
    for form, example in forms:
        if repr(form) in error:
            return f"write it as {example}"
    tables = _TABLES.get(place)
    if tables is None or "field" not in error:
        return "see docs/scenarios.md"
    if is_traffic := Conversation in tables:
        tables = tuple(TRAFFIC.values())
    fields = (field for table in tables for field in msgspec.structs.fields(table))
    known = sorted({field.encode_name for field in fields})
    if is_traffic:
        known = ["kind", *known]
    unknown = re.search(r"unknown field `([^`]*)`", error)
    close = get_close_matches(unknown[1][:64], known, 1) if unknown else []
    return (f"did you mean `{close[0]}`? " if close else "") + f"the keys are {', '.join(known)}"
