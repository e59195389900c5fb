"""The rig: what a case gives and demands, and when the target's deadlines run."""

import pytest

from sim.conformance.frames6 import dad, ns, spoiled
from sim.conformance.registry import Case
from sim.conformance.script import CONFIG, US, Missed, NotGiven, Script, without_nonce
from sim.conformance.verdicts import Verdict, judge
from virtualtap import VirtualTap
from virtualtap.wire.ndp import NONCE


class Clock:
    """A translator that turns bytes around, and says the time whenever its alarm rings."""

    def __init__(self, config):
        self.config = config
        self.alarms = [10, 20, 30]
        self.polls = []
        self.said = []

    def ip_to_ethernet(self, packet, now=None):
        return packet[::-1]

    def ethernet_to_ip(self, frame, now=None):
        return frame[::-1]

    def poll(self, now):
        self.polls.append(now)
        while self.alarms and self.alarms[0] <= now:
            self.said.append(b"%d" % self.alarms.pop(0))

    def next_deadline(self):
        return self.alarms[0] if self.alarms else None

    def take_frames(self):
        said, self.said = self.said, []
        return said

    def take_packets(self):
        return []


def verdict(play, make=Clock):
    return judge(Case("rig/case", "rig", "RFC 0", "a test", (), play), make).verdict


def test_a_deadline_on_the_way_runs_at_its_own_time():
    script = Script(Clock).at(25)
    assert script.tap.polls == [10, 20, 25]
    assert [(one.at, one.data) for one in script.exchange] == [(10, b"10"), (20, b"20")]


def test_a_deadline_at_the_very_instant_has_run():
    Script(Clock).at(9).expect().at(10).expect(b"10")


def test_a_script_does_not_go_back():
    with pytest.raises(AssertionError, match="forward"):
        Script(Clock).at(5).at(4)


def test_until_sent_stops_at_the_first_frame_or_at_the_limit():
    script = Script(Clock).until_sent(15)
    assert (script.now, script.frames()) == (10, (b"10",))
    script.until_sent(15)
    assert (script.now, script.frames()) == (15, ())


def test_what_goes_in_on_one_side_comes_out_on_the_other():
    script = Script(Clock).lan(b"ab").host(b"cd")
    assert (script.frames(), script.packets()) == ((b"dc",), (b"ba",))
    assert [(one.side, one.into, one.data) for one in script.exchange] == [
        ("lan", True, b"ab"),
        ("host", False, b"ba"),
        ("host", True, b"cd"),
        ("lan", False, b"dc"),
    ]


def test_expect_demands_exactly_what_came_in_order():
    Script(Clock).host(b"ab").host(b"cd").expect(b"ba", b"dc").expect()
    with pytest.raises(Missed) as missed:
        Script(Clock).host(b"ab").host(b"cd").expect(b"dc", b"ba")
    told = missed.value
    assert (told.side, told.expected, told.seen) == ("lan", (b"dc", b"ba"), (b"ba", b"dc"))


def test_given_is_as_expect_for_what_is_only_set_up():
    Script(Clock).host(b"ab").given(b"ba").expect()
    with pytest.raises(NotGiven, match="to the lan: expected 1, saw 0"):
        Script(Clock).given(b"ba")


def test_a_probe_may_carry_a_nonce_and_nothing_else():
    with_nonce = dad(options=((NONCE, b"random"),))
    with_more = dad(options=((NONCE, b"random"), (200, bytes(6))))
    assert without_nonce(with_nonce) == dad()
    assert without_nonce(with_more) == dad(options=((200, bytes(6)),))
    same = (dad(), ns(), ns(options=((NONCE, b"random"),)), spoiled(with_nonce, checksum=1), b"")
    assert tuple(map(without_nonce, same)) == same


def test_a_script_plays_under_its_profile():
    assert Script(Clock, "linux").tap.config.profile == "linux"


def test_expect_host_demands_the_packets():
    Script(Clock).lan(b"ab").expect_host(b"ba")
    with pytest.raises(Missed, match="to the host: expected 0, saw 1"):
        Script(Clock).lan(b"ab").expect_host()


def test_what_a_case_leaves_over_fails_it():
    assert verdict(lambda tap: tap.lan(b"ab")) is Verdict.FAIL
    assert verdict(lambda tap: tap.host(b"ab")) is Verdict.FAIL
    assert verdict(lambda tap: tap.lan(b"ab").forget()) is Verdict.PASS


def test_start_changes_the_usual_configuration():
    script = Script(Clock)
    assert script.tap.config == CONFIG
    assert (CONFIG.our_ip, script.start(our_ip=None).tap.config.our_ip) == (US, None)


def test_the_engine_fits_the_rig():
    assert verdict(lambda tap: tap.lan(b"").host(b"").at(10**12), VirtualTap) is Verdict.PASS
