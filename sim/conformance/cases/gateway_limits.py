"""The other side's DHCP server: how long its answers are, and who gets none. RFC 2131, 2132."""

from dataclasses import replace

from sim.conformance.dhcp_client import SERVE, answer, answers, asks_for, lease, offer, said, server
from sim.conformance.registry import clause
from sim.conformance.script import NOBODY, PEER, US, Script
from virtualtap.wire import dhcp, ipv4
from virtualtap.wire.address import Ip, ip

# more than fits into 576 bytes beside a long identifier
MUCH = replace(
    SERVE,
    dns=tuple(ip(f"10.0.0.{n}") for n in range(101, 109)),
    routes=tuple((ip(f"172.16.{n}.1"), 32, PEER) for n in range(16)),
)
NAMED = (dhcp.CLIENT_ID, b"\1" + bytes(254))
SIZE, INFORM, REQUEST = "RFC 2132, 9.10", "RFC 2131, 4.3.5", "RFC 2131, 4.3.6"


def length(tap: Script, size: int | None) -> int:
    """Of the offer to a client that takes datagrams of this size; the mask is in it."""
    sized = () if size is None else ((dhcp.SIZE_MAX, size.to_bytes(2)),)
    found = offer(server(tap, MUCH), options=(NAMED, *sized))
    assert found.message.value(dhcp.MASK) == ip("255.255.255.0"), "expected the mask"
    return ipv4.HEADER_LEN + len(found.packet.payload)


def not_informed(tap: Script, ip: Ip) -> None:
    """One who says that it is called so gets no answer."""
    server(tap).lan(said(dhcp.INFORM, client_ip=ip)).expect()


@clause("RFC 2131, 2", "a client that names no size is sent no more than 576 bytes")
def answer_without_a_size_is_short(tap: Script) -> None:
    seen = length(tap, None)
    assert seen <= 576, f"expected at most 576 bytes, saw {seen}"


@clause(SIZE, "an answer is no longer than the client takes")
def answer_is_as_short_as_the_client_asks(tap: Script) -> None:
    seen = length(tap, 640)
    assert seen <= 640, f"expected at most 640 bytes, saw {seen}"


@clause(SIZE, "a client that takes more is told more")
def answer_is_as_long_as_the_client_takes(tap: Script) -> None:
    seen = length(tap, 1500)
    assert 576 < seen <= 1500, f"expected more than 576 bytes, saw {seen}"


@clause(INFORM, "one that is called as its network is not informed")
def network_is_not_informed(tap: Script) -> None:
    not_informed(tap, ip("10.0.0.0"))


@clause(INFORM, "one that is called as everyone is not informed")
def everyone_is_not_informed(tap: Script) -> None:
    not_informed(tap, ip("10.0.0.255"))


@clause(INFORM, "one that is called as the router is not informed")
def router_is_not_informed(tap: Script) -> None:
    not_informed(tap, US)


@clause(REQUEST, "a client that takes an offer has no address yet: or it gets no answer")
def request_for_an_offer_with_an_address_is_not_answered(tap: Script) -> None:
    offered = offer(server(tap)).ip
    tap.lan(said(dhcp.REQUEST, client_ip=NOBODY, options=asks_for(offered)))
    assert not answers(tap), "expected no answer"
    tap.lan(said(dhcp.REQUEST, options=asks_for(offered)))
    assert answer(tap, dhcp.ACK).ip == offered


@clause(REQUEST, "nor is a client answered that has another address than it asks for")
def request_for_another_address_is_not_answered(tap: Script) -> None:
    had = lease(server(tap)).ip
    tap.lan(said(dhcp.REQUEST, client_ip=NOBODY, options=asks_for(had, None)))
    assert not answers(tap), "expected no answer"
