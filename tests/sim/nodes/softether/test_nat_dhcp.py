"""SecureNAT's DHCP server. Facts 2.5, 2.6; what a 5.01 was seen to do."""

import pytest

from sim.nodes.softether.constants import Version
from sim.nodes.softether.nat_dhcp import DhcpServer
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.vh_option import VhOption
from tests.sim.nodes.softether.nats import (
    HOST,
    MY_MAC,
    NAT_MAC,
    OTHER,
    OTHER_MAC,
    Trial,
    arp_of,
    dhcp_frame,
    dhcp_reply,
    is_arp,
    message,
)
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, Route, ip
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

FIRST, SECOND_IP = ip("192.168.30.10"), ip("192.168.30.11")


def wants(address: bytes) -> tuple[tuple[int, bytes], ...]:
    return ((dhcp.REQUESTED_IP, address),)


def discover(trial: Trial, client=MY_MAC, now=0, **fields) -> Dhcp:
    return dhcp_reply(trial.say(dhcp_frame(message(dhcp.DISCOVER, client, **fields), client), now))


def request(trial: Trial, address, client=MY_MAC, now=0, **fields) -> Dhcp:
    options = (*wants(address), *fields.pop("options", ()))
    made = message(dhcp.REQUEST, client, options=options, **fields)
    return dhcp_reply(trial.say(dhcp_frame(made, client), now))


def codes(answer: Dhcp) -> list[int]:
    return [code for code, _ in answer.options]


def test_the_first_free_address_is_offered_for_five_seconds():
    trial = Trial()
    assert discover(trial).your_ip == FIRST
    assert discover(trial, OTHER_MAC).your_ip == SECOND_IP
    third = b"\x02\x00\x5e\x00\x00\x03"
    trial.said(5 * SECOND)
    assert discover(trial, third, 5 * SECOND).your_ip == FIRST


def test_an_offer_is_broadcast_and_says_this():
    trial = Trial()
    (frame,) = trial.say(dhcp_frame(message(dhcp.DISCOVER, flags=0)))
    packet = Ipv4.parse(frame[14:])
    datagram = Udp.parse(packet.payload)
    assert frame[:12] == BROADCAST + NAT_MAC
    assert len(frame) == 342
    assert (packet.source, packet.destination, packet.ttl) == (HOST, LIMITED_BROADCAST, 128)
    assert (datagram.source_port, datagram.destination_port) == (67, 68)
    offer = Dhcp.parse(datagram.payload)
    assert (offer.next_server, offer.client_ip, offer.relay_ip) == (HOST, ANY4, ANY4)
    assert offer.options == (
        (53, b"\x02"),
        (54, HOST),
        (51, (7200).to_bytes(4)),
        (1, ip("255.255.255.0")),
        (3, HOST),
        (6, HOST),
    )


def test_request_list_flags_and_relay_change_nothing():
    plain, odd = Trial(), Trial()
    offer = discover(plain)
    asks = ((dhcp.PARAMETERS, bytes((1, 28, 58))),)
    other = discover(odd, options=asks, flags=dhcp.BROADCAST_FLAG, relay_ip=OTHER)
    assert other == offer


def test_a_requested_address_in_range_is_offered_if_it_is_free():
    trial = Trial()
    address = ip("192.168.30.90")
    assert discover(trial, options=wants(address)).your_ip == address
    assert discover(trial, OTHER_MAC, options=wants(address)).your_ip == FIRST
    trial.said(5 * SECOND)
    assert discover(trial, OTHER_MAC, 5 * SECOND, options=wants(address)).your_ip == address


def test_a_request_for_what_was_offered_is_acknowledged():
    trial = Trial()
    discover(trial)
    answer = request(trial, FIRST)
    assert (answer.kind, answer.your_ip) == (dhcp.ACK, FIRST)
    assert trial.nat.dhcp.leases() == {FIRST: MY_MAC}


def test_a_request_for_a_free_address_that_was_never_offered_is_acknowledged():
    assert request(Trial(), ip("192.168.30.99")).kind == dhcp.ACK


@pytest.mark.parametrize("address", ["192.168.30.250", "10.0.0.1"])
def test_an_address_out_of_range_is_refused(address):
    answer = request(Trial(), ip(address))
    assert (answer.kind, answer.your_ip, codes(answer)) == (dhcp.NAK, ANY4, [53, 54, 1])


