"""Joins what comes in pieces. RFC 791 3.2, 1122 3.3.2, RFC 8200 4.5, 5722, 6946, 7112, 3168 5.3."""

from typing import Protocol

from virtualtap.core import Core
from virtualtap.reassembly import Datagram, Fragment, Reassembly
from virtualtap.stats import DropReason
from virtualtap.units import Instant
from virtualtap.wire import icmp, ipv4, ipv6, ndp

_TIMER = "reassembly"
_NOT_CAPABLE, _CONGESTED = 0, 3  # RFC 3168 5


class Errors(Protocol):
    """What tells a sender: `handlers.path_mtu`."""

    def overdue(self, first: bytes) -> None: ...
    def answer6(self, packet: bytes, kind: int, code: int, rest: int) -> None: ...


class FragmentHandler:
    """Gives whole packets: the header of the first piece, its lengths, flags and checksum right."""

    def __init__(self, core: Core, errors: Errors) -> None:
        self._core = core
        self._errors = errors
        self._reassembly = Reassembly(core.config, core.drop)
        self._armed: Instant | None = None

    def join4(self, packet: bytes) -> bytes | None:
        """The packet that a fragment of IPv4 makes whole, or None."""
        word, at = ipv4.fragment_word(packet), ipv4.header_len(packet)
        offset, more = (word & ipv4.OFFSET_MASK) * 8, bool(word & ipv4.MORE_FRAGMENTS)
        head, payload = packet[:at], packet[at:]
        if (
            not (ipv4.HEADER_LEN <= at < len(packet))
            or (more and len(payload) % 8)
            or offset + len(packet) > ipv4.LEN_MAX
        ):
            self._core.drop(DropReason.MALFORMED)
            return None
        key = packet[12:20] + packet[9:10] + packet[4:6]  # RFC 791 3.2
        whole = self._add(Fragment(key, offset, more, head, payload, packet[1] & 3))
        if whole is None:
            return None
        if len(whole.head) + whole.received > ipv4.LEN_MAX:
            self._core.drop(DropReason.MALFORMED)
            return None
        self._core.stats.reassembled += 1
        return ipv4.joined(whole.head, whole.payload, _mark(whole))

    def join6(self, packet: bytes) -> bytes | None:
        """A packet of IPv6 without its fragment header once it is whole; as it is without one."""
        found = ipv6.fragment_header(packet)
        if found is None:
            return packet
        at = found[1] + ipv6.FRAGMENT_LEN
        word = ipv6.fragment_word(packet, found[1])
        offset, more = word & ipv6.OFFSET_MASK, bool(word & ipv6.MORE_FRAGMENTS)
        head, payload = packet[:at], packet[at:]
        if not offset and not more:  # RFC 6946: a packet of its own, whatever else has its number
            return self._checked6(ipv6.joined(head, payload))
        if self._refuse6(packet, found[1], more, offset + len(payload)):
            return None
        key = packet[8:40] + packet[at - 4 : at]
        whole = self._add(Fragment(key, offset, more, head, payload, packet[1] >> 4 & 3))
        if whole is None:
            return None
        if len(whole.head) + whole.received > _WITH_FRAGMENT_HEADER_MAX:
            self._core.drop(DropReason.MALFORMED)
            return None
        return self._checked6(ipv6.joined(whole.head, whole.payload, _mark(whole)))

    def _add(self, piece: Fragment) -> Datagram | None:
        """A datagram that is whole, and may be: RFC 3168 5.3."""
        core = self._core
        whole = self._reassembly.add(piece, core.now)
        self._arm()
        if whole is not None and whole.marks >= {_NOT_CAPABLE, _CONGESTED}:
            core.drop(DropReason.MALFORMED)
            return None
        return whole

    def _refuse6(self, packet: bytes, at: int, more: bool, end: int) -> bool:
        """Whether a fragment breaks a rule; its sender is told of it. RFC 8200 4.5."""
        length = len(packet) - at - ipv6.FRAGMENT_LEN
        code = icmp.WRONG_FIELD
        if more and length % 8:
            pointer = 4  # the payload length
        elif at - ipv6.HEADER_LEN + end > ipv6.PAYLOAD_MAX:
            pointer = at + 2  # the offset
        elif end == length and not ipv6.is_headed(packet):
            code, pointer = icmp.HEADERS_INCOMPLETE, 0  # RFC 7112 5
        elif length == 0:
            self._core.drop(DropReason.MALFORMED)  # no rule names it, and it brings nothing
            return True
        else:
            return False
        self._core.drop(DropReason.MALFORMED)
        self._errors.answer6(packet, icmp.PARAMETER_PROBLEM6, code, pointer)
        return True

    def _checked6(self, whole: bytes) -> bytes | None:
        """RFC 6980 5: neighbour messages do not come in fragments, not even in one."""
        protocol, at = ipv6.upper_layer(whole)
        if protocol == ipv6.ICMPV6 and whole[at : at + 1] in _NEIGHBOR_KINDS:
            self._core.drop(DropReason.MALFORMED)
            return None
        self._core.stats.reassembled += 1
        return whole

    def _arm(self) -> None:
        deadline, timers = self._reassembly.deadline, self._core.timers
        if deadline != self._armed:
            self._armed = deadline
            timers.cancel(_TIMER)
            if deadline is not None:
                timers.set(_TIMER, deadline, self._expire)

    def _expire(self) -> None:
        self._armed = None
        firsts = self._reassembly.expired(self._core.now)
        self._arm()
        for first in firsts:
            self._errors.overdue(first)


_WITH_FRAGMENT_HEADER_MAX = ipv6.HEADER_LEN + ipv6.FRAGMENT_LEN + ipv6.PAYLOAD_MAX
_NEIGHBOR_KINDS = tuple(bytes((kind,)) for kind in range(ndp.ROUTER_SOLICITATION, ndp.REDIRECT + 1))


def _mark(whole: Datagram) -> int:
    """RFC 3168 5.3: a piece that met congestion says so for all."""
    return _CONGESTED if _CONGESTED in whole.marks else 0
