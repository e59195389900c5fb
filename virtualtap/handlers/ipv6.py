"""Wraps and unwraps IPv6: next hop, group mapping, length. RFC 8200, RFC 2464, RFC 4861 5.2."""

from virtualtap.core import Ask, Core
from virtualtap.errors import WireError
from virtualtap.stats import DropReason
from virtualtap.wire import ipv6
from virtualtap.wire.address import (
    ANY6,
    Ip,
    is_group,
    is_link_local6,
    is_multicast6,
    is_unicast6,
    multicast_mac6,
)
from virtualtap.wire.ethernet import HEADER_LEN, IPV6


class Ipv6Handler:
    """Where an IPv6 packet goes, and which ones are for the host."""

    def __init__(self, core: Core, ask: Ask) -> None:
        self._core = core
        self._ask = ask
        self._ours = frozenset(core.config.our_ip6)
        self._prefixes = frozenset(address[:8] for address in core.config.our_ip6)

    def send(self, packet: bytes) -> bytes | None:
        """The frame for one packet of the host, or None while its next hop is asked for."""
        core, config = self._core, self._core.config
        packet = _trimmed(packet)
        if len(packet) > config.mtu:
            core.drop(DropReason.TOO_BIG)
            return None
        destination = packet[24:40]
        if is_multicast6(destination):
            core.stats.to_ethernet += 1
            return multicast_mac6(destination) + config.our_mac + IPV6 + packet
        source = packet[8:24]
        next_hop = None if source == ANY6 else self._next_hop(destination)  # RFC 4291 2.5.2
        if next_hop is None:
            core.drop(DropReason.NO_ROUTE)
            return None
        frame = core.wrap(destination, next_hop, packet)
        if frame is None:
            core.hold(next_hop, source, packet, self._ask)
        return frame

    def receive(self, frame: bytes) -> bytes | None:
        """The packet inside a frame, without padding, if it is for the host."""
        core = self._core
        packet = _trimmed(frame[HEADER_LEN:])
        destination = packet[24:40]
        if not is_multicast6(destination) and (
            is_group(frame) or (self._ours and destination not in self._ours)
        ):
            core.drop(DropReason.NOT_FOR_US)
            return None
        core.stats.to_ip += 1
        return packet

    def _next_hop(self, destination: Ip) -> Ip | None:
        """RFC 4861 5.2: on-link, else the router; link-local is always on-link."""
        config = self._core.config
        if not is_unicast6(destination) or destination in self._ours:
            return None
        if is_link_local6(destination) or destination == config.gateway_ip6:
            return destination
        if destination[:8] in self._prefixes:
            return destination
        if not self._ours and config.gateway_ip6 is None:
            return destination
        return config.gateway_ip6


def _trimmed(data: bytes) -> bytes:
    """The packet without what Ethernet padded; WireError where its lengths cannot be."""
    if len(data) < ipv6.HEADER_LEN or data[0] >> 4 != 6:
        raise WireError(f"IPv6 needs version 6 and {ipv6.HEADER_LEN} bytes, got {len(data)}")
    total = ipv6.total_len(data)
    if total > len(data):
        raise WireError(f"IPv6 claims {total} bytes, got {len(data)}")
    return data[:total]
