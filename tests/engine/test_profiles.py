"""Whose manners a tap has: what each profile does that `strict` does not."""

from dataclasses import replace

import pytest

from tests.builders import (
    GATEWAY,
    GATEWAY_MAC,
    NOBODY,
    OUR_IP,
    OUR_IP6,
    OUR_MAC,
    PEER,
    PEER6,
    PEER_MAC,
    STRANGER_MAC,
    a_tap,
    arp_reply,
    arp_request,
    config,
    frame,
    packet,
    solicitation,
)
from virtualtap import DropReason, UsageError, ip, memory_bound
from virtualtap.profiles import PROFILES, Profile
from virtualtap.units import SECOND
from virtualtap.wire import ndp
from virtualtap.wire.address import ALL_NODES6, ANY6, BROADCAST, multicast_mac6, solicited_node
from virtualtap.wire.ethernet import HEADER_LEN, IPV6
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage

WRAPPED = PEER_MAC + OUR_MAC + b"\x08\0" + packet(PEER)


def test_strict_is_the_usual_profile_and_has_the_usual_manners():
    assert (config().profile, config().manners) == ("strict", Profile())


def test_what_stands_at_its_default_is_as_the_profile_has_it():
    settled = config(profile="softether-ipc").settled()
    assert (settled.neighbor_lifetime, settled.arp_retries_max) == (180 * SECOND, 1)


def test_what_was_chosen_stays():
    chosen = config(profile="softether-ipc", neighbor_lifetime=60 * SECOND)
    assert chosen.settled().neighbor_lifetime == 60 * SECOND


def test_a_config_of_strict_is_settled():
    usual = config()
    assert usual.settled() is usual


def test_a_profile_can_be_changed_for_another():
    letter = config(profile="rfc826")
    assert replace(letter, profile="strict").settled().when_unresolved == "hold"


@pytest.mark.parametrize("profile", PROFILES)
def test_the_settings_of_a_profile_are_ones_that_a_config_takes(profile):
    settled = config(profile=profile).settled()
    assert {name: getattr(settled, name) for name in settled.manners.settings} == dict(
        settled.manners.settings
    )


@pytest.mark.parametrize("name", ["profile", "when_unresolved"])
def test_a_choice_that_is_none_is_refused(name):
    with pytest.raises(UsageError, match=f"`{name}` must be one of `"):
        config(**{name: "windows"})


# when nobody is known


def test_a_packet_is_dropped_and_its_neighbor_asked_for():
    tap = a_tap(when_unresolved="drop")
    assert [tap.ip_to_ethernet(packet(PEER)) for _ in range(2)] == [None, None]
    assert tap.take_frames() == [arp_request(OUR_MAC, OUR_IP, PEER)]
    assert (tap.holding(), tap.stats.dropped) == (0, {DropReason.NOT_HELD: 2})


def test_a_packet_is_broadcast_until_the_answer_comes():
    tap = a_tap(when_unresolved="broadcast")
    assert tap.ip_to_ethernet(packet(PEER)) == BROADCAST + WRAPPED[6:]
    assert tap.take_frames() == [arp_request(OUR_MAC, OUR_IP, PEER)]
    tap.ethernet_to_ip(arp_reply(PEER_MAC, PEER))
    assert tap.ip_to_ethernet(packet(PEER)) == WRAPPED


def test_what_has_no_room_in_the_table_is_not_asked_for():
    tap = a_tap(when_unresolved="drop", neighbors_max=1)
    tap.ip_to_ethernet(packet(PEER))
    tap.take_frames()
    assert (tap.ip_to_ethernet(packet(NOBODY)), tap.take_frames()) == (None, [])
    assert tap.stats.dropped[DropReason.NEIGHBORS_FULL] == 1


def test_the_predecessor_asks_nobody():
    tap = a_tap(profile="predecessor")
    assert tap.ip_to_ethernet(packet(PEER)) == BROADCAST + WRAPPED[6:]
    assert tap.take_frames() == []


