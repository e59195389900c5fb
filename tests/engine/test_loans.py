"""The table of lent addresses: bounded, one address for one client, the longest ended first."""

from virtualtap import ip
from virtualtap.loans import Loan, Loans, State

POOL = tuple(ip(f"10.0.0.{n}") for n in range(50, 53))
MAC = b"\2\0\0\0\0\1"


def loans(most=8, lends=lambda address: True):
    return Loans(most, (POOL[0], POOL[-1]), lends)


def lent(table, *, until=100):
    for address in POOL:
        table.put(address, Loan(State.BOUND, address, MAC, until))
    return table


def test_a_client_that_is_not_known_has_nothing():
    assert loans().of(b"x") == (b"", None)


def test_the_first_free_address_is_chosen():
    assert loans().choose(b"x", None, 0) == POOL[0]


def test_a_free_address_is_chosen_where_it_is_wished_for():
    assert loans().choose(b"x", POOL[2], 0) == POOL[2]


def test_a_wish_that_cannot_be_is_not_fulfilled():
    table = loans(lends=lambda address: address != POOL[2])
    assert table.choose(b"x", POOL[2], 0) == POOL[0]
    assert table.choose(b"x", ip("10.0.0.99"), 0) == POOL[0]


def test_nothing_is_chosen_while_all_is_lent():
    assert lent(loans()).choose(b"x", POOL[1], 99) is None


def test_an_ended_loan_is_chosen_where_it_is_wished_for():
    assert lent(loans()).choose(b"x", POOL[1], 100) == POOL[1]


def test_what_ended_first_is_chosen_first():
    table = lent(loans())
    table.at(POOL[1]).until = 50
    assert table.choose(b"x", None, 100) == POOL[1]


def test_a_client_is_given_what_it_had():
    assert lent(loans()).choose(POOL[2], POOL[0], 100) == POOL[2]


def test_a_full_table_gives_only_what_ended():
    table = loans(most=1)
    table.put(POOL[0], Loan(State.BOUND, b"a", MAC, 100))
    assert table.choose(b"x", POOL[2], 0) is None
    assert table.choose(b"x", POOL[2], 100) == POOL[0]


def test_a_client_has_one_address():
    table = loans()
    for address in POOL:
        table.put(address, Loan(State.BOUND, b"a", MAC, 100))
    assert len(table) == 1
    assert table.of(b"a")[0] == POOL[2]


def test_who_loses_an_address_is_forgotten_with_it():
    table = lent(loans())
    table.put(POOL[0], Loan(State.DECLINED, b"", MAC, 100))
    assert table.of(POOL[0]) == (b"", None)
    table.forget(POOL[1])
    table.forget(POOL[1])
    assert (len(table), table.probed()) == (2, 0)
