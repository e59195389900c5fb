"""Asks for MACs, answers for ours, learns by the merge rule. RFC 826, RFC 1122 2.3.2."""

from collections.abc import Callable

from virtualtap.core import Core
from virtualtap.events import ArpReceived
from virtualtap.stats import DropReason
from virtualtap.wire import arp
from virtualtap.wire.address import ANY4, BROADCAST, NO_MAC, Ip, is_group, is_unicast4
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, HEADER_LEN


class ArpHandler:
    """RFC 826 "Packet Reception", with what may not be learned left out.

    Refused: a sender with a group or zero MAC, or with an address that no host has. Answered and
    not learned: a sender without an address of its own (RFC 5227 1.1: a probe), and one off our
    subnet: a SoftEther hub asks from 172.31.x.x (Hub.c:HubWatchDogThread).
    """

    def __init__(self, core: Core, contested: Callable[[Arp], bool]) -> None:
        self._core = core
        self._contested = contested  # whether somebody claims our address with this message
        self._interface = core.interface

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
        elif not self._contested(message):
            self._merge(message)
        return None

    def _merge(self, message: Arp) -> None:
        """RFC 826 "Packet Reception": update what is known, add who speaks to us, answer."""
        core = self._core
        for_us = message.target_ip == self._interface.ip
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
        ours = self._interface.ip or source
        header = BROADCAST + config.our_mac + ARP
        if core.send(header + arp.request(config.our_mac, ours, ip)):
            core.stats.requests_sent += 1

    def _answer(self, request: Arp) -> None:
        core, config = self._core, self._core.config
        ours = self._interface.ip
        assert ours is not None
        header = request.sender_mac + config.our_mac + ARP
        if core.send(header + arp.reply(config.our_mac, ours, request)):
            core.stats.requests_answered += 1
        else:
            core.drop(DropReason.OUTBOX_FULL)

    def _refusal(self, message: Arp) -> DropReason | None:
        if message.operation not in (arp.REQUEST, arp.REPLY):
            return DropReason.UNSUPPORTED
        mac, ip = message.sender_mac, message.sender_ip
        if is_group(mac) or mac == NO_MAC:
            return DropReason.MALFORMED
        if ip == self._interface.directed or not (is_unicast4(ip) or ip == ANY4):
            return DropReason.MALFORMED  # RFC 1122 3.2.1.3: no host has it
        if mac == self._core.config.our_mac:
            return DropReason.OWN_FRAME
        return None

    def _may_learn(self, ip: Ip) -> bool:
        interface = self._interface
        if ip == ANY4:
            return False
        if ip == interface.gateway and not self._core.config.learn_gateway_mac:
            return False
        return interface.on_link(ip) or ip == interface.gateway
