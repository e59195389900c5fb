"""Where limits and rules come in: the order of steps 10, 11, 16 and of the way out."""

from dataclasses import dataclass, field

import pytest

from sim.nodes.softether.constants import Version
from sim.nodes.softether.delay import DelayLine
from sim.nodes.softether.packet import Packet
from sim.nodes.softether.policy import Policy
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Session, Terms
from sim.nodes.softether.verdict import Verdict
from tests.sim.networks import around
from tests.sim.nodes.softether.hubs import ONE, TWO, UNKNOWN, Trial, client, sent
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import BROADCAST

ANYBODY = client()
MONITOR = Terms(policy=Policy(MonitorPort=True), monitor=True)


@dataclass
class Same:
    """Rules that say the same of every frame."""

    verdict: Verdict = Verdict()  # noqa: RUF009  # frozen
    lets_out: bool = True
    asked: list[Session] = field(default_factory=list)

    def ingress(self, packet: Packet, source: Session, now: int) -> Verdict:
        return self.verdict

    def egress(self, packet: Packet, source: Session | None, target: Session) -> bool:
        self.asked.append(target)
        return self.lets_out


def test_a_rule_may_drop_a_frame_before_anything_is_learned():
    trial = Trial(ANYBODY, ANYBODY)
    trial.hub.use(Same(Verdict("access-list")))
    assert trial.say(1, sent()) == "access-list"
    assert len(trial.hub.macs) == 0
    trial.hub.use(None)
    assert trial.say(1, sent()) == [2]


@pytest.mark.parametrize("to", [TWO, BROADCAST])
def test_a_rule_may_keep_a_frame_from_a_receiver(to: bytes):
    trial = Trial(ANYBODY, ANYBODY)
    trial.say(2, sent(BROADCAST, TWO))
    trial.hub.use(Same(lets_out=False))
    assert trial.hub.store(trial.sessions[0], sent(to, ONE), 0) == (0, ["access-list"])


def test_a_frame_that_matched_on_the_way_in_is_asked_for_nothing_on_the_way_out():
    trial = Trial(ANYBODY, ANYBODY, MONITOR)
    rules = Same(Verdict(checked=True), lets_out=False)
    trial.hub.use(rules)
    assert trial.say(1, sent()) == [2, 3]
    assert rules.asked == []


def test_rules_hold_for_monitors_and_for_the_hubs_own_frames():
    trial = Trial(ANYBODY, MONITOR)
    rules = Same(lets_out=False)
    trial.hub.use(rules)
    trial.hub.ask(sent(UNKNOWN, trial.hub.mac), 0)
    assert rules.asked == [trial.sessions[1], trial.sessions[0]]
    assert trial.got() == []


def test_the_upload_limit_counts_what_a_filter_drops_afterwards():
    trial = Trial(client(MaxUpload=1, FilterNonIP=True), ANYBODY)
    counted: list[Packet] = []
    trial.sessions[0].upload = lambda packet, now: not counted.append(packet)
    assert trial.say(1, sent()) == "policy"
    assert len(counted) == 1
    trial.sessions[0].upload = lambda packet, now: False
    assert trial.say(1, sent()) == "upload-limit"


def test_the_download_limit_holds_for_each_receiver_but_not_for_the_hubs_own_frames():
    trial = Trial(ANYBODY, client(MaxDownload=1), ANYBODY)
    trial.sessions[1].download = lambda packet, now: False
    assert trial.hub.store(trial.sessions[0], sent(), 0) == (0, ["download-limit"])
    trial.hub.ask(sent(UNKNOWN, trial.hub.mac), 0)
    assert trial.got() == [1, 2, 3]


def test_the_storm_limiter_is_asked_for_floods_only_and_after_all_is_learned():
    trial = Trial(ANYBODY, ANYBODY, MONITOR)
    trial.say(2, sent(BROADCAST, TWO))
    trial.sessions[0].storm = lambda packet, now: False
    assert trial.say(1, sent(BROADCAST, ONE)) == "storm"
    assert trial.say(1, sent(UNKNOWN, ONE)) == "storm"
    assert trial.got() == []
    assert trial.say(1, sent(TWO, ONE)) == [2, 3]
    assert trial.say(2, sent(ONE, TWO)) == [1, 3]


