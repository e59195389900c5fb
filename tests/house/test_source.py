"""The source is still ours: what the house rules ask of every file, where no linter asks it."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import virtualtap

ROOT = Path(__file__).parents[2]
PACKAGES = ("virtualtap", "sim", "topologies", "reports")
TREES = {
    path.relative_to(ROOT): ast.parse(path.read_bytes(), str(path))
    for folder in (*PACKAGES, "tests", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
OURS = {path: tree for path, tree in TREES.items() if path.parts[0] in PACKAGES}
WIRE = {path.stem: tree for path, tree in OURS.items() if path.parts[:2] == ("virtualtap", "wire")}
HOLLOW = {"utils", "util", "common", "misc", "base", "manager", "helpers", "helper"}
PUBLIC = """
    MS SECOND US AddressClaimed AddressConflict AddressLost ArpReceived DropReason Duration Event
    GatewayLearned HostAdmitted Instant Lease LeaseBound LeaseGranted LeaseLost LeaseRenewed
    LeaseReturned Serving
    NeighborFailed NeighborLearned Stats TapConfig Translator UsageError VirtualTap WireError
    ip ip_text mac mac_text memory_bound mobile random_mac
"""
# what a machine leaves behind: options and addresses of package registries, somebody's folders
MACHINE = re.compile(
    rb"--(?:extra-)?index-url|--find-links|https?://[^ )>]*/simple/|[\"']resolved[\"']: *[\"']http"
    rb"|registry *= *[\"']http|(?<![\w.])/(?:home|Users|root|work|mnt|srv)/[\w.]"
)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_module_says_in_one_line_what_it_is():
    def is_said(tree):
        summary, _, rest = (ast.get_docstring(tree) or "").partition("\n")
        return summary.endswith(".") and (not rest or rest.startswith("\n"))

    assert [str(path) for path, tree in OURS.items() if not is_said(tree)] == []


def test_no_file_is_longer_than_400_lines():
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in TREES}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_no_function_is_longer_than_50_lines():
    lengths = {
        f"{path}:{function.name}": function.end_lineno - function.lineno + 1
        for path, tree in TREES.items()
        for function in functions(tree)
    }
    assert {name: length for name, length in lengths.items() if length > 50} == {}


def test_nothing_prints():
    calls = (
        (path, node.lineno)
        for path, tree in OURS.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    )
    assert [f"{path}:{line}" for path, line in calls if path.stem != "__main__"] == []


def keeps_real_time(path):
    return path.parts[1] == "live" or path.stem == "target_kernel"


def test_nobody_takes_a_clock_or_luck_by_name():
    # inside a run the attributes of these modules raise; a name imported before would not
    taken = [
        f"{path}:{node.lineno}: {node.module}.{each.name}"
        for path, tree in OURS.items()
        if path.parts[0] == "sim" and not keeps_real_time(path)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for each in node.names
        if node.module in ("time", "datetime", "uuid", "secrets")
        or (node.module, each.name) == ("os", "urandom")
        or (node.module == "random" and each.name != "Random")
    ]
    assert taken == []


def test_no_name_is_hollow():
    names = [part for path in TREES for part in path.with_suffix("").parts]
    assert HOLLOW.intersection(names) == set()


def test_every_wire_type_has_a_strategy():
    types = {
        node.name
        for tree in WIRE.values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and "parse" in {each.name for each in functions(node)}
    }
    strategies = ast.walk(TREES[Path("tests/strategies.py")])
    named = {node.id for node in strategies if isinstance(node, ast.Name)}
    assert types, "the wire types moved"
    assert types - named == set()


def test_every_wire_module_has_a_vector():
    vectors = ROOT / "tests" / "vectors"
    modules = WIRE.keys() - {"__init__"}
    assert {name for name in modules if not any(vectors.glob(f"{name}_*.hex"))} == set()


def test_every_vector_names_its_source():
    vectors = sorted((ROOT / "tests" / "vectors").glob("*.hex"))
    assert [path.name for path in vectors if not path.read_text().startswith("# ")] == []


def test_the_public_names_are_these():
    assert sorted(virtualtap.__all__) == sorted(PUBLIC.split())


def test_every_handler_names_its_rfc():
    handlers = {path: tree for path, tree in OURS.items() if path.parts[1] == "handlers"}
    silent = [
        str(path)
        for path, tree in handlers.items()
        if path.stem != "__init__" and not re.search(r"\bRFC \d+", ast.get_docstring(tree) or "")
    ]
    assert handlers, "the handlers moved"
    assert silent == []


def test_the_first_example_of_the_readme_runs(tmp_path, monkeypatch):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = re.search(r"(?ms)^```python\n(.*?)^```", readme)
    assert code, "README.md has no Python in it"
    monkeypatch.chdir(tmp_path)
    exec(compile(code[1], "README.md", "exec"), {"__name__": "__main__"})


def test_no_tracked_file_names_a_registry_or_a_folder_of_some_machine():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git clone: nothing says which files are tracked")
    listed = subprocess.run(
        ("git", "-C", str(ROOT), "ls-files", "-z"), check=True, stdout=subprocess.PIPE, text=True
    )
    tracked = (ROOT / name for name in listed.stdout.split("\0") if name)
    found = {
        str(path.relative_to(ROOT)): MACHINE.findall(path.read_bytes())
        for path in tracked
        if path.is_file() and path != Path(__file__)
    }
    assert {name: rows for name, rows in found.items() if rows} == {}
