"""Two IP stacks with one face, to be asked the same: a real kernel, and the engine told to be one.

RFC 826, 4861 7.3. What either says and knows is told in the same words.
"""

import os
import socket
from collections.abc import Iterable
from dataclasses import replace
from time import sleep
from typing import Protocol
from zlib import crc32

from sim.live import kernel
from sim.live.namespace import Namespace
from sim.live.stimuli_arp import OFF_LINK, OLD_MAC, OUR_MAC, OURS, PEER, PEER_MAC, QUIET_MAC, reply
from sim.live.stimuli_ndp import OUR_LINK_LOCAL, OURS6, PEER6, na
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire.address import BROADCAST, NO_MAC, Ip, Mac, ip, ip_text, mac, mac_text
from virtualtap.wire.ethernet import ARP, IPV6
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import OVERRIDE, SOLICITED

DEVICE = "k0"
PAUSE_S = 0.02  # a kernel answers inside the write; what comes later than this is not an answer
FAR6 = ip("2001:db8:99::9")
TEST = 253  # RFC 3692: a protocol number for experiments
CONFIG = TapConfig(our_mac=OUR_MAC, our_ip=OURS, our_ip6=(OURS6, OUR_LINK_LOCAL), profile="linux")
_MACS = {
    PEER_MAC: "the peer",
    OLD_MAC: "the old MAC",
    OUR_MAC: "our MAC",
    QUIET_MAC: "another host",
    BROADCAST: "all",
    NO_MAC: "zero",
}
_OF_GROUPS = b"\x33\x33\0"  # to a group, behind hop-by-hop options: what it says of its own (MLD)
_NDP_KINDS = {133: "RS", 135: "NS", 136: "NA"}
_LIVE = ("REACHABLE", "STALE", "DELAY", "PROBE", "INCOMPLETE", "PERMANENT")
SURE_FOR = 46 * SECOND  # RFC 4861 6.3.2: REACHABLE ends before


class Stack(Protocol):
    """What a comparison asks of both."""

    def begin(self, *known: Ip, state: str = "", routed: bool = False) -> None:
        """Know nobody but these, at OLD_MAC in this state; `routed`: listen to routers."""

    def hear(self, frame: bytes) -> list[bytes]:
        """A frame comes: what is sent at once."""

    def send(self, packet: bytes) -> list[bytes]:
        """The host has a packet to send: what is sent at once."""

    def table(self) -> str:
        """Who is known, where, in which state."""

    def routes(self) -> str:
        """What routers told: the default router, addresses formed."""


