"""What README shows works as it stands."""

import re
from pathlib import Path
from typing import Any

import pytest

from sim.harness import Networks
from sim.run import Order, perform

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("number", range(3))
def test_every_python_block_runs(number: int) -> None:
    exec(compile(blocks("python")[number], "README.md", "exec"), {})


def test_there_are_three_python_blocks_and_one_scenario() -> None:
    assert (len(blocks("python")), len(blocks("toml"))) == (3, 1)


def test_the_test_in_it_passes(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    exec(compile(blocks("python")[2], "README.md", "exec"), found)
    networks = Networks("readme", 1, tmp_path, tmp_path)

    found["test_two_sites_find_one_another"](networks)

    assert len(networks.trials) == 1


def test_the_scenario_runs_and_holds() -> None:
    run, _ = perform(Order(text=blocks("toml")[0], folder=Path()), None)

    assert (run.verdict, run.failed) == ("pass", [])


def test_no_placeholder_is_left_in_the_documents() -> None:
    documents = [
        *Path(__file__).parents[2].glob("*.md"),
        *Path(__file__).parents[2].glob("docs/**/*.md"),
    ]

    assert [path.name for path in documents if "@@" in path.read_text(encoding="utf-8")] == []
