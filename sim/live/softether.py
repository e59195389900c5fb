"""The real SoftEther server and client: Debian's programs, in namespaces and folders of ours."""

import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sim.live.namespace import Namespace, end
from sim.live.packages import environment, unpack

PACKAGES = (
    "softether-common",
    "softether-vpnserver",
    "softether-vpnclient",
    "softether-vpncmd",
    "libreadline8",
)
SERVER_PORT, CLIENT_PORT = 5555, 9931
SERVER_IP, CLIENT_IP = "10.100.0.1", "10.100.0.2"
_PATIENCE = 20  # seconds until a program answers, or a command is done

# The folders are fixed in Debian's build. Only this program sees the private ones over them; it is
# the first in a process namespace, so that all of it ends together.
_START = """mount --bind "$1/lib" /var/lib && mount --bind "$1/log" /var/log &&
mount --bind "$1/run" /run && mount --bind "$1/resolv.conf" /etc/resolv.conf && exec "$2" execsvc"""

T = TypeVar("T")


class Program:
    """vpnserver or vpnclient in a namespace, from `start` on; its settings outlive it."""

    def __init__(self, kind: str, namespace: Namespace) -> None:
        """`kind` is "vpnserver" or "vpnclient". Missing where Debian's packages are not."""
        self.namespace = namespace
        self._kind = kind
        self._root = unpack(*PACKAGES)
        self._place = tempfile.TemporaryDirectory(prefix=f"vtap-{os.getpid()}-")
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = Path(self._place.name)
        for name in ("lib/softether", "log/softether", "run/softether"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")  # nobody is there

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = self._root / f"usr/libexec/softether/{self._kind}/{self._kind}"
        isolated = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork"]
        inside = [*isolated, "--kill-child", "--mount-proc", "sh", "-c", _START, "sh"]
        self._process = self.namespace.start(
            [*inside, str(self.folder), str(program)], env=environment(self._root)
        )
        port = SERVER_PORT if self._kind == "vpnserver" else CLIENT_PORT
        until(lambda: self._answers(port), f"{self._kind} does not answer")

    def stop(self) -> None:
        """End it at once, as a power cut does: what is not saved is lost."""
        if self._process is not None:
            number = self._process.pid
            first = Path(f"/proc/{number}/task/{number}/children").read_text().split()
            for child in first:  # `unshare` waits for it; the kernel ends all that it had started
                os.kill(int(child), signal.SIGKILL)
            end(self._process, _PATIENCE)
            self._process = None

    def command(self, *lines: str, hub: str = "") -> str:
        """What vpncmd says to these lines. They are given in a file that only root can read."""
        handle, name = tempfile.mkstemp(dir=self.folder)  # of mode 600
        with os.fdopen(handle, "w") as file:
            file.write("\n".join(lines) + "\n")
        program = str(self._root / "usr/libexec/softether/vpncmd/vpncmd")
        where = [f"localhost:{SERVER_PORT}", "/SERVER"]
        if self._kind == "vpnclient":
            where = ["localhost", "/CLIENT"]
        if hub:
            where.append(f"/ADMINHUB:{hub}")
        inside = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]
        script = 'mount --bind "$1/lib" /var/lib && shift && exec "$@"'
        try:
            done = subprocess.run(
                self.namespace.within(
                    [*inside, script, "sh", str(self.folder), program, *where, f"/IN:{name}"]
                ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                env=environment(self._root),
                timeout=_PATIENCE * 3,
                check=False,
            )
        finally:
            Path(name).unlink()
        return done.stdout

    def close(self) -> None:
        """End it, and forget its settings."""
        self.stop()
        self._place.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _answers(self, port: int) -> bool:
        with self.namespace.entered(), socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", port)) == 0


def password() -> str:
    """A new one."""
    return secrets.token_hex(12)


def until(happens: Callable[[], T], complaint: str, patience: float = _PATIENCE) -> T:
    """Wait until something is true: what it was. TimeoutError after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not (found := happens()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{complaint} within {patience:g} seconds")
        time.sleep(0.05)
    return found


def established(client: Program) -> int:
    """How many sessions a client has."""
    return client.command("AccountList").count("|Connected")


def wire(server: Namespace, client: Namespace) -> None:
    """A cable between server and client."""
    server.ip("link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", client.name)
    for space, address in ((server, SERVER_IP), (client, CLIENT_IP)):
        space.ip("address", "add", f"{address}/24", "dev", "wire")
        space.ip("link", "set", "wire", "up")
