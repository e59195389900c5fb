"""Addresses that we form ourselves: RFC 4862 5.3 to 5.5, RFC 4861 6.3.7, RFC 2464 4 and 5."""

from typing import Any

from sim.conformance.frames import packet6, wrapped
from sim.conformance.frames6 import (
    FAR6,
    LINK_LOCAL,
    ROUTER_MAC,
    O,
    dad,
    na,
    ns,
    our_na,
    prefix,
    ra,
    said,
)
from sim.conformance.registry import clause
from sim.conformance.script import OTHER_MAC, OUR_MAC, PEER6, US6, Script
from virtualtap.units import SECOND
from virtualtap.wire import ndp
from virtualtap.wire.address import ALL_NODES6, ALL_ROUTERS6, Ip, ip
from virtualtap.wire.ndp import RouterSolicitation

FORMED = ip("2001:db8::5eff:fe00:2")  # 2001:db8::/64 and what our MAC makes
HOUR = 3600
RS = said(RouterSolicitation(((ndp.SOURCE_MAC, OUR_MAC),)), LINK_LOCAL, ALL_ROUTERS6, OUR_MAC)


def ready(tap: Script, **changes: Any) -> None:
    """Our link-local address is ours, and at 3 s we have asked for routers once."""
    tap.start(our_ip6=(), gateway_ip6=None, slaac=True, **changes)
    tap.at(3 * SECOND).expect(dad(LINK_LOCAL), RS)


def formed(tap: Script, valid: int = 86400, preferred: int = 14400) -> None:
    """2001:db8::/64 was offered at 3 s, and the address probed: at 5 s it is ours."""
    ready(tap)
    tap.lan(ra(9000, options=(prefix(valid=valid, preferred=preferred),)))
    tap.at(5 * SECOND).expect(dad(FORMED))


def offer(tap: Script, valid: int, preferred: int = 1) -> None:
    """The router says other lifetimes, in seconds."""
    tap.lan(ra(9000, options=(prefix(valid=valid, preferred=preferred),))).expect()


def expect_ours(tap: Script, address: Ip = FORMED) -> None:
    """The address is answered for."""
    tap.lan(ns(address)).expect(our_na(of=address))


def expect_not_ours(tap: Script, address: Ip = FORMED) -> None:
    """The address is not answered for."""
    tap.lan(ns(address)).expect()


def expect_nothing_formed(tap: Script, *options: tuple[int, bytes]) -> None:
    """After this offer nothing is probed, and nothing is ours."""
    ready(tap)
    tap.lan(ra(9000, options=options)).at(10 * SECOND).expect()
    expect_not_ours(tap)


# the link-local address, and the question for routers


@clause("RFC 4862, 5.3", "a link-local address is formed of our MAC and probed", "v6LC.3.1.1")
def link_local_is_formed(tap: Script) -> None:
    ready(tap)
    expect_ours(tap, LINK_LOCAL)


@clause("RFC 4862, 5.3", "without being asked to, nothing is formed nor said")
def without_slaac_nothing_is_formed(tap: Script) -> None:
    tap.at(20 * SECOND).expect().lan(ns(LINK_LOCAL)).expect()


@clause("RFC 4861, 6.3.7", "routers are asked for three times, 4 s apart", "v6LC.2.2.1.A")
def routers_are_asked_for_three_times(tap: Script) -> None:
    ready(tap)
    tap.at(7 * SECOND).expect(RS).at(11 * SECOND).expect(RS).at(60 * SECOND).expect()


@clause("RFC 4861, 6.3.7", "a router that speaks ends the questions", "v6LC.2.2.2.A")
def router_ends_the_questions(tap: Script) -> None:
    ready(tap)
    tap.lan(ra()).at(30 * SECOND).expect()


@clause("RFC 4861, 6.3.7", "one that says it is no router does not end them", "v6LC.2.2.2.B")
def no_router_does_not_end_the_questions(tap: Script) -> None:
    ready(tap)
    tap.lan(ra(0)).at(7 * SECOND).expect(RS)


