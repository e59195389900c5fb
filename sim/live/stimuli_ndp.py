"""What a kernel is asked in neighbour discovery, stimulus by stimulus. RFC 4861, 4862, 7527."""

from collections.abc import Iterator

from sim.live.stimuli_arp import GROUP_MAC, OLD_MAC, OUR_MAC, PEER_MAC, QUIET_MAC
from virtualtap.wire.address import (
    ALL_NODES6,
    ANY6,
    BROADCAST,
    NO_MAC,
    Ip,
    Mac,
    ip,
    multicast_mac6,
    solicited_node,
)
from virtualtap.wire.ethernet import IPV6
from virtualtap.wire.ipv6 import ICMPV6, Ipv6
from virtualtap.wire.ndp import (
    ADVERTISEMENT,
    AUTONOMOUS,
    NONCE,
    ON_LINK,
    OVERRIDE,
    PREFIX,
    ROUTER,
    SOLICITATION,
    SOLICITED,
    SOURCE_MAC,
    TARGET_MAC,
    Message,
    NeighborMessage,
    Options,
    Prefix,
    RouterAdvertisement,
    RouterSolicitation,
)

OURS6, PEER6, THIRD6 = ip("fd00:5::1"), ip("fd00:5::2"), ip("fd00:5::3")
OUR_LINK_LOCAL, PEER_LINK_LOCAL = ip("fe80::ff:fe00:1"), ip("fe80::2")  # ours of OUR_MAC
OFF_LINK6, GROUP6 = ip("2001:db8::9"), ip("ff02::1")
ADVERTISED = ip("2001:db8:77::")
_CHECKSUM = 14 + 40 + 2  # where an ICMPv6 checksum stands in a frame
_CODE = _CHECKSUM - 1
_HERE: Options = ((SOURCE_MAC, PEER_MAC),)


def said(
    message: Message,
    source: Ip,
    to: Ip,
    *,
    at: Mac | None = None,
    link_source: Mac = PEER_MAC,
    hops: int = 255,
) -> bytes:
    """A message with its right checksum, in its frame: to its group's MAC unless told otherwise."""
    packet = Ipv6(source, to, ICMPV6, message.between(source, to), hop_limit=hops).to_bytes()
    return (at or multicast_mac6(to)) + link_source + IPV6 + packet


def ns(
    options: Options = _HERE,
    *,
    source: Ip = PEER6,
    target: Ip = OURS6,
    to: Ip | None = None,
    at: Mac | None = None,
    link_source: Mac = PEER_MAC,
    hops: int = 255,
    code: int = 0,
) -> bytes:
    """The peer asks for our address, in its group unless told otherwise."""
    message = NeighborMessage(SOLICITATION, 0, target, options, code)
    group = solicited_node(target)
    return said(message, source, to or group, at=at, link_source=link_source, hops=hops)


def na(
    flags: int,
    says: Mac | None = PEER_MAC,
    *,
    target: Ip = PEER6,
    to: Ip = OURS6,
    hops: int = 255,
    link_source: Mac = PEER_MAC,
) -> bytes:
    """Its owner tells where the peer's address is."""
    message = NeighborMessage(ADVERTISEMENT, flags, target, ((TARGET_MAC, says),) if says else ())
    at = OUR_MAC if to == OURS6 else None
    return said(message, PEER6, to, at=at, link_source=link_source, hops=hops)


def ra(
    lifetime: int = 1800, *, source: Ip = PEER_LINK_LOCAL, hops: int = 255, prefix: bool = False
) -> bytes:
    """A router tells of itself, and of a prefix."""
    options = _HERE
    if prefix:
        offered = Prefix(ADVERTISED, 64, ON_LINK | AUTONOMOUS, 86_400, 14_400)
        options = ((PREFIX, offered.to_bytes()), *_HERE)
    message = RouterAdvertisement(lifetime, options, hop_limit=64)
    return said(message, source, ALL_NODES6, hops=hops)


def spoiled(frame: bytes) -> bytes:
    """The same with a wrong checksum."""
    return frame[:_CHECKSUM] + bytes((frame[_CHECKSUM] ^ 0x55,)) + frame[_CHECKSUM + 1 :]


def _with_options(raw: bytes) -> bytes:
    """A solicitation whose options are these bytes, its checksum right."""
    body = NeighborMessage(SOLICITATION, 0, OURS6).to_bytes() + raw
    return said(_Raw(body), PEER6, solicited_node(OURS6))


class _Raw(Message):
    """Bytes that want a checksum only."""

    options: Options = ()

    def __init__(self, body: bytes) -> None:
        self._body = body

    def to_bytes(self) -> bytes:
        return self._body


def stimuli() -> Iterator[tuple[str, bytes]]:
    """Names and frames; 52 of them."""
    yield from _solicitations()
    yield from _odd_solicitations()
    yield from _advertisements()
    yield "router solicitation", said(RouterSolicitation(_HERE), PEER_LINK_LOCAL, ip("ff02::2"))
    yield "router advertisement with a prefix", ra(prefix=True)
    yield "router advertisement from no link-local", ra(source=PEER6)
    yield "router advertisement, hop limit 254", ra(hops=254)
    yield "router advertisement, wrong checksum", spoiled(ra())
    yield "router advertisement, lifetime 0", ra(0)


