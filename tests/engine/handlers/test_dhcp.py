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
    arp_probe,
    arp_reply,
    arp_request,
    dropped,
    frame,
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
from virtualtap.wire import dhcp, udp
from virtualtap.wire.address import ANY4, LIMITED_BROADCAST
from virtualtap.wire.ipv4 import Ipv4

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


def test_an_address_given_back_while_it_is_probed_is_probed_no_more():
    talk = Talk(claim="probed")
    talk.bind()
    talk.tap.poll(talk.tap.next_deadline())
    assert talk.frames() == (arp_probe(LEASED, OUR_MAC),)
    talk.tap.release()
    assert (talk.frames(), talk.tap.take_events(), talk.tap.next_deadline()) == ((), [], None)


def test_an_address_given_back_while_it_is_announced_is_announced_no_more():
    talk = Talk(claim="announced")
    talk.bind()
    talk.tap.release()
    assert talk.tap.next_deadline() is None


def test_nobody_contests_an_address_that_was_given_back_while_it_was_probed():
    talk = Talk(claim="probed")
    talk.bind()
    talk.tap.release()
    talk.tap.ethernet_to_ip(arp_request(PEER_MAC, LEASED, LEASED))
    assert (talk.frames(), talk.tap.take_events()) == ((), [])


def test_a_second_offer_of_the_same_server_changes_nothing():
    talk = Talk()
    asked = read(talk, dhcp.DISCOVER)
    talk.answer(asked, dhcp.OFFER)
    wanted = read(talk, dhcp.REQUEST)
    other = replace(message(asked, dhcp.OFFER), your_ip=PEER, client_mac=OUR_MAC).to_bytes()
    talk.tap.ethernet_to_ip(in_frame(other, mac=PEER_MAC), talk.now)
    assert dropped(talk.tap, DropReason.NOT_FOR_US) == 1
    talk.answer(wanted, dhcp.ACK)
    assert talk.tap.learned_ip == LEASED


def test_an_answer_that_is_heard_is_no_drop():
    talk = Talk()
    talk.answer(read(talk, dhcp.DISCOVER), dhcp.OFFER)
    talk.answer(read(talk, dhcp.REQUEST), dhcp.NAK)
    talk.bind()
    assert talk.tap.stats.dropped_total == 0


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (dhcp.DISCOVER, None),
        (dhcp.NAK, {dhcp.SERVER_ID: PEER}),
        (dhcp.ACK, {dhcp.SERVER_ID: PEER}),
        (dhcp.ACK, {dhcp.KIND: bytes((dhcp.OFFER,))}),
    ],
)
def test_an_answer_that_means_nothing_is_counted(kind, options):
    talk = Talk()
    talk.answer(read(talk, dhcp.DISCOVER), dhcp.OFFER)
    talk.answer(read(talk, dhcp.REQUEST), kind, options)
    assert (dropped(talk.tap, DropReason.NOT_FOR_US), talk.frames()) == (1, ())


def test_an_ack_of_another_address_is_counted():
    talk = Talk()
    talk.answer(read(talk, dhcp.DISCOVER), dhcp.OFFER)
    asked = read(talk, dhcp.REQUEST)
    other = message(asked, dhcp.ACK, your_ip=PEER, client_mac=OUR_MAC).to_bytes()
    talk.tap.ethernet_to_ip(in_frame(other, mac=PEER_MAC), talk.now)
    assert (dropped(talk.tap, DropReason.NOT_FOR_US), talk.tap.lease) == (1, None)


def test_a_farewell_has_a_number_of_its_own_and_no_age():
    # RFC 2131 4.4.1, table 5
    talk = Talk()
    talk.now += 2 * SECOND
    talk.tap.poll(talk.now)
    asked = talk.bind()
    talk.tap.release()
    bye = read(talk, dhcp.RELEASE).message
    assert bye.xid not in (0, asked.message.xid)
    assert bye.secs == 0


@pytest.mark.parametrize(("mtu", "most"), [(576, 576), (1400, 1400)])
def test_a_client_takes_messages_of_576_bytes_at_least(mtu, most):
    # RFC 2132 9.10
    asked = read(Talk(mtu=mtu), dhcp.DISCOVER)
    assert asked.value(dhcp.SIZE_MAX) == most.to_bytes(2)


def test_after_a_release_the_host_may_look_for_a_lease_itself(bound):
    bound.tap.release()
    asked = packet(LIMITED_BROADCAST, ANY4)
    assert bound.tap.ip_to_ethernet(asked)[14:] == asked


def test_a_short_datagram_for_the_client_s_port_is_the_host_s(bound):
    inside = Ipv4(SERVER, LEASED, udp.PROTOCOL, b"\0\x43\0\x44").to_bytes()
    assert bound.tap.ethernet_to_ip(frame(inside)) == inside


def test_a_lease_after_a_conflict_is_defended_as_the_first_was():
    talk = Talk(claim="announced")
    talk.bind()
    theirs = arp_request(PEER_MAC, LEASED, LEASED)
    for _ in range(2):
        talk.tap.ethernet_to_ip(theirs)
    talk.frames()
    talk.now += 10 * SECOND
    talk.tap.poll(talk.now)
    talk.bind()
    talk.frames()
    talk.tap.ethernet_to_ip(theirs)
    assert (talk.frames(), talk.tap.learned_ip) == ((arp_request(OUR_MAC, LEASED, LEASED),), LEASED)


def test_clients_begin_from_one_second_to_ten():
    # RFC 2131 4.4.1
    begins = []
    for seed in range(200):
        tap = VirtualTap(TapConfig(our_mac=OUR_MAC, dhcp=True, random_seed=seed))
        tap.poll(START)
        begins.append(tap.next_deadline() - START)
    assert SECOND <= min(begins) < 1.5 * SECOND
    assert 9.5 * SECOND < max(begins) <= 10 * SECOND


@pytest.mark.parametrize("kind", [dhcp.OFFER, dhcp.ACK])
def test_a_lease_that_is_over_when_it_comes_is_none(kind):
    # RFC 2131 4.4.1
    talk = Talk()
    asked = read(talk, dhcp.DISCOVER)
    if kind == dhcp.ACK:
        talk.answer(asked, dhcp.OFFER)
        asked = read(talk, dhcp.REQUEST)
    talk.now += 2 * SECOND
    talk.answer(asked, kind, {dhcp.LEASE_TIME: seconds(2)})
    assert (talk.tap.lease, talk.frames(), talk.tap.take_events()) == (None, (), [])
    assert dropped(talk.tap, DropReason.NOT_FOR_US) == 1
    talk.answer(asked, kind, {dhcp.LEASE_TIME: seconds(3)})
    assert talk.tap.lease is not None or talk.frames() != ()


def test_no_deadline_is_in_the_past_where_an_answer_comes_late():
    talk = Talk()
    talk.answer(read(talk, dhcp.DISCOVER), dhcp.OFFER)
    asked = read(talk, dhcp.REQUEST)
    talk.now += 2 * SECOND
    talk.answer(asked, dhcp.ACK, {dhcp.LEASE_TIME: seconds(3)})
    assert talk.tap.lease.renews_at < talk.now
    assert talk.tap.next_deadline() == talk.now
