"""Addresses that the host forms itself, learned from its probes: RFC 4862 5.4, 5.5."""

from typing import Any

from sim.conformance.frames import packet6
from sim.conformance.frames6 import FAR6, ROUTER_MAC, O, dad, na, ns, our_na, prefix, ra, spoiled
from sim.conformance.registry import clause
from sim.conformance.script import OTHER_MAC, OUR_MAC, PEER6, Script
from virtualtap.units import SECOND
from virtualtap.wire import ndp
from virtualtap.wire.address import ALL_NODES6, ALL_ROUTERS6, Ip, ip, multicast_mac6
from virtualtap.wire.ethernet import HEADER_LEN, IPV6
from virtualtap.wire.ndp import RouterSolicitation

HOST6, OTHER_OF_HOST = ip("2001:db8::1234:5678"), ip("2001:db8::8765:4321")
LINK_LOCAL_OF_HOST = ip("fe80::1234:5678")


def start(tap: Script, valid: int = 86_400, flags: int = 0xC0, **changes: Any) -> Script:
    """A tap that knows nothing, and learns; a router offers 2001:db8::/64."""
    alone = {"our_ip": None, "gateway_ip": None, "our_ip6": (), "gateway_ip6": None}
    tap.start(**{**alone, "learn_ip": True, **changes})
    return offer(tap, valid, flags)


def offer(tap: Script, valid: int, flags: int = 0xC0) -> Script:
    """The router's word; the host hears it, too."""
    said = prefix(flags=flags, valid=valid, preferred=min(valid, 100))
    return tap.lan(ra(9000, options=(said,))).forget()


def probes(tap: Script, address: Ip = HOST6) -> None:
    """The host asks whether anybody has the address."""
    tap.host(dad(address)[HEADER_LEN:]).expect(dad(address))


def learned(tap: Script, address: Ip = HOST6) -> None:
    """As far as nobody objected."""
    probes(tap, address)
    tap.at(tap.now + SECOND).expect()


def ours(tap: Script, address: Ip = HOST6) -> None:
    """The address is answered for."""
    tap.lan(ns(address)).expect(our_na(of=address))


def not_ours(tap: Script, address: Ip = HOST6) -> None:
    """The address is not answered for."""
    tap.lan(ns(address)).expect()


@clause("RFC 4862, 5.4", "an address that the host probes, of a router's prefix, becomes ours")
def probed_address_is_learned(tap: Script) -> None:
    learned(start(tap))
    ours(tap)


@clause("RFC 4862, 5.4", "an address is not ours while somebody may object")
def probed_address_is_tentative(tap: Script) -> None:
    probes(start(tap))
    tap.at(tap.now + SECOND - 1)
    not_ours(tap)


