"""Asks for MACs, answers for ours, learns by the merge rule. RFC 826, RFC 1122 2.3.2."""

from collections.abc import Callable
from typing import Protocol

from virtualtap.core import Core
from virtualtap.events import ArpReceived
from virtualtap.profiles import Heard
from virtualtap.stats import DropReason
from virtualtap.wire import arp
from virtualtap.wire.address import (
    ANY4,
    BROADCAST,
    LOOPBACK4,
    NO_MAC,
    Ip,
    Mac,
    is_group,
    is_multicast4,
    is_unicast4,
)
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, HEADER_LEN


class Learn(Protocol):
    """How what a message says is taken; `confirmed`: it is a reply to us alone."""

    def __call__(self, ip: Ip, mac: Mac, *, confirmed: bool) -> None: ...


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
        self.learn: Learn = self._believe

    def receive(self, frame: bytes) -> bytes | None:
        """An ARP frame of either operation; always handled inside."""
        core, config = self._core, self._core.config
        if not config.handle_arp_internally:
            core.events.append(ArpReceived(frame[: HEADER_LEN + config.mtu]))  # no longer ones
            return None
        body = frame[HEADER_LEN:]
        if body[:2] in core.manners.hardware_types:
            body = arp.ETHERNET + body[2:]
        message = Arp.parse(body)
        refused, to_us_alone = self._refusal(message), frame[:6] in core.macs.ours
        is_no_probe = to_us_alone and message.sender_ip == ANY4  # RFC 5227 1.1: it is broadcast
        if refused is not None:
            core.drop(refused)
        elif is_no_probe or not self._contested(message):
            self._merge(message, to_us_alone=to_us_alone)
        return None

    def locate(self, ip: Ip, mac: Mac) -> None:
        """An IPv4 packet of `ip` came from `mac`."""
        if is_unicast4(ip) and self._may_learn(ip):
            self._core.learn(ip, mac)

    def _merge(self, message: Arp, *, to_us_alone: bool) -> None:
        """RFC 826 "Packet Reception": update what is known, add who speaks to us, answer."""
        core = self._core
        for_us = self._interface.owns(message.target_ip)
        if self._may_learn(message.sender_ip) and (
            _heard(message, for_us=for_us) in core.manners.adds
            or core.neighbors.knows(message.sender_ip)
        ):
            confirmed = to_us_alone and message.operation == arp.REPLY
            self.learn(message.sender_ip, message.sender_mac, confirmed=confirmed)
        if message.operation == arp.REPLY:
            core.stats.answers_received += 1
        elif for_us:
            self._answer(message)

    def ask(self, ip: Ip, source: Ip) -> None:
        """Send one request for `ip`, in our name or, where that is a host's, the packet's.

        To everyone; where `ip` is known and doubted, to its MAC: RFC 1122 2.3.2.1 (2).
        """
        core, interface = self._core, self._interface
        ours = source if interface.owns(source) else interface.ip or source
        mac, to = core.macs.of(ours), core.neighbors.lookup(ip, core.now) or BROADCAST
        if core.send(to + mac + ARP + arp.request(mac, ours, ip)):
            core.stats.requests_sent += 1

    def _answer(self, request: Arp) -> None:
        core, ours = self._core, request.target_ip
        mac = core.macs.of(ours)
        if core.send(request.sender_mac + mac + ARP + arp.reply(mac, ours, request)):
            core.stats.requests_answered += 1
        else:
            core.drop(DropReason.OUTBOX_FULL)

    def _refusal(self, message: Arp) -> DropReason | None:
        if message.operation not in (arp.REQUEST, arp.REPLY):
            return DropReason.UNSUPPORTED
        manners, mac, ip = self._core.manners, message.sender_mac, message.sender_ip
        if manners.checks_sender_mac and (is_group(mac) or mac == NO_MAC):
            return DropReason.MALFORMED
        if not (is_unicast4(ip) or ip == ANY4):
            return DropReason.MALFORMED  # RFC 1122 3.2.1.3: no host has it
        if ip == self._interface.directed and not manners.answers_our_broadcast:
            return DropReason.MALFORMED
        if manners.checks_sender_mac and mac in self._core.macs.ours:
            return DropReason.OWN_FRAME
        if manners.ignores_odd_targets and _is_odd_target(message.target_ip):
            return DropReason.NOT_FOR_US
        return None

    def _may_learn(self, ip: Ip) -> bool:
        interface = self._interface
        if ip in (ANY4, interface.directed) or interface.owns(ip):
            return False
        if ip == interface.gateway and not self._core.config.learn_gateway_mac:
            return False
        if self._core.manners.adds_off_subnet:
            return True
        return interface.is_neighbor(ip)

    def _believe(self, ip: Ip, mac: Mac, *, confirmed: bool) -> None:
        """RFC 826: whoever says it."""
        self._core.learn(ip, mac)


def _heard(message: Arp, *, for_us: bool) -> Heard:
    if for_us:
        return "asked" if message.operation == arp.REQUEST else "replied"
    return "announced" if message.sender_ip == message.target_ip else "overheard"


def _is_odd_target(ip: Ip) -> bool:
    return is_multicast4(ip) or ip[0] == LOOPBACK4
