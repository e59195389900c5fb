"""Neighbour discovery: validity, answers, learning, questions. RFC 4861 7, RFC 4862 5.4."""

import pytest

from tests.builders import (
    FAR6,
    GATEWAY6,
    GATEWAY_MAC,
    NOBODY6,
    OUR_IP6,
    OUR_MAC,
    PEER6,
    PEER_MAC,
    STRANGER_MAC,
    a_tap,
    a_tap_that_knows,
    advertisement,
    dropped,
    frame,
    packet6,
    padded,
    solicitation,
    vector,
)
from virtualtap import (
    SECOND,
    AddressConflict,
    DropReason,
    GatewayLearned,
    NeighborFailed,
    NeighborLearned,
    ip,
    ip_text,
    mac,
)
from virtualtap.wire import ndp
from virtualtap.wire.address import ALL_NODES6, ANY6, BROADCAST, NO_MAC, solicited_node
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage

GROUP6 = ip("ff02::1:ff00:1")
NONCE = (14, b"nonce!")  # RFC 3971 5.3.2
TO_ALL_NODES = mac("33:33:00:00:00:01")


def answer(to: bytes = PEER6, at: bytes = PEER_MAC, flags: int = ndp.SOLICITED | ndp.OVERRIDE):
    """What we say of our own address, in one frame."""
    ours = advertisement(OUR_MAC, OUR_IP6, to, flags)
    return at + ours[6:]


# answers


def test_a_solicitation_for_us_is_answered_to_its_sender(tap):
    assert tap.ethernet_to_ip(solicitation()) is None
    assert tap.take_frames() == [answer()]
    assert tap.stats.requests_answered == 1


def test_the_real_poll_of_a_hub_is_answered():
    polled, hub = ip("fe80::5cc7:3ff:fe6b:638e"), ip("fe80::2ae:38ff:fe00:ae38")
    tap = a_tap(our_mac=mac("5e:c7:03:6b:63:8e"), our_ip6=(polled,))
    tap.ethernet_to_ip(vector("ndp_solicitation"))
    (sent,) = tap.take_frames()
    packet = Ipv6.parse(sent[14:])
    assert (packet.source, packet.destination, packet.hop_limit) == (polled, hub, 255)
    message = NeighborMessage.parse(packet.payload)
    assert (message.target, message.mac(ndp.TARGET_MAC)) == (polled, tap._our_mac)


def test_each_of_our_addresses_is_answered_for():
    other = ip("fe80::1")
    tap = a_tap(our_ip6=(OUR_IP6, other))
    tap.ethernet_to_ip(solicitation(asks=other))
    message = NeighborMessage.parse(tap.take_frames()[0][54:])
    assert message.target == other


def test_a_padded_solicitation_is_answered(tap):
    tap.ethernet_to_ip(solicitation() + bytes(10))
    assert len(tap.take_frames()) == 1


def test_a_solicitation_to_our_unicast_address_is_answered(tap):
    tap.ethernet_to_ip(solicitation(to=OUR_IP6))
    assert tap.take_frames() == [answer()]


def test_a_solicitation_for_another_is_not_answered(tap):
    tap.ethernet_to_ip(solicitation(asks=NOBODY6))
    assert (tap.take_frames(), tap.neighbors()) == ([], {})
    assert tap.stats.dropped_total == 0


def test_a_solicitation_without_option_is_answered_if_its_sender_is_known():
    tap = a_tap_that_knows(PEER6)
    tap.ethernet_to_ip(solicitation(to=OUR_IP6, options=()))
    assert tap.take_frames() == [answer()]


def test_a_stranger_who_does_not_say_where_it_is_is_asked_before_it_is_answered(tap):
    # RFC 4861 7.2.4
    tap.ethernet_to_ip(solicitation(to=OUR_IP6, options=()))
    assert tap.take_frames() == [solicitation(OUR_MAC, OUR_IP6, PEER6)]
    tap.ethernet_to_ip(advertisement())
    assert tap.take_frames() == [answer()]


def test_a_stranger_who_hides_from_a_group_is_not_answered(tap):
    # RFC 4861 4.3: in a group the option is a must
    tap.ethernet_to_ip(solicitation(options=()))
    assert (tap.take_frames(), tap.neighbors(), tap.holding()) == ([], {}, 0)