# ARP


def known(tap):
    return tap.neighbors().get(PEER)


@pytest.mark.parametrize(
    ("profile", "asked", "replied", "announced", "overheard"),
    [
        ("strict", True, True, False, False),
        ("linux", True, False, False, False),
        ("tc8", True, True, True, False),
        ("softether-ipc", True, True, True, True),
    ],
)
def test_who_gets_an_entry(profile, asked, replied, announced, overheard):
    messages = (
        arp_request(PEER_MAC, PEER, OUR_IP),
        arp_reply(PEER_MAC, PEER),
        arp_request(PEER_MAC, PEER, PEER),
        arp_request(PEER_MAC, PEER, NOBODY),
    )
    found = []
    for message in messages:
        tap = a_tap(profile=profile)
        tap.ethernet_to_ip(message)
        found.append(known(tap) == PEER_MAC)
    assert found == [asked, replied, announced, overheard]


def test_an_ipv4_packet_locates_its_sender():
    tap = a_tap(profile="softether-ipc")
    for source in (PEER_MAC, STRANGER_MAC):
        tap.ethernet_to_ip(frame(packet(OUR_IP, PEER), source=source))
        assert known(tap) == source


def test_an_ipv4_packet_locates_nobody_off_the_subnet_and_no_group():
    tap = a_tap(profile="softether-ipc", validate="off")
    for source in (ip("192.0.2.9"), ip("224.0.0.5")):
        tap.ethernet_to_ip(frame(packet(OUR_IP, source)))
    assert tap.neighbors() == {}


def test_use_prolongs_an_entry():
    tap = a_tap(profile="softether-ipc")
    tap.ethernet_to_ip(arp_request(PEER_MAC, PEER, OUR_IP), 0)
    for minute in range(10):
        assert tap.ip_to_ethernet(packet(PEER), minute * 60 * SECOND) == WRAPPED


def test_linux_believes_any_sender():
    tap = a_tap(profile="linux")
    for at in (BROADCAST, bytes(6), OUR_MAC):
        tap.ethernet_to_ip(arp_request(at, PEER, OUR_IP))
        assert known(tap) == at


def test_linux_answers_our_broadcast_address_and_gives_it_no_entry():
    tap = a_tap(profile="linux")
    tap.ethernet_to_ip(arp_request(PEER_MAC, ip("10.0.0.255"), OUR_IP))
    assert (len(tap.take_frames()), tap.neighbors()) == (1, {})


@pytest.mark.parametrize("target", ["224.0.0.1", "127.0.0.1"])
def test_linux_hears_no_message_for_an_odd_target(target):
    tap = a_tap(profile="linux")
    tap.ethernet_to_ip(arp_request(PEER_MAC, PEER, ip(target)))
    assert tap.stats.dropped == {DropReason.NOT_FOR_US: 1}


def test_linux_gives_an_entry_to_who_is_off_the_subnet():
    tap, far = a_tap(profile="linux"), ip("192.168.7.7")
    tap.ethernet_to_ip(arp_request(PEER_MAC, far, OUR_IP))
    assert tap.neighbors() == {far: PEER_MAC}


def test_linux_hears_hardware_type_6():
    tap = a_tap(profile="linux")
    request = arp_request(PEER_MAC, PEER, OUR_IP)
    tap.ethernet_to_ip(request[:HEADER_LEN] + b"\0\6" + request[HEADER_LEN + 2 :])
    assert known(tap) == PEER_MAC


@pytest.mark.parametrize(("profile", "answers"), [("linux", 0), ("rfc826", 1)])
def test_a_conflict_is_ignored_or_answered(profile, answers):
    tap = a_tap(profile=profile)
    tap.ethernet_to_ip(arp_request(PEER_MAC, OUR_IP, OUR_IP))
    assert (len(tap.take_frames()), tap.take_events(), tap.neighbors()) == (answers, [], {})


