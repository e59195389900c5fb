"""Asks for MACs, answers for ours, learns by the merge rule. RFC 826, RFC 1122 2.3.2."""

from virtualtap.core import Core
from virtualtap.events import AddressConflict, ArpReceived
from virtualtap.stats import DropReason
from virtualtap.wire import arp
from virtualtap.wire.address import (
    ANY4,
    BROADCAST,
    Ip,
    directed_broadcast,
    is_group,
    is_unicast4,
    network_mask,
)
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, HEADER_LEN


class ArpHandler:
    """RFC 826 "Packet Reception", with what may not be learned left out.

    Not learned: a sender without an address of its own (RFC 5227 1.1: a probe), a group or zero
    MAC, our own address, and an address off our subnet, which is answered all the same: a
    SoftEther hub asks from 172.31.x.x (Hub.c:HubWatchDogThread).
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        config = core.config
        self._mask = network_mask(config.prefix_length) if config.our_ip else 0
        self._network = int.from_bytes(config.our_ip or ANY4) & self._mask
        self._directed = config.our_ip and directed_broadcast(config.our_ip, config.prefix_length)

    def receive(self, frame: bytes) -> bytes | None:
        """An ARP frame of either operation; always handled inside."""
        core, config = self._core, self._core.config
        if not config.handle_arp_internally:
            core.events.append(ArpReceived(frame))
            return None
        message = Arp.parse(frame[HEADER_LEN:])
        refused = self._refusal(message)
        if refused is not None:
            core.drop(refused)
        elif message.sender_ip == config.our_ip:
            core.events.append(AddressConflict(message.sender_ip, message.sender_mac))
        else:
            self._merge(message)
        return None

    def _merge(self, message: Arp) -> None:
        """RFC 826 "Packet Reception": update what is known, add who speaks to us, answer."""
        core = self._core
        for_us = message.target_ip == core.config.our_ip
        if self._may_learn(message.sender_ip) and (
            for_us or core.neighbors.knows(message.sender_ip)
        ):
            core.learn(message.sender_ip, message.sender_mac)
        if message.operation == arp.REPLY:
            core.stats.answers_received += 1
        elif for_us:
            self._answer(message)

    def ask(self, ip: Ip, source: Ip) -> None:
        """Broadcast one request for `ip`, in our name or, without one, in the packet's."""
        core, config = self._core, self._core.config
        ours = config.our_ip or source
        header = BROADCAST + config.our_mac + ARP
        if core.send(header + arp.request(config.our_mac, ours, ip)):
            core.stats.requests_sent += 1

    def _answer(self, request: Arp) -> None:
        core, config = self._core, self._core.config
        assert config.our_ip is not None
        header = request.sender_mac + config.our_mac + ARP
        if core.send(header + arp.reply(config.our_mac, config.our_ip, request)):
            core.stats.requests_answered += 1
        else:
            core.drop(DropReason.OUTBOX_FULL)

    def _refusal(self, message: Arp) -> DropReason | None:
        if message.operation not in (arp.REQUEST, arp.REPLY):
            return DropReason.UNSUPPORTED
        if is_group(message.sender_mac) or not any(message.sender_mac):
            return DropReason.MALFORMED
        if message.sender_mac == self._core.config.our_mac:
            return DropReason.OWN_FRAME
        return None

    def _may_learn(self, ip: Ip) -> bool:
        config = self._core.config
        if not is_unicast4(ip) or ip == self._directed:
            return False
        if ip == config.gateway_ip and not config.learn_gateway_mac:
            return False
        on_link = int.from_bytes(ip) & self._mask == self._network
        return on_link or ip == config.gateway_ip
