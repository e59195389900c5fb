"""The server's numbers: two memory strategies, and what a configuration file replaces."""

from dataclasses import fields

import pytest

from sim.nodes.softether.constants import Constants, Strategy, constants
from virtualtap.errors import UsageError
from virtualtap.units import MS, SECOND

ARM = constants(Strategy.LOW_MEMORY)
X86 = constants(Strategy.PERFORMANCE)


def test_low_memory_has_about_a_third_of_the_room():
    assert (X86.MAX_STORED_QUEUE_NUM, ARM.MAX_STORED_QUEUE_NUM) == (1024, 384)
    assert (X86.MAX_BUFFERING_PACKET_SIZE, ARM.MAX_BUFFERING_PACKET_SIZE) == (2_560_000, 480_000)
    assert (X86.MAX_SEND_SOCKET_QUEUE_SIZE, ARM.MAX_SEND_SOCKET_QUEUE_SIZE) == (2_560_000, 320_000)
    assert (X86.MIN_SEND_SOCKET_QUEUE_SIZE, ARM.MIN_SEND_SOCKET_QUEUE_SIZE) == (320_000, 80_000)
    assert (X86.QUEUE_BUDGET, ARM.QUEUE_BUDGET) == (2048, 1024)
    assert (X86.FIFO_BUDGET, ARM.FIFO_BUDGET) == (10_240_000, 1_000_000)
    assert (X86.MEM_FIFO_REALLOC_MEM_SIZE, ARM.MEM_FIFO_REALLOC_MEM_SIZE) == (655_360, 65_536)


def test_all_else_is_the_same_for_both():
    differ = {f.name for f in fields(Constants) if getattr(X86, f.name) != getattr(ARM, f.name)}
    assert len(differ) == 7


def test_a_configuration_file_replaces_numbers_and_times_in_milliseconds():
    made = constants(
        Strategy.LOW_MEMORY,
        {
            "MAC_TABLE_EXPIRE_TIME": 1000,
            "SELECT_TIME": 5,
            "STORM_CHECK_SPAN": 7,
            "MAX_IP_TABLES": 9,
        },
    )
    assert (made.MAC_TABLE_EXPIRE_TIME, made.SELECT_TIME) == (1 * SECOND, 5 * MS)
    assert (made.STORM_CHECK_SPAN, made.MAX_IP_TABLES) == (7 * MS, 9)
    assert made.MAX_STORED_QUEUE_NUM == 384


def test_a_zero_replaces_nothing():
    assert constants(overrides={"MAX_MAC_TABLES": 0}) == X86


def test_what_cannot_be_replaced_is_an_error_that_lists_what_can():
    with pytest.raises(UsageError, match="`MAC_MIN_LIMIT_COUNT`") as caught:
        constants(overrides={"MAC_MIN_LIMIT_COUNT": 9})
    assert "MAX_STORED_QUEUE_NUM" in str(caught.value.hint)
    with pytest.raises(UsageError, match="is -1"):
        constants(overrides={"MAX_MAC_TABLES": -1})
