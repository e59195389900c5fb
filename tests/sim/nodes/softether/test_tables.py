"""The hub's MAC table: lazy ageing, moves at once, a full table refuses."""

import pytest

from sim.nodes.softether.constants import constants
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Policy
from sim.nodes.softether.session import Session, Terms
from sim.nodes.softether.tables import IpTable, MacTable, most_ips, most_ips6, most_macs
from tests.sim.networks import station_mac
from tests.sim.nodes.softether.hubs import Far, bridge, client, plain_client
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import ip, mac

ONE, TWO, THREE, FOUR = ((station_mac(i), 0) for i in (1, 2, 3, 4))
MAC = station_mac(1)
EXPIRES = 600 * SECOND


def a_session(number: int, terms: Terms | None = None) -> Session:
    return Session(number, Far(), terms or client(), constants(), HubOptions())


A, B, C = (a_session(number) for number in (1, 2, 3))


def a_table(most: int = 0) -> MacTable:
    return MacTable(constants(overrides={"MAX_MAC_TABLES": most}))


def an_ip_table(most: int = 0) -> IpTable:
    return IpTable(constants(overrides={"MAX_IP_TABLES": most}))


def test_who_was_heard_is_found():
    table = a_table()
    assert table.lookup(ONE) is None
    assert table.learn(ONE, A, 0) is None
    assert table.lookup(ONE) is A


def test_the_same_address_in_another_vlan_is_another_entry():
    table = a_table()
    table.learn((MAC, 0), A, 0)
    table.learn((MAC, 5), B, 0)
    assert [table.lookup((MAC, vlan)) for vlan in (0, 5, 6)] == [A, B, None]


def test_an_entry_of_any_age_is_found():
    table = a_table()
    table.learn(ONE, A, 0)
    assert table.lookup(ONE) is A  # a lookup does not even take the time
    table.learn(TWO, B, 0)
    table.learn(TWO, B, 10 * EXPIRES)  # known: nothing expires
    assert table.lookup(ONE) is A


@pytest.mark.parametrize(("age", "expected"), [(EXPIRES - 1, A), (EXPIRES, None)])
def test_entries_expire_only_when_an_unknown_source_shows_up(age: int, expected: Session | None):
    table = a_table()
    table.learn(ONE, A, 0)
    table.learn(TWO, B, age)
    assert table.lookup(ONE) is expected


def test_entries_expire_at_most_once_a_second():
    table = a_table()
    table.learn(ONE, A, 0)
    table.learn(TWO, B, EXPIRES - 500 * MS)  # looked, and found nothing too old
    table.learn(THREE, B, EXPIRES + 499 * MS)
    assert table.lookup(ONE) is A
    table.learn(FOUR, B, EXPIRES + 500 * MS)
    assert table.lookup(ONE) is None


def test_a_frame_of_the_owner_makes_its_entry_young():
    table = a_table()
    table.learn(ONE, A, 0)
    table.learn(ONE, A, 400 * SECOND)
    table.learn(TWO, B, 700 * SECOND)
    assert table.lookup(ONE) is A


def test_an_address_moves_at_once():
    table = a_table()
    table.learn(ONE, A, 0)
    assert table.learn(ONE, B, 1) is None
    assert (table.lookup(ONE), len(table)) == (B, 1)


@pytest.mark.parametrize(("after", "why"), [(13 * SECOND, "mac-conflict"), (13 * SECOND + 1, None)])
@pytest.mark.parametrize("terms", [bridge(), client(CheckMac=True)], ids=["bridge", "CheckMac"])
def test_a_bridge_or_check_mac_waits_until_the_first_owner_was_silent_for_13_seconds(
    terms: Terms, after: int, why: str | None
):
    table, checking = a_table(), a_session(9, terms)
    table.learn(ONE, A, 0)
    assert table.learn(ONE, checking, after) == why
    assert table.lookup(ONE) is (A if why else checking)


def test_what_a_newcomer_tries_does_not_prolong_the_13_seconds():
    table, checking = a_table(), a_session(9, client(CheckMac=True))
    table.learn(ONE, A, 0)
    for second in range(14):
        assert table.learn(ONE, checking, second * SECOND) == "mac-conflict"
    assert table.learn(ONE, checking, 14 * SECOND) is None


def test_a_local_bridge_does_not_wait_where_the_hub_says_so():
    options = HubOptions(DisableCheckMacOnLocalBridge=True)
    table, checking = a_table(), Session(9, Far(), bridge(), constants(), options)
    table.learn(ONE, A, 0)
    assert table.learn(ONE, checking, 1) is None


def test_an_ordinary_client_brings_three_macs_and_the_fourth_waits_for_a_place():
    table, limited = a_table(), a_session(9, plain_client())
    for key in (ONE, TWO, THREE):
        assert table.learn(key, limited, 0) is None
    assert table.learn(FOUR, limited, 599 * SECOND) == "mac-limit"
    assert table.learn(FOUR, limited, 600 * SECOND) is None


