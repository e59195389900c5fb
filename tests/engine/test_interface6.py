"""Our IPv6 addresses, routers, prefixes and redirects: who is ours, who leads where, limits."""

from tests.builders import FAR6, GATEWAY6, NOBODY6, OUR_IP6, PEER6, config
from virtualtap import SECOND, ip
from virtualtap.interface6 import Address, Interface6, ends
from virtualtap.timers import NEVER
from virtualtap.wire.ndp import FOREVER

ROUTERS = [ip(f"fe80::{number}") for number in range(1, 6)]
HOUR = 3600 * SECOND


def nobody(ip: bytes) -> bool:
    return False


def made(**changes) -> Interface6:
    return Interface6(config(gateway_ip6=None, **changes))


def test_what_is_configured_is_ours_from_the_start():
    assert made().owned(0) == [OUR_IP6]


def test_what_is_tentative_another_s_or_expired_is_not_ours():
    interface = made()
    wrong = (Address(tentative=True), Address(duplicate=True), Address(valid_until=5))
    for address in wrong:
        interface.addresses[OUR_IP6] = address
        assert not interface.owns(OUR_IP6, 5)
    assert interface.owns(OUR_IP6, 4)


def test_addresses_still_preferred_come_first():
    interface = made()
    interface.addresses = {
        PEER6: Address(preferred_until=5),
        OUR_IP6: Address(preferred_until=9),
        NOBODY6: Address(preferred_until=9),
    }
    assert interface.owned(4) == [PEER6, OUR_IP6, NOBODY6]
    assert interface.owned(5) == [OUR_IP6, NOBODY6, PEER6]


def test_the_source_is_the_wanted_one_then_one_of_the_prefix_then_any():
    local = ip("fe80::9")
    interface = made(our_ip6=(OUR_IP6, local))
    assert interface.source(PEER6, local, 0) == local
    assert interface.source(ip("fe80::5"), FAR6, 0) == local
    assert interface.source(FAR6, FAR6, 0) == OUR_IP6


def test_without_any_address_of_ours_to_use_there_is_no_source():
    assert made(dad=True).source(PEER6, FAR6, 0) is None


def test_a_tap_that_owns_every_address_asks_in_the_name_of_the_packet():
    assert made(our_ip6=()).source(PEER6, FAR6, 0) == FAR6


def test_routers_have_a_limit_and_expired_ones_make_room():
    interface = made(routers_max=2)
    for router in ROUTERS[:3]:
        interface.add_router(router, HOUR, 0)
    assert list(interface.routers) == ROUTERS[:2]
    interface.add_router(ROUTERS[2], 2 * HOUR, HOUR)
    assert list(interface.routers) == [ROUTERS[2]]


def test_a_known_router_is_renewed_in_a_full_list():
    interface = made(routers_max=1)
    interface.add_router(ROUTERS[0], HOUR, 0)
    interface.add_router(ROUTERS[0], 2 * HOUR, 0)
    assert interface.routers == {ROUTERS[0]: 2 * HOUR}


def test_a_configured_router_is_neither_ended_nor_changed():
    interface = Interface6(config())
    interface.add_router(GATEWAY6, HOUR, 0)
    interface.remove_router(GATEWAY6)
    assert interface.routers == {GATEWAY6: NEVER}


def test_one_that_is_no_router_may_fail():
    interface = made()
    interface.failed(PEER6)
    assert interface.routers == {}


def test_prefixes_have_a_limit_and_expired_ones_make_room():
    interface = made(prefixes_max=2)  # the first is our own
    for number in (1, 2):
        interface.add_prefix(ip(f"2001:db8:{number}::"), 64, HOUR, 0)
    assert interface.is_on_link(ip("2001:db8:1::5"), 0)
    assert not interface.is_on_link(ip("2001:db8:2::5"), 0)
    interface.add_prefix(ip("2001:db8:2::"), 64, 2 * HOUR, HOUR)
    assert interface.is_on_link(ip("2001:db8:2::5"), HOUR)


def test_bits_beyond_the_length_of_a_prefix_do_not_matter():
    interface = made()
    interface.add_prefix(ip("2001:db8::ffff"), 112, HOUR, 0)
    assert interface.is_on_link(FAR6, 0)
    interface.add_prefix(ip("2001:db8::"), 112, 0, 0)
    assert not interface.is_on_link(FAR6, 0)


def test_a_prefix_of_no_bits_covers_everything():
    interface = made()
    interface.add_prefix(bytes(16), 0, HOUR, 0)
    assert interface.next_hop(FAR6, 0, nobody) == FAR6


def test_the_end_of_a_prefix_that_was_never_heard_of_ends_nothing():
    interface = made()
    interface.add_prefix(ip("2001:db8::"), 64, 0, 0)
    assert interface.is_on_link(PEER6, 0)


def test_redirects_have_a_limit_and_the_oldest_goes():
    interface = made(redirects_max=2)
    for destination in (FAR6, PEER6, FAR6, NOBODY6):
        interface.redirect(destination, ROUTERS[0])
    assert list(interface.redirects) == [FAR6, NOBODY6]


def test_all_ones_last_for_ever_and_all_else_for_its_seconds():
    assert ends(FOREVER, 5) == NEVER - 1
    assert ends(10, 5) == 10 * SECOND + 5
