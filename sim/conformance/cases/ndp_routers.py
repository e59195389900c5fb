"""Routers and prefixes: RFC 4861 5.2, 6.3, 7.2.5; RFC 5942 4."""

from sim.conformance.frames import packet6, wrapped
from sim.conformance.frames6 import (
    FAR6,
    ROUTER6,
    ROUTER_MAC,
    O,
    R,
    S,
    expect_reachable,
    expect_stale,
    mtu,
    na,
    our_ns,
    our_probe,
    prefix,
    ra,
    rs,
)
from sim.conformance.registry import clause
from sim.conformance.script import (
    GATEWAY6,
    GATEWAY_MAC,
    NOBODY6,
    OTHER_MAC,
    PEER6,
    PEER_MAC,
    US6,
    Script,
)
from virtualtap.units import MS, SECOND
from virtualtap.wire import ndp
from virtualtap.wire.address import Ip, Mac, ip
from virtualtap.wire.ndp import Options

SECOND6, SECOND_MAC = ip("fe80::12"), b"\x02\x00\x5e\x00\x00\x12"
ON_LINK = prefix(flags=ndp.ON_LINK)


def hear(tap: Script, advertisement: bytes) -> None:
    """A router speaks; whether the host hears it, too, does not matter here."""
    tap.lan(advertisement).expect()
    tap.forget()


def begin(tap: Script, lifetime: int = 1800, options: Options = ()) -> None:
    """No router is configured, and one has spoken."""
    tap.start(gateway_ip6=None)
    hear(tap, ra(lifetime, options=options))


def expect_through(tap: Script, mac: Mac = ROUTER_MAC, to: Ip = FAR6) -> None:
    """A packet from afar goes to this router at once."""
    tap.host(packet6(to)).expect(wrapped(packet6(to), mac))


def expect_nowhere(tap: Script, to: Ip = FAR6) -> None:
    """There is no way there."""
    tap.host(packet6(to)).expect()


# the router list


@clause("RFC 4861, 6.3.4", "a router that speaks is used, at the MAC that it says", "v6LC.2.2.2.A")
def router_that_speaks_is_used(tap: Script) -> None:
    begin(tap)
    expect_through(tap)


@clause("RFC 4861, 5.2", "without a router there is no way off the link", "v6LC.2.2.2.D")
def without_router_nothing_leaves_the_link(tap: Script) -> None:
    tap.start(gateway_ip6=None)
    expect_nowhere(tap)


@clause("RFC 4861, 6.3.4", "a router with lifetime 0 is none", "v6LC.2.2.2.B")
def router_without_lifetime_is_none(tap: Script) -> None:
    begin(tap, 0)
    expect_nowhere(tap)


@clause("RFC 4861, 6.3.4", "lifetime 0 ends a router at once", "v6LC.2.2.11.A")
def lifetime_zero_ends_a_router(tap: Script) -> None:
    begin(tap)
    hear(tap, ra(0))
    expect_nowhere(tap)


@clause("RFC 4861, 6.3.5", "a router's lifetime ends it, and not sooner")
def router_expires(tap: Script) -> None:
    begin(tap, 20)
    tap.at(20 * SECOND - 1)
    expect_through(tap)
    tap.at(20 * SECOND)
    expect_nowhere(tap)
    tap.forget()


@clause("RFC 4861, 6.3.4", "a later word of the router counts for its lifetime")
def router_is_renewed(tap: Script) -> None:
    begin(tap, 20)
    tap.at(15 * SECOND)
    hear(tap, ra(20))
    tap.at(34 * SECOND)
    expect_through(tap)


@clause("RFC 4861, 6.3.4", "a router that says no MAC is asked for it", "v6LC.2.2.2.C")
def router_without_mac_is_asked_for(tap: Script) -> None:
    tap.start(gateway_ip6=None)
    hear(tap, ra(says=None))
    tap.host(packet6(FAR6)).expect(our_ns(ROUTER6))
    tap.lan(na(S | O | R, of=ROUTER6, says=ROUTER_MAC)).expect(wrapped(packet6(FAR6), ROUTER_MAC))


