"""One-line neighbour messages, and the states that cases bring a neighbour into."""

from dataclasses import replace

from sim.conformance.frames import packet6, wrapped
from sim.conformance.script import GATEWAY6, GATEWAY_MAC, OUR_MAC, PEER6, PEER_MAC, US6, Script
from virtualtap.units import SECOND
from virtualtap.wire import checksum, ndp
from virtualtap.wire.address import ALL_NODES6, ANY6, Ip, Mac, ip, multicast_mac6, solicited_node
from virtualtap.wire.ethernet import HEADER_LEN, IPV6
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import (
    Message,
    NeighborMessage,
    Options,
    Prefix,
    Redirect,
    RouterAdvertisement,
    RouterSolicitation,
)

FAR6, OTHER6 = ip("2001:db8::9"), ip("fd00::4")
ROUTER6, ROUTER_MAC = ip("fe80::11"), b"\x02\x00\x5e\x00\x00\x11"
LINK_LOCAL = ip("fe80::5eff:fe00:2")  # of OUR_MAC
S, O, R = ndp.SOLICITED, ndp.OVERRIDE, ndp.ROUTER  # noqa: E741  # the RFC's letters


def said(message: Message, source: Ip, to: Ip, at: Mac, mac: Mac | None = None) -> bytes:
    """A message in its frame: from `source` at `at`, to a group or to `to` at `mac`."""
    return (mac or multicast_mac6(to)) + at + IPV6 + ndp.packet(message, source, to)


def here(code: int, mac: Mac | None) -> Options:
    """A link-layer address option, or none."""
    return () if mac is None else ((code, mac),)


def ns(
    asks: Ip = US6,
    *,
    by: Ip = PEER6,
    at: Mac = PEER_MAC,
    says: Mac | None = PEER_MAC,
    to: Ip | None = None,
    options: Options = (),
    reserved: int = 0,
) -> bytes:
    """`by` at `at` asks for `asks`, in its group or at `to`; its option says `says`."""
    message = NeighborMessage(
        ndp.SOLICITATION, reserved, asks, here(ndp.SOURCE_MAC, says) + options
    )
    return said(message, by, to or solicited_node(asks), at, OUR_MAC if to else None)


def na(
    flags: int = S | O,
    *,
    of: Ip = PEER6,
    says: Mac | None = PEER_MAC,
    at: Mac = PEER_MAC,
    to: Ip = US6,
    by: Ip | None = None,
    options: Options = (),
) -> bytes:
    """`of` says where it is, to us or, for `ALL_NODES6`, to everyone."""
    message = NeighborMessage(ndp.ADVERTISEMENT, flags, of, here(ndp.TARGET_MAC, says) + options)
    return said(message, by or of, to, at, None if to == ALL_NODES6 else OUR_MAC)


def ra(
    lifetime: int = 1800,
    *,
    by: Ip = ROUTER6,
    says: Mac | None = ROUTER_MAC,
    options: Options = (),
    reachable: int = 0,
    retrans: int = 0,
    to: Ip = ALL_NODES6,
    mac: Mac | None = None,
) -> bytes:
    """A router tells everyone, or `to` at `mac`, of itself; lifetime in seconds, times in ms."""
    message = RouterAdvertisement(
        lifetime,
        here(ndp.SOURCE_MAC, says) + options,
        reachable_time=reachable,
        retrans_timer=retrans,
    )
    return said(message, by, to, says or ROUTER_MAC, mac)


def prefix(
    of: str = "2001:db8::",
    *,
    length: int = 64,
    flags: int = ndp.ON_LINK | ndp.AUTONOMOUS,
    valid: int = 86400,
    preferred: int = 14400,
) -> tuple[int, bytes]:
    """A prefix option; lifetimes in seconds."""
    return (ndp.PREFIX, Prefix(ip(of), length, flags, valid, preferred).to_bytes())


def mtu(value: int) -> tuple[int, bytes]:
    """An MTU option."""
    return (ndp.MTU, value.to_bytes(6))


def redirect(
    of: Ip = FAR6,
    *,
    target: Ip = ROUTER6,
    says: Mac | None = ROUTER_MAC,
    by: Ip = GATEWAY6,
    at: Mac = GATEWAY_MAC,
    options: Options = (),
    to: Ip = US6,
) -> bytes:
    """`by` tells `to`, at our MAC, that `target` is the better first hop for `of`."""
    return said(Redirect(target, of, here(ndp.TARGET_MAC, says) + options), by, to, at, OUR_MAC)


def rs(by: Ip = PEER6, at: Mac = PEER_MAC) -> bytes:
    """`by` asks for routers."""
    return said(RouterSolicitation(here(ndp.SOURCE_MAC, at)), by, ip("ff02::2"), at)


def our_ns(asks: Ip = PEER6, *, by: Ip = US6) -> bytes:
    """What the tap sends to resolve an address. RFC 4861 7.2.2."""
    return ns(asks, by=by, at=OUR_MAC, says=OUR_MAC)


