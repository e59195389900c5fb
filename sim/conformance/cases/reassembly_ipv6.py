"""IPv6 in pieces, and leases in pieces. RFC 8200 4.5, 5722, 6946, 6980, 7112, 4443 3.3, 3.4."""

from typing import Any

from sim.conformance.dhcp_server import LEASED, discover, in_frame, message, owns, question
from sim.conformance.frames import EXPERIMENT, frame, wrapped
from sim.conformance.frames6 import na
from sim.conformance.packets import meet6, to_us6
from sim.conformance.registry import clause
from sim.conformance.script import OUR_MAC, PEER, PEER6, US6, Script
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import (
    BROADCAST,
    LIMITED_BROADCAST,
    Ip,
    Mac,
    ip,
    multicast_mac6,
)
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4, fragments
from virtualtap.wire.ipv6 import ICMPV6, TCP, UDP, Ipv6
from virtualtap.wire.udp import Udp

DATA = bytes(range(256)) * 12
MDNS, OTHER6 = ip("ff02::fb"), ip("fd00::4")
HOP_BY_HOP = bytes((0, 1, 4, 0, 0, 0, 0))  # behind its first byte: which header follows
TIMEOUT = 60 * SECOND


def header(first: int, more: bool, kind: int = EXPERIMENT, number: int = 7) -> bytes:
    """A fragment header. RFC 8200 4.5."""
    return bytes((kind, 0)) + (first | more).to_bytes(2) + number.to_bytes(4)


def piece(  # a fragment has that many fields
    first: int,
    end: int,
    more: bool = True,
    number: int = 7,
    kind: int = EXPERIMENT,
    source: Ip = PEER6,
    to: Ip = US6,
    data: bytes = DATA,
    **fields: Any,
) -> bytes:
    """The bytes of `data` from `first` to `end` in a frame, as a fragment for us."""
    inside = header(first, more, kind, number) + data[first:end]
    return frame(Ipv6(source, to, 44, inside, **fields).to_bytes())


def whole(length: int, **fields: Any) -> bytes:
    """That much of `DATA` in one packet."""
    return Ipv6(PEER6, US6, EXPERIMENT, DATA[:length], **fields).to_bytes()


def told(about: bytes, kind: int, code: int, rest: int = 0) -> bytes:
    """The error to who sent this frame."""
    body = Icmp(kind, code, rest, about[14:][:1232]).between(US6, PEER6)
    return wrapped(Ipv6(US6, PEER6, ICMPV6, body).to_bytes())


@clause("RFC 8200, 4.5", "fragments come in as one packet, in any order, without their header")
def fragments_are_joined(tap: Script) -> None:
    tap.lan(piece(2400, 2500, False)).lan(piece(0, 1200)).expect_host()
    tap.lan(piece(1200, 2400)).expect_host(whole(2500))


@clause("RFC 8200, 4.5", "headers before the fragment header stay, and lead to what follows it")
def headers_before_stay(tap: Script) -> None:
    options, joined = bytes((44,)) + HOP_BY_HOP, bytes((EXPERIMENT,)) + HOP_BY_HOP
    for first, more in ((0, True), (64, False)):
        inside = options + header(first, more) + DATA[first : first + 64]
        tap.lan(frame(Ipv6(PEER6, US6, 0, inside).to_bytes()))
    tap.expect_host(Ipv6(PEER6, US6, 0, joined + DATA[:128]).to_bytes())


@clause("RFC 8200, 4.5", "the headers are those of the first fragment, what follows them too")
def headers_are_those_of_the_first(tap: Script) -> None:
    tap.lan(piece(64, 80, False, kind=UDP, hop_limit=3, flow_label=4))
    tap.lan(piece(0, 64, hop_limit=9, flow_label=5, traffic_class=0xB8))
    tap.expect_host(whole(80, hop_limit=9, flow_label=5, traffic_class=0xB8))


@clause("RFC 8200, 4.5", "sender, destination and number tell datagrams apart")
def datagrams_are_told_apart(tap: Script) -> None:
    tap.lan(piece(0, 64)).lan(piece(64, 99, False, number=7 | 1 << 24)).expect_host()
    tap.lan(piece(64, 99, False, source=OTHER6)).expect_host()
    tap.lan(frame(piece(64, 99, False, to=MDNS)[14:], to=multicast_mac6(MDNS))).expect_host()
    tap.lan(piece(64, 80, False)).expect_host(whole(80))


@clause("RFC 5722, 3", "any overlap discards all, those not yet received too, in silence")
def overlap_discards_all(tap: Script) -> None:
    meet6(tap).lan(piece(0, 64)).lan(piece(56, 128)).lan(piece(64, 128))
    tap.lan(piece(128, 140, False)).lan(piece(0, 64)).expect_host().at(2 * TIMEOUT).expect()


