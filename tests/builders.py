"""One-line frames and packets, as bytes: a small LAN with us, a peer, a gateway and a stranger."""

from collections.abc import Iterator
from pathlib import Path

from sim.capture_reader import read_capture
from virtualtap import DropReason, TapConfig, UsageError, VirtualTap, ip, mac
from virtualtap.wire import arp, ndp
from virtualtap.wire.address import (
    ALL_NODES6,
    ANY4,
    ANY6,
    BROADCAST,
    NO_MAC,
    multicast_mac6,
    solicited_node,
)
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, IPV4, IPV6, MIN_LEN
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import ICMPV6, UDP, Ipv6
from virtualtap.wire.ndp import NeighborMessage

OUR_MAC, PEER_MAC = mac("02:00:5e:00:00:01"), mac("02:00:5e:00:00:02")
GATEWAY_MAC, STRANGER_MAC = mac("02:00:5e:00:00:fe"), mac("02:00:5e:00:00:99")
OUR_IP, PEER, GATEWAY, NOBODY = ip("10.0.0.1"), ip("10.0.0.2"), ip("10.0.0.254"), ip("10.0.0.77")
HUB_POLL = ip("172.31.57.70")  # a SoftEther hub asks from such addresses
FAR = ip("192.0.2.9")
OUR_IP6, PEER6, GATEWAY6 = ip("fd00::1"), ip("fd00::2"), ip("fe80::fe")
NOBODY6, FAR6 = ip("fd00::77"), ip("2001:db8::9")
SHARED = Path(__file__).parents[1] / ".." / "shared"  # data that is not part of the project


def config(**changes: object) -> TapConfig:
    """A dual-stack tap on the small LAN, with what the test changes."""
    usual = {
        "our_mac": OUR_MAC,
        "our_ip": OUR_IP,
        "gateway_ip": GATEWAY,
        "our_ip6": (OUR_IP6,),
        "gateway_ip6": GATEWAY6,
    }
    return TapConfig(**{**usual, **changes})


def a_tap(**changes: object) -> VirtualTap:
    return VirtualTap(config(**changes))


def a_tap_that_knows(*ips: bytes, at: bytes = PEER_MAC, **changes: object) -> VirtualTap:
    """A tap whose neighbours all have introduced themselves from one MAC."""
    tap = a_tap(**changes)
    for address in ips:
        if len(address) == 4:
            tap.ethernet_to_ip(arp_request(at, address))
        else:
            tap.ethernet_to_ip(solicitation(at, address))
    tap.take_frames()
    tap.take_events()
    return tap


def packet(to: bytes = PEER, source: bytes = OUR_IP, payload: bytes = b"hello", **fields) -> bytes:
    """An IPv4 packet; its payload is not looked at."""
    return Ipv4(source, to, 253, payload, **fields).to_bytes()  # RFC 3692 2.1: for experiments


def packet6(to: bytes = PEER6, source: bytes = OUR_IP6, payload: bytes = b"hello") -> bytes:
    """An IPv6 packet; its payload is not looked at."""
    return Ipv6(source, to, UDP, payload).to_bytes()


def frame(
    payload: bytes, to: bytes = OUR_MAC, source: bytes = PEER_MAC, ethertype: bytes | None = None
) -> bytes:
    """A frame; the type is read off the IP version where none is given."""
    if ethertype is None:
        ethertype = IPV6 if payload[0] >> 4 == 6 else IPV4
    return to + source + ethertype + payload


def padded(data: bytes) -> bytes:
    """As a wire pads it: with zeros to 60 bytes."""
    return data.ljust(MIN_LEN, b"\0")


def arp_frame(message: Arp, to: bytes = BROADCAST, source: bytes | None = None) -> bytes:
    return to + (source or message.sender_mac) + ARP + message.to_bytes()


def arp_request(
    sender_mac: bytes = PEER_MAC,
    sender_ip: bytes = PEER,
    asks: bytes = OUR_IP,
    to: bytes = BROADCAST,
) -> bytes:
    """`sender_ip` at `sender_mac` asks who has `asks`."""
    return arp_frame(Arp(arp.REQUEST, sender_mac, sender_ip, NO_MAC, asks), to)


def arp_probe(asks: bytes, sender_mac: bytes = PEER_MAC) -> bytes:
    """RFC 5227 1.1: a request without a sender address."""
    return arp_request(sender_mac, ANY4, asks)


def arp_reply(
    sender_mac: bytes = PEER_MAC,
    sender_ip: bytes = PEER,
    target_mac: bytes = OUR_MAC,
    target_ip: bytes = OUR_IP,
) -> bytes:
    """`sender_ip is at sender_mac`, to the target."""
    return arp_frame(Arp(arp.REPLY, sender_mac, sender_ip, target_mac, target_ip), target_mac)


def icmp6_frame(
    message: NeighborMessage,
    source: bytes,
    destination: bytes,
    link: tuple[bytes, bytes],
    hop_limit: int = 255,
) -> bytes:
    """A neighbour message with its right checksum; `link` is (from MAC, to MAC)."""
    body = message.between(source, destination)
    packet = Ipv6(source, destination, ICMPV6, body, hop_limit=hop_limit).to_bytes()
    return link[1] + link[0] + IPV6 + packet


def solicitation(
    sender_mac: bytes = PEER_MAC,
    sender_ip: bytes = PEER6,
    asks: bytes = OUR_IP6,
    to: bytes | None = None,
    options: ndp.Options | None = None,
    **wrong,
) -> bytes:
    """`sender_ip` asks for `asks`, in its solicited-node group or at the address `to`."""
    destination = solicited_node(asks) if to is None else to
    link = (sender_mac, multicast_mac6(destination) if to is None else OUR_MAC)
    if options is None:
        options = () if sender_ip == ANY6 else ((ndp.SOURCE_MAC, sender_mac),)
    message = NeighborMessage(ndp.SOLICITATION, 0, asks, options, wrong.pop("code", 0))
    return icmp6_frame(message, sender_ip, destination, link, **wrong)


def advertisement(
    sender_mac: bytes = PEER_MAC,
    target: bytes = PEER6,
    to: bytes = OUR_IP6,
    flags: int = ndp.SOLICITED | ndp.OVERRIDE,
    options: ndp.Options | None = None,
    **wrong,
) -> bytes:
    """`target is at sender_mac`, to one address or, for `ALL_NODES6`, to everyone."""
    link = (sender_mac, multicast_mac6(to) if to == ALL_NODES6 else OUR_MAC)
    if options is None:
        options = ((ndp.TARGET_MAC, sender_mac),)
    message = NeighborMessage(ndp.ADVERTISEMENT, flags, target, options, wrong.pop("code", 0))
    return icmp6_frame(message, target, to, link, **wrong)


def dropped(tap: VirtualTap, reason: DropReason) -> int:
    return tap.stats.dropped.get(reason, 0)


def frames_of(capture: Path) -> Iterator[bytes]:
    """The frames of a capture, as far as the reader takes it."""
    try:
        for record in read_capture(capture):
            yield record.data
    except UsageError:
        return  # it refuses the rest: nothing more to feed


def vector(name: str) -> bytes:
    """The golden bytes of `tests/vectors/<name>.hex`; lines with `#` tell where they are from."""
    text = (Path(__file__).parent / "vectors" / f"{name}.hex").read_text(encoding="ascii")
    return bytes.fromhex("".join(line for line in text.splitlines() if not line.startswith("#")))
