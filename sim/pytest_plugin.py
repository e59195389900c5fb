"""The pytest plugin: networks and translators as fixtures; what fails says how to see it again."""

import argparse
import os
import re
import shlex
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:  # pytest loads this always: the rest is loaded by who uses it
    from sim.harness import Networks, Script

SEED_MAX = 2**63 - 1
_NAME_MAX = 48  # characters
_NETWORKS = pytest.StashKey["Networks"]()
_SCRIPT = pytest.StashKey[tuple["Script", Callable[[], Path]]]()  # and where it may be written
_MARKERS = (
    "vtap_seeds(n_or_list): run the test with each of these seeds; n: with 0 up to before n",
    "vtap_targets(name, ...): run the test with each of these translators: engine, c:PATH, "
    "python:MODULE:FACTORY, exec:COMMAND",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("virtualtap")
    help_seed = "the seed of every simulated network, in the place of each test's own"
    group.addoption("--vtap-seed", type=_seed, metavar="N", help=help_seed)
    help_out = "where simulated networks write; without it, below pytest's temporary folder"
    group.addoption("--vtap-out", type=Path, metavar="DIR", help=help_out)


def pytest_configure(config: pytest.Config) -> None:
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    seeds = _marker(metafunc, "vtap_seeds", "vtap_seed")
    if seeds is not None:
        found = [] if seeds.kwargs else _seeds(seeds.args)
        if not found:
            _refuse(metafunc, "`vtap_seeds` takes a number of seeds, or a list of them")
        ids = [f"seed{seed}" for seed in found]
        metafunc.parametrize("vtap_seed", found, ids=ids, indirect=True)
    targets = _marker(metafunc, "vtap_targets", "vtap_target")
    if targets is not None:
        if targets.kwargs or not targets.args:
            _refuse(metafunc, "`vtap_targets` takes names of translators, one at least")
        ids = [str(name) for name in targets.args]
        metafunc.parametrize("vtap_target", targets.args, ids=ids, indirect=True)


@pytest.fixture
def vtap_seed(request: pytest.FixtureRequest) -> int:
    """`--vtap-seed`, or the marker's, or one that follows from the test's name and place."""
    said: int | None = request.config.getoption("--vtap-seed")
    if said is not None:
        return said
    param: int | None = getattr(request, "param", None)
    return int.from_bytes(_sum(request.node)) if param is None else param


@pytest.fixture
def vtap_target(request: pytest.FixtureRequest) -> str:
    """The translator: the marker's, or our engine."""
    return str(getattr(request, "param", "engine"))


@pytest.fixture
def network(
    request: pytest.FixtureRequest,
    vtap_seed: int,
    vtap_target: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> "Networks":
    """Called with a scenario's words it runs them: `network(topology={…}, until="2s")`."""
    from sim.harness import Networks  # noqa: PLC0415  # what does not use it does not pay

    node = request.node
    out = _folder(node, tmp_path_factory)
    made = Networks(_slug(node.name), vtap_seed, out, node.path.parent, vtap_target)
    node.stash[_NETWORKS] = made
    return made


@pytest.fixture
def script(
    request: pytest.FixtureRequest, vtap_target: str, tmp_path_factory: pytest.TempPathFactory
) -> "Script":
    """One translator, frame by frame: `script.lan(frame).expect(reply)`."""
    from sim.harness import Script  # noqa: PLC0415  # the same

    made = Script(vtap_target)
    request.node.stash[_SCRIPT] = made, partial(_folder, request.node, tmp_path_factory)
    return made


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    report: pytest.TestReport = outcome.get_result()
    if report.failed:
        lines = _told(item)
        if lines:
            report.sections.append(("virtualtap", "\n".join(lines)))


def _told(item: pytest.Item) -> list[str]:
    """What to look at, and how to fail again; nothing of a test that used none of ours."""
    lines: list[str] = []
    networks = item.stash.get(_NETWORKS, None)
    if networks is not None:
        lines += networks.told()
        lines += [f"again: {_again(item)} --vtap-seed {networks.seed}"]
    if _SCRIPT in item.stash:
        script, folder = item.stash[_SCRIPT]
        path = folder() / "exchange.pcapng"
        path.parent.mkdir(parents=True, exist_ok=True)
        script.write(path)
        lines += [f"exchange: {path}"]
    return lines


def _again(item: pytest.Item) -> str:
    """The command that runs this test alone, from where pytest was called."""
    here = item.config.invocation_params.dir
    inside = _place(item).partition("::")[2]
    return f"pytest {shlex.quote(f'{os.path.relpath(item.path, here)}::{inside}')}"


def _place(node: pytest.Item) -> str:
    """The node id, without what others append to it (xdist: `@group`)."""
    assert node.parent is not None
    return f"{node.parent.nodeid}::{node.name}"


def _sum(node: pytest.Item) -> bytes:
    return blake2b(_place(node).encode(errors="surrogatepass"), digest_size=4).digest()


def _folder(node: pytest.Item, factory: pytest.TempPathFactory) -> Path:
    """Its own, whoever else runs at the same time."""
    out: Path | None = node.config.getoption("--vtap-out")
    if out is None:
        return factory.mktemp(f"vtap-{_slug(node.name)}-")
    return node.config.invocation_params.dir / out / f"{_slug(node.name)}-{_sum(node).hex()}"


def _slug(name: str) -> str:
    """What a scenario may be called."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_NAME_MAX].strip("-")
    return plain or "test"


def _seed(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text, re.ASCII) or int(text) > SEED_MAX:
        raise argparse.ArgumentTypeError(f"`{text:.60}` is no seed: 0 to {SEED_MAX}")
    return int(text)


def _marker(metafunc: pytest.Metafunc, name: str, fixture: str) -> pytest.Mark | None:
    """The test's own, or that of its class or module: there not every test uses the fixture."""
    test = metafunc.definition
    if fixture in metafunc.fixturenames or any(one.name == name for one in test.own_markers):
        return test.get_closest_marker(name)
    return None


def _refuse(metafunc: pytest.Metafunc, why: str) -> NoReturn:
    pytest.fail(f"{metafunc.definition.nodeid}: {why}", pytrace=False)


def _seeds(args: tuple[Any, ...]) -> list[int]:
    """None of them where they are none."""
    match args:
        case [bool()]:
            pass
        case [int() as count] if count > 0:
            return list(range(count))
        case [list() | tuple() | range() as listed] if listed:
            if all(type(seed) is int and 0 <= seed <= SEED_MAX for seed in listed):
                return list(listed)
        case _:
            pass
    return []
