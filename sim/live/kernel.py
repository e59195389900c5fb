"""A kernel's TUN and TAP devices from this side: opened, spoken to, counted. Linux' tuntap.rst."""

import fcntl
import os
import struct
import subprocess
from contextlib import suppress
from pathlib import Path
from select import select
from time import monotonic, sleep
from typing import Literal, TypeAlias

from sim.live.fidelity import Missing
from sim.live.namespace import Namespace
from virtualtap.errors import UsageError

Kind: TypeAlias = Literal["tun", "tap"]

DEVICE = Path("/dev/net/tun")
LENGTH_MAX = 0x10000 + 64  # a read that is too short cuts the packet without a word
_TUNSETIFF = 0x400454CA  # linux/if_tun.h, as all of these
_FLAGS = {"tun": 0x0001 | 0x1000, "tap": 0x0002 | 0x1000}  # IFF_TUN, IFF_TAP; IFF_NO_PI
_PATIENCE_S = 10


class Refused(Exception):
    """`ip` did not do what a live run needs; the text is its own."""


def open_device(kind: Kind, name: str) -> int:
    """A TUN or TAP in this thread's namespace, without packet information: its descriptor.

    One read is one packet or frame, and so is one write; it does not block. The device goes when
    the descriptor is closed, unless it was there before. Missing where there is no TUN at all,
    UsageError where this one cannot be had.
    """
    try:
        fd = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Missing(f"`{DEVICE}` cannot be opened: {_words(error)}") from None
    try:
        fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _FLAGS[kind]))
    except OSError as error:
        os.close(fd)
        hint = "root may, and the owner of one that was made before, if nobody else has it"
        raise UsageError(f"the {kind} `{name:.40}` cannot be had: {_words(error)}", hint) from None
    return fd


def open_in(namespace: Namespace, kind: Kind, name: str) -> int:
    """`open_device` in a namespace; the descriptor works from anywhere."""
    with namespace.entered():
        return open_device(kind, name)


def batch(namespace: Namespace, *commands: str) -> str:
    """Commands of `ip`, without that word, by one process: what they print. Refused."""
    with namespace.entered():
        done = subprocess.run(
            ("ip", "-batch", "-"),
            input="\n".join(commands),
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    if done.returncode != 0:
        raise Refused(" ".join(done.stderr.split())[:300])
    return done.stdout


def heard(fd: int, seconds: float, *, enough: int = 0) -> list[bytes]:
    """What comes from a device until `seconds` are over, or `enough` of it came."""
    found: list[bytes] = []
    until = monotonic() + seconds
    while (left := until - monotonic()) > 0 and not (enough and len(found) >= enough):
        if not select((fd,), (), (), left)[0]:
            break
        with suppress(BlockingIOError):
            found.append(os.read(fd, LENGTH_MAX))
    return found


def waiting(fd: int, seconds: float) -> list[bytes]:
    """What has come from a device, and all that follows without a pause of `seconds`."""
    found: list[bytes] = []
    while select((fd,), (), (), seconds)[0]:
        try:
            found.append(os.read(fd, LENGTH_MAX))
        except BlockingIOError:
            break
    return found


def settled(namespace: Namespace, device: str) -> None:
    """Wait until no IPv6 address of a device is tentative: a kernel takes its time. Refused."""
    until = monotonic() + _PATIENCE_S
    while "tentative" in namespace.ip("-6", "addr", "show", "dev", device):
        if monotonic() > until:
            raise Refused(f"the addresses of {device} stay tentative")
        sleep(0.01)


def counted(namespace: Namespace, device: str) -> tuple[int, int]:
    """Packets that a device's kernel received from, and gave to, whoever has its descriptor."""
    with namespace.entered():
        text = Path("/proc/thread-self/net/dev").read_text(encoding="ascii")
    for line in text.splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == device:
            found = numbers.split()
            return int(found[1]), int(found[9])
    raise Refused(f"there is no device {device}")


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
