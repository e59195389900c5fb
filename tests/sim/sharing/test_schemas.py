"""The JSON Schemas say what is read and written: no more words, and hardly fewer."""

import json
import re
import sqlite3
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from sim.actions.troubles import FAULTS, FaultKind, probability, whole
from sim.expect import FIELDS
from sim.faults import Exactly
from sim.fuzz.judge import Task, judge
from sim.fuzz.text import to_toml
from sim.laws.invariants import INVARIANTS
from sim.results import GRAPH_FILE, SCHEMA, read
from sim.scenario import Scenario, decode
from sim.sharing import schemas
from sim.words.traffic import TRAFFIC, Conversation
from tests.sim.scenarios import ONE_LINE, SMALL, as_file, called, on_disk
from topologies import CATALOG
from virtualtap.errors import UsageError

jsonschema = pytest.importorskip("jsonschema", reason="it judges the schemas")
ROOT = Path(__file__).parents[3]
EXAMPLES = [*sorted((ROOT / "examples").rglob("*.toml"))]
GUIDE = [
    text
    for text in re.findall(
        r"```toml\n(.*?)```", (ROOT / "docs" / "scenarios.md").read_text(), re.DOTALL
    )
    if text.startswith("name = ")
]
HEAD = 'name = "a"\ntopology = { name = "star" }\n'


@pytest.fixture(scope="module")
def validators():
    return {kind: jsonschema.Draft202012Validator(make()) for kind, make in schemas.KINDS.items()}