def test_an_address_that_another_has_is_refused():
    trial = Trial()
    request(trial, FIRST)
    assert request(trial, FIRST, OTHER_MAC).kind == dhcp.NAK


def test_a_request_to_another_server_is_answered_too():
    trial = Trial()
    foreign = ((dhcp.SERVER_ID, OTHER),)
    assert request(trial, FIRST, options=foreign).kind == dhcp.ACK
    assert request(trial, ip("10.9.9.9"), OTHER_MAC, options=foreign).kind == dhcp.NAK


def test_a_request_without_an_address_gets_a_new_one():
    trial = Trial()
    request(trial, FIRST, OTHER_MAC)
    answer = dhcp_reply(trial.say(dhcp_frame(message(dhcp.REQUEST))))
    assert (answer.kind, answer.your_ip) == (dhcp.ACK, SECOND_IP)


def test_a_renewal_by_unicast_takes_its_address_from_the_packet_and_may_ask_for_the_mac_first():
    trial = Trial()
    request(trial, FIRST)
    renewal = dhcp_frame(
        message(dhcp.REQUEST, client_ip=FIRST), source=FIRST, to=HOST, mac_to=NAT_MAC
    )
    (question,) = trial.say(renewal, SECOND)
    assert is_arp(question)
    frames = trial.say(arp_of(FIRST, MY_MAC, asks=OTHER), SECOND)
    assert frames[0][:6] == MY_MAC
    answer = dhcp_reply(frames)
    assert (answer.kind, answer.your_ip, answer.client_ip) == (dhcp.ACK, FIRST, ANY4)


def test_a_request_from_another_address_than_its_own_is_refused():
    trial = Trial()
    trial.say(arp_of(OTHER, MY_MAC))
    made = message(dhcp.REQUEST, options=wants(FIRST))
    answer = dhcp_reply(trial.say(dhcp_frame(made, source=OTHER)))
    assert answer.kind == dhcp.NAK


def test_a_client_is_the_source_mac_of_its_frame_and_nothing_else():
    trial = Trial()
    one = ((dhcp.CLIENT_ID, b"\x00one"),)
    other = ((dhcp.CLIENT_ID, b"\x00two"),)
    card = b"\x02\x00\x5e\x00\x00\x77"
    first = dhcp_reply(trial.say(dhcp_frame(message(dhcp.DISCOVER, card, options=one))))
    again = discover(trial, options=other)
    assert first.your_ip == again.your_ip
    assert first.client_mac == card  # copied into the reply


@pytest.mark.parametrize("kind", [dhcp.RELEASE, dhcp.DECLINE, 0, 99])
def test_release_decline_and_unknown_kinds_are_ignored(kind):
    trial = Trial()
    request(trial, FIRST)
    assert trial.say(dhcp_frame(message(kind), source=FIRST)) == []
    assert trial.nat.dhcp.leases() == {FIRST: MY_MAC}


@pytest.mark.parametrize("name", [b"securenat-1", b"SecureNAT_x"])
def test_other_secure_nats_are_ignored(name):
    options = ((dhcp.HOST_NAME, name),)
    assert Trial().say(dhcp_frame(message(dhcp.DISCOVER, options=options))) == []


def test_replies_are_ignored():
    made = message(dhcp.DISCOVER)
    made.operation = dhcp.TO_CLIENT
    assert Trial().say(dhcp_frame(made)) == []


def test_inform_gets_an_answer_without_a_lease():
    trial = Trial()
    trial.say(arp_of(OTHER, MY_MAC))
    answer = dhcp_reply(trial.say(dhcp_frame(message(dhcp.INFORM), source=OTHER)))
    assert (answer.kind, answer.your_ip, codes(answer)) == (dhcp.ACK, ANY4, [53, 54, 1, 3, 6])
    assert trial.nat.dhcp.leases() == {}


def test_a_lease_ends_and_its_address_is_free_again():
    trial = Trial(option={"DhcpExpireTimeSpan": 20})
    request(trial, FIRST)
    trial.said(20 * SECOND)
    assert trial.nat.dhcp.leases() == {}


@pytest.mark.parametrize(("span", "told"), [(3, 15), (0, 0xFFFFFFFF), (7200, 7200)])
def test_a_lease_is_at_least_15_s_and_0_is_without_end(span, told):
    trial = Trial(option={"DhcpExpireTimeSpan": span})
    assert discover(trial).number(dhcp.LEASE_TIME) == told
    request(trial, FIRST)
    trial.said(10 * SECOND)
    assert trial.nat.dhcp.leases() == {FIRST: MY_MAC}


