"""The CI files of examples/ci: each step runs here, and their own linters accept them."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.harness.test_outside import PIP, files

ROOT = Path(__file__).parents[2]
CI = ROOT / "examples" / "ci"
GITHUB, GITLAB, CONTAINERFILE = CI / "github.yml", CI / "gitlab-ci.yml", CI / "Containerfile"
BIN = Path(sys.executable).parent
ACTIONS = {  # steps of GitHub's own: what stands for them here
    "actions/checkout": "a copy of examples/ci",
    "actions/setup-python": "an environment of its own",
    "actions/upload-artifact": "what is to be kept is there",
}
SUITES = {"tests", "run", "sweep", "baseline", "fuzz"}


class Runner:
    """A fresh checkout and a fresh Python. Only here is the network replaced: pip finds the wheel
    of this source in a folder, and its libraries already installed."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.project = folder / "project"
        shutil.copytree(CI, self.project, ignore=shutil.ignore_patterns("__pycache__"))
        self.summary = folder / "summary.md"
        own = folder / "environment"
        venv.create(own, with_pip=False)
        site = Path(sysconfig.get_path("purelib", "venv", {"base": str(own)}))
        libraries = folder / "libraries"  # all but ourselves
        libraries.mkdir()
        for path in Path(sysconfig.get_path("purelib")).iterdir():
            if "virtualtap" not in path.name:
                (libraries / path.name).symlink_to(path)
        (site / "libraries.pth").write_text(f"{libraries}\n")
        self.environment = {
            "PATH": f"{own / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTEST_DEBUG_TEMPROOT": str(folder),
            "GITHUB_WORKSPACE": str(self.project),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def step(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def shell(self, *lines: str) -> None:
        """As GitHub and GitLab start a shell: the first command that fails ends it."""
        for line in lines:
            done = self.step(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", line])
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"

    def suites(self) -> dict[str, int]:
        """Each JUnit file, and how many of its cases failed."""
        return {
            path.stem: sum(
                int(suite.get("failures")) for suite in ElementTree.parse(path).getroot()
            )
            for path in (self.project / "reports").glob("*.xml")
        }


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    names = files()
    if not names:
        pytest.skip("not a git checkout: which files belong to the wheel is not known")
    folder = tmp_path_factory.mktemp("wheels")
    for name in names:
        if not name.startswith(("tests/", "examples/", "docs/")):
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "source" / name)
    made = ("wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", str(folder))
    subprocess.run([*PIP, *made, str(folder / "source")], check=True, capture_output=True)
    return folder


@pytest.fixture
def runner(tmp_path, wheels):
    return Runner(tmp_path, wheels)


def read(path):
    yaml = pytest.importorskip("ruamel.yaml")
    return yaml.YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def instructions():
    """Each instruction of the Containerfile with what it says, in order."""
    text = CONTAINERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    return [tuple(line.split(None, 1)) for line in lines]


@pytest.mark.long
def test_every_step_of_the_workflow_runs(runner):
    (job,) = read(GITHUB)["jobs"].values()
    actions = [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step]
    assert actions == list(ACTIONS)
    runner.shell(*(step["run"] for step in job["steps"] if "run" in step))
    assert runner.suites() == dict.fromkeys(SUITES, 0)
    heads = [line for line in runner.summary.read_text().split("\n") if line.startswith("###")]
    assert heads == [
        "### vtap run office/1: passed",
        "### vtap sweep networks/office.toml: passed",
        "### vtap compare: passed",
        "### vtap fuzz: passed",
    ]
    kept = job["steps"][-1]["with"]["path"].split()
    assert [(runner.project / name).exists() for name in kept] == [True, True]


@pytest.mark.long
def test_every_line_of_the_gitlab_job_runs(runner):
    job = read(GITLAB)["networks"]
    runner.shell(*job["before_script"], *job["script"])
    assert runner.suites() == dict.fromkeys(SUITES, 0)
    assert [(runner.project / name).exists() for name in job["artifacts"]["paths"]] == [True, True]


@pytest.mark.long
def test_what_the_containerfile_says_can_be_done_and_runs_without_a_network(runner):
    said = instructions()
    for words in (words for name, words in said if name == "COPY"):
        assert all((runner.project / source).exists() for source in words.split()[:-1])
    runner.shell(*(words for name, words in said if name == "RUN"))
    user = dict(said)["USER"]
    assert [int(number) > 0 for number in user.split(":")] == [True, True]
    command = [*json.loads(dict(said)["ENTRYPOINT"]), *json.loads(dict(said)["CMD"])]
    out = runner.project.parent / "runs"
    command = [str(out) if word == "/tmp/runs" else word for word in command]
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    try:
        has_namespaces = runner.step([*alone, "true"]).returncode == 0
    except FileNotFoundError:
        has_namespaces = False
    done = runner.step([*(alone if has_namespaces else []), *command])
    assert done.returncode == 0, done.stderr
    assert (out / "office" / "1" / "report.html").exists()


@pytest.mark.long
def test_a_step_fails_where_the_network_does_not_hold(runner):
    runner.shell("python -m pip install -r requirements.txt")
    words = "vtap run networks/office.toml --set expect.delivered=1 --bare --github"
    done = runner.step(words.split())
    assert done.returncode == 1
    assert "::error file=networks/office.toml,title=vtap run office/1%3A delivered::" in done.stderr
    assert "| delivered | failed |" in runner.summary.read_text()


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "schema"),
    [
        (GITHUB, ("vendor.github-workflows",)),
        (GITLAB, ("vendor.gitlab-ci", "--data-transform", "gitlab-ci")),
    ],
)
def test_the_job_is_what_its_schema_says(path, schema):
    pytest.importorskip("check_jsonschema")
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, str(path))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.long
def test_the_containerfile_is_clean():
    hadolint = shutil.which("hadolint", path=f"{BIN}{os.pathsep}{os.environ['PATH']}")
    if hadolint is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([hadolint, CONTAINERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