@clause("RFC 4862, 5.4.2", "each further probe of the host begins the wait anew")
def second_probe_is_waited_for(tap: Script) -> None:
    probes(start(tap))
    tap.at(SECOND // 2)
    learned(tap)
    ours(tap)


@clause("RFC 4862, 5.4.2", "where probes are repeated the last one counts")
def wait_is_counted_from_the_last_probe(tap: Script) -> None:
    probes(start(tap))
    tap.at(SECOND // 2)
    probes(tap)
    tap.at(SECOND)
    not_ours(tap)


@clause("RFC 4862, 5.4.4", "an address that another says it has is not ours")
def contested_probe_is_not_learned(tap: Script) -> None:
    probes(start(tap))
    tap.lan(na(O, of=HOST6, says=OTHER_MAC, at=OTHER_MAC, to=ALL_NODES6)).expect()
    tap.at(2 * SECOND)
    not_ours(tap)


@clause("RFC 4862, 5.4.5", "from an address that another has the host sends nothing")
def contested_address_says_nothing(tap: Script) -> None:
    probes(start(tap))
    tap.lan(na(O, of=HOST6, says=OTHER_MAC, at=OTHER_MAC, to=ALL_NODES6)).forget()
    tap.at(2 * SECOND).host(packet6(PEER6, source=HOST6)).expect()


@clause("RFC 4862, 5.5.3", "an address of a prefix that no router offers is not learned")
def unoffered_address_is_not_learned(tap: Script) -> None:
    learned(start(tap), ip("2001:db8:1::1"))
    not_ours(tap, ip("2001:db8:1::1"))


@clause("RFC 4862, 5.5.3", "a prefix that is not for forming addresses teaches nothing")
def prefix_without_autonomy_teaches_nothing(tap: Script) -> None:
    learned(start(tap, flags=ndp.ON_LINK))
    not_ours(tap)


@clause("RFC 4862, 5.3", "the host's link-local address needs no router's word")
def link_local_address_is_learned(tap: Script) -> None:
    learned(start(tap), LINK_LOCAL_OF_HOST)
    ours(tap, LINK_LOCAL_OF_HOST)


@clause("RFC 4862, 5.5.4", "an address ends with its prefix")
def learned_address_ends(tap: Script) -> None:
    learned(start(tap, valid=8000))
    tap.at(8000 * SECOND - 1).forget()
    ours(tap)
    tap.at(8000 * SECOND).forget()
    not_ours(tap)


@clause("RFC 4862, 5.5.3", "a router's new word lengthens the lifetime of what was learned")
def learned_address_is_renewed(tap: Script) -> None:
    learned(start(tap, valid=8000))
    tap.at(5000 * SECOND).forget()
    offer(tap, 8000)
    tap.at(13_000 * SECOND - 1).forget()
    ours(tap)


@clause("RFC 4862, 5.5.3", "nobody ends what was learned within two hours")
def learned_address_is_not_ended_at_once(tap: Script) -> None:
    learned(start(tap))
    offer(tap, 10)
    tap.at(7200 * SECOND).forget()
    ours(tap)
    tap.at(7201 * SECOND).forget()
    not_ours(tap)


@clause("RFC 4862, 5.5.3", "of a prefix that is over no address is learned")
def ended_prefix_teaches_nothing(tap: Script) -> None:
    start(tap, valid=10).at(10 * SECOND).forget()
    learned(tap)
    not_ours(tap)


@clause("RFC 4862, 5.4", "who uses an address without a probe is not believed")
def ordinary_packets_teach_no_address(tap: Script) -> None:
    start(tap).host(packet6(PEER6, source=HOST6)).forget()
    tap.host(ns(PEER6, by=HOST6, says=None)[HEADER_LEN:]).forget().at(2 * SECOND).forget()
    not_ours(tap)


@clause("RFC 4861, 7.1.1", "a probe that is not valid teaches nothing")
def wrong_probe_teaches_nothing(tap: Script) -> None:
    start(tap)
    for wrong in ({"hop_limit": 254}, {"checksum": 1}, {"code": 1}):
        tap.host(spoiled(dad(HOST6), **wrong)[HEADER_LEN:]).forget()
    tap.host(dad(HOST6, to=ALL_NODES6)[HEADER_LEN:]).forget()
    tap.at(2 * SECOND)
    not_ours(tap)


@clause("RFC 4862, 5.4", "another station's probe is not the host's")
def foreign_probe_teaches_nothing(tap: Script) -> None:
    start(tap).lan(dad(HOST6, at=OTHER_MAC)).at(2 * SECOND)
    not_ours(tap)


@clause("RFC 4862, 5.4", "without being told to, no address is learned")
def no_address_is_learned_unasked(tap: Script) -> None:
    learned(start(tap, learn_ip=False))
    not_ours(tap)


@clause("RFC 4861, 6.3.7", "what else the host says from nobody leaves as it is")
def host_asks_for_routers(tap: Script) -> None:
    asked = ndp.packet(RouterSolicitation(), bytes(16), ALL_ROUTERS6)
    start(tap).host(asked).expect(multicast_mac6(ALL_ROUTERS6) + OUR_MAC + IPV6 + asked)


@clause("RFC 4862, 5.4", "the host probes for one address after the other: there is a limit")
def learned_addresses_have_a_limit(tap: Script) -> None:
    start(tap, addresses6_max=1)
    learned(tap)
    learned(tap, OTHER_OF_HOST)
    not_ours(tap, OTHER_OF_HOST)
    ours(tap)


@clause("RFC 4862, 5.5.3", "of prefixes no more are noted than there is room for")
def noted_prefixes_have_a_limit(tap: Script) -> None:
    start(tap, prefixes_max=1)
    tap.lan(ra(9000, options=(prefix("2001:db8:1::"),))).forget()
    learned(tap, ip("2001:db8:1::1"))
    not_ours(tap, ip("2001:db8:1::1"))
    learned(tap)
    ours(tap)


@clause("RFC 4861, 6.3.4", "routers are heard by the tap as by the host")
def router_is_learned_beside(tap: Script) -> None:
    learned(start(tap))
    tap.host(packet6(FAR6, source=HOST6)).forget()
    tap.host(packet6(ip("2001:db8:2::1"), source=HOST6))
    away = packet6(ip("2001:db8:2::1"), source=HOST6)
    tap.expect(ROUTER_MAC + OUR_MAC + IPV6 + away)