@clause("RFC 4861, 6.3.4", "a router that speaks is STALE: not confirmed by that", "v6LC.2.2.10")
def router_that_speaks_is_stale(tap: Script) -> None:
    begin(tap)
    expect_through(tap)
    tap.at(5 * SECOND - 1).expect()
    tap.at(5 * SECOND).expect(our_probe(ROUTER6, ROUTER_MAC))


@clause("RFC 4861, 6.3.4", "a router that says another MAC is followed", "v6LC.2.2.10")
def router_that_moves_is_followed(tap: Script) -> None:
    begin(tap)
    hear(tap, ra(says=OTHER_MAC))
    expect_through(tap, OTHER_MAC)


@clause("RFC 4861, 6.3.6", "when the router does not answer, the other is used", "v6LC.2.2.11.B")
def other_router_takes_over(tap: Script) -> None:
    begin(tap)
    hear(tap, ra(by=SECOND6, says=SECOND_MAC))
    expect_through(tap)
    tap.at(8 * SECOND).expect(*[our_probe(ROUTER6, ROUTER_MAC)] * 3)
    expect_through(tap, SECOND_MAC)


@clause("RFC 4861, 6.3.6", "a router whose MAC is known is preferred to one that must be asked for")
def known_router_is_preferred(tap: Script) -> None:
    tap.start(gateway_ip6=None)
    hear(tap, ra(says=None))
    hear(tap, ra(by=SECOND6, says=SECOND_MAC))
    expect_through(tap, SECOND_MAC)


@clause("RFC 4861, 6.3.6", "of silent routers each is asked for in turn", "v6LC.2.2.11.B")
def silent_routers_take_turns(tap: Script) -> None:
    tap.start(gateway_ip6=None)
    hear(tap, ra(says=None))
    hear(tap, ra(by=SECOND6, says=None))
    tap.host(packet6(FAR6)).expect(our_ns(ROUTER6))
    tap.at(3 * SECOND).expect(*[our_ns(ROUTER6)] * 2)
    tap.host(packet6(FAR6)).expect(our_ns(SECOND6))


@clause("RFC 4861, 6.3.4", "a configured router that answers is not replaced by one that speaks")
def configured_router_stays(tap: Script) -> None:
    tap.host(packet6(FAR6)).expect(our_ns(GATEWAY6))
    tap.lan(na(of=GATEWAY6, says=GATEWAY_MAC)).expect(wrapped(packet6(FAR6), GATEWAY_MAC))
    hear(tap, ra())
    expect_through(tap, GATEWAY_MAC)


@clause("RFC 4861, 6.3.4", "a configured router is not ended by what is said in its name")
def configured_router_is_not_ended(tap: Script) -> None:
    hear(tap, ra(0, by=GATEWAY6, says=GATEWAY_MAC))
    expect_through(tap, GATEWAY_MAC)


@clause(
    "RFC 4861, 7.2.5", "one that answers without the router flag routes no longer", "v6LC.2.1.21.A"
)
def router_flag_cleared(tap: Script) -> None:
    begin(tap)
    tap.lan(na(S | O, of=ROUTER6, says=ROUTER_MAC)).expect()
    expect_nowhere(tap)


@clause("RFC 4861, 7.2.5", "an announcement without the router flag ends it, too", "v6LC.2.1.21.B")
def router_flag_cleared_unsolicited(tap: Script) -> None:
    begin(tap)
    tap.lan(na(0, of=ROUTER6, says=None)).expect()
    expect_nowhere(tap)


@clause("RFC 4861, 7.2.5", "one that answers with the router flag goes on routing", "v6LC.2.1.21.C")
def router_flag_kept(tap: Script) -> None:
    begin(tap)
    tap.lan(na(S | O | R, of=ROUTER6, says=ROUTER_MAC)).expect()
    expect_through(tap)


