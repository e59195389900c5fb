"""The engine in use on Linux: between a TUN, where the host is, and a TAP, where the LAN is."""

import ctypes
import logging
import os
import pwd
import secrets
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sim.live.fidelity import Missing
from sim.live.kernel import open_device
from virtualtap.addresses import random_mac
from virtualtap.config import TapConfig
from virtualtap.drivers.descriptor import Descriptor, Ended, carry
from virtualtap.drivers.log import LoggedTap
from virtualtap.errors import UsageError
from virtualtap.tap import VirtualTap
from virtualtap.wire.address import Ip, ip, ip_text, mac

SCHEMA = 1
NOBODY = "nobody"
_PR_SET_NO_NEW_PRIVS = 38  # prctl(2)
_PATIENCE_S = 10
_libc = ctypes.CDLL(None, use_errno=True)


class Counted(Descriptor):
    """A descriptor that counts what was read, and what was offered to it."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd)
        self.received = self.offered = 0

    def read(self) -> list[bytes] | None:
        """As Descriptor's."""
        batch = super().read()
        self.received += len(batch or ())
        return batch

    def write(self, batch: list[bytes]) -> None:
        """As Descriptor's."""
        self.offered += len(batch)
        super().write(batch)

    def counts(self) -> dict[str, Any]:
        """Packets or frames; `lost` are those of `offered` that the device did not take."""
        return {"received": self.received, "offered": self.offered, "lost": dict(self.lost)}