@clause("RFC 8200, 4.5", "the very same fragment twice does no harm")
def duplicate_does_no_harm_in_ipv6(tap: Script) -> None:
    tap.lan(piece(0, 64)).lan(piece(0, 64)).lan(piece(64, 80, False)).expect_host(whole(80))


@clause("RFC 6946, 4", "an atomic fragment comes in at once, without its header")
def atomic_fragment_comes_in(tap: Script) -> None:
    tap.lan(piece(0, 99, False)).expect_host(whole(99))


@clause("RFC 6946, 4", "an atomic fragment neither joins nor spoils what has the same number")
def atomic_fragment_stands_alone(tap: Script) -> None:
    tap.lan(piece(0, 64)).lan(piece(0, 99, False)).expect_host(whole(99))
    tap.lan(piece(64, 80, False)).expect_host(whole(80))


@clause("RFC 6980, 5", "a neighbor message in pieces is no neighbor message, nor one for the host")
def neighbor_message_in_pieces_is_refused(tap: Script) -> None:
    body = na()[54:]
    tap.lan(piece(0, 16, kind=ICMPV6, data=body, hop_limit=255))
    tap.lan(piece(16, len(body), False, kind=ICMPV6, data=body, hop_limit=255)).expect_host()
    tap.lan(piece(0, len(body), False, kind=ICMPV6, data=body, hop_limit=255)).expect_host()


@clause("RFC 8200, 4.5", "sixty seconds after the first to come the pieces are given up")
def pieces_are_given_up_in_ipv6(tap: Script) -> None:
    tap.lan(piece(64, 128)).at(TIMEOUT - 1).lan(piece(128, 140, False)).at(TIMEOUT)
    tap.lan(piece(0, 64)).expect_host()
    tap.lan(piece(64, 80, False)).expect_host(whole(80))


@clause("RFC 4443, 3.3", "who sent the first piece is told that its time is over")
def sender_is_told_in_ipv6(tap: Script) -> None:
    meet6(tap).lan(piece(0, 1400)).at(TIMEOUT - 1).expect()
    tap.at(TIMEOUT).expect(told(piece(0, 1400), 3, 1)).forget()


@clause("RFC 8200, 4.5", "without the first piece nobody is told")
def nobody_is_told_without_the_first_in_ipv6(tap: Script) -> None:
    meet6(tap).lan(piece(64, 128)).at(2 * TIMEOUT).expect()


@clause("RFC 4443, 2.4 (e.3)", "nobody is told about a group's packet")
def nobody_is_told_about_a_group(tap: Script) -> None:
    meet6(tap).lan(frame(piece(0, 64, to=MDNS)[14:], to=multicast_mac6(MDNS)))
    tap.at(2 * TIMEOUT).expect()


@clause("RFC 4443, 2.4 (e.1)", "nobody is told about an error, though it came in pieces")
def nobody_is_told_about_an_error_in_ipv6(tap: Script) -> None:
    error = Icmp(1, 4, 0, bytes(120)).between(PEER6, US6)
    meet6(tap).lan(piece(0, 64, kind=ICMPV6, data=error)).at(2 * TIMEOUT).expect()


@clause("RFC 4443, 2.4 (e)", "but about a question of ICMPv6 its sender is told")
def sender_of_a_question_is_told(tap: Script) -> None:
    ping = Icmp(128, 0, 1, bytes(120)).between(PEER6, US6)
    first = piece(0, 64, kind=ICMPV6, data=ping)
    meet6(tap).lan(first).at(TIMEOUT).expect(told(first, 3, 1)).forget()


@clause(
    "RFC 8200, 4.5", "a piece of odd length that others follow is a fault of its payload length"
)
def odd_length_is_told(tap: Script) -> None:
    meet6(tap).lan(piece(0, 63)).expect(told(piece(0, 63), 4, 0, 4))
    tap.lan(piece(64, 80, False)).lan(piece(0, 64)).expect_host(whole(80))


@clause("RFC 8200, 4.5", "a piece that ends beyond 65,535 bytes is a fault of its offset")
def end_beyond_is_told(tap: Script) -> None:
    late = frame(Ipv6(PEER6, US6, 44, header(65528, False) + bytes(8)).to_bytes())
    meet6(tap).lan(late).expect(told(late, 4, 0, 42))
    options = bytes((44,)) + HOP_BY_HOP
    late = frame(Ipv6(PEER6, US6, 0, options + header(65520, False) + bytes(8)).to_bytes())
    tap.lan(late).expect(told(late, 4, 0, 50))


@clause("RFC 8200, 4.5", "a payload of 65,535 bytes comes in")
def longest_payload_comes_in(tap: Script) -> None:
    data = bytes(65535)
    for at in range(0, 65535, 1448):
        end = min(at + 1448, 65535)
        tap.lan(piece(at, end, end < 65535, data=data))
    tap.expect_host(to_us6(payload=data))