def test_each_vlan_of_one_mac_takes_a_place():
    table, limited = a_table(), a_session(9, plain_client())
    assert [table.learn((MAC, vlan), limited, 0) for vlan in (0, 5, 6, 7)] == [
        *(None, None, None),
        "mac-limit",
    ]


def test_a_full_session_may_take_over_the_mac_of_another():
    table, limited = a_table(), a_session(9, plain_client())
    table.learn(FOUR, A, 0)
    for key in (ONE, TWO, THREE, FOUR):
        assert table.learn(key, limited, 1) is None
    assert [session for _, session in table.items()] == [limited] * 4


def test_a_place_comes_free_when_another_session_takes_the_mac():
    table, limited = a_table(), a_session(9, plain_client())
    for key in (ONE, TWO, THREE):
        table.learn(key, limited, 0)
    table.learn(TWO, A, 1)
    assert table.learn(FOUR, limited, 2) is None


@pytest.mark.parametrize(
    ("words", "macs", "ips", "ips6"),
    [
        ({}, 0, 0, 0),
        ({"MaxMac": 2, "MaxIP": 2, "MaxIPv6": 2}, 3, 4, 5),
        ({"MaxMac": 10, "MaxIP": 10, "MaxIPv6": 10}, 10, 10, 10),
        ({"NoBridge": True, "NoRouting": True, "NoRoutingV6": True}, 3, 4, 15),
        (
            *(
                {
                    "NoBridge": True,
                    "NoRouting": True,
                    "NoRoutingV6": True,
                    "MaxMac": 10,
                    "MaxIP": 10,
                },
            ),
            *(3, 4, 15),
        ),
        ({"NoRoutingV6": True, "MaxIPv6": 7}, 0, 0, 7),
    ],
)
def test_limits_are_never_below_three_macs_four_addresses_and_five_of_ipv6(
    words: dict[str, int], macs: int, ips: int, ips6: int
):
    policy = Policy(**words)
    assert (most_macs(policy), most_ips(policy), most_ips6(policy)) == (macs, ips, ips6)


def test_a_full_table_refuses_who_is_new_and_keeps_who_is_known():
    table = a_table(2)
    assert table.learn(ONE, A, 0) is None
    assert table.learn(TWO, B, 0) is None
    assert table.learn(THREE, C, 5) == "mac-table-full"
    assert table.learn(ONE, C, 6) is None
    assert (table.lookup(THREE), len(table)) == (None, 2)


def test_a_full_table_makes_room_of_what_expired():
    table = a_table(1)
    table.learn(ONE, A, 0)
    assert table.learn(TWO, B, EXPIRES) is None
    assert table.items() == [(TWO, B)]


def test_the_end_of_a_session_purges_its_addresses_at_once():
    table, addresses = a_table(), an_ip_table()
    for i, (key, session) in enumerate(((ONE, A), (TWO, B), (THREE, A))):
        table.learn(key, session, 0)
        addresses.learn4(ip(f"10.0.0.{i}"), MAC, session, 0, managed=True)
    table.purge(A)
    addresses.purge(A)
    assert table.items() == [(TWO, B)]
    assert list(addresses.entries) == [ip("10.0.0.1")]


# addresses


def heard4(table: IpTable, last: int, session: Session, now: int = 0) -> str | None:
    return table.learn4(ip(f"10.0.0.{last}"), MAC, session, now, managed=True)


def heard6(table: IpTable, last: int, session: Session, now: int = 0, **said: bool) -> str | None:
    said = {"managed": True, "exempt": False, **said}
    return table.learn6(ip(f"fe80::{last}"), MAC, session, now, **said)


def listed(table: IpTable) -> list[int]:
    return [address[-1] for address in table.entries]


def test_an_ordinary_client_brings_four_ipv4_addresses():
    table, limited = an_ip_table(), a_session(9, plain_client())
    assert [heard4(table, i, limited) for i in range(1, 7)] == [*[None] * 4, *["ip-limit"] * 2]
    assert heard4(table, 2, limited) is None


def test_expired_addresses_still_count_until_somebody_stores_a_new_one():
    table, limited = an_ip_table(), a_session(9, plain_client())
    for i in range(1, 5):
        heard4(table, i, limited)
    assert heard4(table, 5, limited, 63 * SECOND) == "ip-limit"
    assert listed(table) == [1, 2, 3, 4]
    heard4(table, 9, A, 64 * SECOND)
    assert heard4(table, 5, limited, 65 * SECOND) is None
    assert listed(table) == [9, 5]