class KernelStack:
    """A kernel on a TAP, as Debian starts it but with `locktime` 0, and known from its outside."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        for name, value in (("dad_transmits", 0), ("router_solicitations", 0)):
            namespace.set(f"net/ipv6/conf/default/{name}", str(value))
        self._fd = kernel.open_in(namespace, "tap", DEVICE)
        namespace.set(f"net/ipv4/neigh/{DEVICE}/locktime", "0")
        kernel.batch(
            namespace,
            f"link set {DEVICE} address {mac_text(OUR_MAC)} up",
            f"addr add {ip_text(OURS)}/24 dev {DEVICE}",
            f"addr add {ip_text(OURS6)}/64 dev {DEVICE} nodad",
        )
        kernel.settled(namespace, DEVICE)
        kernel.waiting(self._fd, 0.1)

    def close(self) -> None:
        """The device goes."""
        os.close(self._fd)

    def lock(self, hundredths: int) -> None:
        """For so long a MAC that was learned is not replaced by another reply."""
        self._namespace.set(f"net/ipv4/neigh/{DEVICE}/locktime", str(hundredths))

    def begin(self, *known: Ip, state: str = "", routed: bool = False) -> None:
        if routed:
            for what in (("route", "flush", "proto", "ra"), ("addr", "flush", "dynamic")):
                self._namespace.ip("-6", *what, "dev", DEVICE)
        at = f"lladdr {mac_text(OLD_MAC)} nud {state.lower()} dev {DEVICE}"
        entries = (f"neigh replace {ip_text(one)} {at}" for one in known)
        kernel.batch(self._namespace, f"neigh flush dev {DEVICE} nud all", *entries)
        kernel.waiting(
            self._fd, PAUSE_S
        )  # in its own jiffy an entry is locked, whatever `locktime`

    def hear(self, frame: bytes) -> list[bytes]:
        os.write(self._fd, frame)
        return self._said()

    def send(self, packet: bytes) -> list[bytes]:
        family, at = (socket.AF_INET, 16) if packet[0] >> 4 == 4 else (socket.AF_INET6, 24)
        to = ip_text(packet[at : at + (4 if at == 16 else 16)])
        with (
            self._namespace.entered(),
            socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw,
        ):
            raw.sendto(packet, (to, 0))
        return self._said()

    def table(self) -> str:
        found = []
        for line in kernel.batch(self._namespace, f"neigh show dev {DEVICE}").splitlines():
            words = line.split()
            state = next((word for word in words if word in _LIVE), None)
            if state is not None:
                at = mac(words[words.index("lladdr") + 1]) if "lladdr" in words else None
                found.append((ip(words[0]), at, state))
        return told_table(found)

    def routes(self) -> str:
        shown = self._namespace.ip("-6", "route", "show", "default")
        router = ip(shown.split()[2]) if shown.startswith("default via") else None
        addresses = self._namespace.ip("-6", "-o", "addr", "show", "dev", DEVICE, "dynamic")
        formed = [ip(line.split()[3].partition("/")[0]) for line in addresses.splitlines()]
        return told_routes(router is not None, formed)

    def listen(self, seconds: float) -> list[bytes]:
        """What is sent in this time, at most one frame of it."""
        return kernel.heard(self._fd, seconds, enough=1)

    def pause(self) -> None:
        """So long that two messages are two: nothing is sent meanwhile."""
        sleep(2 * PAUSE_S)

    def _said(self) -> list[bytes]:
        frames = kernel.waiting(self._fd, PAUSE_S)
        return [one for one in frames if one[12:14] != IPV6 or one[:2] + one[20:21] != _OF_GROUPS]


class EngineStack:
    """The engine with the profile `linux`; it is asked by its verbs alone."""

    def __init__(self) -> None:
        self._tap, self._now = VirtualTap(CONFIG), 0

    def begin(self, *known: Ip, state: str = "", routed: bool = False) -> None:
        config = CONFIG
        if routed:  # the address that it forms of its own is the link-local one
            config = replace(CONFIG, slaac=True, our_ip6=(OURS6,))
        self._tap, self._now = VirtualTap(config), 0
        self.wait(10 * SECOND)
        for one in known:
            self._tap.ip_to_ethernet(probe_packet(one), self._now)
            self._tap.ethernet_to_ip(_answer(one), self._now)
        self.wait(SURE_FOR if state == "STALE" else 0)

    def hear(self, frame: bytes) -> list[bytes]:
        self._tap.ethernet_to_ip(frame, self._now)
        return self._tap.take_frames()

    def send(self, packet: bytes) -> list[bytes]:
        frame = self._tap.ip_to_ethernet(packet, self._now)
        return ([] if frame is None else [frame]) + self._tap.take_frames()

    def table(self) -> str:
        """The verbs tell the MAC; the state is what is done in the next ten seconds, or not."""
        known = self._tap.neighbors()
        asked = self.wait(5 * SECOND)
        found: list[tuple[Ip, Mac | None, str]]
        found = [(one, known[one], "DELAY") for one in known if asks(asked, one, known[one])]
        found += [
            (one, None, "INCOMPLETE")
            for one in (PEER, PEER6)
            if one not in known and asks(asked, one, None)
        ]
        delayed = {one for one, _, _ in found}
        for one, at in known.items():
            if one not in delayed:
                self._tap.ip_to_ethernet(probe_packet(one), self._now)
                doubted = asks(self.wait(5 * SECOND), one, at)
                found.append((one, at, "STALE" if doubted else "REACHABLE"))
        return told_table(found)

    def routes(self) -> str:
        sent = self.send(probe_packet(FAR6))
        self.wait(5 * SECOND)
        formed = [one for one in self._tap.our_ip6 if one not in (OURS6, OUR_LINK_LOCAL)]
        return told_routes(bool(sent), formed)

    def wait(self, duration: int) -> list[bytes]:
        """What is sent while time passes."""
        return [frame for _, frame in self.timed(duration)]

    def timed(self, duration: int) -> list[tuple[int, bytes]]:
        """The same, each with how much of it had passed."""
        begun, sent = self._now, []
        until = begun + duration
        while (deadline := self._tap.next_deadline()) is not None and deadline <= until:
            self._now = max(deadline, self._now)
            self._tap.poll(self._now)
            sent += [(self._now - begun, frame) for frame in self._tap.take_frames()]
        self._now = until
        self._tap.poll(until)
        self._tap.take_packets()
        return sent + [(duration, frame) for frame in self._tap.take_frames()]


def probe_packet(to: Ip) -> bytes:
    """A packet whose payload is not looked at, from our address."""
    if len(to) == 4:
        return Ipv4(OURS, to, TEST, b"are you there", identification=7).to_bytes()
    return Ipv6(OURS6, to, TEST, b"are you there").to_bytes()


def told(frames: Iterable[bytes]) -> str:
    """Frames in words, and their bytes as a CRC-32: two are the same if these are."""
    words = (
        f"{_kind(one)} {len(one)} B to {mac_name(one[:6])} #{crc32(one):08x}" for one in frames
    )
    return ", ".join(words) or "nothing"


def told_table(entries: Iterable[tuple[Ip, Mac | None, str]]) -> str:
    """Entries in words; the peer's without its address, and OFF_LINK's without its state.

    No packet goes there, so that a state would never show.
    """
    words = []
    for one, at, state in sorted(entries):
        whose = "" if one in (PEER, PEER6) else ip_text(one)
        shown = (whose, mac_name(at) if at else "", "" if one == OFF_LINK else state)
        words.append(" ".join(filter(None, shown)))
    return ", ".join(words) or "-"


def told_routes(has_router: bool, formed: Iterable[Ip]) -> str:
    """What routers told, in words."""
    router = "a default router" if has_router else "no router"
    return ", ".join((router, *map(ip_text, sorted(formed))))


def mac_name(address: Mac) -> str:
    """Whose it is, or the address."""
    return _MACS.get(address, mac_text(address))


def _kind(frame: bytes) -> str:
    if frame[12:14] == ARP:
        return "request" if frame[21] == 1 else "reply"
    if frame[12:14] == IPV6 and frame[20] == 58:
        return _NDP_KINDS.get(frame[54], "packet")
    return "packet"


def asks(frames: Iterable[bytes], whom: Ip, at: Mac | None) -> bool:
    """Whether one of them asks for `whom`, at this MAC or everyone."""
    return any(
        (at is None or frame[:6] == at)
        and (
            (frame[12:14] == ARP and frame[38:42] == whom)
            or (frame[12:14] == IPV6 and frame[54:55] == b"\x87" and frame[62:78] == whom)
        )
        for frame in frames
    )


def _answer(whom: Ip) -> bytes:
    """It is at OLD_MAC, and tells us alone."""
    if len(whom) == 4:
        return reply(OLD_MAC, sender=whom)
    return na(SOLICITED | OVERRIDE, OLD_MAC, target=whom)