def test_a_new_lease_of_a_client_takes_the_place_of_its_old_one():
    trial = Trial()
    request(trial, FIRST)
    request(trial, ip("192.168.30.99"))
    assert trial.nat.dhcp.leases() == {ip("192.168.30.99"): MY_MAC}


def test_a_client_is_offered_what_it_has():
    trial = Trial()
    request(trial, ip("192.168.30.99"))
    assert discover(trial).your_ip == ip("192.168.30.99")


def test_an_empty_range_offers_nothing_and_refuses():
    trial = Trial(option={"DhcpLeaseIPEnd": FIRST})
    request(trial, FIRST, OTHER_MAC)
    assert trial.say(dhcp_frame(message(dhcp.DISCOVER))) == []
    assert request(trial, FIRST).kind == dhcp.NAK


def test_an_address_is_drawn_if_the_hub_says_so():
    options = HubOptions(SecureNAT_RandomizeAssignIp=True)
    drawn = discover(Trial(options=options)).your_ip
    assert drawn == discover(Trial(options=options)).your_ip
    assert drawn != FIRST


def test_name_gateway_and_routes_are_told_if_they_are_set():
    route = Route(ip("10.0.0.0"), 8, HOST)
    option = {
        "DhcpDomainName": "example.org",
        "DhcpDnsServerAddress2": OTHER,
        "DhcpPushRoutes": (route,),
    }
    answer = discover(Trial(option=option))
    assert codes(answer) == [53, 54, 51, 15, 1, 3, 6, 121, 249]
    assert answer.addresses(dhcp.DNS) == (HOST, OTHER)
    assert dhcp.routes(answer.value(249)) == (route,)
    none = {
        "DhcpDomainName": "example.org",
        "DhcpDnsServerAddress": ANY4,
        "DhcpGatewayAddress": ANY4,
    }
    assert codes(discover(Trial(option=none))) == [53, 54, 51, 1]


def test_routes_stay_unsaid_where_they_are_not_applied():
    option = {"DhcpPushRoutes": (Route(ip("10.0.0.0"), 8, HOST),), "ApplyDhcpPushRoutes": False}
    assert 121 not in codes(discover(Trial(option=option)))


def test_an_in_process_client_without_a_gateway_gets_a_route_of_the_subnet():
    client = b"\xca\x00\x00\x00\x00\x01"
    answer = discover(Trial(option={"DhcpGatewayAddress": ANY4}), client)
    assert dhcp.routes(answer.value(121)) == (Route(ip("192.168.30.0"), 24, HOST),)


def test_the_cookie_is_looked_for_behind_44_bytes():
    made = message(dhcp.DISCOVER).to_bytes()
    short = made[:44] + b"junk" + made[236:240] + b"\0\0" + made[240:]  # pads are passed over
    assert dhcp_reply(Trial().say(dhcp_frame(short))).your_ip == FIRST


def test_a_message_without_a_cookie_is_ignored():
    assert Trial().say(dhcp_frame(message(dhcp.DISCOVER).to_bytes()[:100])) == []


def test_without_dhcp_its_frames_are_plain_udp():
    trial = Trial(option={"UseDhcp": False})
    assert trial.say(dhcp_frame(message(dhcp.DISCOVER))) == []


def test_an_address_from_the_users_note_is_given_unless_it_is_in_the_range():
    trial = Trial()
    own = ip("192.168.30.222")
    assert discover(trial, next_server=own).your_ip == own
    assert request(trial, own, next_server=own).kind == dhcp.ACK
    assert trial.nat.dhcp.leases() == {own: MY_MAC}
    request(trial, FIRST, OTHER_MAC)
    in_range = discover(trial, b"\x02\x00\x5e\x00\x00\x03", next_server=ip("192.168.30.50"))
    assert in_range.your_ip == SECOND_IP


def test_the_stable_version_knows_no_address_from_a_note():
    trial = Trial(version=Version.STABLE)
    assert discover(trial, next_server=ip("192.168.30.222")).your_ip == FIRST


def test_leases_are_swept_each_second():
    server = DhcpServer(VhOption(), None)  # draws nothing
    made = message(dhcp.DISCOVER).to_bytes()
    server.receive(MY_MAC, (ANY4, 68), made, SECOND // 2)
    assert server.due == 6 * SECOND
