"""The Linux kernel as a Translator: it forwards between a TUN, the host's side, and a TAP.

In real time. It is a router and told to be none: a packet's time to live is raised before, the
host's addresses are its own (they answer ARP and NDP) and yet lead to the TUN (RFC 1027's way).
"""

import atexit
import os
import select
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields
from functools import partial
from pathlib import Path

from sim.conformance.registry import Case
from sim.conformance.script import CONFIG, Make
from sim.conformance.verdicts import Outcome, Unsupported, Verdict, judge
from sim.live import kernel
from sim.live.fidelity import Missing
from sim.live.namespace import Namespace, sweep
from virtualtap.config import TapConfig
from virtualtap.errors import UsageError
from virtualtap.units import MS, SECOND, Duration, Instant
from virtualtap.wire import checksum, ipv6, ndp
from virtualtap.wire.address import (
    ANY4,
    Ip,
    directed_broadcast,
    ip_text,
    is_link_local6,
    is_multicast6,
    mac_text,
    network_mask,
)
from virtualtap.wire.ethernet import HEADER_LEN, IPV4, IPV6, TAG_LEN, VLAN

WORKERS, AGAIN = 10, 2
WAIT_MAX: Duration = 5 * SECOND  # what must wait for longer is not asked
_TRIES = 2000  # some seconds: a child may wait for a processor
_OF_GROUPS = b"\x33\x33\0"  # to a group, behind hop-by-hop options: what it says of its own (MLD)
_QUESTION = bytes((ndp.SOLICITATION,))
_MTU_MIN6 = 1280  # RFC 8200 5: below, there is no IPv6
PAUSE: Duration = 2 * MS  # it answers inside the write; what comes later than this is no answer
JIFFIES: Duration = 20 * MS  # in one jiffy nobody moves twice, whatever `locktime` says
EARLY: Duration = 30 * MS  # an instant just before another (`SECOND - 1`) is looked at so early
LATE: Duration = 100 * MS  # and any other so late, and an eighth, as its timers are
CANNOT = frozenset(  # it has no such thing, or none that would be the host's
    each.name for each in fields(TapConfig)
) - {
    *("our_mac", "our_ip", "prefix_length", "gateway_ip", "gateway_mac", "our_ip6", "gateway_ip6"),
    *("mtu", "routes", "dad", "profile", "random_seed"),
}
_DEFAULTS = {
    "net/ipv4/ip_forward": 1,
    "net/ipv6/conf/all/forwarding": 1,
    "net/ipv6/conf/all/proxy_ndp": 1,  # a solicitation sent to the host's address is for us
    "net/ipv6/conf/default/forwarding": 0,  # it answers as a host
    "net/ipv6/conf/default/router_solicitations": 0,
    "net/ipv6/conf/default/autoconf": 0,  # routers are heard, no addresses are formed
    "net/ipv4/conf/all/rp_filter": 0,
    "net/ipv4/conf/default/rp_filter": 0,
    "net/ipv4/conf/default/proxy_arp": 1,
    "net/ipv4/conf/all/send_redirects": 0,
    "net/ipv4/conf/default/send_redirects": 0,
}
_RULES = (
    "rule add pref 10 iif tap0 lookup 100",  # the host's addresses
    "rule add pref 100 lookup local",
    "rule del pref 0",
    "rule add pref 110 iif tap0 blackhole",  # nothing comes from the LAN only to go back there
)

_threads = threading.local()
_stages: list["_Stage"] = []


def unavailable() -> str | None:
    """Why there is no kernel to judge here; None where there is."""
    try:
        sweep()
        _stage().renew()
    except (Missing, UsageError, kernel.Refused) as why:
        return str(why)
    return None


def kernel_target(hint: str) -> Make:
    """What makes a kernel a translator. UsageError where that cannot be."""
    reason = unavailable()
    if reason is not None:
        raise UsageError(f"there is no `kernel` to judge: {reason}", hint)
    return KernelTranslator


