"""No two named streams of a run share a seed."""

import ast
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import rng
from sim.rng import Stream, stream
from tests.sim.scenarios import done

ROOT = Path(__file__).parents[2]
OF_RUNS = sorted(
    {
        *(ROOT / "sim").glob("*.py"),
        *(ROOT / "sim" / "actions").rglob("*.py"),
        *(ROOT / "sim" / "nodes").rglob("*.py"),
    }
)
NAMES = st.text(max_size=6) | st.text("/%2F", max_size=6)


class Recorded(Stream):
    """Notes what it was seeded with."""

    seeds: ClassVar[list[tuple[int, str]]] = []

    def __init__(self, seed, name):
        self.seeds.append((seed, name))
        super().__init__(seed, name)


@pytest.fixture
def seeded(monkeypatch):
    monkeypatch.setattr(Recorded, "seeds", [])
    monkeypatch.setattr(rng, "Stream", Recorded)
    return Recorded


def text_of(seeded, *name):
    stream(*name)
    seed, text = seeded.seeds.pop()
    return f"{seed}/{text}"


def calls():
    """Each call of `stream` in what takes part in a run."""
    for path in OF_RUNS:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "stream":
                yield path, call


@given(
    st.tuples(st.integers(0, 99), st.sampled_from(["link", "clog"]), NAMES, NAMES),
    st.tuples(st.integers(0, 99), st.sampled_from(["link", "clog"]), NAMES, NAMES),
)
def test_two_names_never_give_one_text(one, other):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rng, "Stream", Recorded)
        texts = [text_of(Recorded, *name) for name in (one, other)]
    assert (texts[0] == texts[1]) == (one == other)


def test_a_name_of_ours_is_a_word_and_each_has_one_form():
    """So that parts which are anybody's names cannot give the text of another stream."""
    forms = {}
    for path, call in calls():
        name = call.args[1]
        if isinstance(name, ast.Constant):
            assert "/" not in name.value
            forms.setdefault(name.value, set()).add((path.name, len(call.args)))
        else:
            assert path.name == "server.py", f"{path}:{call.lineno}"  # `_luck`, below
    assert {"link", "traffic", "rogue", "clog", "transport", "secure-nat"} <= forms.keys()
    assert all(len(form) == 1 for form in forms.values())
    assert forms.keys().isdisjoint({"access", "storm"})  # what a server's `_luck` is asked for


EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_two_streams_of_an_example_share_a_seed(path, seeded):
    done(path.read_text(encoding="utf-8"), folder=path.parent, bare=True)
    assert len(seeded.seeds) == len(set(seeded.seeds))
    assert seeded.seeds or path.stem not in ("lossy-mobile", "phone-roams")  # luck decides there
