"""A case against foreign code: a process of its own, forked from a warm one, under limits.

A crash, a hang or a flood there is a verdict here, not the end of the run. The process leads a
group, which ends with the case: so does whatever a target of `exec:` started.
"""

import faulthandler
import json
import os
import resource
import select
import signal
import time
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from sim.conformance.registry import Case
from sim.conformance.script import Exchanged, Make, Missed
from sim.conformance.verdicts import Outcome, Verdict, judge
from virtualtap.config import TapConfig
from virtualtap.tap import Translator

_SECONDS = 3.0  # by the wall, for each translator that a case makes: a few make many
_CPU_SECONDS = 2  # of each process
_MEMORY = 2 * 2**30  # of each process
_ANSWER_MAX = 16 * 2**20
_EXCHANGE_MAX = 2 * 2**20  # bytes of it that are told
_SLOW = 1.0  # an error that took so long is a hang
_HANGS_MAX = 3

_hangs: WeakKeyDictionary[Make, int] = WeakKeyDictionary()  # in a row, up to now


def judge_apart(case: Case, make: Make, profile: str | None = None) -> Outcome:
    """Play one case in a child process; after three hangs in a row no more are tried."""
    if _hangs.get(make, 0) >= _HANGS_MAX:
        return Outcome(case, Verdict.ERROR, f"not tried: {_HANGS_MAX} cases in a row took too long")
    started = time.monotonic()
    outcome = _play_apart(case, make, profile)
    slow = outcome.verdict is Verdict.ERROR and time.monotonic() - started > _SLOW
    _hangs[make] = _hangs.get(make, 0) + 1 if slow else 0
    return outcome


def _play_apart(case: Case, make: Make, profile: str | None) -> Outcome:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        _play(case, make, profile, write_end)
    os.close(write_end)
    try:
        answer = _gather(read_end)
        ended = answer is not None and _ends(child)
    finally:
        os.close(read_end)
        for kill in (os.kill, os.killpg):  # it may not lead a group yet, or have ended
            with suppress(ProcessLookupError, PermissionError):
                kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if not ended:
        return Outcome(case, Verdict.ERROR, f"no answer within {_SECONDS:g} s, or too long a one")
    if os.WIFSIGNALED(status):
        return Outcome(case, Verdict.ERROR, f"ended by {signal.Signals(os.WTERMSIG(status)).name}")
    if os.WEXITSTATUS(status) != 0 or not answer or answer.isspace():
        return Outcome(case, Verdict.ERROR, f"ended with status {os.WEXITSTATUS(status)}")
    try:
        return _unpacked(case, *json.loads(answer))
    except (TypeError, ValueError):  # a library may have written where it should not
        return Outcome(case, Verdict.ERROR, "what it answered cannot be read")


def _play(case: Case, make: Make, profile: str | None, write_end: int) -> None:
    status = 1
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        silence = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(silence, standard)
        faulthandler.disable()  # how it ended is told by the status

        def begun(config: TapConfig) -> Translator:
            os.write(write_end, b" ")  # JSON may stand behind spaces
            return make(config)

        told = json.dumps(_packed(judge(case, begun, profile))).encode()
        with os.fdopen(write_end, "wb") as stream:
            stream.write(told)
        status = 0
    finally:
        os._exit(status)


def _packed(outcome: Outcome) -> tuple[Any, ...]:
    missed, exchange, room = outcome.missed, [], _EXCHANGE_MAX
    for one in outcome.exchange:
        if (room := room - len(one.data) - 100) < 0:
            break
        exchange.append((one.at, one.side, one.into, one.data.hex()))
    return (
        outcome.verdict,
        outcome.why,
        missed and (missed.side, _hex(missed.expected), _hex(missed.seen)),
        exchange,
    )


def _hex(data: tuple[bytes, ...]) -> list[str]:
    return [one.hex() for one in data]


def _unpacked(
    case: Case, verdict: str, why: str, missed: list[Any] | None, exchange: list[list[Any]]
) -> Outcome:
    if missed is not None:
        side, expected, seen = missed
        found = Missed(side, tuple(map(bytes.fromhex, expected)), tuple(map(bytes.fromhex, seen)))
    else:
        found = None
    exchanged = (
        Exchanged(at, side, into, bytes.fromhex(data)) for at, side, into, data in exchange
    )
    return Outcome(case, Verdict(verdict), why, found, tuple(exchanged))


def _gather(read_end: int) -> bytes | None:
    """What the child says until it closes the pipe; None: not in time, or too much."""
    said, until = b"", time.monotonic() + _SECONDS
    while (left := until - time.monotonic()) > 0 and len(said) < _ANSWER_MAX:
        if select.select([read_end], [], [], left)[0]:
            piece = os.read(read_end, 65_536)
            if not piece:
                return said
            said += piece
            if piece.isspace():
                until = time.monotonic() + _SECONDS
    return None


def _ends(child: int) -> bool:
    """Whether it ends in time: what closed the pipe need not have been its end."""
    until = time.monotonic() + _SECONDS
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > until:
            return False
        time.sleep(0.001)
    return True
