"""In every state that a conformance case leads to, one `poll` equals many on the way."""

from random import Random

import pytest

from sim.conformance.registry import cases
from sim.conformance.verdicts import judge
from tests.builders import NOBODY, STRANGER_MAC, a_tap, arp_request, packet
from virtualtap import MS, SECOND, VirtualTap


def feed(tap, one):
    """One input of a case, and everything that comes of it and of the time before it."""
    verb = tap.ethernet_to_ip if one.side == "lan" else tap.ip_to_ethernet
    returned = verb(one.data, one.at)
    return returned, tap.take_frames(), tap.take_packets(), tap.take_events()


def poll_on_the_way(tap, before, at, luck):
    """At every deadline, and at some other instants."""
    for stop in (*sorted(luck.randint(before, at) for _ in range(3)), at):
        while (deadline := tap.next_deadline()) is not None and deadline <= stop:
            tap.poll(max(deadline, before))
        tap.poll(stop)


def differs(case):
    """Whether it matters how often one polls between the inputs of a case."""
    made = []

    def make(config):
        made.append(config)
        return VirtualTap(config)

    inputs = [one for one in judge(case, make).exchange if one.into]
    end = inputs[-1].at if inputs else 0
    leaping, stepping = VirtualTap(made[0]), VirtualTap(made[0])
    for tap in (leaping, stepping):
        tap.poll(0)  # for both the time begins here
    luck, before = Random(case.id), 0
    for one in inputs:
        if one.at > before:
            poll_on_the_way(stepping, before, one.at, luck)
            before = one.at
        if feed(leaping, one) != feed(stepping, one):
            return True
    for tap in (leaping, stepping):
        tap.take_events()
    poll_on_the_way(stepping, before, end + 10**12, luck)
    leaping.poll(end + 10**12)
    outcomes = [
        (tap.take_frames(), tap.take_packets(), tap.take_events(), tap.next_deadline(), tap.stats)
        for tap in (leaping, stepping)
    ]
    return outcomes[0] != outcomes[1]


@pytest.mark.slow
def test_how_often_one_polls_does_not_matter_in_any_case():
    played = cases()
    assert len(played) > 400
    assert [case.id for case in played if differs(case)] == []


@pytest.mark.parametrize("claim", ["announced", "probed"])
@pytest.mark.parametrize("luck", range(20))
def test_how_often_one_polls_does_not_matter_to_admitted_hosts(claim, luck):
    draw = Random(luck)
    taps = [a_tap(admit_hosts=True, claim=claim) for _ in range(2)]
    for tap in taps:
        tap.poll(0)
    now = 0
    for _ in range(12):
        before, now = now, now + draw.choice((0, MS, SECOND, 3 * SECOND, 20 * SECOND))
        poll_on_the_way(taps[1], before, now, draw)
        guest, told = b"\x0a\0\0" + bytes((draw.randint(40, 44),)), draw.random() < 0.5
        data = packet(NOBODY, guest) if told else arp_request(STRANGER_MAC, guest, guest)
        outputs = []
        for tap in taps:
            returned = (tap.ip_to_ethernet if told else tap.ethernet_to_ip)(data, now)
            outputs.append((returned, tap.take_frames(), tap.take_packets(), tap.take_events()))
        assert outputs[0] == outputs[1]
