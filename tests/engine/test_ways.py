"""What one look settled: which packets are alike, and how much is kept of it."""

from tests.builders import OUR_IP, PEER, a_tap_that_knows, packet
from virtualtap import ip
from virtualtap.ways import Ways

FRONT = bytes(14)


def test_of_more_kinds_of_packets_than_are_kept_the_latest_is_there():
    ways = Ways(4)
    for ttl in range(1, 40):
        ways.remember(FRONT, packet(ttl=ttl), 1500)
        (_, _, sums) = ways.known[int.from_bytes(OUR_IP + PEER)]
        assert 1 <= len(sums) <= 4
        assert any(alike >> 8 & 0xFF == ttl for alike in sums)


def test_of_more_pairs_than_are_kept_the_latest_is_there():
    ways = Ways(2)
    for last in range(2, 9):
        there = ip(f"10.0.0.{last}")
        ways.remember(FRONT, packet(there), 1500)
        assert 1 <= len(ways) <= 2
        assert int.from_bytes(OUR_IP + there) in ways.known


def test_packets_with_options_and_fragments_are_looked_at_each_time():
    ways = Ways(2)
    ways.remember(FRONT, packet(options=bytes(4)), 1500)
    ways.remember(FRONT, packet(fragment=0x2000), 1500)
    ways.remember(FRONT, packet(fragment=1), 1500)
    assert len(ways) == 0


def test_packets_of_many_kinds_go_the_same_way():
    tap = a_tap_that_knows(PEER)
    kinds = [packet(ttl=ttl) for ttl in range(1, 9)] * 2
    assert [tap.ip_to_ethernet(each)[14:] for each in kinds] == kinds
