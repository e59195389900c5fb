"""What does not cross a local bridge. Facts 1.16, 1.19."""

from dataclasses import replace

import pytest

from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Kind
from sim.nodes.softether.session import Terms
from tests.sim.nodes.softether.hubs import Trial, client, sent
from tests.sim.nodes.softether.nats import dhcp_frame, message
from virtualtap import mac
from virtualtap.wire import dhcp
from virtualtap.wire.address import BROADCAST

CARD, OTHER = mac("02:00:5e:00:00:c0"), mac("02:00:5e:00:00:c1")
BRIDGE = Terms(kind=Kind.BRIDGE, card=CARD)


def asks(who: bytes) -> bytes:
    return dhcp_frame(message(dhcp.DISCOVER, who), who)


def answers(who: bytes) -> bytes:
    frame = bytearray(dhcp_frame(message(dhcp.OFFER, who), OTHER, mac_to=who))
    frame[34:38] = b"\0\x43\0\x44"  # from port 67 to 68
    return bytes(frame)


def test_dhcp_of_the_cards_own_address_does_not_leave_the_lan():
    trial = Trial(BRIDGE, client())
    assert trial.say(1, asks(CARD)) == "policy"
    assert trial.say(1, asks(OTHER)) == [2]
    assert trial.say(1, sent(BROADCAST, CARD)) == [2]


def test_dhcp_for_the_cards_own_address_does_not_reach_the_lan():
    trial = Trial(BRIDGE, client())
    trial.say(1, sent(BROADCAST, CARD))
    assert trial.say(2, answers(CARD)) == []
    assert trial.say(2, sent(CARD, OTHER)) == [1]


@pytest.mark.parametrize(
    ("terms", "options"),
    [
        (BRIDGE, HubOptions(DisableUdpFilterForLocalBridgeNic=True)),
        (replace(BRIDGE, card=None), HubOptions()),
    ],
)
def test_an_option_lets_it_cross_and_so_does_a_card_without_address(
    terms: Terms, options: HubOptions
):
    trial = Trial(terms, client(), options=options)
    assert trial.say(1, asks(CARD)) == [2]


def test_a_bridge_has_no_storm_limiter_unless_it_is_asked_for_and_checks_macs():
    plain, limited = (
        Trial(Terms(kind=Kind.BRIDGE, limit_broadcast=limit)).sessions[0] for limit in (False, True)
    )
    assert (plain.policy.NoBroadcastLimiter, plain.checks_mac) == (True, True)
    assert (limited.policy.NoBroadcastLimiter, limited.checks_mac) == (False, True)
