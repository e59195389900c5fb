"""One-line frames and packets that the cases speak in."""

from sim.conformance.script import OUR_MAC, PEER, PEER6, PEER_MAC, US, US6
from virtualtap.wire import arp, ndp
from virtualtap.wire.address import (
    ANY4,
    BROADCAST,
    NO_MAC,
    Ip,
    Mac,
    multicast_mac6,
    solicited_node,
)
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, IPV4, IPV6, MIN_LEN
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import ICMPV6, Ipv6
from virtualtap.wire.ndp import NeighborMessage

EXPERIMENT = 253  # RFC 3692 2.1: a protocol number for experiments


def arp_request(
    asks: Ip = US,
    *,
    by: Ip = PEER,
    at: Mac = PEER_MAC,
    target_mac: Mac = NO_MAC,
    to: Mac = BROADCAST,
    link_source: Mac | None = None,
) -> bytes:
    """`by` at `at` asks who has `asks`."""
    return to + (link_source or at) + ARP + Arp(arp.REQUEST, at, by, target_mac, asks).to_bytes()


def arp_reply(
    of: Ip = PEER,
    *,
    at: Mac = PEER_MAC,
    to: Mac = OUR_MAC,
    to_ip: Ip = US,
    link: Mac | None = None,
    link_source: Mac | None = None,
) -> bytes:
    """`of` is at `at`, told to `to_ip` at `to`."""
    return (link or to) + (link_source or at) + ARP + Arp(arp.REPLY, at, of, to, to_ip).to_bytes()


def arp_probe(asks: Ip = US, *, at: Mac = PEER_MAC) -> bytes:
    """RFC 5227 1.1: a request without a sender's address."""
    return arp_request(asks, by=ANY4, at=at)


def our_request(asks: Ip) -> bytes:
    """What the tap sends to ask for an address: 42 bytes, broadcast."""
    return arp_request(asks, by=US, at=OUR_MAC)


def our_reply(to: Mac = PEER_MAC, to_ip: Ip = PEER) -> bytes:
    """What the tap answers: 42 bytes, to who asked."""
    return arp_reply(US, at=OUR_MAC, to=to, to_ip=to_ip)


def packet(to: Ip = PEER, *, source: Ip = US, payload: bytes = b"hello", **fields: int) -> bytes:
    """An IPv4 packet whose payload is not looked at."""
    return Ipv4(source, to, EXPERIMENT, payload, **fields).to_bytes()  # type: ignore[arg-type]  # header fields are numbers


def packet6(to: Ip = PEER6, *, source: Ip = US6, payload: bytes = b"hello") -> bytes:
    """An IPv6 packet whose payload is not looked at."""
    return Ipv6(source, to, EXPERIMENT, payload).to_bytes()


def frame(inside: bytes, *, to: Mac = OUR_MAC, source: Mac = PEER_MAC) -> bytes:
    """A frame around an IP packet."""
    return to + source + (IPV6 if inside[0] >> 4 == 6 else IPV4) + inside


def wrapped(inside: bytes, to: Mac = PEER_MAC) -> bytes:
    """What the tap makes of a host's packet."""
    return frame(inside, to=to, source=OUR_MAC)


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """The same bytes, but `new` at offset `at`."""
    return data[:at] + new + data[at + len(new) :]


def padded(data: bytes) -> bytes:
    """With zeros to 60 bytes, as a wire does."""
    return data.ljust(MIN_LEN, b"\0")


def solicitation(
    asks: Ip = US6, *, by: Ip = PEER6, at: Mac = PEER_MAC, options: ndp.Options | None = None
) -> bytes:
    """`by` at `at` asks for `asks` in its solicited-node group."""
    given = ((ndp.SOURCE_MAC, at),) if options is None else options
    group = solicited_node(asks)
    message = NeighborMessage(ndp.SOLICITATION, 0, asks, given)
    return icmp6(message, by, group, multicast_mac6(group), at)


def advertisement(
    of: Ip = PEER6,
    *,
    at: Mac = PEER_MAC,
    to: Mac = OUR_MAC,
    to_ip: Ip = US6,
    flags: int = ndp.SOLICITED | ndp.OVERRIDE,
) -> bytes:
    """`of` is at `at`."""
    message = NeighborMessage(ndp.ADVERTISEMENT, flags, of, ((ndp.TARGET_MAC, at),))
    return icmp6(message, of, to_ip, to, at)


def icmp6(
    message: NeighborMessage, source: Ip, to: Ip, mac: Mac, link_source: Mac, hop_limit: int = 255
) -> bytes:
    """A neighbour message in its packet and frame, with the right checksum."""
    body = message.between(source, to)
    inside = Ipv6(source, to, ICMPV6, body, hop_limit=hop_limit).to_bytes()
    return mac + link_source + IPV6 + inside
