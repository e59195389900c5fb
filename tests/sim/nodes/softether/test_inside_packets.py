"""What a hub does because of what is inside a packet, and what its clients notice of its limits."""

from hashlib import sha1

import pytest

from sim.network import Network
from sim.nodes.softether.access_rule import AccessRule
from sim.nodes.softether.constants import Version
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Kind, Policy
from sim.nodes.softether.rewriting import NS_MAC_ADDRESS_BYTE_1
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Terms
from tests import builders as b
from tests.sim.networks import Listener, around, datagram
from tests.sim.nodes.softether.hubs import Trial, client, sent
from tests.sim.nodes.softether.test_access_list import request
from tests.sim.nodes.softether.test_rewriting import STATIC, advertisement, frame, message
from virtualtap.units import MS, SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, BROADCAST, ip
from virtualtap.wire.dhcp import Dhcp

ANYBODY = client()
SIADDR = slice(14 + 28 + 20, 14 + 28 + 24)


# DHCP


@pytest.mark.parametrize(
    ("version", "user", "note", "asked"),
    [
        (Version.DEVELOPER, "desk", "IPv4:192.168.30.222", STATIC),
        (Version.DEVELOPER, "desk", "", ANY4),
        (Version.DEVELOPER, "", "IPv4:192.168.30.222", ip("1.2.3.4")),
        (Version.STABLE, "desk", "IPv4:192.168.30.222", ip("1.2.3.4")),
    ],
)
def test_a_named_user_asks_for_the_address_in_his_note_but_not_in_5_01(
    version: Version, user: str, note: str, asked: bytes
):
    trial = Trial(Terms(user=user, note=note), ANYBODY, version=version)
    said = frame(message(dhcp.DISCOVER, 1, next_server=ip("1.2.3.4")))
    assert trial.say(1, said) == [2]
    assert trial.fars[1].frames[0][SIADDR] == asked


def test_who_is_no_user_asks_for_what_he_wants():
    trial = Trial(Terms(kind=Kind.BRIDGE, user="desk", note="IPv4:192.168.30.222"), ANYBODY)
    said = frame(message(dhcp.DISCOVER, 1, next_server=ip("1.2.3.4")))
    trial.say(1, said)
    assert trial.fars[1].frames == [said]


def test_the_servers_own_way_outside_gets_no_address_from_its_own_hub():
    front = bytes((NS_MAC_ADDRESS_BYTE_1, 1, 2, 3))
    signed = front + sha1(front + b"SERVER", usedforsecurity=False).digest()[:2]
    trial = Trial(ANYBODY, ANYBODY)
    assert trial.say(1, frame(Dhcp(1, 7, signed, ((53, b"\x01"),)))) == "native-nat"
    assert trial.say(1, frame(Dhcp(1, 7, signed[:5] + b"\0", ((53, b"\x01"),)))) == [2]


@pytest.mark.parametrize("hides", [True, False])
def test_an_offer_to_a_card_of_the_server_has_no_router(hides: bool):
    options = HubOptions(RemoveDefGwOnDhcpForLocalhost=hides)
    card = Terms(kind=Kind.BRIDGE, card=b.OUR_MAC)
    trial = Trial(ANYBODY, ANYBODY, card, options=options)
    said = frame(message(dhcp.OFFER, options=((3, b.GATEWAY),)))
    trial.say(1, said)
    assert trial.fars[1].frames == [frame(message(dhcp.OFFER)) if hides else said]


# routers


def test_a_session_that_may_have_no_default_router_gets_its_advertisement_without():
    over6 = Terms(policy=Policy(NoIPv6DefaultRouterInRAWhenIPv6=True), over_ipv6=True)
    over4 = Terms(policy=Policy(NoIPv6DefaultRouterInRAWhenIPv6=True))
    trial = Trial(ANYBODY, client(NoIPv6DefaultRouterInRA=True), ANYBODY, over6, over4)
    said = BROADCAST + advertisement()[6:]
    trial.say(1, said)
    without = BROADCAST + advertisement(0)[6:]
    assert [far.frames[0] for far in trial.fars[1:]] == [without, said, without, said]


# a hub that does not look


def test_without_ip_parsing_no_address_is_learned_and_no_filter_sees_inside():
    blind = HubOptions(DisableIPParsing=True)
    trial = Trial(client(NoServer=True, DHCPFilter=True), client(FilterIPv4=True), options=blind)
    packet = b.frame(datagram(b.PEER, b.OUR_IP), BROADCAST)
    assert trial.say(1, packet) == [2]  # by the inner type, which is unknown
    assert trial.say(1, frame(message(dhcp.DISCOVER, 1))) == [2]
    assert len(trial.hub.ips) == 0


# access rules, as a client notices them


def test_a_redirected_visitor_gets_his_answer_and_nobody_sees_the_request():
    server = SoftEtherServer("vpn")
    network, (one, two) = around(server, 2)
    server.set_rules(server.hub, [AccessRule(RedirectUrl="http://login.example/")])
    one.say_at(0, request())
    network.run(SECOND)
    assert [b"302 Found" in heard for heard in one.frames()] == [True]
    assert (two.heard, network.drops(), network.ledger()) == ([], {"redirected": 1}, [])


def test_a_bridge_that_is_redirected_gets_nothing():
    server = SoftEtherServer("vpn")
    network = Network()
    network.add(server)
    one = network.add(Listener("x1"))
    network.connect(one.port, server.session(Terms(kind=Kind.BRIDGE)))
    server.set_rules(server.hub, [AccessRule(RedirectUrl="http://login.example/")])
    one.say_at(0, request())
    network.run(SECOND)
    assert (one.heard, network.drops(), network.ledger()) == ([], {"redirected": 1}, [])


# storms, as a client notices them


def flooded(per_second: int, kind: Kind = Kind.CLIENT) -> list[int]:
    """When what a client says to all for 8 seconds arrives at another."""
    server = SoftEtherServer("vpn")
    network = Network()
    network.add(server)
    one, two = network.add(Listener("x1")), network.add(Listener("x2"))
    network.connect(one.port, server.session(Terms(kind=kind)))
    network.connect(two.port, server.session())
    for i in range(8 * per_second):
        one.say_at(SECOND + i * 1000 // per_second * MS, sent())
    network.run(20 * SECOND)
    assert network.ledger() == []
    return two.times()


def test_29_broadcasts_a_second_all_arrive():
    assert len(flooded(29)) == 8 * 29


@pytest.mark.parametrize("rate", [31, 40])
def test_a_storm_loses_its_first_frame_after_half_a_second_and_all_after_four(rate: int):
    times = flooded(rate)
    gap = next(i for i, at in enumerate(times) if at != SECOND + i * 1000 // rate * MS)
    assert 500 * MS < times[gap - 1] - SECOND + SECOND // rate < 540 * MS
    assert times[-1] - SECOND < 4 * SECOND


def test_a_local_bridge_may_flood():
    assert len(flooded(100, Kind.BRIDGE)) == 800
