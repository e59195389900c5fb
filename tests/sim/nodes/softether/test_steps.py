"""What a hub does with one frame, step by step: Hub.c:HubPaPutPacket, StorePacket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Kind, Policy
from sim.nodes.softether.session import Terms
from tests import builders as b
from tests.sim.nodes.softether.hubs import (
    ONE,
    THREE,
    TWO,
    UNKNOWN,
    Trial,
    arp,
    bridge,
    client,
    plain_client,
    sent,
    udp,
)
from virtualtap.units import SECOND
from virtualtap.wire.address import BROADCAST, ip, mac
from virtualtap.wire.ipv4 import TCP, Ipv4


def tcp_syn(mss: int) -> bytes:
    """A packet that opens a connection and says how long segments may be."""
    ends = ip("10.0.0.1"), ip("10.0.0.2")
    segment = bytes.fromhex("10000050000000010000000060022000000000000204")
    return Ipv4(*ends, TCP, segment + mss.to_bytes(2)).to_bytes()


MONITOR = Terms(policy=Policy(MonitorPort=True), monitor=True)
ANYBODY = client()


# monitors


def test_what_a_monitor_sends_is_dropped_and_teaches_nothing():
    trial = Trial(MONITOR, ANYBODY)
    assert trial.say(1, sent()) == "monitor-port"
    assert len(trial.hub.macs) == 0


def test_a_monitor_gets_a_copy_of_floods_unicasts_and_answers_to_the_hub():
    trial = Trial(ANYBODY, ANYBODY, MONITOR, ANYBODY)
    assert trial.say(2, sent(UNKNOWN, TWO)) == [1, 3, 4]
    assert [len(far.frames) for far in trial.fars] == [1, 0, 1, 1]  # no second copy by the flood
    assert trial.say(1, sent(TWO, ONE)) == [2, 3]
    assert trial.say(1, sent(trial.hub.mac, ONE)) == [3]


def test_a_monitor_gets_no_frame_that_was_dropped():
    trial = Trial(ANYBODY, MONITOR)
    trial.say(1, sent(BROADCAST, ONE))
    assert trial.say(1, sent(ONE, TWO)) == "same-session"
    assert trial.got() == []


def test_no_filter_of_its_policy_hides_a_frame_from_a_monitor():
    blind = Terms(policy=Policy(MonitorPort=True, FilterNonIP=True), monitor=True)
    assert Trial(ANYBODY, blind).say(1, sent()) == [2]


@pytest.mark.parametrize("wants", [True, False])
@pytest.mark.parametrize("may", [True, False])
def test_monitoring_needs_the_policy_and_the_wish(wants: bool, may: bool):
    terms = Terms(policy=Policy(MonitorPort=may), monitor=wants)
    assert (Trial(terms, ANYBODY).say(1, sent()) == "monitor-port") is (wants and may)


def test_monitors_get_the_questions_of_the_hub_too():
    trial = Trial(ANYBODY, MONITOR, ANYBODY)
    trial.say(1, sent(BROADCAST, ONE))
    for far in trial.fars:
        far.taken()
    assert trial.hub.ask(sent(ONE, trial.hub.mac), 0) == (0, [])
    assert trial.got() == [1, 2]


# the hub's own MAC


def test_an_answer_to_the_hub_goes_no_further():
    trial = Trial(ANYBODY, ANYBODY)
    assert trial.say(1, sent(trial.hub.mac, ONE)) == []
    assert len(trial.hub.macs) == 1  # but who answered is learned


def test_a_frame_from_the_hubs_own_mac_is_dropped_and_teaches_nothing():
    trial = Trial(ANYBODY, ANYBODY)
    assert trial.say(1, sent(BROADCAST, trial.hub.mac)) == "hub-mac"
    assert len(trial.hub.macs) == 0


# order


def test_a_frame_refused_for_its_address_has_taught_its_mac():
    trial = Trial(plain_client(), ANYBODY)
    for last in range(1, 5):
        trial.say(1, arp(sender=f"10.0.0.{last}"))
    assert trial.say(1, arp(TWO, "10.0.0.5")) == "ip-limit"
    assert trial.say(2, sent(TWO, THREE)) == [1]


def test_a_frame_for_its_own_session_does_not_refresh_its_address():
    trial = Trial(ANYBODY, ANYBODY)
    trial.say(1, arp())
    trial.say(1, sent(BROADCAST, TWO))
    assert trial.say(1, udp("10.0.0.1", mac_to=TWO), SECOND) == "same-session"
    assert trial.hub.ips.entries[ip("10.0.0.1")].updated == 0


# destinations


def test_a_session_that_ended_gets_nothing_and_its_addresses_are_forgotten():
    trial = Trial(ANYBODY, ANYBODY, MONITOR)
    trial.say(1, arp())
    trial.hub.leave(trial.sessions[2])
    trial.hub.leave(trial.sessions[0])
    assert trial.say(2, sent(ONE, TWO)) == []
    assert len(trial.hub.ips) == 0


def test_a_full_queue_refuses_the_newest_frame():
    trial = Trial(ANYBODY, ANYBODY)
    trial.say(2, sent(BROADCAST, TWO))
    trial.fars[1]._room = 0
    for to in (TWO, BROADCAST):
        outcome = trial.hub.store(trial.sessions[0], sent(to, ONE), 0)
        assert (outcome[0], list(outcome[1])) == (0, ["session-queue"])


def test_a_dormant_client_gets_no_floods_until_it_speaks_but_its_unicasts():
    options = HubOptions(DetectDormantSessionInterval=10)
    trial = Trial(ANYBODY, ANYBODY, bridge(), options=options)
    assert trial.say(1, sent(BROADCAST, ONE)) == [3]  # 2 never spoke; a bridge is never dormant
    trial.say(2, sent(BROADCAST, TWO), SECOND)
    assert trial.say(1, sent(BROADCAST, ONE), 10 * SECOND) == [2, 3]
    assert trial.say(1, sent(BROADCAST, ONE), 11 * SECOND) == [3]
    assert trial.say(1, sent(TWO, ONE), 12 * SECOND) == [2]


def test_frames_of_a_polling_identity_wake_nobody():
    options = HubOptions(DetectDormantSessionInterval=10)
    trial = Trial(ANYBODY, ANYBODY, options=options)
    trial.say(2, sent(BROADCAST, mac("00:ae:01:02:03:04")))
    assert trial.say(1, sent(BROADCAST, ONE)) == []


def test_over_the_flood_quota_clients_and_cascades_get_no_floods():
    kinds = [Terms(kind=kind) for kind in Kind]
    trial = Trial(*kinds, options=HubOptions(FloodingSendQueueBufferQuota=1000))
    trial.quota.add(leaves=10, length=1000)
    assert trial.say(2, sent(BROADCAST, TWO), 9) == [4, 5]  # SecureNAT and layer 3
    assert trial.say(1, sent(TWO, ONE), 9) == [2]
    assert trial.say(2, sent(BROADCAST, TWO), 10) == [1, 3, 4, 5, 6]


def test_a_quota_of_zero_is_none():
    trial = Trial(ANYBODY, ANYBODY, options=HubOptions(FloodingSendQueueBufferQuota=0))
    trial.quota.add(leaves=10, length=10**9)
    assert trial.say(1, sent()) == [2]


# VLANs


def test_a_session_in_a_vlan_gets_a_tag_on_the_way_in_and_loses_it_on_the_way_out():
    trial = Trial(client(VLanId=5), client(VLanId=5), ANYBODY, client(VLanId=6))
    frame = sent(BROADCAST, ONE)
    assert trial.say(1, frame) == [2, 3]
    assert trial.fars[1].frames == [frame]
    assert trial.fars[2].frames == [frame[:12] + b"\x81\x00\x00\x05" + frame[12:]]


def test_a_tag_comes_on_top_of_a_tag():
    trial = Trial(client(VLanId=5), ANYBODY)
    trial.say(1, sent(head=b"\x81\x00\x00\x07\x88\xb5"))
    assert trial.fars[1].frames[0][12:20] == b"\x81\x00\x00\x05\x81\x00\x00\x07"


def test_an_untagged_frame_is_not_for_a_session_in_a_vlan():
    trial = Trial(ANYBODY, client(VLanId=5))
    assert trial.hub.store(trial.sessions[0], sent(), 0) == (0, ["vlan"])


def test_a_tag_may_take_a_frame_to_1604_bytes():
    trial = Trial(client(VLanId=5), ANYBODY)
    trial.say(1, sent(length=1600))
    assert [len(frame) for frame in trial.fars[1].frames] == [1604]


@pytest.mark.parametrize(
    "options", [HubOptions(NoManageVlanId=True), HubOptions(VlanTypeId=0x9100)]
)
def test_a_hub_may_hold_all_vlans_for_one(options: HubOptions):
    trial = Trial(client(VLanId=5), ANYBODY, ANYBODY, options=options)
    trial.say(1, sent(BROADCAST, ONE))
    trial.say(2, sent(ONE, TWO))
    assert [key for key, _ in trial.hub.macs.items()] == [(ONE, 0), (TWO, 0)]


# policies, and where they are asked


def test_a_filter_of_the_sender_drops_the_frame_before_anything_is_learned():
    trial = Trial(client(FilterNonIP=True), ANYBODY)
    assert trial.say(1, sent()) == "policy"
    assert len(trial.hub.macs) == 0


def test_a_filter_of_the_receiver_keeps_it_from_him_alone():
    trial = Trial(ANYBODY, client(FilterNonIP=True), ANYBODY)
    assert trial.hub.store(trial.sessions[0], sent(), 0) == (0, ["policy"])
    assert trial.got() == [3]


HIDDEN = client(user="a", PrivacyFilter=True)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (HubOptions(), [[3], [3], []]),
        (HubOptions(DropBroadcastsInPrivacyFilterMode=False), [[3], [2, 3], []]),
        (HubOptions(DropArpInPrivacyFilterMode=False), [[2, 3], [3], []]),
        (HubOptions(AllowSameUserInPrivacyFilterMode=True), [[2, 3], [2, 3], [2]]),
    ],
)
def test_who_is_private_sees_nobody_who_is_private(options: HubOptions, expected: list[list[int]]):
    trial = Trial(HIDDEN, HIDDEN, ANYBODY, options=options)
    trial.say(2, sent(BROADCAST, TWO))
    said = (arp(), sent(), sent(TWO, ONE))  # broadcast, broadcast, unicast
    assert [trial.say(1, frame) for frame in said] == expected


def test_another_user_is_private_even_where_the_same_may_be_seen():
    options = HubOptions(AllowSameUserInPrivacyFilterMode=True)
    trial = Trial(HIDDEN, client(user="b", PrivacyFilter=True), options=options)
    assert trial.say(1, sent()) == []


def test_the_questions_of_the_hub_are_no_secret():
    trial = Trial(HIDDEN)
    trial.say(1, sent(BROADCAST, ONE))
    trial.hub.ask(sent(ONE, trial.hub.mac), 0)
    assert trial.got() == [1]


def test_a_question_of_the_hub_for_who_is_gone_goes_to_all():
    trial = Trial(ANYBODY, client(FilterNonIP=True), ANYBODY)
    assert trial.hub.ask(sent(UNKNOWN, trial.hub.mac), 0) == (0, ["policy"])
    assert trial.got() == [1, 3]


def test_a_frame_of_who_is_known_is_filtered_like_his_first():
    trial = Trial(ANYBODY, client(FilterIPv4=True), ANYBODY)
    assert [trial.say(1, arp(), at) for at in range(3)] == [[3]] * 3


SYN = b.frame(tcp_syn(1460), BROADCAST, ONE)


@pytest.mark.parametrize(
    ("options", "said", "got"),
    [
        (HubOptions(), 0, 1460),
        (HubOptions(AdjustTcpMssValue=1300), 0, 1300),
        (HubOptions(AdjustTcpMssValue=1300), 1200, 1200),
        (HubOptions(), 1400, 1400),
        (HubOptions(AdjustTcpMssValue=1300, DisableAdjustTcpMss=True), 1200, 1460),
    ],
)
def test_a_hub_lowers_the_segment_size_of_its_sender_and_of_its_receiver(
    options: HubOptions, said: int, got: int
):
    for terms in ((Terms(adjust_mss=said), ANYBODY), (ANYBODY, Terms(adjust_mss=said))):
        trial = Trial(*terms, options=options)
        trial.say(1, SYN)
        assert int.from_bytes(trial.fars[1].frames[0][-2:]) == got


KINDS = st.sampled_from((b"\x08\x00", b"\x08\x06", b"\x86\xdd", b"\x81\x00", b"\x00\x26", b""))
STARTS = st.sampled_from((b"\x45", b"\x60", b"\x00\x05\x08\x00\x46", b"\x00\x05\x86\xdd\x60", b""))
REWORKS = (
    Trial(client(), client(), options=HubOptions(AdjustTcpMssValue=1300)),
    Trial(client(user="alice"), client(VLanId=5), options=HubOptions(AdjustTcpMssValue=1300)),
    Trial(client(VLanId=5), client(PrivacyFilter=True, NoServer=True)),
    Trial(client(), client(NoServer=True), options=HubOptions(DisableIPParsing=True)),
)


@pytest.mark.slow
@pytest.mark.parametrize("trial", REWORKS)
@given(
    head=st.sampled_from((BROADCAST + ONE, TWO + ONE, b"", ONE)),
    kind=KINDS,
    start=STARTS,
    rest=st.one_of(st.binary(max_size=60), st.just(b"\0\x44\0\x43" * 12)),
)
def test_no_bytes_of_a_session_make_a_hub_fail(
    trial: Trial, head: bytes, kind: bytes, start: bytes, rest: bytes
):
    frame = head + kind + start + rest
    outcome = trial.say(1, frame)
    assert len(frame) >= 14 or outcome == "malformed"


@pytest.mark.parametrize("length", range(14, 21))
def test_a_frame_that_ends_in_its_header_is_malformed_whatever_was_to_be_changed(length: int):
    for trial in REWORKS[:3]:
        for kind in (b"\x08\x00\x45", b"\x86\xdd\x60"):
            frame = (BROADCAST + ONE + kind + bytes(7))[:length]
            assert trial.say(1, frame) == "malformed"
