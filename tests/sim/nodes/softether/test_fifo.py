"""What a server has received and not read: one budget for all of its sessions."""

from sim.nodes.softether.constants import Strategy, constants
from sim.nodes.softether.fifo import Budget, Reader
from virtualtap.units import SECOND

BYTE_A_SECOND = 8


def test_bytes_are_read_one_after_another_at_the_readers_rate():
    reader = Reader(BYTE_A_SECOND, Budget(constants()))
    assert (reader.take(2, 0), reader.take(3, 0), reader.take(1, 10 * SECOND)) == (
        2 * SECOND,
        5 * SECOND,
        11 * SECOND,
    )
    assert [reader.unread(second * SECOND) for second in (0, 2, 5, 11)] == [6, 4, 1, 0]


def test_one_fifo_is_read_into_as_far_as_the_buffer_of_a_connection_goes():
    budget = Budget(constants(overrides={"MAX_BUFFERING_PACKET_SIZE": 5}))
    reader = Reader(BYTE_A_SECOND, budget)
    reader.take(2, 0)
    assert reader.room_at(0) == 0
    reader.take(3, 0)
    assert reader.room_at(0) == 2 * SECOND


def test_all_fifos_together_are_read_into_as_far_as_the_budget_goes():
    budget = Budget(constants(overrides={"FIFO_BUDGET": 5}))
    one, other = Reader(BYTE_A_SECOND, budget), Reader(BYTE_A_SECOND, budget)
    one.take(5, 0)
    assert (budget.balance(0), other.room_at(0)) == (0, 5 * SECOND)
    assert (budget.balance(5 * SECOND), other.room_at(5 * SECOND)) == (5, 5 * SECOND)


def test_low_memory_has_a_tenth_of_the_budget():
    assert Budget(constants(Strategy.LOW_MEMORY)).balance(0) == 1_000_000
    assert Budget(constants()).balance(0) == 10_240_000
