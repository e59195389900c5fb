"""The DHCP client: its table of states, its events, what a caller can ask. RFC 2131."""

from dataclasses import replace

import pytest
from hypothesis import given

from sim.conformance.dhcp_server import in_frame, message, seconds
from sim.conformance.dhcp_server import question as read
from tests import strategies
from tests.builders import (
    OUR_IP6,
    OUR_MAC,
    PEER,
    PEER6,
    PEER_MAC,
    arp_reply,
    arp_request,
    dropped,
    packet,
    solicitation,
)
from virtualtap import (
    SECOND,
    DropReason,
    Lease,
    LeaseBound,
    LeaseLost,
    LeaseRenewed,
    TapConfig,
    UsageError,
    VirtualTap,
    ip,
)
from virtualtap.handlers.dhcp import TRANSITIONS, Happening, State
from virtualtap.wire import dhcp

LEASED, SERVER = ip("10.0.0.50"), ip("10.0.0.1")
START = 1_700_000_000 * SECOND  # some clocks count from 1970


class Talk:
    """A tap and the frames that it sent, as the cases' server reads them."""

    def __init__(self, **changes):
        usual = {"our_mac": OUR_MAC, "dhcp": True, "dhcp_delay_max": 0, "dhcp_fuzz": 0}
        self.tap = VirtualTap(TapConfig(**{**usual, **changes}))
        self.now = START
        self.tap.poll(self.now)

    def frames(self):
        return tuple(self.tap.take_frames())

    def answer(self, asked, kind, options=None):
        data = message(asked, kind, options, client_mac=OUR_MAC).to_bytes()
        return self.tap.ethernet_to_ip(in_frame(data, mac=PEER_MAC), self.now)

    def bind(self, options=None):
        self.answer(read(self, dhcp.DISCOVER), dhcp.OFFER)
        asked = read(self, dhcp.REQUEST)
        self.answer(asked, dhcp.ACK, options)
        return asked


@pytest.fixture
def bound():
    talk = Talk()
    talk.bind()
    return talk


def test_a_client_begins_when_it_is_told_the_time():
    tap = VirtualTap(TapConfig(our_mac=OUR_MAC, dhcp=True))
    assert tap.next_deadline() == 0
    tap.poll(START)
    assert START + 1 * SECOND <= tap.next_deadline() <= START + 10 * SECOND


def test_a_lease_is_an_event_and_a_property(bound):
    ends = START + 3600 * SECOND
    assert bound.tap.take_events() == [LeaseBound(LEASED, SERVER, ends)]
    times = START + 1800 * SECOND, START + 3150 * SECOND, ends
    assert bound.tap.lease == Lease(LEASED, 24, SERVER, (), (), 1500, SERVER, *times)
    assert bound.tap.learned_ip == LEASED


def test_there_is_no_lease_before_there_is_one():
    tap = Talk().tap
    assert (tap.lease, tap.learned_ip, tap.gateway_mac) == (None, None, None)


def test_a_renewal_is_an_event(bound):
    bound.tap.take_events()
    bound.now = bound.tap.lease.renews_at
    bound.tap.poll(bound.now)
    bound.tap.take_frames()  # who has the server's address?
    bound.tap.ethernet_to_ip(arp_reply(PEER_MAC, SERVER, OUR_MAC, LEASED), bound.now)
    asked = read(bound, dhcp.REQUEST)
    bound.tap.take_events()
    bound.answer(asked, dhcp.ACK)
    assert bound.tap.take_events() == [LeaseRenewed(LEASED, bound.now + 3600 * SECOND)]


def test_what_is_given_back_is_lost(bound):
    bound.tap.take_events()
    bound.tap.release(bound.now)
    assert read(bound, dhcp.RELEASE).value(dhcp.SERVER_ID) == SERVER
    assert bound.tap.take_events() == [LeaseLost(LEASED)]
    assert (bound.tap.lease, bound.tap.next_deadline()) == (None, None)


def test_a_release_without_a_lease_is_silent_and_final():
    talk = Talk()
    talk.tap.take_frames()
    talk.tap.release()
    assert (talk.tap.take_frames(), talk.tap.next_deadline()) == ([], None)
    talk.tap.release()
    assert talk.tap.take_frames() == []


def test_only_a_client_can_release():
    with pytest.raises(UsageError, match="`release` without `dhcp`"):
        VirtualTap(TapConfig(our_mac=OUR_MAC)).release()


def test_a_gateway_cannot_be_configured_beside_a_lease():
    with pytest.raises(UsageError, match="`dhcp` with `gateway_ip`"):
        TapConfig(our_mac=OUR_MAC, dhcp=True, gateway_ip=SERVER)


