"""JSON Schemas of what is read and written: scenarios, runs, rows. JSON Schema, draft 2020-12.

What a scenario may say is told by the tables of words themselves, so that none is forgotten. A
schema cannot say everything: what it lets pass, `vtap run` may still refuse.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from inspect import signature
from typing import Any, get_type_hints

import msgspec

from sim.actions.troubles import FAULTS, Reader, probability, span
from sim.expect import FIELDS
from sim.faults import Exactly
from sim.fuzz.judge import Row
from sim.laws.invariants import INVARIANTS
from sim.nodes.softether.access_rule import AccessRule
from sim.nodes.softether.constants import Constants, Strategy, Version
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Policy
from sim.nodes.softether.vh_option import Mode, Ping, VhOption
from sim.reasons import REASONS
from sim.results import Run, Summary
from sim.scenario import CAPTURE_SCOPES, form
from sim.words.quantities import TIME
from sim.words.taps import is_time
from sim.words.traffic import TRAFFIC
from topologies import CATALOG
from virtualtap.config import TapConfig

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_BESIDE = ("graph", "tables")  # of a run, in files of their own
_WALL = ("setup_s", "wall_s", "process_s")  # not in the row of a sweep
_END = "\\Z"  # Python's end of a text, which in the regular expressions of JSON Schema is `$`

_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "pattern": TIME.replace(_END, "$")}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_READ_BY: dict[Reader, Schema] = {probability: _SHARE, span: _TIME}
_LIMIT: Schema = {
    "anyOf": [
        {"type": ["number", "string"]},
        {
            "type": "object",
            "properties": {
                "min": {"type": "number"},
                "max": {"type": "number"},
                "equal": {"type": ["number", "string"]},
                "at": _TIME,
            },
            "additionalProperties": False,
        },
    ]
}


def scenario() -> Schema:
    """What a scenario file may say, as editors complete and check it."""
    made = _of(form((*TRAFFIC.values(),)), "A scenario of vtap")
    parts = made["$defs"]
    top = parts["Scenario"]["properties"]
    top["topology"] = {"anyOf": [*map(_topology, CATALOG), _other_topology()]}
    top["capture"]["enum"] = [*CAPTURE_SCOPES]
    top["invariants"]["anyOf"][0]["items"] = {"enum": [*INVARIANTS]}
    top["taps"]["items"] = _taps()
    top["expect"] = {"type": "object", **_expect()}
    parts["Fault"] = {"anyOf": [*_faults()]}
    fault = {"$ref": "#/$defs/Fault"}
    parts["Links"]["properties"]["faults"]["items"] = fault
    happening = parts["Happening"]["properties"]
    named = {"type": "object", "properties": {"link": _TEXT}, "required": ["link", "fault"]}
    happening["begin"] = {"allOf": [named, fault]}
    happening["end"] = {"type": "object", "required": ["link", "fault"]}
    _describe_servers(parts)
    return made


def run() -> Schema:
    """What `run.json` holds, and in it the object that `--json` prints."""
    made = _of(Run, "A run of vtap")
    parts = made["$defs"]
    of_run = parts["Run"]["properties"]
    for name in _BESIDE:
        del of_run[name]
    summary = _of(Summary, "")["$defs"]
    parts.update(summary)
    of_run["summary"] = {"$ref": "#/$defs/Summary"}
    return made


def row() -> Schema:
    """What a row of `vtap fuzz` or `vtap sweep` holds, which its database keeps as JSON."""
    made = _of(Row, "A row of a campaign of vtap")
    parts = made["$defs"]
    parts.update(_of(Summary, "")["$defs"])
    of_sweep = parts["Summary"]
    of_sweep["title"] = "Sweep"
    of_sweep["properties"] |= {"point": {"type": "array", "items": _TEXT}, "seed": _WHOLE}
    for name in _WALL:
        del of_sweep["properties"][name]
    of_sweep["required"] = [one for one in of_sweep["required"] if one not in _WALL] + ["point"]
    failed = {"point": of_sweep["properties"]["point"], "seed": _WHOLE, "why": _TEXT}
    parts["Error"] = {
        "description": "A run of a sweep that could not be run.",
        "type": "object",
        "properties": {**failed, "verdict": {"const": "error"}},
        "required": [*failed, "verdict"],
        "additionalProperties": False,
    }
    del made["$ref"]
    made["anyOf"] = [{"$ref": f"#/$defs/{name}"} for name in ("Row", "Summary", "Error")]
    return made


KINDS: dict[str, Callable[[], Schema]] = {"scenario": scenario, "run": run, "row": row}


def keys(schema: object) -> Iterator[str]:
    """Every key that a schema names."""
    for one in _parts(schema):
        yield from one.get("properties", {})


def choices(schema: object) -> Iterator[str]:
    """Every word that a schema gives to choose from."""
    for one in _parts(schema):
        found = [*one.get("enum", ()), one.get("const")]
        yield from (word for word in found if isinstance(word, str))


def _parts(schema: object) -> Iterator[Mapping[str, Any]]:
    inside: Iterable[object] = ()
    if isinstance(schema, dict):
        yield schema
        inside = schema.values()
    elif isinstance(schema, list):
        inside = schema
    for one in inside:
        yield from _parts(one)


def _of(kind: type[msgspec.Struct], title: str) -> Schema:
    made = msgspec.json.schema(kind)
    _end_patterns(made)
    return {"$schema": DRAFT, "title": title, **made}


def _end_patterns(schema: Schema) -> None:
    for one in _parts(schema):
        pattern = one.get("pattern")
        if isinstance(pattern, str):
            assert isinstance(one, dict)
            one["pattern"] = pattern.replace(_END, "$")


def _closed(properties: Schema, required: Iterable[str] = (), said: str = "") -> Schema:
    """An object of these keys and no others."""
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    made |= {"required": [*required]}
    return {"description": said, **made} if said else made


def _topology(name: str) -> Schema:
    parameters = {
        key: _like(one.default) for key, one in signature(CATALOG[name]).parameters.items()
    }
    said = (CATALOG[name].__doc__ or "").partition("\n")[0]
    words = {"name": {"const": name}, "loops": {"type": "boolean"}, **parameters}
    return _closed(words, ("name",), said)


def _other_topology() -> Schema:
    name = {"type": "string", "not": {"enum": [*CATALOG]}}
    said = "A network of TopoHub, or a `.graphml` or `.gml` file."
    return _closed({"name": name, "loops": {"type": "boolean"}}, ("name",), said)


def _like(default: object) -> Schema:
    """The type of a parameter, by what it is if nothing is said."""
    kinds: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
    kinds |= {dict: "object", list: "array"}
    kind = kinds.get(type(default))
    return {} if kind is None else {"type": kind, "default": default}


def _faults() -> Iterator[Schema]:
    places = {"toward": _TEXT, "link": _TEXT}  # a link where it begins during a run
    for name, kind in FAULTS.items():
        words = {word: _READ_BY.get(read, {}) for word, read in kind.words.items()}
        said = (kind.fault.__doc__ or "").partition("\n")[0]
        yield _closed({"fault": {"const": name}, **words, **places}, ("fault", *words), said)
    pairs = {"type": "array", "items": {"type": "array", "minItems": 2, "maxItems": 2}}
    numbers = {"type": "array", "items": {"type": "integer", "minimum": 1}}
    lists = {"lose": numbers, "repeat": numbers, "late": pairs, "flip": pairs, "cut": pairs}
    of_exactly = {"fault": {"const": Exactly.name}, **lists, **places}
    yield _closed(of_exactly, ("fault",), (Exactly.__doc__ or "").partition("\n")[0])


def _taps() -> Schema:
    hints = get_type_hints(TapConfig)
    of_fields = {
        one.name: _tap_word(one.name, hints[one.name], one.default) for one in fields(TapConfig)
    }
    del of_fields["serve"]
    return _closed({"match": _TEXT, **of_fields}, ("match",))


def _tap_word(name: str, kind: object, default: object) -> Schema:
    if isinstance(default, bool):
        return {"type": "boolean", "default": default}
    if is_time(name):
        return _TIME
    if isinstance(default, tuple):
        return {"type": "array", "items": {"type": "array"} if name == "routes" else _TEXT}
    if isinstance(default, int):
        return {"type": "integer", "default": default}
    given = getattr(kind, "__args__", (kind,))
    words = [one for one in given if isinstance(one, str)]  # of a `Literal`
    if words:
        return {"enum": words, "default": default}
    return {"type": ["integer", "string"] if int in given else "string"}


def _expect() -> Schema:
    """Fields of the JSON, dotted or nested."""
    found: Schema = {}
    for name in FIELDS:
        found[name] = _LIMIT
        outer, dot, inner = name.partition(".")
        if dot:
            nested = found.setdefault(outer, _closed({}))
            nested["properties"][inner] = _LIMIT
    dropped = {"properties": dict.fromkeys(sorted(REASONS), _LIMIT)}
    found["dropped"] = {"type": "object", **dropped, "additionalProperties": _LIMIT}
    return {
        "properties": found,
        "patternProperties": {"^dropped\\.": _LIMIT},
        "additionalProperties": False,
    }


def _describe_servers(parts: Schema) -> None:
    """The product's own terms, by its names."""
    policy, rule = _closed(_terms(Policy)), _closed(_terms(AccessRule))
    nat = _terms(VhOption)
    nat |= {"mode": {"enum": [*map(str, Mode)]}, "ping": {"enum": [*map(str, Ping)]}}
    for hub in (parts["Server"], parts["NamedHub"]):
        hub["properties"]["options"] = _closed(_terms(HubOptions))
        hub["properties"]["access"]["items"] = rule
        hub["properties"]["secure_nat"] = _closed(nat)
    for one in (parts["User"], parts["Group"], parts["Session"]):
        one["properties"]["policy"] = policy
    server = parts["Server"]["properties"]
    server["version"]["enum"] = [*map(str, Version)]
    server["strategy"]["enum"] = [*map(str, Strategy)]
    server["parameters"] = _closed({one.name: _WHOLE for one in fields(Constants)})


def _terms(kind: type) -> Schema:
    hints = get_type_hints(kind)
    kinds = {bool: {"type": "boolean"}, int: _WHOLE}
    return {one.name: kinds.get(hints[one.name], _TEXT) for one in fields(kind)}