@clause("RFC 8200, 4.5", "with the first one's options, a payload above 65,535 bytes is no packet")
def longer_payload_is_refused(tap: Script) -> None:
    data, options = bytes(65535), bytes((44,)) + HOP_BY_HOP
    for at in range(1448, 65535, 1448):
        end = min(at + 1448, 65535)
        tap.lan(piece(at, end, end < 65535, data=data))
    inside = options + header(0, True) + data[:1448]
    tap.lan(frame(Ipv6(PEER6, US6, 0, inside).to_bytes())).expect_host()


@clause("RFC 7112, 5", "a first piece without all headers is refused, and its sender is told")
def incomplete_headers_are_told(tap: Script) -> None:
    first = piece(0, 16, kind=TCP)
    meet6(tap).lan(first).expect(told(first, 4, 3))
    tap.lan(piece(16, 40, False, kind=TCP)).expect_host()


@clause("RFC 7112, 5", "an options header alone is not all headers: a first piece must have more")
def options_alone_are_incomplete(tap: Script) -> None:
    first = piece(0, 8, kind=60, data=bytes((UDP,)) + HOP_BY_HOP)
    meet6(tap).lan(first).expect(told(first, 4, 3))


@clause("RFC 7112, 5", "a first piece with no more than its headers is enough")
def complete_headers_are_enough(tap: Script) -> None:
    data = bytes((UDP,)) + HOP_BY_HOP + DATA
    tap.lan(piece(0, 16, kind=60, data=data)).lan(piece(16, 40, False, kind=60, data=data))
    tap.expect_host(Ipv6(PEER6, US6, 60, data[:40]).to_bytes())


@clause("RFC 4443, 2.4 (f)", "what is told has the limit of all errors")
def told_has_its_limit_in_ipv6(tap: Script) -> None:
    meet6(tap.start(icmp_errors_max=2))
    odd = piece(0, 63)
    tap.lan(odd).lan(odd).lan(odd).expect(*[told(odd, 4, 0, 4)] * 2)


@clause("RFC 8200, 4.5", "a last piece without data is nothing to wait for")
def empty_fragment_is_refused_in_ipv6(tap: Script) -> None:
    tap.lan(piece(64, 64, False)).lan(piece(64, 128)).lan(piece(0, 64)).expect_host()
    tap.lan(piece(128, 140, False)).expect_host(whole(140))


@clause("RFC 8200, 4.5", "a fragment header that is cut short is refused")
def short_fragment_header_is_refused(tap: Script) -> None:
    tap.lan(frame(Ipv6(PEER6, US6, 44, header(0, True)[:7]).to_bytes())).expect_host()


@clause("RFC 3168, 5.3", "a piece that met congestion says so for the whole")
def congestion_is_kept_in_ipv6(tap: Script) -> None:
    tap.lan(piece(0, 64, traffic_class=0xBA)).lan(piece(64, 80, False, traffic_class=0xBB))
    tap.expect_host(whole(80, traffic_class=0xBB))


@clause("RFC 8200, 4.5", "fragments for others are neither kept nor answered")
def fragments_for_others_are_left_alone_in_ipv6(tap: Script) -> None:
    meet6(tap).lan(piece(0, 64, to=OTHER6)).lan(piece(0, 63, to=OTHER6)).at(2 * TIMEOUT).expect()


def lease_in_pieces(tap: Script, to: Mac, destination: Ip) -> None:
    """The server's answers come in pieces, the last one first."""
    asked = discover(tap)
    for kind in (dhcp.OFFER, dhcp.ACK):
        answer = in_frame(message(asked, kind).to_bytes(), to=to, destination=destination)
        for part in reversed(fragments(answer[14:], 200)):
            tap.lan(answer[:14] + part)
        if kind == dhcp.OFFER:
            asked = question(tap, dhcp.REQUEST)
    owns(tap, LEASED)


@clause("RFC 791, 3.2", "an offer and an acknowledgment that come in pieces lead to a lease")
def lease_comes_in_pieces(tap: Script) -> None:
    lease_in_pieces(tap, BROADCAST, LIMITED_BROADCAST)


@clause("RFC 2131, 4.1", "so do those in pieces to the address that is not ours yet")
def lease_to_its_address_comes_in_pieces(tap: Script) -> None:
    lease_in_pieces(tap, OUR_MAC, LEASED)


@clause("RFC 2131, 4.1", "before a lease, pieces of other datagrams to that address stay outside")
def other_pieces_before_a_lease_stay_outside(tap: Script) -> None:
    discover(tap)
    datagram = Udp(9, 9, DATA[:64]).between(PEER, LEASED)
    for part in fragments(Ipv4(PEER, LEASED, UDP, datagram).to_bytes(), 68):
        tap.lan(frame(part))
    tap.expect_host()
