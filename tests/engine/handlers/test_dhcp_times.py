"""When the DHCP client asks again: after refusals, after silence, before a lease ends. RFC 2131."""

import pytest

from sim.conformance.dhcp_server import question as read
from sim.conformance.dhcp_server import seconds
from tests.engine.handlers.test_dhcp import START, Talk
from virtualtap import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import LIMITED_BROADCAST


def refused(talk):
    """Ask again, be offered, be refused: what follows."""
    talk.answer(read(talk, dhcp.DISCOVER), dhcp.OFFER)
    talk.answer(read(talk, dhcp.REQUEST), dhcp.NAK)


def test_the_first_refusal_is_answered_at_once_and_the_next_ever_more_slowly():
    talk = Talk()
    refused(talk)
    for least, most in ((3, 5), (7, 9)):
        refused(talk)
        assert talk.frames() == ()
        wait = talk.tap.next_deadline() - talk.now
        assert least * SECOND <= wait <= most * SECOND
        talk.now += wait
        talk.tap.poll(talk.now)


def test_a_lease_makes_up_for_refusals():
    talk = Talk()
    refused(talk)
    talk.bind()
    talk.now = talk.tap.lease.rebinds_at
    talk.tap.poll(talk.now - 1)
    talk.frames()
    talk.tap.poll(talk.now)
    talk.answer(read(talk, dhcp.REQUEST), dhcp.NAK)
    read(talk, dhcp.DISCOVER)


def test_silence_is_answered_by_beginning_anew_at_once():
    talk = Talk(dhcp_requests_max=1)
    talk.answer(read(talk, dhcp.DISCOVER), dhcp.OFFER)
    asked = read(talk, dhcp.REQUEST)
    talk.now = talk.tap.next_deadline()
    talk.tap.poll(talk.now)
    assert read(talk, dhcp.DISCOVER).message.xid != asked.message.xid


def test_who_could_ask_again_only_at_t2_asks_everyone_then():
    talk = Talk()
    talk.bind({dhcp.RENEWAL_TIME: seconds(1800), dhcp.REBINDING_TIME: seconds(1860)})
    talk.tap.poll(talk.tap.lease.rebinds_at - 1)
    talk.frames()
    talk.tap.poll(talk.tap.lease.rebinds_at)
    assert read(talk, dhcp.REQUEST).packet.destination == LIMITED_BROADCAST


def spreads(first: int, second: int, end: int) -> tuple[list[int], list[int]]:
    """By how much T1 and T2 (s) are earlier or later, over many seeds; the end is not."""
    early, late = [], []
    for seed in range(200):
        talk = Talk(random_seed=seed, dhcp_fuzz=100 * SECOND)
        talk.bind(
            {
                dhcp.LEASE_TIME: seconds(end),
                dhcp.RENEWAL_TIME: seconds(first),
                dhcp.REBINDING_TIME: seconds(second),
            }
        )
        lease = talk.tap.lease
        early.append(lease.renews_at - START - first * SECOND)
        late.append(lease.rebinds_at - START - second * SECOND)
        assert lease.expires_at == START + end * SECOND
    return early, late


@pytest.mark.parametrize(
    ("times", "most"),
    [((1000, 1100, 9000), 25), ((1000, 8900, 9000), 25), ((1000, 5000, 9000), 100)],
)
def test_times_are_spread_no_further_than_a_quarter_of_what_lies_between(times, most):
    for spread in spreads(*times):
        assert -most * SECOND <= min(spread) < -most * SECOND * 9 // 10
        assert most * SECOND * 9 // 10 < max(spread) <= most * SECOND
