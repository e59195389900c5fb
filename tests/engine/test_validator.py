"""The table of rules: what each asks, on which side, from which level on."""

import pytest

from tests.builders import OUR_IP, PEER, PEER6, a_tap, a_tap_that_knows, dropped, frame, packet
from virtualtap import DropReason, ip
from virtualtap.validator import HOST, LAN, LEVELS, RULES4, RULES6


def test_every_rule_names_its_clause_and_its_demand():
    for rule in RULES4 + RULES6:
        assert rule.clause.startswith("RFC ") and rule.demand
        assert rule.level in LEVELS and set(rule.sides) <= {HOST, LAN}


@pytest.mark.parametrize("level", LEVELS)
def test_no_level_lets_out_less_than_a_header(level):
    tap = a_tap_that_knows(PEER, PEER6, validate=level)
    for data in (b"", b"\x45", packet(PEER)[:19], b"\x60" + bytes(38)):
        assert tap.ip_to_ethernet(data) is None
    assert dropped(tap, DropReason.MALFORMED) == 4


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("224.0.0.1", DropReason.BAD_ADDRESS),
        ("0.0.0.0", DropReason.BAD_ADDRESS),
        ("127.0.0.1", DropReason.BAD_ADDRESS),
        ("10.0.0.255", DropReason.BAD_ADDRESS),
    ],
)
def test_a_source_that_no_host_has_is_a_bad_address(source, reason):
    tap = a_tap()
    assert tap.ethernet_to_ip(frame(packet(OUR_IP, source=ip(source)))) is None
    assert (tap.stats.dropped, tap.stats.dropped_total) == ({reason: 1}, 1)


def test_a_wrong_header_checksum_is_counted_as_such_on_both_sides():
    tap = a_tap_that_knows(PEER)
    wrong = packet(PEER)[:8] + b"\x3f" + packet(PEER)[9:]
    assert tap.ip_to_ethernet(wrong) is None
    wrong = packet(OUR_IP, source=PEER)
    assert tap.ethernet_to_ip(frame(wrong)) == wrong
    assert tap.ethernet_to_ip(frame(wrong[:8] + b"\x3f" + wrong[9:])) is None
    assert dropped(tap, DropReason.BAD_CHECKSUM) == 2


def test_a_packet_that_the_host_lets_die_is_counted_as_expired():
    tap = a_tap_that_knows(PEER)
    assert tap.ip_to_ethernet(packet(PEER, ttl=0)) is None
    assert dropped(tap, DropReason.EXPIRED) == 1
