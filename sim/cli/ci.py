"""What CI is told of a run, a hunt or a sweep: each as suites of cases, in a file, or to GitHub."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sim import expect, github
from sim.conformance.places import check_places
from sim.junit import ERROR, FAILURE, SKIPPED, Case, Suites, junit
from sim.words.quantities import duration

if TYPE_CHECKING:  # campaigns are slow to import, and a run needs none
    from sim.campaigns.hunt import Bag
    from sim.campaigns.sweep import Gathered, Sweep
    from sim.results import Run
    from sim.run import Order
    from sim.trail import Comparison

_NAMED_MAX = 20  # runs of a point that did not pass


def check_junit(path: Path | None) -> None:
    """UsageError for a file that cannot be written: before anything is judged."""
    check_places((path,), None)


def tell(suites: Suites, path: Path | None, *, to_github: bool) -> None:
    """Write JUnit XML to `path`, and say annotations on stderr: stdout may be one JSON object."""
    if path is not None:
        path.write_text(junit(suites), encoding="utf-8")
    if to_github:
        for line in github.annotations(suites):
            typer.echo(line, err=True)
        github.append_summary(suites)


def of_run(run: "Run", order: "Order") -> Suites:
    """A case for each expectation, one for whatever else failed, and one for the run itself."""
    scenario = order.scenario()
    wanted = [one.field for one in expect.parse(scenario.expect, duration(scenario.until))]
    failed = {one.field: one for one in run.failed}
    file = order.where if Path(order.where).is_file() else ""
    words = ["vtap", "run", order.where, "--seed", str(run.seed)]
    words[2:2] = [] if order.where.endswith(".toml") else ["--topology"]
    again = shlex.join([*words, *(word for one in order.changes for word in ("--set", one))])
    ended = ERROR if run.verdict == "stopped" else ""
    cases = [Case(run.scenario, "runs to its end", ended, "; ".join(run.remarks) if ended else "")]
    for field in dict.fromkeys([*wanted, *failed]):
        if field not in failed:
            cases.append(Case(run.scenario, field, SKIPPED if ended else ""))
            continue
        one = failed[field]
        why = f"{field} is {one.value}, wanted {one.limit}; first at {one.at_s} s"
        cases.append(Case(run.scenario, field, FAILURE, why, (why, f"again: {again}"), file))
    return {f"vtap run {run.name}": cases}


def of_check(found: "Comparison", order: "Order") -> Suites:
    """One case: it is the same run twice."""
    outcome = FAILURE if found.difference is not None else ""
    why = "two runs of one seed are not the same" if outcome else ""
    return {
        "vtap run --check": [Case(order.where, "the same twice", outcome, why, (), order.where)]
    }


def of_hunt(bag: "Bag") -> Suites:
    """A case for each kind of failure, and one for all worlds that held."""
    from sim.fuzz.finding import WORLD  # noqa: PLC0415  # only for this

    held = bag.verdicts["pass"]
    cases = [Case("fuzz", "worlds hold", why=f"{held} of {bag.rows}")]
    if bag.corpus:
        known = f"{bag.corpus['pass']} of {bag.corpus.total()}"
        cases.append(Case("fuzz", "worlds of the corpus hold", why=known))
    for one in bag.discoveries:
        told = (one.failed, one.shrinking or "not shrunk", f"again: {one.replay}")
        why = f"{one.failed}: {bag.kinds[one.signature]} worlds, the first of seed {one.seed}"
        file = str(Path(one.folder) / WORLD) if one.folder else ""
        cases.append(Case("fuzz", one.signature, FAILURE, why, told, file))
    return {"vtap fuzz": cases}


def of_sweep(found: "Gathered", order: "Sweep") -> Suites:
    """A case for each point: did all its seeds pass?"""
    bad: dict[int, list[int]] = {}
    for number in sorted(found.bad):
        bad.setdefault(number // len(found.seeds), []).append(number)
    cases = []
    for index, (point, count) in enumerate(zip(found.points, found.counts, strict=True)):
        numbers = bad.get(index, [])
        verdicts = [found.bad[number] for number in numbers]
        outcome = "" if not verdicts else ERROR if set(verdicts) == {"stopped"} else FAILURE
        why = f"{len(numbers)} of {count} seeds did not pass" if numbers else ""
        told = [
            f"seed {found.at(number)[1]}: {found.bad[number]}" for number in numbers[:_NAMED_MAX]
        ]
        name = ", ".join(point) or "as it is"
        cases.append(Case(order.where, name, outcome, why, told, order.where))
    return {f"vtap sweep {order.where}": cases}