@clause("RFC 4861, 7.2.5", "an ignored answer does not change the router flag", "v6LC.2.1.21.D")
def router_flag_of_an_ignored_answer(tap: Script) -> None:
    begin(tap)
    tap.lan(na(S, of=ROUTER6, says=OTHER_MAC)).expect()
    expect_through(tap)


@clause("RFC 4861, 6.3.4", "the router flag of a neighbour alone makes no router", "v6LC.2.2.17")
def router_flag_makes_no_router(tap: Script) -> None:
    tap.start(gateway_ip6=None)
    tap.host(packet6()).expect(our_ns())
    tap.lan(na(S | O | R)).expect(wrapped(packet6()))
    expect_nowhere(tap)


@clause("RFC 4861, 6.2.6", "one who asks for routers is not learned by a host", "v6LC.2.2.3.B")
def one_who_asks_for_routers_is_not_learned(tap: Script) -> None:
    tap.lan(rs()).expect()
    tap.host(packet6()).expect(our_ns())


# the prefix list


@clause("RFC 5942, 4", "a prefix that routers call on-link is reached directly", "v6LC.2.1.3.A")
def prefix_is_on_link(tap: Script) -> None:
    begin(tap, options=(ON_LINK,))
    tap.host(packet6(FAR6)).expect(our_ns(FAR6))


@clause("RFC 5942, 4", "a prefix without the flag says nothing of the link", "v6LC.2.1.3.B")
def prefix_without_flag_is_not(tap: Script) -> None:
    begin(tap, options=(prefix(flags=0),))
    expect_through(tap)


@clause("RFC 5942, 4", "beside a prefix nothing is on-link", "v6LC.2.1.1.C")
def beside_the_prefix_is_off_link(tap: Script) -> None:
    begin(tap, options=(ON_LINK,))
    expect_through(tap, to=ip("2001:db8:0:1::9"))


@clause("RFC 4861, 6.3.4", "a prefix on the link may have any length", "v6LC.2.2.19")
def prefix_of_any_length(tap: Script) -> None:
    begin(tap, options=(prefix("2001:db8::8", length=125, flags=ndp.ON_LINK),))
    tap.host(packet6(FAR6)).expect(our_ns(FAR6))
    expect_through(tap, to=ip("2001:db8::10"))


@clause("RFC 4861, 4.6.2", "a prefix longer than an address is passed over, the rest is heard")
def prefix_too_long_is_passed_over(tap: Script) -> None:
    begin(tap, options=(prefix(length=129), prefix("2001:db8:1::", flags=ndp.ON_LINK)))
    expect_through(tap)
    tap.host(packet6(ip("2001:db8:1::9"))).expect(our_ns(ip("2001:db8:1::9")))


@clause("RFC 4861, 6.3.5", "a prefix is on-link until its lifetime ends", "v6LC.2.1.4.A")
def prefix_expires(tap: Script) -> None:
    begin(tap, options=(prefix(flags=ndp.ON_LINK, valid=20, preferred=20),))
    tap.at(20 * SECOND - 1).host(packet6(FAR6)).expect(our_ns(FAR6))
    tap.at(60 * SECOND).forget()
    expect_through(tap)


@clause("RFC 4861, 6.3.4", "lifetime 0 ends a prefix at once", "v6LC.2.1.4.B")
def lifetime_zero_ends_a_prefix(tap: Script) -> None:
    begin(tap, options=(ON_LINK,))
    hear(tap, ra(options=(prefix(flags=ndp.ON_LINK, valid=0, preferred=0),)))
    expect_through(tap)


@clause("RFC 4861, 6.3.4", "a word about a prefix without the flag does not end it")
def word_without_flag_ends_nothing(tap: Script) -> None:
    begin(tap, options=(ON_LINK,))
    hear(tap, ra(options=(prefix(flags=0, valid=0, preferred=0),)))
    tap.host(packet6(FAR6)).expect(our_ns(FAR6))


@clause("RFC 4861, 4.6.2", "a prefix whose lifetime is all ones does not end")
def prefix_forever(tap: Script) -> None:
    begin(tap, 9000, options=(prefix(flags=ndp.ON_LINK, valid=ndp.FOREVER),))
    tap.at(200 * 366 * 86400 * SECOND).host(packet6(FAR6)).expect(our_ns(FAR6))


