"""The hub's MAC table: lazy ageing, moves at once, a full table refuses."""

import pytest

from sim.nodes.softether import tables
from sim.nodes.softether.tables import MacTable
from tests.sim.networks import station_mac
from virtualtap.units import MS, SECOND

ONE, TWO, THREE = ((station_mac(i), 0) for i in (1, 2, 3))
EXPIRES = 600 * SECOND


def test_its_constants_are_those_of_the_sources():
    assert tables.MAX_MAC_TABLES == 65_536
    assert tables.MAC_TABLE_EXPIRE_TIME == 600 * SECOND
    assert tables.OLD_MAC_ADDRESS_ENTRY_FLUSH_INTERVAL == 1 * SECOND


def test_who_was_heard_is_found():
    table = MacTable()
    assert table.lookup(ONE) is None
    assert table.learn(ONE, 3, 0)
    assert table.lookup(ONE) == 3


def test_the_same_address_in_another_vlan_is_another_entry():
    table = MacTable()
    mac = ONE[0]
    table.learn((mac, 0), 1, 0)
    table.learn((mac, 5), 2, 0)
    assert (table.lookup((mac, 0)), table.lookup((mac, 5)), table.lookup((mac, 6))) == (1, 2, None)


def test_an_entry_of_any_age_is_found():
    table = MacTable()
    table.learn(ONE, 3, 0)
    assert table.lookup(ONE) == 3  # a lookup does not even take the time
    table.learn(TWO, 4, 0)
    table.learn(TWO, 4, 10 * EXPIRES)  # known: nothing expires
    assert table.lookup(ONE) == 3


@pytest.mark.parametrize(("age", "expected"), [(EXPIRES - 1, 3), (EXPIRES, None)])
def test_entries_expire_only_when_an_unknown_source_shows_up(age: int, expected: int | None):
    table = MacTable()
    table.learn(ONE, 3, 0)
    table.learn(TWO, 4, age)
    assert table.lookup(ONE) == expected


def test_entries_expire_at_most_once_a_second():
    table = MacTable()
    table.learn(ONE, 3, 0)
    table.learn(TWO, 4, EXPIRES - 500 * MS)  # looked, and found nothing too old
    table.learn(THREE, 4, EXPIRES + 499 * MS)
    assert table.lookup(ONE) == 3
    table.learn((station_mac(4), 0), 4, EXPIRES + 500 * MS)
    assert table.lookup(ONE) is None


def test_a_frame_of_the_owner_makes_its_entry_young():
    table = MacTable()
    table.learn(ONE, 3, 0)
    table.learn(ONE, 3, 400 * SECOND)
    table.learn(TWO, 4, 700 * SECOND)
    assert table.lookup(ONE) == 3


def test_an_address_moves_at_once():
    table = MacTable()
    table.learn(ONE, 3, 0)
    assert table.learn(ONE, 4, 1)
    assert (table.lookup(ONE), len(table)) == (4, 1)


def test_a_full_table_refuses_who_is_new_and_keeps_who_is_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "MAX_MAC_TABLES", 2)
    table = MacTable()
    assert table.learn(ONE, 1, 0)
    assert table.learn(TWO, 2, 0)
    assert not table.learn(THREE, 3, 5)
    assert table.learn(ONE, 3, 6)
    assert (table.lookup(THREE), len(table)) == (None, 2)


def test_a_full_table_makes_room_of_what_expired(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "MAX_MAC_TABLES", 1)
    table = MacTable()
    table.learn(ONE, 1, 0)
    assert table.learn(TWO, 2, EXPIRES)
    assert table.items() == [(TWO, 2)]


def test_the_end_of_a_session_purges_its_addresses_at_once():
    table = MacTable()
    for key, session in ((ONE, 1), (TWO, 2), (THREE, 1)):
        table.learn(key, session, 0)
    table.purge(1)
    assert table.items() == [(TWO, 2)]