def test_an_address_that_is_not_managed_is_not_stored_but_the_limit_holds_for_it():
    table, limited = an_ip_table(), a_session(9, plain_client())
    public = ip("8.8.8.8")
    assert table.learn4(public, MAC, limited, 0, managed=False) is None
    for i in range(1, 5):
        assert heard4(table, i, limited) is None
    assert table.learn4(public, MAC, limited, 0, managed=False) == "ip-limit"
    assert public not in table.entries


def test_an_ipv4_address_moves_at_once_and_a_full_session_may_take_it_over():
    table, limited = an_ip_table(), a_session(9, plain_client())
    heard4(table, 5, A)
    for i in range(1, 6):
        assert heard4(table, i, limited, 1) is None
    assert {entry.session for entry in table.entries.values()} == {limited}


@pytest.mark.parametrize(("after", "why"), [(13 * SECOND, "ip-conflict"), (13 * SECOND + 1, None)])
def test_check_ip_waits_until_the_first_owner_was_silent_for_13_seconds(
    after: int, why: str | None
):
    table, checking = an_ip_table(), a_session(9, client(CheckIP=True))
    heard4(table, 1, A)
    assert heard4(table, 1, checking, after) == why


def test_dhcp_force_lets_in_only_what_a_server_gave():
    table, forced = an_ip_table(), a_session(9, client(DHCPForce=True))
    assert heard4(table, 1, forced) == "dhcp-force"
    table.granted(ip("10.0.0.1"), mac("ff:ff:ff:ff:ff:ff"), forced, 0)
    assert heard4(table, 1, forced, 1) is None
    entry = table.entries[ip("10.0.0.1")]
    assert (entry.mac, entry.dhcp) == (MAC, True)  # put right by its first own frame


def test_dhcp_force_may_take_over_only_a_leased_address():
    table, forced = an_ip_table(), a_session(9, client(DHCPForce=True))
    heard4(table, 1, A)
    table.granted(ip("10.0.0.2"), MAC, A, 0)
    assert heard4(table, 1, forced, 13 * SECOND) == "ip-conflict"
    assert heard4(table, 1, forced, 14 * SECOND) == "dhcp-force"
    assert heard4(table, 2, forced, 14 * SECOND) is None
    assert table.entries[ip("10.0.0.2")].dhcp


def test_a_plain_address_expires_after_60_seconds_and_a_leased_one_after_300():
    table = an_ip_table()
    heard4(table, 1, A)
    table.granted(ip("10.0.0.2"), MAC, A, 0)
    for at, expected in ((60, [2, 60]), (299, [2, 99]), (300, [99, 100])):
        heard4(table, at % 200, B, at * SECOND)
        assert listed(table) == expected


def test_a_lease_of_an_address_that_is_known_makes_nothing_expire():
    table = an_ip_table()
    for last in (1, 2):
        heard4(table, last, A)
    table.granted(ip("10.0.0.2"), MAC, B, 100 * SECOND)
    assert listed(table) == [1, 2]
    entry = table.entries[ip("10.0.0.2")]
    assert (entry.session, entry.dhcp, entry.updated) == (B, True, 100 * SECOND)
    heard4(table, 3, A, 399 * SECOND)
    assert listed(table) == [2, 3]
    table.purge(B)
    assert listed(table) == [3]


def test_a_full_table_loses_the_highest_address_not_the_oldest():
    table = an_ip_table(2)
    for i, last in enumerate((5, 9, 3, 4)):
        heard4(table, last, A, i)
    assert listed(table) == [3, 4]


def test_an_ipv6_address_of_another_session_stays_where_it_is():
    table = an_ip_table()
    heard6(table, 1, A)
    assert heard6(table, 1, B, 50 * SECOND) is None
    assert table.entries[ip("fe80::1")].session is A
    heard6(table, 2, A, 60 * SECOND)  # not even refreshed: it is gone now
    assert heard6(table, 1, B, 61 * SECOND) is None
    assert table.entries[ip("fe80::1")].session is B


def test_check_ipv6_waits_13_seconds_and_then_passes_what_it_does_not_learn():
    table, checking = an_ip_table(), a_session(9, client(CheckIPv6=True))
    heard6(table, 1, A)
    assert heard6(table, 1, checking, 13 * SECOND) == "ip-conflict"
    assert heard6(table, 1, checking, 14 * SECOND) is None
    assert table.entries[ip("fe80::1")].session is A


def test_ipv6_addresses_are_limited_but_for_who_looks_for_a_router_or_dhcp():
    table, limited = an_ip_table(), a_session(9, client(NoRoutingV6=True))
    assert [heard6(table, i, limited) for i in range(1, 17)] == [*[None] * 15, "ip-limit"]
    assert heard6(table, 16, limited, exempt=True) is None
    assert heard6(table, 1, limited, 1) is None


def test_an_ordinary_client_brings_any_number_of_ipv6_addresses():
    table, ordinary = an_ip_table(), a_session(9, plain_client())
    assert {heard6(table, i, ordinary) for i in range(1, 100)} == {None}
    assert len(table) == 99