@clause("RFC 4862, 5.4.5", "where our link-local address is another's, nothing more is said")
def duplicate_link_local_silences_us(tap: Script) -> None:
    tap.start(our_ip6=(), gateway_ip6=None, slaac=True).at(SECOND).expect(dad(LINK_LOCAL))
    tap.lan(na(O, of=LINK_LOCAL, says=OTHER_MAC, at=OTHER_MAC, to=ALL_NODES6))
    tap.lan(ra(9000, options=(prefix(),))).at(30 * SECOND).expect()
    expect_not_ours(tap, LINK_LOCAL)


@clause("RFC 4862, 5.3", "a configured link-local address is used to ask with")
def configured_link_local_asks(tap: Script) -> None:
    tap.start(our_ip6=(ip("fe80::2"),), gateway_ip6=None, slaac=True)
    options = ((ndp.SOURCE_MAC, OUR_MAC),)
    asks = said(RouterSolicitation(options), ip("fe80::2"), ALL_ROUTERS6, OUR_MAC)
    tap.at(SECOND).expect(asks)


# the addresses that prefixes make


@clause("RFC 4862, 5.5.3", "an autonomous prefix makes an address, which is probed", "v6LC.3.2.1")
def prefix_makes_an_address(tap: Script) -> None:
    formed(tap)
    expect_ours(tap)


@clause("RFC 4862, 5.4", "it is not ours before it was probed", "v6LC.3.1.5.B")
def address_is_probed_first(tap: Script) -> None:
    ready(tap)
    tap.lan(ra(9000, options=(prefix(),))).at(4 * SECOND).expect(dad(FORMED))
    expect_not_ours(tap)


@clause("RFC 4862, 5.4.5", "where another has it, it does not become ours", "v6LC.3.2.1")
def duplicate_address_is_not_ours(tap: Script) -> None:
    ready(tap)
    tap.lan(ra(9000, options=(prefix(),))).at(4 * SECOND).expect(dad(FORMED))
    tap.lan(na(O, of=FORMED, says=OTHER_MAC, at=OTHER_MAC, to=ALL_NODES6))
    tap.at(9 * SECOND).expect()
    expect_not_ours(tap)


@clause("RFC 4862, 5.5.3 (a)", "a prefix without the autonomous flag makes none", "v6LC.3.2.4.B")
def prefix_without_flag_makes_none(tap: Script) -> None:
    expect_nothing_formed(tap, prefix(flags=ndp.ON_LINK))


@clause("RFC 4862, 5.5.3 (b)", "the link-local prefix makes none", "v6LC.3.2.4.C")
def link_local_prefix_makes_none(tap: Script) -> None:
    ready(tap)
    tap.lan(ra(9000, options=(prefix("fe80:0:0:1::"),))).at(10 * SECOND).expect()
    expect_not_ours(tap, ip("fe80::1:0:5eff:fe00:2"))


@clause(
    "RFC 4862, 5.5.3 (c)", "a preferred lifetime above the valid one is refused", "v6LC.3.2.4.D"
)
def preferred_beyond_valid_is_refused(tap: Script) -> None:
    expect_nothing_formed(tap, prefix(valid=100, preferred=101))


@clause("RFC 4862, 5.5.3 (d)", "a prefix that is not a /64 makes none", "v6LC.3.2.4.E")
def other_lengths_make_none(tap: Script) -> None:
    expect_nothing_formed(tap, prefix(length=63), prefix(length=65))


@clause("RFC 4862, 5.5.3 (d)", "a valid lifetime of 0 makes none", "v6LC.3.2.4.F")
def lifetime_zero_makes_none(tap: Script) -> None:
    expect_nothing_formed(tap, prefix(valid=0, preferred=0))


@clause("RFC 4862, 5.5.3", "each prefix makes an address of its own", "v6LC.3.2.3")
def each_prefix_makes_its_own(tap: Script) -> None:
    formed(tap)
    tap.lan(ra(9000, options=(prefix("2001:db8:1::"),)))
    other = ip("2001:db8:1::5eff:fe00:2")
    tap.at(7 * SECOND).expect(dad(other))
    expect_ours(tap)
    expect_ours(tap, other)


