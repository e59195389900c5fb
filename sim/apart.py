"""Code of others in a process of its own: forked from a warm one, under limits.

A crash, a hang or a flood there is told, and is not the end of the run. The process leads a group,
which ends with it: so does whatever it started.
"""

import faulthandler
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import NoReturn, TypeAlias

HANG, CRASH, EXIT = "hang", "crash", "exit"

_BEAT = b" "

Beat: TypeAlias = Callable[[], None]  # it is at work: its time begins anew


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one child may take."""

    seconds: float  # by the wall, until its answer or the next beat
    cpu_seconds: int
    memory: int = 2 * 2**30  # bytes, as those of its answer
    answer: int = 16 * 2**20


class Ended(Exception):
    """It gave no answer: `hang`, `crash:SIGSEGV`, or `exit:7` with the status it left with."""

    def __init__(self, how: str, which: str = "") -> None:
        super().__init__(f"{how}:{which}" if which else how)
        self.how, self.which = how, which


def apart(do: Callable[[Beat], bytes], bounds: Bounds) -> bytes:
    """What `do` returns in a child process, without spaces in front. Ended where it does not.

    What code of others writes into the pipe stands there too: an answer need not be one.
    """
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        _do(do, bounds, write_end)
    os.close(write_end)
    try:
        answer = _gathered(read_end, bounds)
        in_time = answer is not None and _ends(child, bounds)
    finally:
        os.close(read_end)
        for kill in (os.kill, os.killpg):  # it may not lead a group yet, or have ended
            with suppress(ProcessLookupError, PermissionError):
                kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if not in_time:
        raise Ended(HANG)
    if os.WIFSIGNALED(status):
        raise Ended(CRASH, signal.Signals(os.WTERMSIG(status)).name)
    if os.WEXITSTATUS(status) or not answer or answer.isspace():
        raise Ended(EXIT, f"{os.WEXITSTATUS(status)}")
    return answer.lstrip(_BEAT)


def _do(do: Callable[[Beat], bytes], bounds: Bounds, write_end: int) -> NoReturn:
    """The child's life."""
    status = 1
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (bounds.cpu_seconds, bounds.cpu_seconds + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (bounds.memory, bounds.memory))
        silence = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(silence, standard)
        faulthandler.disable()  # how it ended is told by the status
        answer = do(partial(_beat, write_end))
        with os.fdopen(write_end, "wb") as stream:
            stream.write(answer)
        status = 0
    finally:
        os._exit(status)


def _beat(write_end: int) -> None:
    os.write(write_end, _BEAT)


def _gathered(read_end: int, bounds: Bounds) -> bytes | None:
    """What the child says until it closes the pipe; None: not in time, or too much."""
    said, until = b"", time.monotonic() + bounds.seconds
    while (left := until - time.monotonic()) > 0 and len(said) < bounds.answer:
        if select.select([read_end], [], [], left)[0]:
            piece = os.read(read_end, 65_536)
            if not piece:
                return said
            said += piece
            if piece.isspace():
                until = time.monotonic() + bounds.seconds
    return None


def _ends(child: int, bounds: Bounds) -> bool:
    """Whether it ends in time: what closed the pipe need not have been its end."""
    until = time.monotonic() + bounds.seconds
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > until:
            return False
        time.sleep(0.001)
    return True
