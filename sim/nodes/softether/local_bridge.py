"""A local bridge: a session whose far end is a network card of the server. Bridge.c, BridgeUnix.c.

Its policy is the default one without a storm limiter, unless LimitBroadcast; a MAC that moves to it
has to wait, as with CheckMac.
"""

from functools import partial

from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import Packet
from sim.nodes.softether.policy import Refuses
from virtualtap.units import SECOND, Duration
from virtualtap.wire.address import Mac

BRIDGE_TRY_SPAN: Duration = 1 * SECOND  # Bridge.h; a card that is gone is looked for so often


def refusals(card: Mac | None, options: HubOptions) -> tuple[Refuses, ...]:
    """What does not cross the bridge, either way: DHCP of the card's own MAC."""
    if card is None or options.DisableUdpFilterForLocalBridgeNic:
        return ()
    return (partial(_is_dhcp_of, card),)


def _is_dhcp_of(card: Mac, packet: Packet) -> bool:
    return card in (packet.frame[:6], packet.source_mac) and bool(packet.dhcp)
