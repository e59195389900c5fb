"""Network namespaces of the program's own: made, entered, ended with all that runs in them."""

import ctypes
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sim.live.fidelity import Missing

_NAMES = Path("/run/netns")  # ip-netns(8)
_OURS = re.compile(r"vtap-(\d+)-[\w-]+")  # who made it, by process id
_CLONE_NEWNET = 0x40000000  # setns(2)
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None, use_errno=True)
_PATIENCE = 10  # seconds for one call of a program


class Namespace:
    """A network namespace with nothing but a loopback, without IPv6 unless asked for.

    Its name has the process id of its maker, so that what a crash left is known and removed.
    """

    def __init__(self, role: str, *, ipv6: bool = False) -> None:
        """`role` is a word. Missing where namespaces cannot be made here."""
        if os.geteuid():
            raise Missing("network namespaces need root")
        self.name = f"vtap-{os.getpid()}-{secrets.token_hex(3)}-{role}"
        self._processes: list[subprocess.Popen[bytes]] = []
        try:
            run("ip", "netns", "add", self.name)
            self.ip("link", "set", "lo", "up")
        except (OSError, subprocess.SubprocessError) as error:
            raise Missing("`ip netns add` does not work here") from error
        if not ipv6:
            for which in ("all", "default"):
                self.set(f"net/ipv6/conf/{which}/disable_ipv6", "1")

    def ip(self, *arguments: str) -> str:
        """`ip` of iproute2 in here: what it printed. CalledProcessError."""
        return run("ip", "-n", self.name, *arguments)

    def set(self, variable: str, value: str) -> None:
        """A variable of the kernel, by its path below /proc/sys."""
        with self.entered():
            Path("/proc/sys", variable).write_text(value)

    def run(self, *command: str, patience: float = _PATIENCE) -> str:
        """A program in here, to its end: what it printed. CalledProcessError, TimeoutExpired."""
        return run(*self.within(command), patience=patience)

    def within(self, command: Sequence[str]) -> list[str]:
        """The command that runs `command` in here."""
        return ["ip", "netns", "exec", self.name, *command]

    def start(self, command: Sequence[str], **settings: object) -> "subprocess.Popen[bytes]":
        """A program that runs in here until it is ended, or this process does."""
        made: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]  # Popen's
            self.within(command),
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.DEVNULL,
                "stderr": subprocess.DEVNULL,
                "preexec_fn": die_with_parent,
                **settings,
            },
        )
        self._processes.append(made)
        return made

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread is in here for a while: what it opens then stays in here."""
        with Path("/proc/thread-self/ns/net").open() as home, (_NAMES / self.name).open() as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def close(self) -> None:
        """End what runs in here, and the namespace."""
        for process in self._processes:
            end(process)
        _remove(self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def sweep() -> None:
    """Remove what processes that are gone have left behind."""
    for path in _NAMES.glob("vtap-*") if _NAMES.exists() else ():
        if _is_left(path):
            _remove(path.name)
    for path in Path(tempfile.gettempdir()).glob("vtap-*"):
        if _is_left(path):
            shutil.rmtree(path, ignore_errors=True)


def run(*command: str, patience: float = _PATIENCE) -> str:
    """A program to its end: what it printed. CalledProcessError, TimeoutExpired."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience,
        check=True,
    ).stdout


def end(process: "subprocess.Popen[bytes]", patience: float = 3) -> None:
    """End a process, first with a word."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(patience)


def die_with_parent() -> None:
    """For `preexec_fn`: the kernel ends this process when its parent is gone."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _is_left(path: Path) -> bool:
    """Whether its maker is gone."""
    found = _OURS.fullmatch(path.name)
    return found is not None and not Path("/proc", found[1]).exists()


def _enter(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _remove(name: str) -> None:
    for _ in range(20):
        left = run("ip", "netns", "pids", name).split()
        for number in left:
            os.kill(int(number), signal.SIGKILL)
        if not left:
            break
        time.sleep(0.05)
    run("ip", "netns", "del", name)