@dataclass(frozen=True, slots=True)
class Carried:
    """What a tunnel did until it ended: at its two sides, and in the engine."""

    ended: Ended
    host: dict[str, Any]
    lan: dict[str, Any]
    engine: dict[str, Any]

    def summary(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {"schema": SCHEMA, **asdict(self)}


class Words(NamedTuple):
    """A configuration as the command line has it; addresses with their prefix, `10.0.0.2/24`."""

    mac: str | None = None
    addresses: Sequence[str] = ()
    gateways: Sequence[str] = ()
    dhcp: bool = False
    mtu: int = 1500
    profile: str = "strict"


def config_of(words: Words) -> TapConfig:
    """UsageError where a word is none; without a MAC one by luck."""
    own = [_network(word) for word in words.addresses]
    own4 = [each for each in own if len(each[0]) == 4]
    if len(own4) > 1:
        raise UsageError("more than one `--address` of IPv4", "give one, and IPv6 ones at will")
    gateways = [ip(word) for word in words.gateways]
    our_ip, prefix_length = own4[0] if own4 else (None, 24)
    return TapConfig(
        our_mac=random_mac(secrets.randbits(48)) if words.mac is None else mac(words.mac),
        our_ip=our_ip,
        prefix_length=prefix_length,
        our_ip6=tuple(each for each, _ in own if len(each) == 16),
        gateway_ip=next((each for each in gateways if len(each) == 4), None),
        gateway_ip6=next((each for each in gateways if len(each) == 16), None),
        dhcp=words.dhcp,
        mtu=words.mtu,
        profile=words.profile,
        random_seed=secrets.randbits(64),
    )


def _network(word: str) -> tuple[Ip, int]:
    """An address and the length of its prefix, which of IPv6 is 64 (RFC 4291 2.5.1)."""
    text, slash, length = word.partition("/")
    address = ip(text)
    if not slash:
        length = "24" if len(address) == 4 else "64"
    if not length.isdecimal() or (len(address) == 16 and length != "64"):
        raise UsageError(f"`{word:.60}` has no such prefix", "write it as `10.0.0.2/24`")
    return address, int(length)


class _LeasedTap(LoggedTap):
    """A logged tap that also tells whoever sets addresses of each new lease."""

    def __init__(self, tap: VirtualTap, keeper: "_Keeper") -> None:
        super().__init__(tap)
        self._leased, self._keeper = tap, keeper
        self._address: tuple[Ip, int] | None = None

    def take_frames(self) -> list[bytes]:
        """As the tap's."""
        lease = self._leased.lease
        address = None if lease is None else (lease.ip, lease.prefix_length)
        if address != self._address:
            self._keeper.change(self._address, address)
            self._address = address
        return super().take_frames()


def tunnel(config: TapConfig, tun: str, tap: str) -> Carried:
    """Carry until SIGINT or SIGTERM, or until a device is gone. Events go to the log `virtualtap`.

    Both devices are brought up, the TUN gets the host's addresses, and those of a lease; routes
    beyond the LAN are the caller's. Then the rights of root are given up. UsageError.
    """
    try:
        host, lan = open_device("tun", tun), open_device("tap", tap)
    except Missing as why:
        raise UsageError(str(why), "Linux has it, and containers that are given it") from None
    try:
        _set_up(config, tun, tap)
        with _keeping(tun, needed=config.dhcp) as keeper, stopped() as until:
            give_up_rights()
            engine = VirtualTap(config)
            logged = _LeasedTap(engine, keeper) if keeper else LoggedTap(engine)
            ends = Counted(host), Counted(lan)
            ended = carry(logged, *ends, until=until)
        return Carried(ended, ends[0].counts(), ends[1].counts(), _told(engine))
    finally:
        os.close(host)
        os.close(lan)


def give_up_rights() -> None:
    """From root to nobody, for ever; nothing where we are not root."""
    if os.geteuid() != 0:
        return
    user = pwd.getpwnam(NOBODY)
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")


def _set_up(config: TapConfig, tun: str, tap: str) -> None:
    if os.geteuid() != 0:
        return  # whoever made the devices for us has done it
    ip_command("link", "set", tun, "mtu", str(config.mtu), "up")
    ip_command("link", "set", tap, "up")
    if config.our_ip is not None and not config.dhcp:
        ip_command(
            "addr", "replace", f"{ip_text(config.our_ip)}/{config.prefix_length}", "dev", tun
        )
    for address in config.our_ip6:
        ip_command("addr", "replace", f"{ip_text(address)}/64", "dev", tun, "nodad")


def ip_command(*words: str) -> None:
    """`ip` in our namespace. UsageError where it refuses."""
    done = subprocess.run(
        ("ip", *words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    if done.returncode != 0:
        raise UsageError(f"`ip {' '.join(words)}` failed: {' '.join(done.stderr.split()):.200}")


def _told(engine: VirtualTap) -> dict[str, Any]:
    told = asdict(engine.stats)
    return {**told, "dropped": {why.value: n for why, n in engine.stats.dropped.items()}}


@contextmanager
def stopped() -> Iterator[int]:
    """A descriptor that can be read once a signal asks us to stop."""
    until, end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.set_wakeup_fd(end, warn_on_full_buffer=False)
    handlers = {
        number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield until
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        os.close(until)
        os.close(end)


class _Keeper:
    """A child that keeps root's rights for one thing: the address of a lease on the TUN."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def change(self, before: tuple[Ip, int] | None, after: tuple[Ip, int] | None) -> None:
        """One address and its prefix length are over, others begin."""
        for sign, address in ((b"-", before), (b"+", after)):
            if address is not None:
                os.write(self._pipe, sign + address[0] + bytes((address[1],)))


@contextmanager
def _keeping(tun: str, *, needed: bool) -> Iterator[_Keeper | None]:
    """The child lives as long as this; it hears a sign, four bytes of address, a prefix length."""
    if not needed or os.geteuid() != 0:
        yield None
        return
    commands, pipe = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(pipe)
        _keep(commands, tun)
    os.close(commands)
    try:
        yield _Keeper(pipe)
    finally:
        os.close(pipe)
        os.waitpid(child, 0)


def _keep(commands: int, tun: str) -> None:
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # it ends with the pipe
        while len(said := os.read(commands, 6)) == 6:
            word = "replace" if said[:1] == b"+" else "del"
            try:
                ip_command("addr", word, f"{ip_text(said[1:5])}/{said[5]}", "dev", tun)
            except UsageError as error:
                logging.getLogger("virtualtap").warning("%s", error)
    finally:
        os._exit(0)