def test_linux_still_hears_who_contests_what_is_probed():
    tap = a_tap(profile="linux", claim="probed")
    tap.poll(0)
    tap.poll(SECOND)
    tap.ethernet_to_ip(arp_request(OUR_MAC, OUR_IP, OUR_IP))
    assert tap.take_events() == []
    tap.ethernet_to_ip(arp_request(PEER_MAC, OUR_IP, OUR_IP))
    assert len(tap.take_events()) == 1


# the states of IPv4 neighbors


def question(to):
    return to + arp_request(OUR_MAC, OUR_IP, PEER)[6:]


def test_linux_asks_a_neighbor_that_it_doubts_at_its_mac_and_gives_it_up():
    tap = a_tap(profile="linux")
    tap.ethernet_to_ip(arp_request(PEER_MAC, PEER, OUR_IP), 0)
    tap.take_frames()
    assert tap.ip_to_ethernet(packet(PEER)) == tap.ip_to_ethernet(packet(PEER)) == WRAPPED
    tap.poll(8 * SECOND)
    assert (tap.take_frames(), known(tap)) == ([question(PEER_MAC)] * 3, None)


def test_linux_trusts_a_reply_to_it_alone_until_its_time_is_over():
    tap = a_tap(profile="linux")
    tap.ip_to_ethernet(packet(PEER), 0)
    tap.ethernet_to_ip(arp_reply(PEER_MAC, PEER))
    tap.ip_to_ethernet(packet(PEER), 14 * SECOND)
    tap.take_frames()
    tap.poll(40 * SECOND)
    assert tap.take_frames() == []
    tap.ip_to_ethernet(packet(PEER), 46 * SECOND)
    tap.poll(51 * SECOND)
    assert tap.take_frames() == [question(PEER_MAC)]


def test_linux_sends_to_nobody_whose_entry_is_too_old_however_reachable_it_was():
    tap = a_tap(profile="linux", neighbor_lifetime=SECOND, ndp_reachable_time=60 * SECOND)
    tap.ip_to_ethernet(packet(PEER))
    tap.ethernet_to_ip(arp_reply())
    tap.take_frames()
    assert tap.ip_to_ethernet(packet(PEER)) == WRAPPED
    assert tap.ip_to_ethernet(packet(PEER), SECOND) is None
    assert tap.take_frames() == [arp_request(OUR_MAC, OUR_IP, PEER)]


def test_linux_does_not_doubt_a_gateway_as_configured():
    tap = a_tap(profile="linux", gateway_mac=GATEWAY_MAC)
    far = packet(ip("192.0.2.9"))
    assert tap.ip_to_ethernet(far, 0)[:6] == GATEWAY_MAC
    tap.ethernet_to_ip(arp_request(STRANGER_MAC, GATEWAY, GATEWAY))
    assert tap.ip_to_ethernet(far)[:6] == STRANGER_MAC
    tap.poll(6 * SECOND)
    assert len(tap.take_frames()) == 2


# Ethernet and IPv4


def test_linux_hears_its_own_frames_and_those_of_groups():
    tap = a_tap(profile="linux")
    heard = [
        tap.ethernet_to_ip(frame(packet(OUR_IP, PEER), source=source))
        for source in (OUR_MAC, BROADCAST, bytes(6))
    ]
    assert heard == [packet(OUR_IP, PEER)] * 3


def test_softethers_client_reads_neither_tags_nor_snap():
    plain = frame(packet(OUR_IP, PEER))
    tagged = plain[:12] + b"\x81\0\0\0" + plain[12:]
    length = (len(plain) - 6).to_bytes(2)
    snap = plain[:12] + length + bytes.fromhex("aaaa03000000") + plain[12:]
    for received in (tagged, snap):
        assert a_tap().ethernet_to_ip(received) == packet(OUR_IP, PEER)
        assert a_tap(profile="softether-ipc").ethernet_to_ip(received) is None


