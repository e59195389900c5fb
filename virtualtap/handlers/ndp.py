"""Answers for our IPv6 addresses, and hears of others. RFC 4861 7, RFC 4862 5.4.3, 5.4.4."""

from virtualtap.core import Core
from virtualtap.events import AddressConflict
from virtualtap.reachability import Reachability
from virtualtap.stats import DropReason
from virtualtap.wire import ethernet, ndp
from virtualtap.wire.address import (
    ALL_NODES6,
    ANY6,
    Ip,
    Mac,
    is_multicast6,
    is_unicast6,
    solicited_node,
)
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage


class NdpHandler:
    """The host half of RFC 4861 7: validity first (7.1), then learning, then the answer."""

    def __init__(self, core: Core, reachability: Reachability) -> None:
        self._core = core
        self._interface = core.interface6
        self._reachability = reachability

    def receive(self, frame: bytes) -> bytes | None:
        """A solicitation or advertisement inside IPv6; always handled inside."""
        core = self._core
        packet = Ipv6.parse(frame[ethernet.HEADER_LEN :])
        message = NeighborMessage.parse(packet.payload)
        if not self._is_valid(packet, message):
            core.drop(DropReason.MALFORMED)
        elif not self._is_for_us(packet.destination):
            core.drop(DropReason.NOT_FOR_US)
        elif message.type == ndp.SOLICITATION:
            self._solicited(packet, message, frame[6:12])
        else:
            self._advertised(message, frame[6:12])
        return None

    def _is_valid(self, packet: Ipv6, message: NeighborMessage) -> bool:
        """RFC 4861 7.1.1 and 7.1.2."""
        if not ndp.is_whole(packet) or is_multicast6(message.target):
            return False
        if self._core.manners.checks_mac_options and _has_odd_mac(message):
            return False
        if message.type == ndp.ADVERTISEMENT:
            return not (is_multicast6(packet.destination) and message.flags & ndp.SOLICITED)
        if packet.source != ANY6:
            return not is_multicast6(packet.source)
        to_group = packet.destination == solicited_node(message.target)
        return to_group and message.mac(ndp.SOURCE_MAC) is None

    def _is_for_us(self, destination: Ip) -> bool:
        interface = self._interface
        if is_multicast6(destination) or not interface.closed:
            return True
        return interface.owns(destination, self._core.now)

    def _solicited(self, packet: Ipv6, message: NeighborMessage, link_source: Mac) -> None:
        """RFC 4861 7.2.3; RFC 4862 5.4.3 where the source is unspecified."""
        core, target = self._core, message.target
        if not self._interface.owns(target, core.now):
            self._probed(packet, message, link_source)
            return
        if packet.source == ANY6:
            core.events.append(AddressConflict(target, link_source))
            self._answer(target, ALL_NODES6, None, ndp.OVERRIDE)
            return
        sender = message.mac(ndp.SOURCE_MAC)
        if sender is not None and self._may_learn(packet.source, sender):
            self._reachability.heard(packet.source, sender)
        known = core.neighbors.lookup(packet.source, core.now) or sender
        if known is not None:
            if self._is_usable(known):
                self._answer(target, packet.source, known, self._flags(packet.destination))
                if core.manners.answers_are_use:
                    self._reachability.used(packet.source, target)
        elif not is_multicast6(packet.destination) and is_unicast6(packet.source):
            self._ask_first(target, packet.source)

    def _probed(self, packet: Ipv6, message: NeighborMessage, link_source: Mac) -> None:
        """Two probe at the same time, or a loop brings back what we sent. RFC 7527 4.2."""
        if packet.source == ANY6 and not self._is_our_echo(message):
            self._contest(message.target, link_source)

    def _answer(self, target: Ip, to: Ip, mac: Mac | None, flags: int) -> None:
        """RFC 4861 7.2.4; without a MAC to everyone."""
        core = self._core
        if self._reachability.say(self._advertisement(target, flags), target, to, mac):
            core.stats.requests_answered += 1
        else:
            core.drop(DropReason.OUTBOX_FULL)

    def _ask_first(self, target: Ip, to: Ip) -> None:
        """RFC 4861 7.2.4: one who did not say where it is waits until it has been asked for."""
        answer = self._advertisement(target, self._flags(target))
        self._reachability.deliver(to, target, ndp.packet(answer, target, to))

    def _flags(self, asked_at: Ip) -> int:
        """Of an answer to a solicitation that was sent to `asked_at`. RFC 4861 7.2.4."""
        bare = self._core.manners.bare_answers and not is_multicast6(asked_at)
        return ndp.SOLICITED if bare else ndp.SOLICITED | ndp.OVERRIDE

    def _advertisement(self, target: Ip, flags: int) -> NeighborMessage:
        says = flags & ndp.OVERRIDE  # who overrides nothing has nothing to say
        options = ((ndp.TARGET_MAC, self._core.macs.of(target)),) if says else ()
        if self._core.config.serve is not None:
            flags |= ndp.ROUTER  # RFC 4861 7.2.4
        return NeighborMessage(ndp.ADVERTISEMENT, flags, target, options)

    def _advertised(self, message: NeighborMessage, link_source: Mac) -> None:
        """RFC 4861 7.2.5: only who is asked for, or known, is learned."""
        core, target = self._core, message.target
        sender = message.mac(ndp.TARGET_MAC)
        if target in self._interface.addresses:
            if self._interface.owns(target, core.now):
                core.events.append(AddressConflict(target, sender or link_source))
            else:
                self._contest(target, sender or link_source)
            return
        core.stats.answers_received += 1
        if not core.neighbors.knows(target):
            return
        if sender is not None and not self._may_learn(target, sender):
            return
        solicited, override = message.flags & ndp.SOLICITED, message.flags & ndp.OVERRIDE
        if self._reachability.advertised(
            target, sender, solicited=bool(solicited), override=bool(override)
        ):
            is_router = bool(message.flags & ndp.ROUTER)
            if core.neighbors.is_router(target, says=is_router) and not is_router:
                self._interface.remove_router(target)

    def _contest(self, ip: Ip, mac: Mac) -> None:
        """RFC 4862 5.4.3 to 5.4.5: what we probe is somebody's, and will not be ours."""
        address = self._interface.addresses.get(ip)
        if address is not None and address.tentative:
            address.tentative, address.duplicate = False, True
            self._core.events.append(AddressConflict(ip, mac))

    def _is_our_echo(self, message: NeighborMessage) -> bool:
        address = self._interface.addresses.get(message.target)
        nonce = message.option(ndp.NONCE, ndp.NONCE_LEN)
        return address is not None and nonce is not None and nonce == address.nonce

    def _may_learn(self, ip: Ip, sender: Mac) -> bool:
        strict = self._core.manners.checks_sender_mac
        another = not (strict and ip in self._interface.addresses) and is_unicast6(ip)
        return another and self._is_usable(sender)

    def _is_usable(self, mac: Mac) -> bool:
        return not self._core.manners.checks_sender_mac or self._core.may_be_at(mac)


def _has_odd_mac(message: NeighborMessage) -> bool:
    wanted = ndp.SOURCE_MAC if message.type == ndp.SOLICITATION else ndp.TARGET_MAC
    return any(code == wanted and len(value) != 6 for code, value in message.options)
