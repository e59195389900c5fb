"""Solicits and advertises IPv6 neighbours. RFC 4861 7, RFC 4862 5.4.3 (answers to DAD)."""

from virtualtap.core import Core
from virtualtap.events import AddressConflict
from virtualtap.stats import DropReason
from virtualtap.wire import checksum, ethernet, ipv6, ndp
from virtualtap.wire.address import (
    ALL_NODES6,
    ANY6,
    Ip,
    Mac,
    is_group,
    is_multicast6,
    is_unicast6,
    multicast_mac6,
    solicited_node,
)
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage

_HOP_LIMIT = 255  # RFC 4861 7.1: a router would have lowered it


class NdpHandler:
    """The host half of RFC 4861 7: validity first (7.1), then learning, then the answer."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._ours = frozenset(core.config.our_ip6)

    def receive(self, frame: bytes) -> bytes | None:
        """A solicitation or advertisement inside IPv6; always handled inside."""
        core = self._core
        packet = Ipv6.parse(frame[ethernet.HEADER_LEN :])
        message = NeighborMessage.parse(packet.payload)
        if not _is_valid(packet, message):
            core.drop(DropReason.MALFORMED)
        elif message.type == ndp.SOLICITATION:
            self._solicited(packet, message, frame[6:12])
        else:
            self._advertised(message, frame[6:12])
        return None

    def ask(self, ip: Ip, source: Ip) -> None:
        """One solicitation to the solicited-node group. RFC 4861 7.2.2."""
        core, ours = self._core, self._core.config.our_ip6
        sender = source if source in self._ours or not ours else ours[0]
        message = NeighborMessage(ndp.SOLICITATION, 0, ip, ((ndp.SOURCE_MAC, core.config.our_mac),))
        if self._send(message, sender, solicited_node(ip), multicast_mac6(solicited_node(ip))):
            core.stats.requests_sent += 1

    def _solicited(self, packet: Ipv6, message: NeighborMessage, link_source: Mac) -> None:
        """RFC 4861 7.2.3 and 7.2.4; RFC 4862 5.4.3 where the source is unspecified."""
        core = self._core
        if message.target not in self._ours:
            return
        sender = message.mac(ndp.SOURCE_MAC)
        if packet.source == ANY6:
            core.events.append(AddressConflict(message.target, link_source))
            to, mac = ALL_NODES6, multicast_mac6(ALL_NODES6)
            flags = ndp.OVERRIDE
        else:
            if sender is not None and self._may_learn(packet.source, sender):
                core.learn(packet.source, sender)
            known = core.neighbors.lookup(packet.source, core.now) or sender
            if known is None or not _is_usable(known, core.config.our_mac):
                return  # a solicitation without the option comes only to those already known
            to, mac, flags = packet.source, known, ndp.SOLICITED | ndp.OVERRIDE
        answer = NeighborMessage(
            ndp.ADVERTISEMENT, flags, message.target, ((ndp.TARGET_MAC, core.config.our_mac),)
        )
        if self._send(answer, message.target, to, mac):
            core.stats.requests_answered += 1
        else:
            core.drop(DropReason.OUTBOX_FULL)

    def _advertised(self, message: NeighborMessage, link_source: Mac) -> None:
        """RFC 4861 7.2.5: only who is asked for, or known, is learned."""
        core = self._core
        sender = message.mac(ndp.TARGET_MAC)
        if message.target in self._ours:
            core.events.append(AddressConflict(message.target, sender or link_source))
            return
        core.stats.answers_received += 1
        if sender is None or not core.neighbors.knows(message.target):
            return
        changed = core.neighbors.lookup(message.target, core.now) not in (None, sender)
        if changed and not message.flags & ndp.OVERRIDE:
            return
        if self._may_learn(message.target, sender):
            core.learn(message.target, sender)

    def _may_learn(self, ip: Ip, sender: Mac) -> bool:
        config = self._core.config
        return _is_usable(sender, config.our_mac) and ip not in self._ours and is_unicast6(ip)

    def _send(self, message: NeighborMessage, source: Ip, to: Ip, mac: Mac) -> bool:
        body = message.between(source, to)
        packet = Ipv6(source, to, ipv6.ICMPV6, body, hop_limit=_HOP_LIMIT)
        header = mac + self._core.config.our_mac + ethernet.IPV6
        return self._core.send(header + packet.to_bytes())


def _is_usable(sender: Mac, our_mac: Mac) -> bool:
    """Whether a link-layer address option can be another station's: not a group, zero, or ours."""
    return not is_group(sender) and any(sender) and sender != our_mac


def _is_valid(packet: Ipv6, message: NeighborMessage) -> bool:
    """RFC 4861 7.1.1 and 7.1.2."""
    if packet.hop_limit != _HOP_LIMIT or message.code != 0 or is_multicast6(message.target):
        return False
    if not checksum.transport_is_right(
        packet.source, packet.destination, ipv6.ICMPV6, packet.payload
    ):
        return False
    if message.type == ndp.ADVERTISEMENT:
        return not (is_multicast6(packet.destination) and message.flags & ndp.SOLICITED)
    if packet.source != ANY6:
        return not is_multicast6(packet.source)
    to_group = packet.destination == solicited_node(message.target)
    return to_group and message.mac(ndp.SOURCE_MAC) is None
