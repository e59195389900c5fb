"""SecureNAT's ARP: what it learns, whom it answers, how often it asks. Facts 2.3."""

import pytest

from sim.nodes.softether.nat_arp import ArpTable
from tests import builders as b
from tests.sim.nodes.softether.nats import (
    ALL,
    HOST,
    ME,
    MY_MAC,
    NAT_MAC,
    OTHER,
    OTHER_MAC,
    Trial,
    arp_of,
    dhcp_frame,
    framed,
    is_arp,
    message,
    ping,
    udp,
)
from virtualtap.units import SECOND
from virtualtap.wire import arp, dhcp
from virtualtap.wire.address import ANY4, BROADCAST, ip
from virtualtap.wire.arp import Arp


def test_a_request_for_the_host_is_answered_to_the_one_who_asked():
    (answer,) = Trial().say(arp_of(ME, MY_MAC))
    assert answer[:12] == MY_MAC + NAT_MAC
    assert len(answer) == 42
    assert Arp.parse(answer[14:]) == Arp(arp.REPLY, NAT_MAC, HOST, MY_MAC, ME)


def test_a_probe_is_answered():
    assert len(Trial().say(arp_of(ANY4, MY_MAC))) == 1


def test_an_off_subnet_sender_is_answered():
    assert len(Trial().say(arp_of(ip("172.31.5.5"), MY_MAC))) == 1


def test_a_request_for_another_is_not_answered_and_teaches():
    trial = Trial()
    assert trial.say(arp_of(ME, MY_MAC, asks=OTHER)) == []
    assert trial.nat.arp.lookup(ME) == MY_MAC


def test_an_arp_whose_sender_is_not_the_frames_is_ignored():
    trial = Trial()
    forged = b.arp_frame(Arp(arp.REQUEST, OTHER_MAC, OTHER, bytes(6), HOST), source=MY_MAC)
    assert trial.say(forged) == []
    assert trial.nat.arp.lookup(OTHER) is None


def test_a_reply_to_anybody_teaches():
    trial = Trial()
    reply = Arp(arp.REPLY, OTHER_MAC, OTHER, MY_MAC, ME)
    trial.say(b.arp_frame(reply, to=BROADCAST))
    assert trial.nat.arp.lookup(OTHER) == OTHER_MAC


def test_any_ip_packet_teaches_also_an_off_subnet_source():
    trial = Trial()
    trial.say(framed(udp(ALL, 99, source=ip("8.8.8.8")), to=BROADCAST))
    assert trial.nat.arp.lookup(ip("8.8.8.8")) == MY_MAC


def test_a_packet_with_a_wrong_header_checksum_teaches_nothing():
    trial = Trial()
    packet = bytearray(ping(HOST))
    packet[10] ^= 1
    assert trial.say(framed(bytes(packet))) == []
    assert trial.nat.arp.lookup(ME) is None


def test_dhcp_teaches_nothing():
    trial = Trial()
    trial.say(dhcp_frame(message(dhcp.INFORM), source=ME))
    assert trial.nat.arp.lookup(ME) is None


@pytest.mark.parametrize(
    ("address", "at"),
    [(ANY4, MY_MAC), (b"\xff" * 4, MY_MAC), (ME, BROADCAST), (ME, bytes(6))],
)
def test_nobody_and_everybody_are_not_learned(address, at):
    table = ArpTable()
    table.learn(address, at, 0)
    assert len(table) == 0


def test_the_last_word_counts():
    trial = Trial()
    trial.say(arp_of(ME, MY_MAC))
    trial.say(arp_of(ME, OTHER_MAC))
    assert trial.nat.arp.lookup(ME) == OTHER_MAC


def test_an_entry_lives_30_s_since_it_was_heard_whatever_is_sent_to_it():
    trial = Trial()
    trial.say(arp_of(ME, MY_MAC))
    for second in (10, 20, 29):
        inform = dhcp_frame(message(dhcp.INFORM), source=ME)  # answered, and teaches nothing
        (answer,) = trial.say(inform, second * SECOND)
        assert not is_arp(answer)
    trial.said(30 * SECOND)
    (question,) = trial.say(inform, 30 * SECOND)
    assert is_arp(question)


def test_a_lookup_does_not_ask_for_the_age():
    table = ArpTable()
    table.learn(ME, MY_MAC, 0)
    assert table.lookup(ME) == MY_MAC
    table.poll(30 * SECOND - 1)
    assert table.lookup(ME) == MY_MAC
    table.poll(30 * SECOND)
    assert table.lookup(ME) is None


def test_it_asks_at_0_1_2_and_4_seconds_and_gives_up():
    trial = Trial()
    inform = dhcp_frame(message(dhcp.INFORM), source=ME)
    (first,) = trial.say(inform)
    assert first[:6] == BROADCAST
    assert Arp.parse(first[14:]).target_ip == ME
    assert trial.nat.is_hasty
    later = trial.quiet_until(20 * SECOND)
    assert [at for at, frame in later if is_arp(frame)] == [1.0, 2.0, 4.0]
    assert not trial.nat.is_hasty


@pytest.mark.parametrize(("after", "arrives"), [(1.5, True), (4.5, True), (5.5, False)])
def test_a_packet_waits_five_seconds_for_an_answer(after, arrives):
    trial = Trial()
    trial.say(dhcp_frame(message(dhcp.INFORM), source=ME))
    trial.quiet_until(int(after * SECOND))
    answers = trial.say(arp_of(ME, MY_MAC, asks=OTHER), int(after * SECOND))
    assert [frame[:6] for frame in answers if not is_arp(frame)] == [MY_MAC] * arrives


def test_packets_for_one_address_wait_together_and_one_question_is_asked():
    table = ArpTable()
    assert table.hold(ME, b"one", 0)
    assert not table.hold(ME, b"two", SECOND)
    table.poll(5 * SECOND)
    assert table.learn(ME, MY_MAC, 5 * SECOND) == [b"two"]
    assert table.learn(ME, MY_MAC, 5 * SECOND) == []