def our_probe(of: Ip = PEER6, mac: Mac = PEER_MAC, *, by: Ip = US6) -> bytes:
    """What the tap sends to one whom it doubts. RFC 4861 7.3.3."""
    message = NeighborMessage(ndp.SOLICITATION, 0, of, ((ndp.SOURCE_MAC, OUR_MAC),))
    return said(message, by, of, OUR_MAC, mac)


def our_na(
    flags: int = S | O, *, to: Ip = PEER6, mac: Mac | None = PEER_MAC, of: Ip = US6
) -> bytes:
    """What the tap says of its own address."""
    message = NeighborMessage(ndp.ADVERTISEMENT, flags, of, ((ndp.TARGET_MAC, OUR_MAC),))
    return said(message, of, to, OUR_MAC, mac)


def bare_na(to: Ip = PEER6, mac: Mac = PEER_MAC, of: Ip = US6) -> bytes:
    """The short form for one who asked at our address: no MAC, no override."""
    return said(NeighborMessage(ndp.ADVERTISEMENT, S, of), of, to, OUR_MAC, mac)


def dad(of: Ip = US6, *, at: Mac = OUR_MAC, options: Options = (), to: Ip | None = None) -> bytes:
    """A probe for a tentative address: from nobody. RFC 4862 5.4.2."""
    return ns(of, by=ANY6, at=at, says=None, options=options, to=to)


def spoiled(frame: bytes, **fields: int) -> bytes:
    """The same message with another `hop_limit`, `code` or a `checksum` that is off by so much."""
    packet = Ipv6.parse(frame[HEADER_LEN:])
    off, code = fields.pop("checksum", 0), fields.pop("code", 0)
    packet = replace(packet, **fields)  # type: ignore[arg-type]  # header fields are numbers
    body = bytearray(packet.payload)
    body[1] = code
    body[3] ^= off
    body[2:4] = ((int.from_bytes(body[2:4]) - code) % 0xFFFF or 0xFFFF).to_bytes(
        2
    )  # RFC 1624: the code is the low byte of its word
    return frame[:HEADER_LEN] + replace(packet, payload=bytes(body)).to_bytes()


def of_length(frame: bytes, length: int) -> bytes:
    """The same message cut to so many bytes of ICMPv6, or lengthened by zeros, summed again."""
    packet = Ipv6.parse(frame[HEADER_LEN:])
    body = packet.payload[:2] + bytes(2) + packet.payload[4:]
    return rebuilt(frame, body[:length].ljust(length, b"\0"))


def rebuilt(frame: bytes, body: bytes) -> bytes:
    """The frame with another ICMPv6 message in it, whose checksum is made right."""
    packet = Ipv6.parse(frame[HEADER_LEN:])
    body = body[:2] + bytes(2) + body[4:]
    value = checksum.transport(packet.source, packet.destination, ndp.PROTOCOL, body)
    body = body[:2] + value.to_bytes(2) + body[4:]
    return frame[:HEADER_LEN] + replace(packet, payload=body).to_bytes()


def without_length(frame: bytes, at: int) -> bytes:
    """The same message whose option at this offset of ICMPv6 says that it has no length."""
    body = Ipv6.parse(frame[HEADER_LEN:]).payload
    return rebuilt(frame, body[: at + 1] + b"\0" + body[at + 2 :])


def overlong(frame: bytes, at: int) -> bytes:
    """The same message whose option at this offset claims more than there is."""
    body = Ipv6.parse(frame[HEADER_LEN:]).payload
    return rebuilt(frame, body[: at + 1] + b"\x09" + body[at + 2 :])


def make_stale(tap: Script) -> None:
    """PEER6 has asked for us: its MAC is known and not confirmed."""
    tap.lan(ns()).given(our_na())


def make_reachable(tap: Script) -> None:
    """PEER6 has answered us just now."""
    tap.host(packet6()).given(our_ns())
    tap.lan(na()).given(wrapped(packet6()))


def make_delay(tap: Script) -> None:
    """PEER6 was sent a packet while its MAC was not confirmed."""
    make_stale(tap)
    tap.host(packet6()).given(wrapped(packet6()))


def make_probe(tap: Script) -> None:
    """PEER6 has just been asked at its MAC, for the first time."""
    make_delay(tap)
    tap.at(tap.now + 5 * SECOND).given(our_probe())


def expect_stale(tap: Script, mac: Mac = PEER_MAC, of: Ip = PEER6) -> None:
    """A packet goes to `mac` at once, and 5 s later its owner is asked."""
    tap.host(packet6(of)).expect(wrapped(packet6(of), mac))
    tap.at(tap.now + 5 * SECOND - 1).expect()
    tap.at(tap.now + 1).expect(our_probe(of, mac))


def expect_reachable(tap: Script, mac: Mac = PEER_MAC, of: Ip = PEER6) -> None:
    """A packet goes to `mac` at once, and nobody is asked within 10 s."""
    tap.host(packet6(of)).expect(wrapped(packet6(of), mac))
    tap.at(tap.now + 10 * SECOND).expect()


def expect_unknown(tap: Script, of: Ip = PEER6) -> None:
    """A packet has to wait for an answer."""
    tap.host(packet6(of)).expect(our_ns(of))
