"""One world, judged: a task in, a row out, never an exception; the same row on every machine."""

import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec

from sim.apart import Ended
from sim.conformance.verdicts import Unsupported
from sim.fuzz import coverage
from sim.fuzz.defects import planted
from sim.fuzz.foreign import found_apart, maker, signature
from sim.fuzz.generate import world
from sim.limits import Limits
from sim.marks import broken
from sim.results import Run
from sim.run import Order, perform
from virtualtap.tap import VirtualTap

EVENTS_MAX = 20_000  # of one world
NODES_MAX = 1_000


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to judge: the world of a seed, or the scenario `text`."""

    seed: int
    weights: dict[str, int] = {}
    defect: str | None = None
    target: str | None = None
    text: str | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a world. `signature` is the same for failures that are alike."""

    seed: int
    fingerprint: str
    verdict: Literal["pass", "fail", "stopped", "error"]
    failed: list[dict[str, Any]] = []  # field, value, limit, at_s
    signature: str = ""
    digest: str = ""
    nodes: int = 0
    crossings: int = 0
    delivered: int = 0
    seen: list[str] = []  # what happened, sorted: `sim.fuzz.coverage`


def judge_json(task: str) -> str:
    """A task as JSON → its row as JSON."""
    return msgspec.json.encode(judge(msgspec.json.decode(task, type=Task))).decode()


def judge(task: Task) -> Row:
    """Run the task's world with all that watches; with a target's code in a process of its own."""
    if task.target is None:
        return _judged(task)
    try:
        return found_apart(lambda: _judged(task), Row)
    except Ended as ended:
        drawn = None if task.text is not None else world(task.seed, task.weights)
        return Row(
            seed=task.seed,
            fingerprint="given" if drawn is None else drawn.fingerprint,
            verdict="error",
            failed=[_failure(signature(ended), "no answer", "an answer")],
            signature=signature(ended),
        )


def _judged(task: Task) -> Row:
    fingerprint, text = "given", task.text
    with coverage.collected() as seen:
        try:
            if text is None:
                drawn = world(task.seed, task.weights)
                text, fingerprint = drawn.text, drawn.fingerprint
            with staged(msgspec.structs.replace(task, text=text)) as order:
                run, _ = perform(order, None)
        except Unsupported:  # this target lacks what this world needs
            return Row(seed=task.seed, fingerprint=fingerprint, verdict="stopped")
        except Exception as error:  # whatever it is, it is what the world is about
            return _broken(task.seed, fingerprint, error, seen)
    return _row(task.seed, fingerprint, run, seen)


@contextmanager
def staged(task: Task) -> Iterator[Order]:
    """What the task runs, and all that it runs with: for who looks at its world more closely."""
    assert task.text is not None
    limits = Limits(nodes=NODES_MAX, events=EVENTS_MAX)
    make = VirtualTap if task.target is None else maker(task.target)
    with planted(task.defect):
        yield Order(text=task.text, folder=Path(), capture="none", limits=limits, make=make)


def _row(seed: int, fingerprint: str, run: Run, seen: set[str]) -> Row:
    summary = run.summary
    failed = [*summary["failed"], *(_failure(one, "", "always") for one in broken(seen))]
    return Row(
        seed=seed,
        fingerprint=fingerprint,
        verdict="fail" if failed else summary["verdict"],
        failed=failed,
        signature=signature_of(failed, _kinds(run)),
        digest=run.digest or "",
        nodes=len(run.graph["nodes"]),
        crossings=summary["crossings"],
        delivered=summary["delivered"],
        seen=sorted(seen | coverage.of_run(run)),
    )


def _broken(seed: int, fingerprint: str, error: Exception, seen: set[str]) -> Row:
    signature, said = _of_exception(error)
    return Row(
        seed=seed,
        fingerprint=fingerprint,
        verdict="error",
        failed=[_failure(signature, said, "no exception")],
        signature=signature,
        seen=sorted(seen),
    )


def _failure(field: str, value: str, limit: str) -> dict[str, Any]:
    """What is no law of a run, in the form of one."""
    return {"field": field, "value": value, "limit": limit, "at_s": None}


def first_of(failed: list[dict[str, Any]]) -> dict[str, Any]:
    """What broke first; what has no time comes last. There is one at least."""
    return min(failed, key=lambda one: (one["at_s"] is None, one["at_s"] or 0))


def signature_of(failed: list[dict[str, Any]], kinds: Mapping[str, str]) -> str:
    """The law that broke first, and the kinds of node it names: `ledger/tap`."""
    if not failed:
        return ""
    first = first_of(failed)
    law = str(first["field"]).removeprefix("invariants.")
    words = re.findall(r"[\w.-]+", str(first["value"]))
    names = [name for word in words for name in (word, word.rpartition(".")[0])]  # of ports, too
    found = sorted({kinds[name] for name in names if name in kinds})
    return "/".join([law, *found])


def _kinds(run: Run) -> dict[str, str]:
    return {node["id"]: node["kind"] for node in run.graph["nodes"]}


def _of_exception(error: Exception) -> tuple[str, str]:
    """`exception:TYPE:module.function` of the innermost code of ours, and its words."""
    where = "?"
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        parts = path.with_suffix("").parts
        for package in ("virtualtap", "sim", "topologies"):
            if package in parts:
                at = len(parts) - 1 - parts[::-1].index(package)
                where = ".".join((*parts[at:], frame.name))
    return f"exception:{type(error).__name__}:{where}", str(error)[:200]