@pytest.mark.parametrize(
    ("group", "heard"),
    [("239.255.255.250", False), ("239.1.2.3", True), ("255.255.255.255", True)],
)
def test_softethers_client_misreads_groups(group, heard):
    inside = packet(ip(group), PEER)
    received = a_tap(profile="softether-ipc").ethernet_to_ip(frame(inside, to=BROADCAST))
    assert (received == inside) is heard


# NDP


def advertised(tap):
    """What the tap said of its own: MAC and flags, and whether it said where it is."""
    (sent,) = tap.take_frames()
    message = NeighborMessage.parse(Ipv6.parse(sent[HEADER_LEN:]).payload)
    return sent[:6], message.flags, message.mac(ndp.TARGET_MAC)


def asked(to, *, source=PEER6, options=((ndp.SOURCE_MAC, PEER_MAC),)):
    message = NeighborMessage(ndp.SOLICITATION, 0, OUR_IP6, options)
    at = OUR_MAC if to == OUR_IP6 else multicast_mac6(to)
    return at + PEER_MAC + IPV6 + ndp.packet(message, source, to)


def test_linux_answers_in_short_at_its_address_and_in_full_in_its_group():
    tap = a_tap(profile="linux")
    tap.ethernet_to_ip(asked(OUR_IP6))
    assert advertised(tap) == (PEER_MAC, ndp.SOLICITED, None)
    tap.ethernet_to_ip(asked(ALL_NODES6))
    assert advertised(tap) == (PEER_MAC, ndp.SOLICITED | ndp.OVERRIDE, OUR_MAC)


def test_linux_asks_a_stranger_first_and_then_answers_in_short():
    tap = a_tap(profile="linux")
    tap.ethernet_to_ip(asked(OUR_IP6, options=()))
    assert tap.take_frames()[0][:6] == multicast_mac6(solicited_node(PEER6))
    assert tap.holding() == 1


def test_linux_doubts_whom_it_answered():
    tap = a_tap(profile="linux")
    tap.ethernet_to_ip(solicitation(PEER_MAC, PEER6), 0)
    tap.take_frames()
    tap.poll(5 * SECOND)
    (question_sent,) = tap.take_frames()
    assert question_sent[:6] == PEER_MAC


@pytest.mark.parametrize("length", [6, 14])
def test_linux_hears_no_mac_of_another_length(length):
    tap = a_tap(profile="linux")
    option = (ndp.SOURCE_MAC, PEER_MAC.ljust(length, b"\0"))
    tap.ethernet_to_ip(asked(ALL_NODES6, options=((200, bytes(6)), option)))
    assert len(tap.take_frames()) == (length == 6)


def test_linux_knows_its_own_probe_by_its_number():
    tap = a_tap(profile="linux", dad=True)
    tap.poll(0)
    tap.poll(SECOND)
    (probe,) = tap.take_frames()
    tap.ethernet_to_ip(probe)
    tap.poll(3 * SECOND)
    assert tap.our_ip6 == (OUR_IP6,)


@pytest.mark.parametrize("options", [(), ((ndp.NONCE, b"theirs"),)])
def test_linux_gives_way_to_a_probe_without_its_number(options):
    tap = a_tap(profile="linux", dad=True)
    tap.poll(0)
    tap.poll(SECOND)
    tap.ethernet_to_ip(asked(solicited_node(OUR_IP6), source=ANY6, options=options))
    tap.poll(3 * SECOND)
    assert tap.our_ip6 == ()


def test_a_probe_for_an_address_of_nobody_of_ours_is_not_our_echo():
    tap = a_tap(profile="linux", our_ip6=())
    tap.ethernet_to_ip(asked(solicited_node(OUR_IP6), source=ANY6, options=()))
    assert tap.take_events() == []


def test_the_memory_of_a_profile_is_that_of_its_settings():
    more = memory_bound(config(profile="softether-ipc")) - memory_bound(config())
    assert more > 15 * 1024 * 1024