@pytest.mark.parametrize(
    "wrong",
    [{"dhcp_delay_max": -1}, {"dhcp_interval": SECOND}, {"dhcp_interval_max": 3 * SECOND}],
)
def test_an_interval_that_cannot_be_spread_is_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        TapConfig(our_mac=OUR_MAC, dhcp=True, **wrong)


def test_without_a_lease_the_host_s_packets_are_dropped():
    talk = Talk()
    talk.tap.take_frames()
    assert talk.tap.ip_to_ethernet(packet(PEER, source=LEASED)) is None
    assert (talk.tap.take_frames(), dropped(talk.tap, DropReason.NO_ADDRESS)) == ([], 1)


def test_an_answer_to_nobody_s_question_is_counted(bound):
    before = dropped(bound.tap, DropReason.NOT_FOR_US)
    bound.tap.ethernet_to_ip(
        in_frame(dhcp.Dhcp(dhcp.TO_CLIENT, 7, OUR_MAC).to_bytes(), mac=PEER_MAC)
    )
    assert dropped(bound.tap, DropReason.NOT_FOR_US) == before + 1


def test_a_lease_without_end_sets_no_timer():
    talk = Talk()
    talk.bind({dhcp.LEASE_TIME: seconds(dhcp.INFINITE)})
    assert (talk.tap.lease.expires_at, talk.tap.next_deadline()) == (None, None)


def test_every_state_can_be_reached_and_left():
    reached = {State.INIT, *TRANSITIONS.values()}
    left = {state for state, _ in TRANSITIONS}
    assert reached == left == set(State)


def test_every_happening_means_something_somewhere():
    assert {happening for _, happening in TRANSITIONS} == set(Happening)


def test_a_release_ends_every_state():
    ends = {state for (state, what) in TRANSITIONS if what is Happening.RELEASE}
    assert ends == set(State)


def test_the_same_seed_asks_alike():
    first, second = Talk(random_seed=3), Talk(random_seed=3)
    assert first.frames() == second.frames()


def test_a_full_outbox_loses_the_question_and_counts_it():
    tap = VirtualTap(TapConfig(our_mac=OUR_MAC, dhcp=True, dhcp_delay_max=0, outbox_max=1))
    tap.poll(START)
    tap.poll(START + 5 * SECOND)
    assert (len(tap.take_frames()), dropped(tap, DropReason.OUTBOX_FULL)) == (1, 1)


@given(strategies.dhcps, strategies.BYTE)
def test_no_answer_makes_the_client_raise(answer, kind):
    talk = Talk()
    xid = read(talk, dhcp.DISCOVER).message.xid
    options = ((dhcp.KIND, bytes((kind % 9,))), *answer.options)
    answer = replace(answer, operation=2, xid=xid, client_mac=OUR_MAC, options=options)
    talk.tap.ethernet_to_ip(in_frame(answer.to_bytes(), mac=PEER_MAC), talk.now)
    talk.tap.poll(START + 100 * SECOND)


@given(strategies.payloads)
def test_no_bytes_for_port_68_make_the_client_raise(data):
    talk = Talk()
    talk.tap.ethernet_to_ip(in_frame(data, mac=PEER_MAC), talk.now)
    assert talk.tap.take_packets() == []


def test_an_announced_lease_is_told_to_everyone():
    talk = Talk(claim="announced")
    talk.bind()
    announcement = arp_request(OUR_MAC, LEASED, LEASED)
    assert talk.frames() == (announcement,)
    talk.tap.poll(START + 2 * SECOND)
    assert talk.frames() == (announcement,)


def test_a_lease_given_back_forgets_the_neighbors_of_ipv4_alone():
    talk = Talk(our_ip6=(OUR_IP6,))
    talk.bind()
    talk.tap.ethernet_to_ip(solicitation())
    talk.tap.ethernet_to_ip(arp_request(PEER_MAC, PEER, LEASED))
    assert talk.tap.neighbors() == {PEER6: PEER_MAC, PEER: PEER_MAC}
    talk.tap.release()
    assert talk.tap.neighbors() == {PEER6: PEER_MAC}


def test_an_address_given_back_while_it_is_probed_is_never_ours():
    talk = Talk(claim="probed")
    talk.bind()
    talk.tap.release(START)
    talk.tap.poll(START + 20 * SECOND)
    assert (talk.tap.lease, talk.tap.learned_ip) == (None, None)
    assert talk.tap.ethernet_to_ip(arp_request(PEER_MAC, PEER, LEASED)) is None
    assert [each for each in talk.frames() if each[20:22] == b"\0\2"] == []