# delay


def test_a_delayed_frame_teaches_its_mac_when_it_is_let_go():
    trial = Trial(ANYBODY, ANYBODY)
    trial.hub.use(Same(Verdict(delay=100 * MS)))
    assert trial.hub.store(trial.sessions[0], sent(), 0) is None
    assert (trial.got(), len(trial.hub.macs)) == ([], 0)
    assert trial.hub.release(100 * MS - 1) == []
    assert trial.hub.release(100 * MS) == [(trial.sessions[0], sent(), (0, []))]
    assert (trial.got(), len(trial.hub.macs)) == ([2], 1)


def test_what_a_session_had_delayed_goes_with_it():
    trial = Trial(ANYBODY, ANYBODY)
    trial.hub.use(Same(Verdict(delay=100 * MS)))
    trial.hub.store(trial.sessions[0], sent(), 0)
    trial.hub.leave(trial.sessions[0])
    assert trial.hub.release(SECOND) == [(trial.sessions[0], sent(), "no-session")]


@pytest.mark.parametrize(
    ("version", "due"), [(Version.STABLE, 100 * MS), (Version.DEVELOPER, 107 * MS)]
)
def test_the_clock_of_the_stable_version_moves_in_steps_of_10_ms(version: Version, due: int):
    line, session = DelayLine(version), Trial(ANYBODY).sessions[0]
    assert line.hold(session, Packet(sent()), 100 * MS, 7 * MS + 5)
    assert line.next_deadline() == due


def test_a_delay_that_the_clock_cannot_tell_is_none():
    line, session = DelayLine(Version.STABLE), Trial(ANYBODY).sessions[0]
    assert not line.hold(session, Packet(sent()), 5 * MS, 7 * MS)
    assert line.next_deadline() is None


def test_what_is_due_first_is_let_go_first_and_of_two_the_first_that_came():
    line, session = DelayLine(Version.DEVELOPER), Trial(ANYBODY).sessions[0]
    packets = [Packet(sent(length=60 + i)) for i in range(3)]
    for packet, delay in zip(packets, (20 * MS, 10 * MS, 20 * MS), strict=True):
        line.hold(session, packet, delay, 0)
    assert line.release(20 * MS) == [(session, packets[i]) for i in (1, 0, 2)]


def test_a_server_lets_delayed_frames_go_and_its_ledger_balances_meanwhile():
    server = SoftEtherServer("vpn")
    network, (one, two, three) = around(server, 3)
    rules = Same(Verdict(delay=50 * MS))
    server.hub.use(rules)
    one.say_at(0, sent(BROADCAST, ONE), sent(BROADCAST, ONE))
    two.say_at(1 * MS, sent(ONE, TWO))
    two.say_at(2 * MS, sent(TWO, ONE)[:6] + TWO + b"\x88\xb5")
    for until in (1, 20 * MS, 50 * MS + 1, SECOND):
        network.run(until)
        assert network.ledger() == []
    assert (one.times(), three.times()) == ([51 * MS], [50 * MS] * 2)
    assert (server.holding(), server.fates.held, server.fates.released) == (0, 0, 0)
    assert (server.fates.forwarded, server.fates.copies) == (3, 5)


def test_a_frame_delayed_for_a_session_that_ends_is_dropped():
    server = SoftEtherServer("vpn")
    network, (one, two) = around(server, 2)
    server.hub.use(Same(Verdict(delay=50 * MS)))
    one.say_at(0, sent())
    network.call_at(1, server.end_session, one.port.out.target)
    network.run(SECOND)
    assert (two.heard, network.drops(), network.ledger()) == ([], {"no-session": 1}, [])


def test_a_crash_loses_what_is_delayed():
    server = SoftEtherServer("vpn")
    network, (one, two) = around(server, 2)
    server.hub.use(Same(Verdict(delay=50 * MS)))
    one.say_at(0, sent())
    network.call_at(1, network.crash, server)
    network.call_at(2, network.restart, server)
    one.say_at(3, sent())
    network.run(SECOND)
    assert (len(two.heard), network.drops(), network.ledger()) == (1, {"node-down": 1}, [])
