"""What README shows works as it stands."""

import re
from pathlib import Path

import pytest

from sim.run import Order, perform

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("number", range(2))
def test_every_python_block_runs(number: int) -> None:
    exec(compile(blocks("python")[number], "README.md", "exec"), {})


def test_there_are_two_python_blocks_and_one_scenario() -> None:
    assert (len(blocks("python")), len(blocks("toml"))) == (2, 1)


def test_the_scenario_runs_and_holds() -> None:
    run, _ = perform(Order(text=blocks("toml")[0], folder=Path()), None)

    assert (run.verdict, run.failed) == ("pass", [])


def test_no_placeholder_is_left_in_the_documents() -> None:
    documents = [
        *Path(__file__).parents[2].glob("*.md"),
        *Path(__file__).parents[2].glob("docs/**/*.md"),
    ]

    assert [path.name for path in documents if "@@" in path.read_text(encoding="utf-8")] == []
