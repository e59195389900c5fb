"""An access list: filters, order, the split by destination users, loss, delay and redirection."""

import pytest

from sim.nodes.softether.access_list import AccessList
from sim.nodes.softether.access_rule import AccessRule
from sim.nodes.softether.constants import constants
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import Packet
from sim.nodes.softether.policy import Kind
from sim.nodes.softether.session import Session, Terms
from sim.nodes.softether.verdict import Verdict
from sim.rng import Stream, stream
from tests import builders as b
from tests.sim.networks import datagram
from tests.sim.nodes.softether.hubs import Far, sent
from tests.sim.nodes.softether.test_access_rule import PING, UDP4, UDP6, someone
from tests.sim.nodes.softether.test_parsing import STP
from virtualtap.errors import UsageError
from virtualtap.units import MS
from virtualtap.wire import checksum
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6

DESK, BOB = someone("desk"), someone("bob")
ALL = {"SrcUsername": "desk"}
OTHER, TAGGED = sent(), sent(head=b"\x81\x00\x00\x05\x08\x00")
PPPOE, SESSION = sent(head=b"\x88\x63"), sent(head=b"\x88\x64")
OSPF = b.frame(Ipv4(b.PEER, b.OUR_IP, 89, bytes(8)).to_bytes())


def luck() -> Stream:
    return stream(0, "rules")


def listed(*rules: AccessRule, **options: bool) -> AccessList:
    return AccessList(rules, HubOptions(**options), luck)


def why(rules: AccessList, frame: bytes = UDP4, source: Session = DESK) -> str | None:
    return rules.ingress(Packet(frame), source, 0).why


# filters of the whole hub


@pytest.mark.parametrize(
    ("name", "refused", "passed"),
    [
        ("FilterPPPoE", [PPPOE, SESSION], [OTHER]),
        ("FilterOSPF", [OSPF], [UDP4, OTHER]),
        ("FilterIPv4", [UDP4, b.arp_request()], [UDP6, OTHER, TAGGED]),
        ("FilterIPv6", [UDP6], [UDP4]),
        ("FilterNonIP", [OTHER, TAGGED, STP], [UDP4, UDP6, b.arp_request()]),
        ("FilterBPDU", [STP], [OTHER, sent(head=b"\x00\x26\x06\x06\x03")]),
    ],
)
def test_a_filter_of_the_hub_comes_before_the_rules(
    name: str, refused: list[bytes], passed: list[bytes]
):
    rules = listed(AccessRule(), **{name: True})
    assert [why(rules, frame) for frame in refused] == ["hub-filter"] * len(refused)
    assert [why(rules, frame) for frame in passed] == [None] * len(passed)


def test_without_rules_and_filters_nobody_needs_to_be_asked():
    assert listed().is_empty
    assert not listed(FilterBPDU=True).is_empty
    assert not listed(AccessRule()).is_empty


# order and split


def test_what_no_rule_matches_passes_unchecked():
    assert listed(AccessRule(SrcUsername="bob")).ingress(Packet(UDP4), DESK, 0) == Verdict()


def test_the_first_rule_that_matches_decides():
    passes, discards = AccessRule(Priority=1), AccessRule(Priority=2, Discard=True)
    assert why(listed(discards, passes)) is None
    assert why(listed(passes, AccessRule(Priority=0, Discard=True))) == "access-list"


def test_an_inactive_rule_is_passed_over():
    rules = listed(
        AccessRule(Active=False, Discard=True),
        AccessRule(Priority=1, Active=False, DestUsername="bob", Discard=True),
    )
    assert why(rules) is None
    assert rules.egress(Packet(UDP4), DESK, BOB)


def test_the_scan_on_the_way_in_stops_at_the_first_rule_with_a_destination_user():
    split = AccessRule(Priority=1, DestUsername="nobody")
    discards = AccessRule(Priority=2, Discard=True)
    rules = listed(split, discards)
    assert why(rules) is None
    assert not rules.egress(Packet(UDP4), DESK, BOB)  # it and all that follow are asked there
    assert rules.egress(Packet(UDP4), DESK, someone("nobody"))


def test_rules_before_the_split_are_not_asked_on_the_way_out():
    rules = listed(AccessRule(Discard=True), AccessRule(Priority=1, DestUsername="nobody"))
    assert rules.egress(Packet(UDP4), DESK, BOB)


def test_a_match_on_the_way_in_marks_the_frame_as_checked():
    assert listed(AccessRule()).ingress(Packet(UDP4), DESK, 0) == Verdict(checked=True)


def test_the_hubs_own_frames_are_not_asked_about_on_the_way_out():
    rules = listed(AccessRule(DestUsername="bob", Discard=True))
    assert rules.egress(Packet(UDP4), None, BOB)
    assert not rules.egress(Packet(UDP4), DESK, BOB)