def test_a_probe_for_our_address_is_answered_to_all_nodes_and_is_a_conflict(tap):
    # RFC 4861 7.2.4, RFC 4862 5.4.3
    tap.ethernet_to_ip(solicitation(sender_ip=ANY6))
    assert tap.take_frames() == [answer(ALL_NODES6, TO_ALL_NODES, ndp.OVERRIDE)]
    assert tap.take_events() == [AddressConflict(OUR_IP6, PEER_MAC)]
    assert tap.neighbors() == {}


def test_the_real_probe_of_a_stranger_is_answered_where_the_address_is_ours():
    tap = a_tap(our_ip6=(ip("fe80::5419:99ff:fe74:5efa"),))
    tap.ethernet_to_ip(vector("ndp_solicitation_dad"))
    assert [sent[:6] for sent in tap.take_frames()] == [TO_ALL_NODES]


def test_an_answer_without_room_is_a_drop():
    tap = a_tap(outbox_max=1)
    tap.ethernet_to_ip(solicitation())
    tap.ethernet_to_ip(solicitation())
    assert (tap.stats.requests_answered, dropped(tap, DropReason.OUTBOX_FULL)) == (1, 1)


def test_one_for_whom_the_table_has_no_room_is_answered_all_the_same():
    tap = a_tap(neighbors_max=1)
    tap.ip_to_ethernet(packet6(NOBODY6))
    tap.take_frames()
    tap.ethernet_to_ip(solicitation())
    assert (tap.take_frames(), tap.neighbors()) == ([answer()], {})


# validity: RFC 4861 7.1.1 and 7.1.2


def without_checksum(data: bytes) -> bytes:
    return data[:56] + bytes((data[56] ^ 0xFF,)) + data[57:]


INVALID = {
    "hop limit": solicitation(hop_limit=254),
    "checksum": without_checksum(solicitation()),
    "code": solicitation(code=1),
    "multicast target": solicitation(asks=GROUP6, to=OUR_IP6),
    "multicast source": solicitation(sender_ip=GROUP6),
    "probe with option": solicitation(sender_ip=ANY6, options=((ndp.SOURCE_MAC, PEER_MAC),)),
    "probe to an address": solicitation(sender_ip=ANY6, to=OUR_IP6),
    "probe to another group": solicitation(sender_ip=ANY6, to=solicited_node(NOBODY6)),
    "advertised hop limit": advertisement(hop_limit=64),
    "advertised checksum": without_checksum(advertisement()),
    "advertised code": advertisement(code=1),
    "advertised multicast target": advertisement(target=GROUP6),
    "solicited to all": advertisement(to=ALL_NODES6, flags=ndp.SOLICITED),
}


# what no packet may have, the rules of every packet find first, where they are asked for
BAD_ADDRESS = ("multicast source", "probe to an address", "advertised multicast target")


@pytest.mark.parametrize("validate", ["strict", "off"])
@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_message_is_counted_and_without_effect(name, validate):
    tap = a_tap(validate=validate)
    tap.ip_to_ethernet(packet6(PEER6))
    tap.take_frames()
    assert tap.ethernet_to_ip(INVALID[name]) is None
    is_bad = validate == "strict" and name in BAD_ADDRESS
    reason = DropReason.BAD_ADDRESS if is_bad else DropReason.MALFORMED
    assert tap.stats.dropped == {reason: 1}
    assert (tap.take_frames(), tap.neighbors(), tap.take_events()) == ([], {}, [])


def test_a_group_of_scope_one_is_no_place_to_ask_in(tap):
    # RFC 4291 2.7
    tap.ethernet_to_ip(solicitation(to=ip("ff01::1")))
    assert (tap.take_frames(), tap.neighbors()) == ([], {})
    assert tap.stats.dropped == {DropReason.BAD_ADDRESS: 1}


def test_an_option_of_no_length_is_malformed(tap):
    data = solicitation()
    tap.ethernet_to_ip(data[:79] + b"\0" + data[80:])
    assert dropped(tap, DropReason.MALFORMED) == 1
    assert tap.take_frames() == []


@pytest.mark.parametrize("length", [55, 70, 77])
def test_a_message_cut_short_is_malformed(tap, length):
    tap.ethernet_to_ip(solicitation()[:length])
    assert dropped(tap, DropReason.MALFORMED) == 1


def test_an_unknown_option_is_passed_over(tap):
    tap.ethernet_to_ip(solicitation(options=(NONCE, (ndp.SOURCE_MAC, PEER_MAC))))
    assert tap.take_frames() == [answer()]


def test_a_probe_with_a_nonce_is_valid(tap):
    # RFC 7527 4.1
    tap.ethernet_to_ip(solicitation(sender_ip=ANY6, options=(NONCE,)))
    assert len(tap.take_frames()) == 1


