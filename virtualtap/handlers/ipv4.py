"""Wraps and unwraps IPv4: next hop, group mapping, length. RFC 791, 894, 1112 6.4, 1122 3.3."""

from virtualtap.core import Ask, Core
from virtualtap.errors import WireError
from virtualtap.stats import DropReason
from virtualtap.wire import ipv4
from virtualtap.wire.address import (
    ANY4,
    BROADCAST,
    LIMITED_BROADCAST,
    Ip,
    directed_broadcast,
    is_group,
    is_multicast4,
    is_unicast4,
    multicast_mac4,
    network_mask,
)
from virtualtap.wire.ethernet import HEADER_LEN, IPV4


class Ipv4Handler:
    """Where an IPv4 packet goes (RFC 1122 3.3.1), and which ones are for the host (3.2.1.3)."""

    def __init__(self, core: Core, ask: Ask) -> None:
        self._core = core
        self._ask = ask
        config = core.config
        self._mask = network_mask(config.prefix_length) if config.our_ip else 0
        self._network = int.from_bytes(config.our_ip or ANY4) & self._mask
        self._broadcasts = {LIMITED_BROADCAST}
        if config.our_ip is not None:
            directed = directed_broadcast(config.our_ip, config.prefix_length)
            self._broadcasts |= {directed} if directed else set()

    def send(self, packet: bytes) -> bytes | None:
        """The frame for one packet of the host, or None while its next hop is asked for."""
        core = self._core
        packet = _trimmed(packet)
        if len(packet) > core.config.mtu:
            core.drop(DropReason.TOO_BIG)
            return None
        destination = packet[16:20]
        if destination in self._broadcasts:
            return self._to(BROADCAST, packet)
        if is_multicast4(destination):
            return self._to(multicast_mac4(destination), packet)
        return self._to_neighbor(destination, packet)

    def _to_neighbor(self, destination: Ip, packet: bytes) -> bytes | None:
        core, config = self._core, self._core.config
        next_hop = self._next_hop(destination)
        if next_hop is None:
            core.drop(DropReason.NO_ROUTE)
            return None
        frame = core.wrap(destination, next_hop, packet)
        if frame is not None:
            return frame
        if not config.handle_arp_internally:
            return self._to(config.gateway_mac or BROADCAST, packet)
        core.hold(next_hop, packet[12:16], packet, self._ask)
        return None

    def receive(self, frame: bytes) -> bytes | None:
        """The packet inside a frame, without padding, if it is for the host."""
        core, config = self._core, self._core.config
        packet = _trimmed(frame[HEADER_LEN:])
        destination = packet[16:20]
        to_all = destination in self._broadcasts or is_multicast4(destination)
        if not to_all and (
            is_group(frame) or (config.our_ip is not None and destination != config.our_ip)
        ):
            core.drop(DropReason.NOT_FOR_US)  # RFC 1122 3.3.6: unicast inside a link broadcast
            return None
        core.stats.to_ip += 1
        return packet

    def _to(self, mac: bytes, packet: bytes) -> bytes:
        self._core.stats.to_ethernet += 1
        return mac + self._core.config.our_mac + IPV4 + packet

    def _next_hop(self, destination: Ip) -> Ip | None:
        config = self._core.config
        if not is_unicast4(destination) or destination == config.our_ip:
            return None
        if destination == config.gateway_ip:
            return destination
        on_link = int.from_bytes(destination) & self._mask == self._network
        if on_link and (config.our_ip is not None or config.gateway_ip is None):
            return destination
        if config.gateway_ip is None and not config.handle_arp_internally:
            return destination  # the caller resolves: to `gateway_mac`, or to everyone
        return config.gateway_ip


def _trimmed(data: bytes) -> bytes:
    """The packet without what Ethernet padded; WireError where its lengths cannot be."""
    if len(data) < ipv4.HEADER_LEN or data[0] >> 4 != 4:
        raise WireError(f"IPv4 needs version 4 and {ipv4.HEADER_LEN} bytes, got {len(data)}")
    total = ipv4.total_len(data)
    if not ipv4.HEADER_LEN <= ipv4.header_len(data) <= total <= len(data):
        raise WireError(f"IPv4 claims {total} bytes, got {len(data)}")
    return data[:total]