def test_a_hub_keeps_32768_rules():
    with pytest.raises(UsageError, match="an access list has 32769 rules"):
        listed(*[AccessRule()] * 32_769)


# loss and delay


def share_lost(loss: int) -> float:
    rules = listed(AccessRule(Loss=loss))
    return sum(why(rules) == "access-loss" for _ in range(1000)) / 1000


def test_a_rule_loses_its_share():
    assert (share_lost(0), share_lost(100)) == (0, 1)
    assert 0.16 < share_lost(20) < 0.24
    assert 0.97 < share_lost(99) < 1


def test_a_rule_delays_in_milliseconds():
    assert listed(AccessRule(Delay=100)).ingress(Packet(UDP4), DESK, 0).delay == 100 * MS


def test_jitter_is_uniform_around_the_delay_and_stays_below_its_share():
    rules = listed(AccessRule(Delay=100, Jitter=50))
    delays = [rules.ingress(Packet(UDP4), DESK, 0).delay // MS for _ in range(3000)]
    assert (min(delays), max(delays)) == (51, 149)
    assert 1350 < sum(delay < 100 for delay in delays) < 1650


def test_jitter_without_a_delay_or_too_small_to_be_drawn_is_none():
    for rule in (AccessRule(Jitter=100), AccessRule(Delay=1, Jitter=50)):
        assert listed(rule).ingress(Packet(UDP4), DESK, 0).delay == rule.Delay * MS


def test_a_rule_that_discards_neither_loses_nor_delays():
    rules = listed(AccessRule(Discard=True, Loss=100, Delay=100))
    assert rules.ingress(Packet(UDP4), DESK, 0) == Verdict("access-list")


def test_luck_is_not_needed_where_nothing_is_drawn():
    def none() -> Stream:
        raise AssertionError

    rules = AccessList([AccessRule(Delay=100)], HubOptions(), none)
    assert rules.ingress(Packet(UDP4), DESK, 0).delay == 100 * MS


# redirection

URL = "http://login.example/"
ELSEWHERE = AccessRule(RedirectUrl=URL)


def request(flags: int = 0x18, data: bytes = b"GET / HTTP/1.1\r\n\r\n", v6: bool = False) -> bytes:
    segment = bytes.fromhex("c0000050 00000064 000000c8") + bytes((0x50, flags)) + bytes(6) + data
    if v6:
        return b.frame(Ipv6(b.PEER6, b.FAR6, 6, segment).to_bytes())
    return b.frame(Ipv4(b.PEER, b.FAR, 6, segment).to_bytes())


@pytest.mark.parametrize("v6", [False, True])
def test_a_visitor_is_answered_in_the_name_of_whom_he_asked(v6: bool):
    verdict = listed(ELSEWHERE).ingress(Packet(request(v6=v6)), DESK, 0)
    answer = Packet(verdict.answer)
    assert verdict.why == "redirected"
    assert verdict.answer[:12] == b.PEER_MAC + b.OUR_MAC
    assert (answer.source, answer.target) == ((b.FAR6, b.PEER6) if v6 else (b.FAR, b.PEER))
    assert (answer.source_port, answer.target_port, answer.flags) == (80, 0xC000, 0x18)
    segment = verdict.answer[answer.l4_at :]
    assert segment[4:12] == bytes.fromhex("000000c8 00000076")  # all 18 bytes are acknowledged
    assert segment[20:].startswith(b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n")
    assert answer.source is not None and answer.target is not None
    assert checksum.transport_is_right(answer.source, answer.target, 6, segment)


def test_what_opens_or_ends_a_connection_passes():
    rules = listed(ELSEWHERE)
    for frame in (
        *(request(0x12), request(0x14), request(0x30), request(0x08)),
        *(request(data=b""), UDP4, PING),
    ):
        assert rules.ingress(Packet(frame), DESK, 0) == Verdict(checked=True)


def test_a_rule_that_discards_and_redirects_discards_the_rest():
    rules = listed(AccessRule(RedirectUrl=URL, Discard=True))
    assert (why(rules, request()), why(rules, UDP4)) == ("redirected", "access-list")


@pytest.mark.parametrize("kind", [Kind.BRIDGE, Kind.SECURE_NAT])
def test_who_is_no_client_gets_no_answer(kind: Kind):
    bridge = Session(1, Far(), Terms(kind=kind), constants(), HubOptions())
    verdict = listed(ELSEWHERE).ingress(Packet(request()), bridge, 0)
    assert (verdict.why, verdict.answer) == ("redirected", b"")


def test_addresses_of_a_datagram_are_no_request():
    assert why(listed(ELSEWHERE), b.frame(datagram(b.PEER, b.OUR_IP))) is None