# learning


def test_one_who_solicits_us_is_learned(tap):
    tap.ethernet_to_ip(solicitation())
    assert tap.neighbors() == {PEER6: PEER_MAC}
    assert tap.take_events() == [NeighborLearned(PEER6, PEER_MAC)]


def test_one_who_moves_is_followed():
    tap = a_tap_that_knows(PEER6)
    tap.ethernet_to_ip(solicitation(STRANGER_MAC))
    assert tap.neighbors() == {PEER6: STRANGER_MAC}


def test_an_advertisement_of_one_not_asked_for_is_not_learned(tap):
    # RFC 4861 7.2.5
    tap.ethernet_to_ip(advertisement())
    assert (tap.neighbors(), tap.take_events()) == ({}, [])


def test_an_advertisement_releases_the_packets_that_waited_in_order(tap):
    waiting = [packet6(payload=bytes((number,))) for number in range(3)]
    for each in waiting:
        assert tap.ip_to_ethernet(each) is None
    tap.take_frames()
    tap.ethernet_to_ip(advertisement())
    assert tap.take_frames() == [frame(each, PEER_MAC, OUR_MAC) for each in waiting]
    assert (tap.stats.released, tap.stats.answers_received) == (3, 1)


@pytest.mark.parametrize("flags", [0, ndp.SOLICITED, ndp.OVERRIDE, ndp.ROUTER])
def test_whatever_its_flags_an_advertisement_answers_a_question(tap, flags):
    tap.ip_to_ethernet(packet6())
    tap.ethernet_to_ip(advertisement(flags=flags))
    assert tap.neighbors() == {PEER6: PEER_MAC}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [(ndp.SOLICITED, PEER_MAC), (ndp.SOLICITED | ndp.OVERRIDE, STRANGER_MAC)],
    ids=["keeps", "overrides"],
)
def test_a_known_mac_changes_only_by_the_override_flag(flags, expected):
    tap = a_tap_that_knows(PEER6)
    tap.ethernet_to_ip(advertisement(STRANGER_MAC, flags=flags))
    assert tap.neighbors() == {PEER6: expected}


def test_without_the_override_flag_the_same_mac_is_confirmed():
    tap = a_tap()
    tap.ethernet_to_ip(solicitation(), now=0)
    tap.ethernet_to_ip(advertisement(flags=ndp.SOLICITED), now=200 * SECOND)
    tap.poll(400 * SECOND)
    assert tap.neighbors() == {PEER6: PEER_MAC}


def test_an_announcement_to_all_nodes_updates_one_who_is_known():
    tap = a_tap_that_knows(PEER6)
    tap.ethernet_to_ip(advertisement(STRANGER_MAC, to=ALL_NODES6, flags=ndp.OVERRIDE))
    assert tap.neighbors() == {PEER6: STRANGER_MAC}


def test_an_advertisement_without_option_teaches_nothing(tap):
    tap.ip_to_ethernet(packet6())
    tap.ethernet_to_ip(advertisement(options=()))
    assert (tap.neighbors(), tap.holding()) == ({}, 1)


@pytest.mark.parametrize("wrong", [BROADCAST, NO_MAC, OUR_MAC], ids=["group", "zero", "ours"])
def test_a_mac_that_no_neighbor_can_have_is_not_learned(tap, wrong):
    tap.ip_to_ethernet(packet6())
    tap.take_frames()
    tap.ethernet_to_ip(advertisement(options=((ndp.TARGET_MAC, wrong),)))
    tap.ethernet_to_ip(solicitation(options=((ndp.SOURCE_MAC, wrong),)))
    assert (tap.neighbors(), tap.take_frames(), tap.holding()) == ({}, [], 1)


@pytest.mark.parametrize("sender", [ip("::1"), OUR_IP6], ids=ip_text)
def test_an_address_that_no_neighbor_can_have_is_not_learned(tap, sender):
    tap.ethernet_to_ip(solicitation(sender_ip=sender))
    assert tap.neighbors() == {}


def test_an_advertisement_of_our_own_address_is_a_conflict(tap):
    # RFC 4862 5.4.4
    tap.ethernet_to_ip(advertisement(STRANGER_MAC, OUR_IP6, to=ALL_NODES6, flags=ndp.OVERRIDE))
    tap.ethernet_to_ip(advertisement(STRANGER_MAC, OUR_IP6, options=()))
    assert tap.take_events() == [AddressConflict(OUR_IP6, STRANGER_MAC)] * 2
    assert tap.neighbors() == {}


