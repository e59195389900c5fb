"""A project of somebody else's, with our wheel and another package installed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OUTSIDE = Path(__file__).parent / "outside"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
ORDERS = {"alone": (), "two at once": ("-n", "2"), "shuffled": ("--shuffle", "5")}

pytestmark = pytest.mark.long


class Project:
    """A folder of tests and an environment: its own, with the libraries of this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        shutil.copytree(OUTSIDE / "project", self.folder)
        (self.folder / "pytest.ini").write_text("[pytest]\npython_files = check_*.py\n")
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
        (self.folder / "check_readme.py").write_text(blocks[2], encoding="utf-8")
        self.bin = folder / "environment" / "bin"
        venv.create(folder / "environment")
        libraries = sysconfig.get_path("purelib")
        variables = {"base": str(folder / "environment")}
        own = Path(sysconfig.get_path("purelib", "venv", variables))
        (own / "libraries.pth").write_text(f"{libraries}\n")

    def install(self, source: Path) -> None:
        """Make a wheel of the source, and install it: nothing is fetched."""
        wheels = source / "wheels"
        options = ("--no-deps", "--no-index")
        made = ("wheel", "--no-build-isolation", *options, "--wheel-dir", str(wheels), str(source))
        subprocess.run([*PIP, *made], check=True, capture_output=True)
        installed = ("--python", str(self.bin / "python"), "install", *options)
        subprocess.run(
            [*PIP, *installed, *map(str, wheels.iterdir())], check=True, capture_output=True
        )

    def call(self, command: str) -> subprocess.CompletedProcess[str]:
        """One command, as if it stood on the PATH."""
        kept = ("PATH", "HOME", "LANG")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment["PYTEST_DEBUG_TEMPROOT"] = str(self.folder.parent)  # nobody else tidies it
        name, *words = shlex.split(command)
        program = [str(self.bin / "python"), "-m", "pytest"] if name == "pytest" else []
        return subprocess.run(
            [*(program or [str(self.bin / name)]), *words],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


def files() -> list[str]:
    """What belongs to this repository."""
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return [name for name in listed.stdout.split("\n") if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    names = files()
    if not names:
        pytest.skip("not a git checkout: which files belong to the wheel is not known")
    folder = tmp_path_factory.mktemp("outside")
    source = folder / "source"
    for name in names:
        if not name.startswith(("tests/", "examples/", "docs/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    shutil.copytree(OUTSIDE / "natty", folder / "natty", ignore=shutil.ignore_patterns("__*"))
    made = Project(folder)
    made.install(source)
    made.install(folder / "natty")
    return made


def test_what_is_installed_is_the_wheel(project: Project) -> None:
    said = project.call("python -c 'import sim, natty; print(sim.__file__, natty.__file__)'")
    places = [Path(one).parents for one in said.stdout.split()]
    assert [project.bin.parent in above for above in places] == [True, True], said.stderr


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_readmes_test_and_those_of_a_package_with_a_nat_pass(
    project: Project, order: tuple[str, ...]
) -> None:
    words = " ".join(("check_readme.py", "check_nat.py", "-q", *order))
    done = project.call(f"pytest {words} -W error")
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_what_fails_says_its_capture_its_seed_and_how_to_see_it_again(
    project: Project, order: tuple[str, ...]
) -> None:
    done = project.call(" ".join(("pytest check_broken.py", *order)))
    assert done.returncode == 1, done.stdout
    sections = told(done.stdout)
    assert len(sections) == 5, done.stdout

    seeds = sorted(one["seed"] for one in sections if "seed" in one)
    assert seeds == ["3", "3910716583", "40"]
    for one in sections:
        if "seed" in one:
            assert Path(one["capture"]).read_bytes()[:4] == b"\n\r\r\n"
        else:
            assert Path(one["exchange"]).read_bytes()[:4] == b"\n\r\r\n"


def test_the_commands_that_a_failure_shows_show_it_again(project: Project) -> None:
    first = project.call("pytest check_broken.py -k test_all_of_it_arrives")
    (section,) = told(first.stdout)
    lost = re.findall(r"^E +(.*)$", first.stdout, re.MULTILINE)
    assert lost

    replayed = project.call(section["replay"])
    assert (replayed.returncode, "same as before" in replayed.stdout) == (0, True), replayed.stderr

    again = project.call(section["again"])
    assert again.returncode == 1
    assert re.findall(r"^E +(.*)$", again.stdout, re.MULTILINE) == lost
    (repeated,) = told(again.stdout)
    assert repeated["seed"] == section["seed"]


def test_a_seed_and_a_folder_may_be_said(project: Project) -> None:
    words = "--vtap-seed 12 --vtap-out kept -k test_all_of_it_arrives"
    done = project.call(f"pytest check_broken.py {words}")
    (section,) = told(done.stdout)
    assert section["seed"] == "12"
    assert Path(section["capture"]).is_relative_to(project.folder / "kept")
    assert project.call("pytest --vtap-seed x").returncode == 4


def test_a_marker_that_says_nothing_is_refused(project: Project) -> None:
    (project.folder / "check_marker.py").write_text(
        "import pytest\n@pytest.mark.vtap_seeds\ndef test_it(network): pass\n"
    )
    done = project.call("pytest check_marker.py")
    assert done.returncode == 2
    assert "`vtap_seeds` takes a number of seeds, or a list of them" in done.stdout


@pytest.mark.parametrize("marker", ["vtap_targets", "vtap_targets(name='engine')"])
def test_a_marker_that_names_no_translator_is_refused(project: Project, marker: str) -> None:
    (project.folder / "check_marker.py").write_text(
        f"import pytest\n@pytest.mark.{marker}\ndef test_it(script): pass\n"
    )
    done = project.call("pytest check_marker.py")
    assert done.returncode == 2
    assert "`vtap_targets` takes names of translators, one at least" in done.stdout


def test_a_marker_of_a_class_is_for_those_tests_that_use_it(project: Project) -> None:
    (project.folder / "check_class.py").write_text(
        "import pytest\n@pytest.mark.vtap_seeds(2)\nclass TestIt:\n"
        "    def test_drawn(self, vtap_seed): assert vtap_seed in (0, 1)\n"
        "    def test_other(self): pass\n"
    )
    assert "3 passed" in project.call("pytest check_class.py").stdout


def test_a_wrong_call_shows_its_hint(project: Project) -> None:
    (project.folder / "check_call.py").write_text("def test_it(network): network(seed=3)\n")
    assert "hint: `--vtap-seed N`" in project.call("pytest check_call.py").stdout


def test_who_uses_none_of_it_loads_none_of_it(project: Project) -> None:
    empty = project.folder / "empty"
    empty.mkdir()
    assert "loaded: []" in project.call("pytest --collect-only empty").stdout


def told(output: str) -> list[dict[str, str]]:
    """The facts of each section that a failure has."""
    sections = re.findall(r"^-+ virtualtap -+\n((?:\w+: .*\n)+)", output, re.MULTILINE)
    return [dict(line.split(": ", 1) for line in one.splitlines()) for one in sections]
