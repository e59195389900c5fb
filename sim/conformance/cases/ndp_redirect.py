"""Redirects that may be followed: RFC 4861 8.3, 5.2."""

from sim.conformance.frames import packet6, wrapped
from sim.conformance.frames6 import (
    FAR6,
    ROUTER6,
    ROUTER_MAC,
    O,
    R,
    S,
    na,
    our_ns,
    our_probe,
    redirect,
)
from sim.conformance.registry import clause
from sim.conformance.script import GATEWAY6, GATEWAY_MAC, OTHER_MAC, Script
from virtualtap.units import SECOND
from virtualtap.wire.address import Mac, ip

ELSEWHERE = ip("2001:db8::10")


def begin(tap: Script) -> None:
    """A packet has gone through our router."""
    tap.host(packet6(FAR6)).expect(our_ns(GATEWAY6))
    tap.lan(na(S | O | R, of=GATEWAY6, says=GATEWAY_MAC))
    tap.expect(wrapped(packet6(FAR6), GATEWAY_MAC))


def expect_through(tap: Script, mac: Mac, to: bytes = FAR6) -> None:
    """A packet goes to this MAC at once."""
    tap.host(packet6(to)).expect(wrapped(packet6(to), mac))


@clause("RFC 4861, 8.3", "a redirect to another router is followed at once", "v6LC.2.3.4.A")
def redirect_to_a_router_is_followed(tap: Script) -> None:
    begin(tap)
    tap.lan(redirect()).expect()
    expect_through(tap, ROUTER_MAC)


@clause(
    "RFC 4861, 8.3", "a redirect to the destination itself says that it is on-link", "v6LC.2.3.1"
)
def redirect_to_the_destination_is_followed(tap: Script) -> None:
    begin(tap)
    tap.lan(redirect(target=FAR6, says=OTHER_MAC)).expect()
    expect_through(tap, OTHER_MAC)


@clause("RFC 4861, 8.3", "a target that the redirect gives no MAC for is asked for", "v6LC.2.3.4.B")
def redirect_without_mac_asks(tap: Script) -> None:
    begin(tap)
    tap.lan(redirect(says=None)).expect()
    tap.host(packet6(FAR6)).expect(our_ns(ROUTER6))


@clause("RFC 4861, 8.3", "the target is STALE: not confirmed by the redirect", "v6LC.2.3.5")
def redirected_target_is_stale(tap: Script) -> None:
    begin(tap)
    tap.lan(redirect()).expect()
    expect_through(tap, ROUTER_MAC)
    tap.at(5 * SECOND).expect(our_probe(ROUTER6, ROUTER_MAC))


@clause("RFC 4861, 8.3", "a redirect that says another MAC moves the target", "v6LC.2.3.6")
def redirect_moves_a_known_target(tap: Script) -> None:
    begin(tap)
    tap.lan(redirect()).expect()
    tap.lan(redirect(ELSEWHERE, says=OTHER_MAC)).expect()
    expect_through(tap, OTHER_MAC)


@clause("RFC 4861, 8.3", "other destinations keep their way", "v6LC.2.3.4.C")
def redirect_is_for_one_destination(tap: Script) -> None:
    begin(tap)
    tap.lan(redirect()).expect()
    expect_through(tap, GATEWAY_MAC, ELSEWHERE)


@clause("RFC 4861, 8.1", "once redirected, only the new first hop may redirect again", "v6LC.2.3.7")
def old_hop_may_not_redirect_again(tap: Script) -> None:
    begin(tap)
    tap.lan(redirect()).expect()
    tap.lan(redirect(target=FAR6, says=OTHER_MAC)).expect()
    expect_through(tap, ROUTER_MAC)


@clause("RFC 4861, 8.3", "the new first hop may redirect again", "v6LC.2.3.7")
def new_hop_may_redirect_again(tap: Script) -> None:
    begin(tap)
    tap.lan(redirect()).expect()
    tap.lan(redirect(target=FAR6, says=OTHER_MAC, by=ROUTER6, at=ROUTER_MAC)).expect()
    expect_through(tap, OTHER_MAC)


@clause("RFC 4861, 7.3.3", "a target that does not answer is left for the router", "v6LC.2.3.4.D")
def silent_target_is_left(tap: Script) -> None:
    begin(tap)
    tap.lan(redirect()).expect()
    expect_through(tap, ROUTER_MAC)
    tap.at(8 * SECOND).expect(*[our_probe(ROUTER6, ROUTER_MAC)] * 3)
    expect_through(tap, GATEWAY_MAC)


@clause("RFC 4861, 7.2.5", "a target that says it is no router is left for the router")
def target_that_is_no_router_is_left(tap: Script) -> None:
    begin(tap)
    tap.lan(redirect()).expect()
    tap.lan(na(S | O, of=ROUTER6, says=ROUTER_MAC)).expect()
    expect_through(tap, GATEWAY_MAC)


@clause("RFC 4861, 4.5", "options that nobody knows do not spoil a redirect", "v6LC.2.3.8")
def redirect_with_other_options_is_followed(tap: Script) -> None:
    begin(tap)
    tap.lan(redirect(options=((200, bytes(14)), (4, bytes(62))))).expect()
    expect_through(tap, ROUTER_MAC)
