"""SecureNAT without a network: a client beside it, time in each call."""

from typing import Any

from sim.nodes.segment import Segment
from sim.nodes.softether.nat_table import Site
from sim.nodes.softether.secure_nat import SecureNat
from sim.nodes.softether.vh_option import VhOption
from sim.rng import stream
from tests import builders as b
from virtualtap.units import SECOND
from virtualtap.wire import dhcp, icmp, ipv4
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, ip, mac
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import ARP, IPV4
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

HOST, NAT_MAC = ip("192.168.30.1"), mac("5e:00:00:00:00:01")
ME, MY_MAC = ip("192.168.30.10"), b.OUR_MAC
OTHER, OTHER_MAC = ip("192.168.30.20"), b.PEER_MAC
FAR, SITE = ip("198.51.100.9"), Site()
ALL = ip("192.168.30.255")


class Trial:
    """A SecureNAT whose first beacon is over at time 0."""

    def __init__(self, *, option: dict[str, Any] | None = None, **settings: Any) -> None:
        chosen = VhOption(**{"MacAddress": NAT_MAC, **(option or {})})
        self.nat = SecureNat(chosen, stream(7, "nat"), **settings)
        self.said(0)

    def say(self, frame: bytes, now: int = 0) -> list[bytes]:
        """A client's frame: what SecureNAT says then."""
        self.nat.receive(frame, now)
        return self.said(now)

    def said(self, now: int) -> list[bytes]:
        """One turn: its frames, but for beacons."""
        self.nat.poll(now)
        return [frame for frame in self.nat.take_frames() if not is_beacon(frame)]

    def asked(self, packet: bytes, now: int = 0, source: bytes = MY_MAC) -> list[bytes]:
        """A client's packet to SecureNAT's MAC: the packets that it gets back."""
        return [answer[14:] for answer in self.say(framed(packet, source=source), now)]

    def left(self, packet: bytes, now: int = 0) -> list[Ipv4]:
        """A client's packet: what goes outside."""
        self.say(framed(packet), now)
        return [Ipv4.parse(one) for one in self.nat.take_outside()]

    def came(self, packet: bytes, now: int = 0) -> list[Ipv4]:
        """A packet from outside: what the clients get."""
        self.nat.from_outside(packet, now)
        return [Ipv4.parse(one[14:]) for one in self.said(now) if one[12:14] == IPV4]

    def quiet_until(self, until: int, step: int = SECOND // 8) -> list[tuple[float, bytes]]:
        """What it says by itself, with the second."""
        found: list[tuple[float, bytes]] = []
        for now in range(step, until + 1, step):
            found += [(now / SECOND, frame) for frame in self.said(now)]
        return found


def framed(packet: bytes, to: bytes = NAT_MAC, source: bytes = MY_MAC) -> bytes:
    return to + source + IPV4 + packet


def udp(
    to: bytes, port: int, payload: bytes = b"hello", source: bytes = ME, own: int = 5000
) -> bytes:
    return Ipv4(source, to, ipv4.UDP, Udp(own, port, payload).between(source, to)).to_bytes()


def tcp(segment: Segment, to: bytes = FAR, source: bytes = ME) -> bytes:
    return Ipv4(source, to, ipv4.TCP, segment.between(source, to)).to_bytes()


def ping(to: bytes, rest: int = 7 << 16 | 1, source: bytes = ME, **fields: Any) -> bytes:
    body = Icmp(icmp.ECHO_REQUEST, 0, rest, b"are you there").summed()
    return Ipv4(source, to, ipv4.ICMP, body, **fields).to_bytes()


def arp_of(who: bytes, at: bytes, asks: bytes = HOST) -> bytes:
    return b.arp_request(at, who, asks)


def is_beacon(frame: bytes) -> bool:
    """The datagram to all, and the ARP reply to all."""
    return frame[:6] == BROADCAST and ALL in (frame[30:34], frame[38:42])


def is_arp(frame: bytes) -> bool:
    return frame[12:14] == ARP


def message(kind: int, client: bytes = MY_MAC, **fields: Any) -> Dhcp:
    options = ((dhcp.KIND, bytes((kind,))), *fields.pop("options", ()))
    return Dhcp(dhcp.TO_SERVER, 0x1234, client, options, **fields)


def dhcp_frame(
    made: Dhcp | bytes,
    client: bytes = MY_MAC,
    source: bytes = ANY4,
    to: bytes = LIMITED_BROADCAST,
    mac_to: bytes = BROADCAST,
) -> bytes:
    payload = made if isinstance(made, bytes) else made.to_bytes()
    body = Udp(68, 67, payload).between(source, to)
    return mac_to + client + IPV4 + Ipv4(source, to, ipv4.UDP, body).to_bytes()


def dhcp_reply(frames: list[bytes]) -> Dhcp:
    """The one DHCP message among them."""
    (one,) = [frame for frame in frames if not is_arp(frame)]
    return Dhcp.parse(Udp.parse(Ipv4.parse(one[14:]).payload).payload)
