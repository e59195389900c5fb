"""Frames in other clothes: tags, SNAP, what is counted. IEEE 802.1Q, RFC 1042."""

import pytest

from tests.builders import OUR_IP, PEER, a_tap, dropped, frame, packet
from virtualtap import DropReason, UsageError, ip

TO_US = packet(OUR_IP, source=PEER)


def tagged(data: bytes, word: int) -> bytes:
    return data[:12] + b"\x81\x00" + word.to_bytes(2) + data[12:]


@pytest.mark.parametrize("vlan_id", [1, 10, 4094, 4095])
def test_a_frame_of_a_vlan_that_is_not_ours_is_counted_as_such(tap, vlan_id):
    assert tap.ethernet_to_ip(tagged(frame(TO_US), vlan_id)) is None
    assert dropped(tap, DropReason.WRONG_VLAN) == 1


def test_an_untagged_frame_is_of_the_wrong_vlan_where_one_is_spoken():
    tap = a_tap(vlan_id=10)
    assert tap.ethernet_to_ip(tagged(frame(TO_US), 10)) == TO_US
    assert tap.ethernet_to_ip(frame(TO_US)) is None
    assert dropped(tap, DropReason.WRONG_VLAN) == 1


def test_a_cut_tag_is_malformed_and_a_second_tag_unsupported(tap):
    assert tap.ethernet_to_ip(tagged(frame(TO_US), 0)[:17]) is None
    assert tap.ethernet_to_ip(tagged(tagged(frame(TO_US), 0), 0)) is None
    assert tap.stats.dropped == {DropReason.MALFORMED: 1, DropReason.UNSUPPORTED: 1}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"vlan_id": 0}, "`vlan_id` must be from 1 to 4094"),
        ({"vlan_id": 4095}, "`vlan_id` must be from 1 to 4094"),
        ({"validate": "maybe"}, "`validate` must be one of"),
        ({"groups": (ip("10.0.0.1"),)}, "`groups` must hold multicast addresses"),
        ({"groups": (ip("fd00::1"),)}, "`groups` must hold multicast addresses"),
        ({"groups": ("224.0.0.1",)}, "`groups` must hold multicast addresses"),
        ({"routes": ((ip("10.0.0.0"), 33, PEER),)}, "`routes` must be from 0 to 32"),
        ({"routes": ((ip("10.0.0.1"), 8, PEER),)}, "has bits below its prefix of 8"),
        ({"routes": (("10.0.0.0", 8, PEER),)}, "`routes` must hold addresses of 4 bytes"),
        ({"icmp_errors_max": 0}, "`icmp_errors_max` must be from 1"),
    ],
)
def test_a_choice_that_cannot_be_is_a_usage_error(changes, says):
    with pytest.raises(UsageError, match=says):
        a_tap(**changes)


def test_who_reads_no_priority_tags_reads_those_of_its_vlan():
    tap = a_tap(profile="softether-ipc", vlan_id=7)
    said = frame(packet(OUR_IP, PEER))
    assert tap.ethernet_to_ip(said[:12] + b"\x81\0\0\7" + said[12:]) == said[14:]
