"""Code of others, in a process of its own: forked, under limits, ended with all it started."""

import faulthandler
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress

SECONDS = 10.0  # by the wall
_CPU_SECONDS = 10
_MEMORY = 4 * 2**30
_ANSWER_MAX = 4 * 2**20


class Ended(Exception):
    """It gave no answer: `crash:SIGSEGV`, `hang`, `exit`."""


def apart(do: Callable[[], str]) -> str:
    """What `do` returns in a child process. Ended where it does not."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        _do(do, write_end)
    os.close(write_end)
    try:
        answer = _gathered(read_end)
    finally:
        os.close(read_end)
        for kill in (os.killpg, os.kill):  # it may not lead a group yet
            with suppress(ProcessLookupError, PermissionError):
                kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if answer is None:
        raise Ended("hang")
    if not answer.endswith(b"\n"):
        raise Ended(_how(status))
    return answer.decode()


def _how(status: int) -> str:
    if not os.WIFSIGNALED(status):
        return "exit"
    number = os.WTERMSIG(status)
    return "hang" if number == signal.SIGXCPU else f"crash:{signal.Signals(number).name}"


def _do(do: Callable[[], str], write_end: int) -> None:
    """The child's life; it never returns."""
    try:
        os.setpgid(0, 0)
        faulthandler.disable()  # how it ended is told by the status
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        silence = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(silence, standard)
        with os.fdopen(write_end, "wb") as stream:
            stream.write(do().encode() + b"\n")
    finally:
        os._exit(0)


def _gathered(read_end: int) -> bytes | None:
    """What the child says until it closes the pipe; None: not in time, or too much."""
    said, until = b"", time.monotonic() + SECONDS
    while (left := until - time.monotonic()) > 0 and len(said) < _ANSWER_MAX:
        if select.select([read_end], [], [], left)[0]:
            piece = os.read(read_end, 65_536)
            if not piece:
                return said
            said += piece
    return None