def _solicitations() -> Iterator[tuple[str, bytes]]:
    group = solicited_node(OURS6)
    yield "solicitation in our group", ns()
    yield "solicitation in our group without a MAC", ns(())
    yield "solicitation at our address", ns(to=OURS6, at=OUR_MAC)
    yield "solicitation at our address without a MAC", ns((), to=OURS6, at=OUR_MAC)
    yield "solicitation to all nodes", ns(to=ALL_NODES6)
    yield "solicitation in our group at our MAC", ns(at=OUR_MAC)
    yield "solicitation at our address, frame to all", ns(to=OURS6, at=BROADCAST)
    wrong = multicast_mac6(solicited_node(THIRD6))
    yield "solicitation in our group, at another group's MAC", ns(at=wrong)
    yield "solicitation for another address in its group", ns(target=THIRD6)
    at = multicast_mac6(group)
    yield "solicitation for another address in our group", ns(target=THIRD6, to=group, at=at)
    yield "solicitation for a group", ns(target=GROUP6, to=group, at=at)
    yield "probe for our address", ns((), source=ANY6)
    yield "probe that tells a MAC", ns(source=ANY6)
    yield "probe sent to our address", ns((), source=ANY6, to=OURS6, at=OUR_MAC)
    yield "probe with a number of luck", ns(((NONCE, b"\1\2\3\4\5\6"),), source=ANY6)


def _odd_solicitations() -> Iterator[tuple[str, bytes]]:
    yield "solicitation, hop limit 254", ns(hops=254)
    yield "solicitation, wrong checksum", spoiled(ns())
    yield "solicitation, code 1", ns(code=1)
    yield "solicitation, an option of length 0", _with_options(b"\1\0" + PEER_MAC)
    yield "solicitation, an option beyond the end", _with_options(b"\1\2" + PEER_MAC)
    yield "solicitation, a MAC option of 16 bytes", _with_options(b"\1\2" + PEER_MAC + bytes(8))
    yield "solicitation, an option nobody knows", ns((*_HERE, (200, bytes(6))))
    yield "solicitation, two different MACs", ns((*_HERE, (SOURCE_MAC, OLD_MAC)))
    yield "solicitation, a group's MAC", ns(((SOURCE_MAC, GROUP_MAC),))
    yield "solicitation, MAC ff:ff:ff:ff:ff:ff", ns(((SOURCE_MAC, BROADCAST),))
    yield "solicitation, MAC zero", ns(((SOURCE_MAC, NO_MAC),))
    yield "solicitation, a MAC that is not its frame's", ns(link_source=QUIET_MAC)
    cut = NeighborMessage(SOLICITATION, 0, OURS6).to_bytes()[:20]
    yield "solicitation cut to 20 bytes", said(_Raw(cut), PEER6, solicited_node(OURS6))
    yield "solicitation from our own address", ns(source=OURS6)
    yield "solicitation from a group", ns(source=GROUP6)
    yield "solicitation from off the link", ns(source=OFF_LINK6)
    yield "solicitation from a link-local address", ns(source=PEER_LINK_LOCAL)
    yield "solicitation with 20 bytes behind", ns() + bytes(20)
    yield "solicitation in a frame from a group", ns(link_source=GROUP_MAC)


def _advertisements() -> Iterator[tuple[str, bytes]]:
    yield "advertisement, asked for, overrides", na(SOLICITED | OVERRIDE)
    yield "advertisement, asked for", na(SOLICITED)
    yield "advertisement to all, overrides", na(OVERRIDE, to=ALL_NODES6)
    yield "advertisement to all", na(0, to=ALL_NODES6)
    yield "advertisement to all, asked for", na(SOLICITED | OVERRIDE, to=ALL_NODES6)
    yield "advertisement, asked for, without a MAC", na(SOLICITED, None)
    yield "advertisement of a router", na(ROUTER | SOLICITED | OVERRIDE)
    yield "advertisement, hop limit 64", na(SOLICITED | OVERRIDE, hops=64)
    yield "advertisement, wrong checksum", spoiled(na(SOLICITED | OVERRIDE))
    yield "advertisement of a group", na(SOLICITED | OVERRIDE, target=GROUP6)
    yield "advertisement of our address", na(OVERRIDE, target=OURS6, to=ALL_NODES6)
    yield "advertisement of our own MAC", na(SOLICITED | OVERRIDE, OUR_MAC)


def objections(address: Ip) -> Iterator[tuple[str, bytes | None]]:
    """What comes while we probe for an address of ours, by name; 10 of them, one is nothing."""

    def told(
        flags: int, says: Mac | None = PEER_MAC, *, hops: int = 255, by: Mac = PEER_MAC
    ) -> bytes:
        message = NeighborMessage(
            ADVERTISEMENT, flags, address, ((TARGET_MAC, says),) if says else ()
        )
        return said(message, address, ALL_NODES6, link_source=by, hops=hops)

    yield "nobody objects", None
    yield "advertisement to all, overrides", told(OVERRIDE)
    yield "advertisement to all, asked for", told(SOLICITED)
    yield "advertisement, hop limit 64", told(OVERRIDE, hops=64)
    yield "advertisement without a MAC", told(OVERRIDE, None)
    yield "another's probe", ns((), source=ANY6, target=address)
    yield "solicitation from an address", ns(source=PEER6, target=address)
    yield "advertisement, wrong checksum", spoiled(told(OVERRIDE))
    yield (
        "our probe comes back without its number",
        ns((), source=ANY6, target=address, link_source=OUR_MAC),
    )
    yield "advertisement in a frame from our MAC", told(OVERRIDE, by=OUR_MAC)