@clause("RFC 4861, 6.3.4", "nobody can take our own network off the link")
def own_network_stays_on_link(tap: Script) -> None:
    begin(tap, options=(prefix("fd00::", flags=ndp.ON_LINK, valid=0, preferred=0),))
    tap.host(packet6(NOBODY6)).expect(our_ns(NOBODY6))


# what else routers decide


@clause("RFC 4861, 6.3.4", "the MTU that a router says is the longest packet that leaves")
def mtu_is_heard(tap: Script) -> None:
    begin(tap, options=(mtu(1280),))
    fits = packet6(FAR6, payload=bytes(1240))
    tap.host(fits).expect(wrapped(fits, ROUTER_MAC))
    tap.host(packet6(FAR6, payload=bytes(1241))).expect()
    tap.forget()


@clause("RFC 4861, 6.3.4", "an MTU below 1280 is not believed")
def mtu_has_a_floor(tap: Script) -> None:
    begin(tap, options=(mtu(1279),))
    whole = packet6(FAR6, payload=bytes(1460))
    tap.host(whole).expect(wrapped(whole, ROUTER_MAC))


@clause("RFC 4861, 6.3.4", "an MTU above the link's is not believed")
def mtu_has_a_ceiling(tap: Script) -> None:
    begin(tap, options=(mtu(9000),))
    tap.host(packet6(FAR6, payload=bytes(1461))).expect()
    tap.forget()


@clause("RFC 4861, 6.3.4", "the retransmission timer of the router paces our questions")
def retrans_timer_is_heard(tap: Script) -> None:
    hear(tap, ra(retrans=3000))
    tap.host(packet6()).expect(our_ns())
    tap.at(3 * SECOND - 1).expect()
    tap.at(3 * SECOND).expect(our_ns())


@clause("RFC 4861, 6.3.4", "a timer of 0 says nothing")
def retrans_timer_zero_says_nothing(tap: Script) -> None:
    hear(tap, ra(retrans=3000))
    hear(tap, ra(retrans=0))
    tap.host(packet6()).expect(our_ns())
    tap.at(3 * SECOND - 1).expect()


@clause("RFC 4861, 6.3.4", "the reachable time of the router, by half or one and a half, is ours")
def reachable_time_is_heard(tap: Script) -> None:
    hear(tap, ra(reachable=2000))
    tap.host(packet6()).expect(our_ns())
    tap.lan(na()).expect(wrapped(packet6()))
    tap.at(3001 * MS).expect()
    expect_stale(tap)


@clause("RFC 4861, 6.3.4", "a reachable time of 0 says nothing")
def reachable_time_zero_says_nothing(tap: Script) -> None:
    hear(tap, ra(reachable=60000))
    hear(tap, ra(reachable=0))
    tap.host(packet6()).expect(our_ns())
    tap.lan(na()).expect(wrapped(packet6()))
    tap.at(20 * SECOND)
    expect_reachable(tap)


@clause("RFC 4861, 4.2", "an option that nobody knows does not silence a router")
def unknown_option_of_a_router(tap: Script) -> None:
    begin(tap, options=((200, bytes(14)),))
    expect_through(tap)


@clause("RFC 4861, 5.2", "a router is a neighbour, wherever its address is")
def router_off_our_prefixes_is_a_neighbor(tap: Script) -> None:
    tap.start(gateway_ip6=FAR6).host(packet6(FAR6)).expect(our_ns(FAR6))


@clause("RFC 4861, 5.2", "nothing is sent to ourselves, nor to nobody")
def ourselves_and_nobody_are_no_destinations(tap: Script) -> None:
    for to in (US6, bytes(16), bytes(15) + b"\x01"):
        tap.host(packet6(to)).expect()
    tap.host(packet6(PEER6)).expect(our_ns())
    tap.lan(na(says=PEER_MAC)).expect(wrapped(packet6(PEER6)))
    tap.forget()