def test_the_gateway_is_learned_and_reported(tap):
    tap.ethernet_to_ip(solicitation(GATEWAY_MAC, GATEWAY6))
    assert tap.take_events()[-1] == GatewayLearned(GATEWAY6, GATEWAY_MAC)


# questions


def test_a_packet_for_an_unknown_neighbor_solicits_its_group(tap):
    # RFC 4861 7.2.2, RFC 4291 2.7.1
    assert tap.ip_to_ethernet(packet6(ip("fd00::12:3456"))) is None
    (sent,) = tap.take_frames()
    assert sent[:6] == mac("33:33:ff:12:34:56")
    packet = Ipv6.parse(sent[14:])
    assert (packet.source, packet.destination) == (OUR_IP6, ip("ff02::1:ff12:3456"))
    message = NeighborMessage.parse(packet.payload)
    assert (message.target, message.mac(ndp.SOURCE_MAC)) == (ip("fd00::12:3456"), OUR_MAC)


def test_our_question_is_the_one_that_a_peer_would_send(tap):
    tap.ip_to_ethernet(packet6(PEER6))
    assert tap.take_frames() == [solicitation(OUR_MAC, OUR_IP6, PEER6)]


def test_the_question_comes_from_the_address_that_the_packet_comes_from():
    # RFC 4861 7.2.2: the prompting packet's source, if it is ours
    other = ip("fe80::1")
    tap = a_tap(our_ip6=(OUR_IP6, other))
    tap.ip_to_ethernet(packet6(PEER6, source=other))
    tap.ip_to_ethernet(packet6(NOBODY6, source=FAR6))
    assert [sent[22:38] for sent in tap.take_frames()] == [other, OUR_IP6]


def test_a_tap_without_addresses_asks_in_the_name_of_the_packet():
    tap = a_tap(our_ip6=(), gateway_ip6=None)
    tap.ip_to_ethernet(packet6(PEER6, source=FAR6))
    assert tap.take_frames() == [solicitation(OUR_MAC, FAR6, PEER6)]


def test_unanswered_solicitations_are_a_second_apart_and_three(tap):
    # RFC 4861 10: MAX_MULTICAST_SOLICIT, RETRANS_TIMER
    tap.ip_to_ethernet(packet6(NOBODY6), now=0)
    counts = []
    for second in (1, 2, 3):
        counts.append(len(tap.take_frames()))
        tap.poll(second * SECOND)
    assert (counts, tap.take_frames()) == ([1, 1, 1], [])
    assert tap.take_events() == [NeighborFailed(NOBODY6)]
    assert (dropped(tap, DropReason.UNRESOLVED), tap.holding()) == (1, 0)


def test_a_question_without_room_is_not_counted():
    tap = a_tap(outbox_max=1)
    tap.ip_to_ethernet(packet6(PEER6))
    tap.ip_to_ethernet(packet6(NOBODY6))
    assert tap.stats.requests_sent == 1


def test_discovery_stays_inside_where_the_caller_handles_arp():
    tap = a_tap(handle_arp_internally=False)
    tap.ethernet_to_ip(padded(solicitation()))
    assert tap.take_frames() == [answer()]


def test_what_happens_twice_is_counted_twice():
    tap = a_tap()
    for _ in range(2):
        tap.ethernet_to_ip(solicitation())
        tap.ethernet_to_ip(advertisement())
    assert (tap.stats.requests_answered, tap.stats.answers_received) == (2, 2)


def test_a_stranger_is_asked_in_the_name_of_the_address_that_it_asked_for():
    other = ip("fd00::9")
    tap = a_tap(our_ip6=(OUR_IP6, other))
    tap.ethernet_to_ip(solicitation(asks=other, to=other, options=()))
    assert tap.take_frames() == [solicitation(OUR_MAC, other, PEER6)]


def test_linux_probes_in_the_name_of_the_address_that_it_answered_for():
    other = ip("fd00::9")
    tap = a_tap(our_ip6=(OUR_IP6, other), profile="linux")
    tap.ethernet_to_ip(solicitation(asks=other), 0)
    tap.take_frames()
    tap.poll(5 * SECOND)
    assert [sent[22:38] for sent in tap.take_frames()] == [other]


def test_what_another_station_is_told_is_counted_as_not_for_us(tap):
    tap.ethernet_to_ip(advertisement(to=ip("fd00::9")))
    assert tap.stats.dropped == {DropReason.NOT_FOR_US: 1}