def judge_in_time(asked: Iterable[Case], make: Make, profile: str | None) -> list[Outcome]:
    """Many cases at once, for most of what they do is to wait.

    What fails is tried again: in real time a machine that does more may be the reason.
    """

    def judged(case: Case) -> Outcome:
        outcome = judge(case, make, profile)
        for _ in range(AGAIN):
            if outcome.verdict is not Verdict.FAIL:
                break
            outcome = judge(case, make, profile)
        return outcome

    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(judged, asked))
    finally:
        leave()


class KernelTranslator:
    """A TUN and a TAP in this thread's namespace; those that it had before are gone."""

    takes_at_once = True  # what it sends is on the wire

    def __init__(self, config: TapConfig) -> None:
        for name in sorted(CANNOT):
            if getattr(config, name) != getattr(CONFIG, name):
                raise Unsupported(f"the kernel has no `{name}`")
        if config.our_ip is None:
            raise Unsupported("the kernel forwards for an address only")
        own_name = not any(map(is_link_local6, config.our_ip6))  # else the case gives it one
        self._own = config.our_ip6[0] if config.our_ip6 and own_name else None
        self._mtu = config.mtu
        self._everyone = everyone(config.our_ip, config.prefix_length)
        stage = _stage()
        self._tun, self._tap = stage.renew()
        self._frames: list[bytes] = []
        self._packets: list[bytes] = []
        self._origin: Instant | None = None  # of the case's time, and of ours
        self._now: Instant = 0
        stage.write(_settings(config))
        kernel.batch(stage.namespace, *_commands(config))
        self._begun = self._touched = time.monotonic_ns()

    def ip_to_ethernet(self, packet: bytes, now: Instant | None = None) -> bytes | None:
        check_passable(packet, self._everyone)
        may_be_cut = packet[:1] < b"\x50" and not packet[6:7] >= b"\x40"
        if len(packet) > self._mtu and not may_be_cut:
            raise Unsupported("a router complains in its own name")
        self._put(self._tun, raised(packet, 0), now)
        return None

    def ethernet_to_ip(self, frame: bytes, now: Instant | None = None) -> bytes | None:
        start = HEADER_LEN + (TAG_LEN if frame[12:14] == VLAN else 0)
        is_ip = frame[start - 2 : start] in (IPV4, IPV6)
        if is_ip:
            check_passable(frame[start:], self._everyone)
            frame = raised(frame, start)
        self._put(self._tap, frame, now)
        return None

    def poll(self, now: Instant) -> None:
        self._advance(now)

    def next_deadline(self) -> Instant | None:
        return 0 if self._origin is None else None  # at once: its time begins with the case's

    def take_frames(self) -> list[bytes]:
        taken, self._frames = self._frames, []
        return taken

    def take_packets(self) -> list[bytes]:
        taken, self._packets = self._packets, []
        return taken

    def _put(self, fd: int, data: bytes, now: Instant | None) -> None:
        self._advance(now)
        if fd == self._tap:
            self._listen(self._touched + JIFFIES)
        with suppress(OSError):  # EINVAL: no frame below 14 bytes, no packet without a version
            os.write(fd, data)
        self._touched = time.monotonic_ns()
        self._listen(self._touched + PAUSE)

    def _advance(self, now: Instant | None) -> None:
        """Wait until it is so late; an instant is looked at with the kernel's patience."""
        if self._origin is None:
            self._origin = self._now = now or 0
        if now is None or now == self._now:
            return
        since = now - self._origin
        if since > WAIT_MAX:
            raise Unsupported(f"it must wait {since / SECOND:g} s")
        self._now = now
        just_before = now % MS == MS - 1
        until = self._begun + since - (EARLY if just_before else 0)
        self._listen(until + (0 if just_before else LATE))
        if not (just_before or self._frames or self._packets):
            self._listen(until + LATE + since // 8, enough=True)

    def _listen(self, until: int, *, enough: bool = False) -> None:
        """Take what comes until then; `enough`: or until something came."""
        while (left := until - time.monotonic_ns()) > 0:
            if self._gather(left / SECOND) and enough:
                self._gather(PAUSE / SECOND)
                return

    def _gather(self, seconds: float) -> bool:
        """Take what has come, or the next that comes in this time."""
        ready = select.select((self._tun, self._tap), (), (), seconds)[0]
        while ready:
            for fd in ready:
                with suppress(BlockingIOError):
                    data = os.read(fd, kernel.LENGTH_MAX)
                    if fd == self._tun:
                        self._packets.append(data)
                    elif data[12:14] != IPV6 or data[:2] + data[20:21] != _OF_GROUPS:
                        self._frames.append(renamed(data, self._own))
            ready = select.select((self._tun, self._tap), (), (), 0)[0]
        return bool(self._frames or self._packets)


def check_passable(packet: bytes, everyone: tuple[Ip | None, ...]) -> None:
    """Unsupported for what no router passes on; what it is told itself it may be told."""
    version, length = packet[0] >> 4 if packet else 0, len(packet)
    why = None
    if version == 4 and length >= 20:
        why = _impassable4(packet, everyone)
    elif version == 6 and length >= 40 and not ndp.is_inside(packet):
        why = _impassable6(packet)
    if why is not None:
        raise Unsupported(f"a router {why}")


def _impassable4(packet: bytes, everyone: tuple[Ip | None, ...]) -> str | None:
    if packet[16] >= 224 or packet[16:20] in everyone:
        return "passes no groups and broadcasts on"
    if packet[8] == 0:
        return "passes nothing on that has no time to live"
    return "joins no fragments" if packet[6] & 0x3F or packet[7] else None


def _impassable6(packet: bytes) -> str | None:
    if is_multicast6(packet[24:40]):
        return "passes no groups and broadcasts on"
    if packet[7] == 0:
        return "passes nothing on that has no time to live"
    if is_link_local6(packet[8:24]) or is_link_local6(packet[24:40]):
        return "passes nothing link-local on"
    return "joins no fragments" if ipv6.FRAGMENT in packet[6:7] + packet[40:41] else None


def everyone(ours: Ip, prefix_length: int) -> tuple[Ip | None, ...]:
    """Broadcast in the form of our network, and both old forms. RFC 1122 3.2.1.3, 3.3.6."""
    network = int.from_bytes(ours) & network_mask(prefix_length)
    return (directed_broadcast(ours, prefix_length), network.to_bytes(4), ANY4)


def raised(data: bytes, at: int) -> bytes:
    """The same, but the IP packet at `at` may take one step more. RFC 1624 for its checksum.

    Not where it has 254 or 255 of them: no router forwards what neighbours say to one another.
    """
    version = data[at] >> 4 if len(data) > at else 0
    where = {4: at + 8, 6: at + 7}.get(version)
    if where is None or len(data) < at + 20 or data[where] >= 254:
        return data
    more = data[:where] + bytes((data[where] + 1,)) + data[where + 1 :]
    if version == 6:
        return more
    sum_now = checksum.update(int.from_bytes(data[at + 10 : at + 12]), 0, 0x0100)
    return more[: at + 10] + sum_now.to_bytes(2) + more[at + 12 :]


def renamed(frame: bytes, ours: Ip | None) -> bytes:
    """A question in the name of its link-local address, which no case gives it, in that of `ours`.

    A kernel without one doubts nobody. RFC 4861 7.2.2 lets it choose.
    """
    is_question = frame[12:14] == IPV6 and frame[54:55] == _QUESTION
    if ours is None or not is_question or not is_link_local6(frame[22:38]):
        return frame
    packet = ipv6.Ipv6.parse(frame[HEADER_LEN:])
    message = ndp.NeighborMessage.parse(packet.payload)
    return frame[:HEADER_LEN] + ndp.packet(message, ours, packet.destination)


class _Stage:
    """One thread's namespace, and the TUN and TAP of the case that plays in it."""

    def __init__(self) -> None:
        self.namespace = Namespace("kernel", ipv6=True)
        self.devices: list[int] = []
        self.write(_DEFAULTS)
        for family in ("-4", "-6"):
            for rule in _RULES:
                self.namespace.ip(family, *rule.split())

    def write(self, settings: Mapping[str, int]) -> None:
        """Kernel variables, by their paths below /proc/sys."""
        with self.namespace.entered():
            for path, value in settings.items():
                Path("/proc/sys", path).write_text(str(value), encoding="ascii")

    def renew(self) -> list[int]:
        """A fresh TUN and TAP: their descriptors."""
        self.clear()
        kinds: tuple[kernel.Kind, ...] = ("tun", "tap")
        for kind in kinds:
            self.devices.append(_had(partial(kernel.open_in, self.namespace, kind, f"{kind}0")))
        return self.devices

    def clear(self) -> None:
        """Both devices go."""
        while self.devices:
            os.close(self.devices.pop())

    def close(self) -> None:
        """The namespace goes."""
        self.clear()
        self.namespace.close()


def _stage() -> _Stage:
    """This thread's. Missing."""
    made: _Stage | None = getattr(_threads, "stage", None)
    if made is None or made not in _stages:
        made = _threads.stage = _Stage()
        _stages.append(made)
    return made


@atexit.register
def leave() -> None:
    """Nothing is left of any stage."""
    while _stages:
        _stages.pop().close()


def _had(make: Callable[[], int]) -> int:
    """A child that another thread starts holds a closed descriptor until it is another program."""
    for _ in range(_TRIES):
        with suppress(UsageError):
            return make()
        time.sleep(PAUSE / SECOND)
    return make()


def _settings(config: TapConfig) -> dict[str, int]:
    return {
        "net/ipv4/conf/tun0/accept_local": 1,  # the host sends from what is ours, too
        "net/ipv4/neigh/tap0/proxy_delay": 0,
        "net/ipv4/neigh/tap0/locktime": 0,
        "net/ipv6/conf/tun0/addr_gen_mode": 1,
        "net/ipv6/conf/tap0/accept_dad": int(config.dad),
        # it doubts nobody without a link-local address, and would probe for that one, too
        "net/ipv6/conf/tap0/addr_gen_mode": int(config.dad),
    }


def _commands(config: TapConfig) -> list[str]:
    assert config.our_ip is not None
    ours = ip_text(config.our_ip)
    mac = mac_text(config.our_mac)
    commands = [
        "link set tun0 mtu 65535 up",
        f"link set tap0 address {mac} mtu {config.mtu} up",
        f"addr add {ours}/{config.prefix_length} brd + dev tap0",
        f"route add {ours}/32 dev tun0 table 100",
    ]
    if config.gateway_ip is not None:
        gateway = ip_text(config.gateway_ip)
        commands.append(f"route add default via {gateway} dev tap0 onlink")
        if config.gateway_mac is not None:
            at = f"lladdr {mac_text(config.gateway_mac)} nud reachable"
            commands.append(f"neigh replace {gateway} {at} dev tap0")
    for network, length, router in config.routes:
        via = f"via {ip_text(router)} onlink " if any(router) else ""
        commands.append(f"route replace {ip_text(network)}/{length} {via}dev tap0")
    if config.mtu < _MTU_MIN6:
        return commands
    for address in config.our_ip6:
        own = ip_text(address)
        commands.append(f"addr replace {own}/64 dev tap0" + ("" if config.dad else " nodad"))
        commands.append(f"route add {own}/128 dev tun0 table 100")
        commands.append(f"neigh add proxy {own} dev tap0")
    if config.gateway_ip6 is not None:
        commands.append(f"route add default via {ip_text(config.gateway_ip6)} dev tap0 onlink")
    return commands
