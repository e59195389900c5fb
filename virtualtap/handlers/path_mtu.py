"""ICMP errors to the host and in its name; keeps TCP from trying. RFC 1191, 4443, 6691."""

from collections.abc import Callable

from virtualtap.core import Core
from virtualtap.stats import DropReason
from virtualtap.units import SECOND, Instant
from virtualtap.wire import icmp, ipv4, ipv6, tcp
from virtualtap.wire.address import is_unicast4, is_unicast6
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6

QUOTED4_MAX = 576 - ipv4.HEADER_LEN - icmp.HEADER_LEN  # RFC 1812 4.3.2.3
QUOTED6_MAX = 1280 - ipv6.HEADER_LEN - icmp.HEADER_LEN  # RFC 4443 2.4 (c)


class PathMtu:
    """ICMP errors, at most `icmp_errors_max` a second (RFC 4443 2.4 (f)).

    Those to the host come from the gateway, or without one from the destination: whom the host
    believes. Those about what came in pieces go to its sender, in the host's name, by `send`.
    """

    def __init__(self, core: Core, send: Callable[[bytes], bytes | None]) -> None:
        self._core = core
        self._send = send
        self._since: Instant | None = None  # when the second that is counted began
        self._said = 0

    def refuse4(self, packet: bytes) -> None:
        """Drop a packet that may not be cut, and say how long it may be. RFC 1191 4."""
        core, mtu = self._core, self._core.interface.mtu
        core.drop(DropReason.TOO_BIG)
        to_all = packet[16:20] in core.interface.broadcasts
        if to_all or not _may_answer4(packet) or not self._may_speak():
            return
        quoted = packet[:QUOTED4_MAX]
        body = Icmp(icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, mtu, quoted).summed()
        by = core.interface.gateway or packet[16:20]
        self._give(Ipv4(by, packet[12:16], ipv4.ICMP, body).to_bytes())

    def refuse6(self, packet: bytes) -> None:
        """Drop a packet, for nobody on the way may cut it, and say how long it may be."""
        core, mtu = self._core, self._core.interface6.mtu
        core.drop(DropReason.TOO_BIG)
        by = next(iter(core.interface6.routers), packet[24:40])
        if not (_may_answer6(packet) and is_unicast6(by)) or not self._may_speak():
            return
        to = packet[8:24]
        body = Icmp(icmp.TOO_BIG6, 0, mtu, packet[:QUOTED6_MAX]).between(by, to)
        self._give(Ipv6(by, to, ipv6.ICMPV6, body).to_bytes())

    def overdue(self, first: bytes) -> None:
        """Tell who sent this first fragment that the others never came. RFC 792, RFC 4443 3.3."""
        if first[0] >> 4 == 6:
            self.answer6(first, icmp.TIME_EXCEEDED6, icmp.REASSEMBLY_EXCEEDED, 0)
            return
        by, to = first[16:20], first[12:16]
        for_all = by in self._core.interface.broadcasts
        if for_all or not _may_answer4(first) or not self._may_speak():
            return
        quoted = first[:QUOTED4_MAX]
        body = Icmp(icmp.TIME_EXCEEDED, icmp.REASSEMBLY_EXCEEDED, 0, quoted).summed()
        self._say(Ipv4(by, to, ipv4.ICMP, body).to_bytes())

    def answer6(self, packet: bytes, kind: int, code: int, rest: int) -> None:
        """Tell who sent this packet what is wrong. RFC 4443 3.3, 3.4, 2.4 (e.3): not of a group."""
        core, by, to = self._core, packet[24:40], packet[8:24]
        for_one = is_unicast6(by) and not core.interface6.owns(to, core.now)
        if not (for_one and _may_answer6(packet)) or not self._may_speak():
            return
        body = Icmp(kind, code, rest, packet[:QUOTED6_MAX]).between(by, to)
        self._say(Ipv6(by, to, ipv6.ICMPV6, body).to_bytes())

    def clamp4(self, packet: bytes) -> bytes:
        """An IPv4 packet whose SYN asks for no more than fits. RFC 6691 2: options not counted."""
        if packet[9] != ipv4.TCP or ipv4.fragment_word(packet) & ipv4.OFFSET_MASK:
            return packet
        at = ipv4.header_len(packet)
        most = self._core.interface.mtu - ipv4.HEADER_LEN - tcp.HEADER_LEN
        return packet[:at] + tcp.clamped(packet[at:], most)

    def clamp6(self, packet: bytes) -> bytes:
        """An IPv6 packet whose SYN asks for no more than fits."""
        if packet[6] != ipv6.TCP:
            return packet
        most = self._core.interface6.mtu - ipv6.HEADER_LEN - tcp.HEADER_LEN
        return packet[: ipv6.HEADER_LEN] + tcp.clamped(packet[ipv6.HEADER_LEN :], most)

    def _give(self, error: bytes) -> None:
        if self._core.give(error):
            self._core.stats.errors_sent += 1

    def _say(self, error: bytes) -> None:
        frame = self._send(error)
        if frame is None:
            return  # it waits, or was dropped
        if self._core.send(frame):
            self._core.stats.errors_sent += 1
        else:
            self._core.drop(DropReason.OUTBOX_FULL)

    def _may_speak(self) -> bool:
        core = self._core
        if self._since is None or core.now - self._since >= SECOND:
            self._since, self._said = core.now, 0
        self._said += 1
        return self._said <= core.config.icmp_errors_max


def _may_answer4(packet: bytes) -> bool:
    """RFC 1122 3.2.2: no error about errors, to or from many, or about a later fragment."""
    error = packet[9] == ipv4.ICMP and packet[ipv4.header_len(packet)] in icmp.ERRORS4
    later = ipv4.fragment_word(packet) & ipv4.OFFSET_MASK
    return not (error or later) and is_unicast4(packet[12:16]) and is_unicast4(packet[16:20])


def _may_answer6(packet: bytes) -> bool:
    """RFC 4443 2.4 (e): no error about errors, nor to nobody; to a group's packet there is one."""
    protocol, at = ipv6.upper_layer(packet)
    error = protocol == ipv6.ICMPV6 and packet[at:][:1] < bytes((icmp.ECHO_REQUEST6,))
    return not error and is_unicast6(packet[8:24])
