"""SecureNAT's fragments. Facts 2.7."""

from sim.nodes.softether.nat_reassembly import NatReassembly
from tests.sim.nodes.softether.nats import HOST, ME
from virtualtap.units import SECOND
from virtualtap.wire.ipv4 import MORE_FRAGMENTS, UDP, Ipv4


def piece(offset: int, data: bytes, more: bool = True, number: int = 1) -> Ipv4:
    word = (MORE_FRAGMENTS if more else 0) | offset // 8
    return Ipv4(ME, HOST, UDP, data, identification=number, fragment=word)


def test_pieces_in_any_order_become_one():
    whole = NatReassembly()
    assert whole.add(piece(16, b"end", more=False), 0) is None
    assert whole.add(piece(8, b"b" * 8), 0) is None
    assert whole.add(piece(0, b"a" * 8), 0) == b"a" * 8 + b"b" * 8 + b"end"
    assert len(whole) == 0


def test_what_overlaps_is_overwritten_by_what_comes_later():
    whole = NatReassembly()
    whole.add(piece(0, b"a" * 16), 0)
    whole.add(piece(8, b"b" * 16), 0)
    assert whole.add(piece(24, b"c", more=False), 0) == b"a" * 8 + b"b" * 16 + b"c"


def test_other_numbers_are_other_datagrams():
    whole = NatReassembly()
    whole.add(piece(0, b"a" * 8), 0)
    assert whole.add(piece(8, b"b", more=False, number=2), 0) is None
    assert len(whole) == 2


def test_ten_seconds_after_the_first_piece_it_is_given_up():
    whole = NatReassembly()
    whole.add(piece(0, b"a" * 8), 0)
    whole.add(piece(8, b"b" * 8), 9 * SECOND)
    assert whole.due == 10 * SECOND
    whole.poll(10 * SECOND)
    assert whole.due is None
    assert whole.add(piece(16, b"c", more=False), 10 * SECOND) is None


def test_a_datagram_longer_than_65535_is_dropped():
    whole = NatReassembly()
    assert whole.add(piece(65_512, b"x" * 24), 0) is None
    assert len(whole) == 0


def test_over_50_mib_of_buffers_pieces_are_dropped():
    whole = NatReassembly()
    most = 50 * 1024 * 1024 // (1480 * 64)  # of the longest buffers: four times, and again
    for number in range(most + 5):
        whole.add(piece(60_000, b"x" * 8, number=number), 0)
    assert len(whole) == most
    whole.poll(10 * SECOND)
    whole.add(piece(60_000, b"x" * 8), 10 * SECOND)
    assert len(whole) == 1