def faults(validator, content):
    return [f"{one.json_path}: {one.message}"[:300] for one in validator.iter_errors(content)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", schemas.KINDS)
def test_a_schema_is_one(kind):
    made = schemas.KINDS[kind]()
    jsonschema.Draft202012Validator.check_schema(made)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "\\Z" not in json.dumps(made)  # no other language knows it


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_every_example_is_a_scenario(validators, path):
    assert faults(validators["scenario"], tomllib.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("text", GUIDE)
def test_every_scenario_of_the_guide_is_one(validators, text):
    assert faults(validators["scenario"], tomllib.loads(text)) == []


@pytest.mark.parametrize(
    "more",
    [
        "sed = 2",
        "seed = -1",
        'until = "10"',
        'capture = "some"',
        'invariants = ["nothing"]',
        "[expect]\nlatncy_s.p99 = { max = 1 }",
        "[expect]\nlatency_s.p99 = { most = 1 }",
        '[[taps]]\nmatch = "t*"\nmtuu = 1',
        '[[taps]]\nmatch = "t*"\nmtu = "wide"',
        '[[taps]]\nmatch = "t*"\narp_interval = 1',
        '[[links]]\nmatch = "*"\nfaults = [{ fault = "rain", probability = 1 }]',
        '[[links]]\nmatch = "*"\nfaults = [{ fault = "loss" }]',
        '[[links]]\nmatch = "*"\nfaults = [{ fault = "loss", probability = 2 }]',
        '[[traffic]]\nkind = "shout"\nfrom = "h1"\nto = "h2"',
        '[[traffic]]\nkind = "ping"\nto = "h2"',
        '[[timeline]]\nat = "1s"\nbegin = { fault = "loss", probability = 1 }',
        '[[timeline]]\nat = "1s"\nexplode = "h1"',
        '[[servers]]\nmatch = "*"\noptions = { NoArpPoling = true }',
        '[[servers]]\nmatch = "*"\nstrategy = "fast"',
    ],
)
def test_what_a_scenario_refuses_the_schema_refuses(validators, more):
    text = f"{HEAD}{more}\n"
    assert faults(validators["scenario"], tomllib.loads(text)) != []


def test_a_shape_takes_its_own_parameters_and_a_file_none(validators):
    for topology, is_right in (
        ({"name": "star", "sites": 3, "loops": True}, True),
        ({"name": "star", "widht": 3}, False),
        ({"name": "star", "sites": "many"}, False),
        ({"name": "abilene"}, True),
        ({"name": "a.gml", "loops": False}, True),
        ({"name": "abilene", "sites": 3}, False),
        ({"sites": 3}, False),
    ):
        said = faults(validators["scenario"], {"name": "a", "topology": topology})
        assert (topology, said == []) == (topology, is_right)


def test_every_word_is_in_the_schema():
    made = schemas.scenario()
    choices, keys = {*schemas.choices(made)}, {*schemas.keys(made)}
    assert {*CATALOG, *FAULTS, Exactly.name, *INVARIANTS} <= choices
    assert {*FIELDS} <= keys
    for kind in FAULTS.values():
        assert {*kind.words} <= keys
    assert {one.encode_name for one in msgspec.structs.fields(Scenario)} <= keys


class Chatter(Conversation, frozen=True, kw_only=True, tag="chatter"):
    """What a plugin may bring."""

    loudness: int = 3


@dataclass(frozen=True)
class Rain:
    """A fault that a plugin may bring."""

    name: ClassVar[str] = "rain"
    probability: float
    drops: int


def test_words_of_plugins_are_in_it(monkeypatch):
    monkeypatch.setitem(TRAFFIC, "chatter", Chatter)
    words = {"probability": probability, "drops": whole(1, 9)}
    monkeypatch.setitem(FAULTS, "rain", FaultKind(Rain, words))
    validator = jsonschema.Draft202012Validator(schemas.scenario())
    said = '[[traffic]]\nkind = "chatter"\nfrom = "h1"\nto = "h2"\nloudness = 7\n'
    said += '[[links]]\nmatch = "*"\nfaults = [{ fault = "rain", probability = 1, drops = 2 }]\n'
    assert faults(validator, tomllib.loads(HEAD + said)) == []
    for wrong in (said.replace("loudness", "volume"), said.replace("drops = 2", "drips = 2")):
        assert faults(validator, tomllib.loads(HEAD + wrong)) != []


def test_every_written_run_is_one(validators, tmp_path):
    for number, choices in enumerate(({}, {"bare": True}, {"parents": True, "capture": "all"})):
        text = SMALL + ("[expect]\ndelivered = { min = 1000 }\n" if number else "")
        run, folder = on_disk(tmp_path / str(number), text, **choices)
        content = json.loads((folder / "run.json").read_text())
        assert faults(validators["run"], content) == []
        assert run.verdict == ("fail" if number else "pass")


def test_another_run_is_none(validators, tmp_path):
    _, folder = on_disk(tmp_path)
    content = json.loads((folder / "run.json").read_text())
    for wrong in ({"seed": "1"}, {"verdict": None}, {"summary": {}}, {"failed": [{}]}):
        assert faults(validators["run"], content | wrong) != []
    assert faults(validators["run"], {}) != []


@pytest.mark.slow
def test_every_row_is_one(validators, tmp_path, capsys):
    row = json.loads(msgspec.json.encode(judge(Task(seed=1, text=to_toml(tomllib.loads(SMALL))))))
    assert faults(validators["row"], row) == []
    path = as_file(tmp_path)
    choices = ("--seeds", "0:2", "--vary", "until=100ms,0s", "--jobs", "1", "--out", tmp_path / "o")
    words = ("until=100ms,200ms", *choices[4:])
    status, _, complaint = called(capsys, "sweep", path, "--seeds", "0:2", "--vary", *words)
    assert (status, complaint) == (0, "")
    with sqlite3.connect(tmp_path / "o" / "sweep.sqlite") as file:
        rows = [json.loads(row) for (row,) in file.execute("SELECT row FROM rows")]
    file.close()
    assert len(rows) == 4
    assert [faults(validators["row"], one) for one in rows] == [[]] * 4
    failed = {"point": [], "seed": 1, "verdict": "error", "why": "it did"}
    assert faults(validators["row"], failed) == []
    assert faults(validators["row"], {"seed": 1}) != []


def test_the_command_prints_it(capsys):
    for kind, make in schemas.KINDS.items():
        status, said, complaint = called(capsys, "schema", kind)
        assert (status, complaint, said) == (0, "", json.dumps(make(), indent=2) + "\n")
    status, said, complaint = called(capsys, "schema", "\x1b[31mrain")
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(complaint) and "scenario, run, row" in complaint


def test_a_graph_says_its_schema_and_an_older_one_is_read(tmp_path, capsys):
    run, folder = on_disk(tmp_path)
    path = folder / GRAPH_FILE
    content = json.loads(path.read_text())
    assert content.pop("schema") == SCHEMA
    path.write_text(json.dumps(content))
    assert read(folder).graph == run.graph == content
    path.write_text(json.dumps({**content, "schema": SCHEMA + 1}))
    for command in ("replay", "report", "bundle"):
        status, said, complaint = called(capsys, command, folder)
        assert (status, said) == (2, "")
        assert ONE_LINE.fullmatch(complaint) and f"schema {SCHEMA + 1}, this version" in complaint


def test_what_the_schema_lets_pass_may_still_be_refused():
    with pytest.raises(UsageError):
        decode(HEAD + '[[timeline]]\nat = "60s"\ncrash = "h1"\n')