@clause("RFC 4862, 5.5.3", "a prefix offered again is not probed again")
def known_address_is_not_probed_again(tap: Script) -> None:
    formed(tap)
    offer(tap, 86400)
    tap.at(10 * SECOND).expect()


@clause("RFC 4862, 5.5.4", "an address ends with its valid lifetime", "v6LC.3.2.2")
def address_expires(tap: Script) -> None:
    formed(tap, valid=20, preferred=10)
    tap.at(23 * SECOND - 1)
    expect_ours(tap)
    tap.at(23 * SECOND).forget()
    expect_not_ours(tap)


@clause("RFC 4862, 5.5.4", "nothing is sent from an address that ended")
def expired_address_sends_nothing(tap: Script) -> None:
    formed(tap, valid=20, preferred=10)
    sent = packet6(PEER6, source=FORMED)
    tap.host(sent).expect(wrapped(sent, ROUTER_MAC))
    tap.at(40 * SECOND).forget()
    tap.host(sent).expect()


@clause("RFC 4862, 5.5.4", "a deprecated address is still ours", "v6LC.3.2.2")
def deprecated_address_is_ours(tap: Script) -> None:
    formed(tap, valid=100, preferred=10)
    tap.at(50 * SECOND)
    expect_ours(tap)


@clause("RFC 4862, 5.5.3 (e)", "a longer lifetime is believed", "v6LC.3.2.5.A")
def longer_lifetime_is_believed(tap: Script) -> None:
    formed(tap, valid=20, preferred=10)
    offer(tap, 100)
    tap.at(100 * SECOND)
    expect_ours(tap)


@clause("RFC 4862, 5.5.3 (e)", "a shorter one above two hours is believed", "v6LC.3.2.5.B")
def shorter_lifetime_above_two_hours_is_believed(tap: Script) -> None:
    formed(tap, valid=10 * HOUR)
    offer(tap, 3 * HOUR)
    tap.at((3 * HOUR + 4) * SECOND)
    expect_ours(tap)
    tap.at((3 * HOUR + 5) * SECOND)
    expect_not_ours(tap)


@clause("RFC 4862, 5.5.3 (e)", "one below two hours leaves two hours", "v6LC.3.2.5.C")
def two_hours_are_left(tap: Script) -> None:
    formed(tap, valid=10 * HOUR)
    offer(tap, 60)
    tap.at((2 * HOUR + 4) * SECOND)
    expect_ours(tap)
    tap.at((2 * HOUR + 5) * SECOND)
    expect_not_ours(tap)


@clause(
    "RFC 4862, 5.5.3 (e)", "with two hours or less left, a shorter one is ignored", "v6LC.3.2.5.D"
)
def short_rest_is_not_shortened(tap: Script) -> None:
    formed(tap, valid=HOUR, preferred=HOUR)
    offer(tap, 1)
    tap.at((HOUR + 2) * SECOND)
    expect_ours(tap)
    tap.at((HOUR + 3) * SECOND).forget()
    expect_not_ours(tap)


@clause("RFC 5942, 4", "an address that a prefix made does not put the prefix on the link")
def formed_address_says_nothing_of_the_link(tap: Script) -> None:
    ready(tap)
    tap.lan(ra(9000, options=(prefix(flags=ndp.AUTONOMOUS),))).at(5 * SECOND).expect(dad(FORMED))
    sent = packet6(FAR6, source=FORMED)
    tap.host(sent).expect(wrapped(sent, ROUTER_MAC))


@clause("RFC 4861, 7.2.2", "we ask in the name of an address of the same prefix, if there is one")
def question_comes_from_the_same_prefix(tap: Script) -> None:
    formed(tap)
    tap.host(packet6(FAR6, source=US6))
    tap.expect(ns(FAR6, by=FORMED, at=OUR_MAC, says=OUR_MAC))
