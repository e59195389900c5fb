"""CITATION.cff is what its format asks for, and of this version."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_it_has_the_keys_that_the_format_requires():
    keys = re.findall(r"(?m)^([a-z-]+):", TEXT)
    assert {"cff-version", "message", "title", "authors"} <= {*keys}
    assert len(keys) == len({*keys})


def test_it_tells_of_this_version_and_license():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = dict(re.findall(r"(?m)^(version|license|title): (.*)$", TEXT))
    assert (told["version"], told["license"]) == (project["version"], project["license"])
    assert told["title"] == project["name"]


@pytest.mark.slow
def test_its_format_is_right():
    pytest.importorskip("check_jsonschema", reason="it has the schema of the format")
    schema = ("--builtin-schema", "vendor.citation-file-format")
    words = (sys.executable, "-m", "check_jsonschema", *schema, ROOT / "CITATION.cff")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
