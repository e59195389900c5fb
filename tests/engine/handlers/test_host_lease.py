"""The lease of the host's own client, beside what the judge asks: events, properties. RFC 2131."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.conformance.dhcp_host import (
    REQUESTED,
    answer,
    asks,
    bound,
    heard,
    says,
    start,
    to_host,
)
from sim.conformance.dhcp_server import LEASED, SERVER, in_frame, introduce_server, owns
from sim.conformance.frames import packet
from sim.conformance.script import GATEWAY, OUR_MAC, PEER, US, Script
from tests import strategies
from tests.builders import dropped
from virtualtap import (
    SECOND,
    DropReason,
    LeaseBound,
    LeaseLost,
    LeaseRenewed,
    TapConfig,
    UsageError,
    VirtualTap,
    ip,
)
from virtualtap.wire import dhcp, udp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

END = 3600 * SECOND
ROUTE = (ip("192.0.2.0"), 24, ip("0.0.0.0"))


@pytest.fixture
def script():
    return Script(VirtualTap)


def test_a_learned_lease_is_an_event_and_a_property(script):
    bound(script)
    tap = script.tap
    assert tap.take_events()[-1] == LeaseBound(LEASED, SERVER, END)
    assert (tap.learned_ip, tap.lease.server) == (LEASED, SERVER)


def test_a_renewal_is_an_event(script):
    asked = bound(script)
    introduce_server(script)
    script.host(says(dhcp.REQUEST, source=LEASED, to=SERVER)).forget()
    script.tap.take_events()
    script.lan(answer(asked, dhcp.ACK))
    assert script.tap.take_events() == [LeaseRenewed(LEASED, END)]


def test_a_lease_that_ends_is_an_event_and_the_host_may_still_speak(script):
    bound(script, routes=(ROUTE,))
    script.at(END)
    tap = script.tap
    assert tap.take_events()[-1] == LeaseLost(LEASED)
    assert (tap.learned_ip, tap.lease) == (None, None)
    assert tap._interface.routes == (ROUTE,)
    assert tap.next_deadline() is None
    tap.ip_to_ethernet(packet(PEER, source=LEASED))
    assert dropped(tap, DropReason.NO_ADDRESS) == 0


def test_what_is_not_there_cannot_be_lost(script):
    start(script)
    asked = asks(script)
    script.lan(answer(asked, dhcp.NAK))
    assert script.tap.take_events() == []
    assert heard(script).kind == dhcp.NAK


def test_an_offer_that_comes_late_is_heard_and_grants_nothing(script):
    start(script)
    script.lan(answer(asks(script), dhcp.OFFER))
    assert (heard(script).kind, script.tap.learned_ip) == (dhcp.OFFER, None)


def test_an_answer_to_another_port_is_not_the_client_s(script):
    start(script)
    asked = asks(script)
    granted = answer(asked, dhcp.ACK)
    script.lan(granted[:36] + b"\0\x45" + granted[38:]).forget()
    assert script.tap.learned_ip is None


def test_what_the_host_says_as_a_server_passes(script):
    said = says(dhcp.REQUEST, REQUESTED, operation=dhcp.TO_CLIENT)
    start(script).host(said)
    assert [frame[14:] for frame in script.frames()] == [said]


@pytest.mark.parametrize("body", [b"", b"not DHCP"])
def test_bytes_that_are_no_message_pass_both_ways(script, body):
    start(script)
    inside = Ipv4.parse(says(dhcp.DISCOVER))
    datagram = Udp(68, 67, body).between(inside.source, inside.destination)
    said = replace(inside, payload=datagram).to_bytes()
    script.host(said)
    assert [frame[14:] for frame in script.frames()] == [said]
    script.lan(in_frame(body))
    assert len(script.packets()) == 1


def test_ordinary_packets_take_the_short_way(script):
    bound(script)
    owns(script)
    ours, theirs = packet(PEER, source=LEASED), to_host(packet(LEASED, source=PEER))
    script.host(ours).lan(theirs).forget()
    script.tap._ipv4 = None  # the long way
    assert script.tap.ip_to_ethernet(ours) is not None
    assert script.tap.ethernet_to_ip(theirs) is not None


@pytest.mark.parametrize(
    "beside",
    [{"our_ip": US}, {"gateway_ip": GATEWAY}, {"dhcp": True}, {"slaac": True}],
    ids=["our_ip", "gateway_ip", "dhcp", "slaac"],
)
def test_who_is_told_who_he_is_does_not_learn(beside):
    with pytest.raises(UsageError, match="`learn_ip` with `our_ip`"):
        TapConfig(our_mac=OUR_MAC, learn_ip=True, **beside)


def test_a_fuzz_below_nothing_is_refused():
    with pytest.raises(UsageError, match="dhcp_fuzz"):
        TapConfig(our_mac=OUR_MAC, dhcp_fuzz=-1)


@given(strategies.dhcps, strategies.BYTE)
def test_no_answer_makes_the_listener_raise(said, kind):
    script = Script(VirtualTap)
    asked = asks(start(script))
    options = ((dhcp.KIND, bytes((kind % 9,))), *said.options)
    said = replace(said, operation=2, xid=asked.message.xid, client_mac=OUR_MAC, options=options)
    script.lan(in_frame(said.to_bytes())).at(100 * SECOND)


@given(strategies.dhcps, st.booleans())
def test_no_question_makes_the_listener_raise(said, known):
    script = Script(VirtualTap)
    if known:
        bound(script)
    else:
        start(script)
    body = Udp(68, 67, said.to_bytes()).between(LEASED, SERVER)
    script.host(Ipv4(LEASED, SERVER, udp.PROTOCOL, body).to_bytes()).at(100 * SECOND)


def test_a_lease_that_is_given_back_is_ours_until_the_farewell_has_left(script):
    bound(script)
    script.host(says(dhcp.RELEASE, {dhcp.SERVER_ID: SERVER}, source=LEASED, to=SERVER))
    script.at(script.now)
    assert script.tap.learned_ip == LEASED
    script.at(script.now + SECOND)
    assert script.tap.learned_ip is None
    script.at(2 * END)
    assert script.tap.take_events().count(LeaseLost(LEASED)) == 1


def test_a_lease_that_is_declined_does_not_end_again(script):
    bound(script)
    script.host(says(dhcp.DECLINE, REQUESTED)).at(2 * END)
    assert script.tap.take_events().count(LeaseLost(LEASED)) == 1


def test_a_lease_that_is_renewed_for_ever_does_not_end(script):
    asked = bound(script)
    introduce_server(script)
    script.host(says(dhcp.REQUEST, source=LEASED, to=SERVER)).forget()
    script.lan(answer(asked, dhcp.ACK, {dhcp.LEASE_TIME: b"\xff" * 4}))
    script.at(2 * END)
    assert (script.tap.learned_ip, script.tap.lease.expires_at) == (LEASED, None)


def test_a_checksum_that_comes_to_nothing_is_written_with_ones(script):
    # RFC 768
    def asked(xid):
        sent = start(script).host(says(dhcp.DISCOVER, xid=xid)).frames()
        return sent[0][14:]

    once = asked(0x10000)
    sum_of_it = int.from_bytes(once[26:28])
    assert asked(0x10000 | sum_of_it)[26:28] == b"\xff\xff"


def test_what_stands_behind_the_hardware_address_is_paid_for_as_it_is(script):
    inside = Ipv4.parse(says(dhcp.DISCOVER))
    data = bytearray(Udp.parse(inside.payload).payload)
    data[34:44] = b"\x77" * 10
    body = Udp(68, 67, bytes(data)).between(inside.source, inside.destination)
    (sent,) = start(script).host(replace(inside, payload=body).to_bytes()).frames()
    left = Ipv4.parse(sent[14:])
    assert udp.received(left.source, left.destination, left.payload) is not None


def test_a_lease_that_is_got_again_while_the_farewell_leaves_is_kept(script):
    bound(script)
    script.host(says(dhcp.RELEASE, {dhcp.SERVER_ID: SERVER}, source=LEASED, to=SERVER)).forget()
    asked = asks(script)
    script.lan(answer(asked, dhcp.ACK)).forget().at(2 * SECOND)
    assert script.tap.learned_ip == LEASED


def test_a_lease_that_is_over_when_it_comes_is_none(script):
    # RFC 2131 4.4.1
    start(script)
    asked = asks(script)
    script.at(7200 * SECOND).lan(answer(asked, dhcp.ACK, {dhcp.LEASE_TIME: (60).to_bytes(4)}))
    assert (script.tap.learned_ip, script.tap.next_deadline()) == (None, None)
    assert script.tap.take_events() == []
