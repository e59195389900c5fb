"""A case against foreign code: a process of its own, forked from a warm one, under limits.

A crash, a hang or a flood there is a verdict here, not the end of the run.
"""

import faulthandler
import json
import os
import resource
import select
import signal
import time

from sim.conformance.registry import Case
from sim.conformance.script import Make, Missed
from sim.conformance.verdicts import Outcome, Verdict, judge

_SECONDS = 5.0
_MEMORY = 2 * 2**30
_ANSWER_MAX = 16 * 2**20


def judge_apart(case: Case, make: Make) -> Outcome:
    """Play one case in a child process."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        _play(case, make, write_end)
    os.close(write_end)
    answer, whole = _gather(read_end)
    os.close(read_end)
    if not whole:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if whole and os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 and answer:
        verdict, why, missed = json.loads(answer)
        return Outcome(case, Verdict(verdict), why, missed and _unpacked(*missed))
    if not whole:
        return Outcome(case, Verdict.ERROR, f"no answer within {_SECONDS:g} s, or too long a one")
    if os.WIFSIGNALED(status):
        return Outcome(case, Verdict.ERROR, f"ended by {signal.Signals(os.WTERMSIG(status)).name}")
    return Outcome(case, Verdict.ERROR, f"ended with status {os.WEXITSTATUS(status)}")


def _play(case: Case, make: Make, write_end: int) -> None:
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (int(_SECONDS), int(_SECONDS) + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        faulthandler.disable()  # how it ended is told by the status
        outcome = judge(case, make)
        with os.fdopen(write_end, "wb") as stream:
            stream.write(json.dumps((outcome.verdict, outcome.why, _packed(outcome))).encode())
        status = 0
    finally:
        os._exit(status)


def _packed(outcome: Outcome) -> tuple[str, list[str], list[str]] | None:
    missed = outcome.missed
    if missed is None:
        return None
    return missed.side, [one.hex() for one in missed.expected], [one.hex() for one in missed.seen]


def _unpacked(side: str, expected: list[str], seen: list[str]) -> Missed:
    return Missed(side, tuple(map(bytes.fromhex, expected)), tuple(map(bytes.fromhex, seen)))


def _gather(read_end: int) -> tuple[bytes, bool]:
    """What the child says until it closes the pipe, and whether it did so in time."""
    until = time.monotonic() + _SECONDS
    said = b""
    while (left := until - time.monotonic()) > 0 and len(said) < _ANSWER_MAX:
        if select.select([read_end], [], [], left)[0]:
            piece = os.read(read_end, 65_536)
            if not piece:
                return said, True
            said += piece
    return said, False
