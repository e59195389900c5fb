"""Frames without what was said in them: payloads are zeros, addresses pseudonyms, lengths the same.

RFC 791, 8200, 826, 4861, 792, 4443, 768, 9293, 2236, 3376, 2710, 3810; IEEE 802.1Q. What is not
understood is a payload. Checksums are right afterwards, also where they were wrong.
"""

from collections.abc import Callable

from sim.capture import ETHERNET, RAW_IP
from sim.capture_reader import IPV4 as RAW_IPV4
from sim.capture_reader import IPV6 as RAW_IPV6
from sim.capture_reader import LINUX_SLL, LINUX_SLL2, RAW_BSD
from sim.sharing.pseudonyms import Pseudonyms
from virtualtap.wire import checksum
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6

_TAGS = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")
_TAGS_MAX = 2
_ICMP, _IGMP, _TCP, _UDP, _ICMP6, _FRAGMENT = 1, 2, 6, 17, 58, 44
_OPTIONS6 = (0, 60)  # hop by hop, destination: each byte of zero in them is padding
_ROUTER_ALERT4, _ROUTER_ALERT6 = b"\x94\x04\x00\x00", b"\x05\x02\x00\x00"
_ECHOES = (0, 8)
_ECHOES6, _DONE6, _REPORT6 = (128, 129), 132, 143
_ERRORS, _ERRORS6 = (3, 4, 5, 11, 12), (1, 2, 3, 4)
# type → where its addresses begin, and how many they are: of listeners, of neighbors
_MESSAGES6 = dict.fromkeys((130, 131, _DONE6), (8, 1))
_MESSAGES6 |= {133: (8, 0), 134: (16, 0), 135: (8, 1), 136: (8, 1), 137: (8, 2)}
_NO_OPERATION = 1  # an option of IPv4 and of TCP
_TCP_OPTIONS = {2: 4, 3: 3, 4: 2, 8: 10}  # that say nothing of anybody: kind → length
_DEPTH_MAX = 1  # an error quotes a packet; what that one quotes is a payload

Blank = Callable[[bytes], bytes]


class Blanks:
    """Makes frames and packets blank. Whatever comes in, it has as many bytes and never fails."""

    def __init__(self, who: Pseudonyms) -> None:
        self._who = who

    def record(self, link_type: int, data: bytes) -> bytes:
        """A record of a capture, by its link type; of an unknown one it is all zeros."""
        if link_type == ETHERNET:
            return self.frame(data)
        if link_type in (RAW_IP, RAW_BSD, RAW_IPV4, RAW_IPV6):
            return self.packet(data)
        if link_type == LINUX_SLL and len(data) >= 16:
            head = data[:6] + self._mac(data[6:12]) + bytes(2) + data[14:16]
            return head + self._inside(data[14:16], data[16:])
        if link_type == LINUX_SLL2 and len(data) >= 20:
            head = data[:12] + self._mac(data[12:18]) + bytes(2)
            return head + self._inside(data[:2], data[20:])
        return bytes(len(data))

    def frame(self, data: bytes) -> bytes:
        """An Ethernet frame."""
        if len(data) < HEADER_LEN:
            return bytes(len(data))
        head, at = self._mac(data[:6]) + self._mac(data[6:12]) + data[12:14], HEADER_LEN
        for _ in range(_TAGS_MAX):
            if data[at - 2 : at] not in _TAGS or len(data) < at + 4:
                break
            head += data[at : at + 4]
            at += 4
        return head + self._inside(data[at - 2 : at], data[at:])

    def packet(self, data: bytes, depth: int = 0) -> bytes:
        """An IP packet, of which the end may be missing; what stands behind it is zeros."""
        version = data[0] >> 4 if data else 0
        blank = self._ipv4 if version == 4 else self._ipv6 if version == 6 else None
        if blank is None or len(data) < (20 if version == 4 else 40):
            return bytes(len(data))
        made = blank(data, depth)
        return made + bytes(len(data) - len(made))

    def _inside(self, kind: bytes, data: bytes) -> bytes:
        if kind == ARP:
            return self._arp(data)
        return self.packet(data) if kind in (IPV4, IPV6) else bytes(len(data))

    def _mac(self, data: bytes) -> bytes:
        return self._who.mac(data) if len(data) == 6 else bytes(len(data))

    def _arp(self, data: bytes) -> bytes:
        if len(data) < 28 or data[:6] != b"\0\1\x08\0\6\4":
            return bytes(len(data))
        who = self._who
        sender, target = (
            who.mac(data[at : at + 6]) + who.ip(data[at + 6 : at + 10]) for at in (8, 18)
        )
        return data[:8] + sender + target + bytes(len(data) - 28)

    def _ipv4(self, data: bytes, depth: int) -> bytes:
        header = min(max((data[0] & 15) * 4, 20), len(data))
        total = int.from_bytes(data[2:4])
        end = min(total, len(data)) if total >= header else len(data)
        addresses = self._who.ip(data[12:16]) + self._who.ip(data[16:20])
        options = data[20:header]
        if options != _ROUTER_ALERT4:
            options = bytes([_NO_OPERATION]) * len(options)
        head = data[:10] + bytes(2) + addresses + options
        head = head[:10] + checksum.internet(head).to_bytes(2) + head[12:]
        later, more = int.from_bytes(data[6:8]) & 0x1FFF, data[6] & 0x20
        inside = data[header:end]
        if later:
            return head + bytes(len(inside))
        whole = len(inside) if not more and end == total else None
        return head + self._said(data[9], inside, addresses, whole, depth)

    def _ipv6(self, data: bytes, depth: int) -> bytes:
        addresses = self._who.ip(data[8:24]) + self._who.ip(data[24:40])
        said = int.from_bytes(data[4:6])
        end = min(40 + said, len(data)) if said else len(data)
        head, kind, at = data[:8] + addresses, data[6], 40
        whole: bool = not said or end == 40 + said
        while kind in (*_OPTIONS6, _FRAGMENT) and end >= at + 8:
            length = 8 if kind == _FRAGMENT else 8 + data[at + 1] * 8
            if end < at + length:
                break
            if kind == _FRAGMENT:
                head += data[at : at + 8]
                if int.from_bytes(data[at + 2 : at + 4]) >> 3:  # not the first: no header inside
                    return head + bytes(end - at - 8)
                whole = whole and not data[at + 3] & 1
            else:
                alert = data[at + 2 : at + 6] == _ROUTER_ALERT6
                kept = data[at : at + (6 if alert else 2)]
                head += kept + bytes(length - len(kept))
            kind, at = data[at], at + length
        inside = data[at:end]
        return head + self._said(kind, inside, addresses, len(inside) if whole else None, depth)

    def _said(
        self, kind: int, inside: bytes, addresses: bytes, whole: int | None, depth: int
    ) -> bytes:
        """What a packet carries; `whole` is its length, None where some of it is not here."""
        six = len(addresses) == 32
        if kind == _UDP and len(inside) >= 8:
            made, at = inside[:6] + bytes(len(inside) - 6), 6
            whole = int.from_bytes(inside[4:6])  # it says itself how much there was
        elif kind == _TCP and len(inside) >= 20:
            made, at = self._tcp(inside), 16
        elif kind == _ICMP6 and six and len(inside) >= 8:
            made, at = self._icmp6(inside, depth), 2
        elif kind == _ICMP and not six and len(inside) >= 8:
            made = self._icmp(inside, depth)
            return made[:2] + checksum.internet(made).to_bytes(2) + made[4:]
        elif kind == _IGMP and not six and len(inside) >= 8:
            made = self._igmp(inside)
            return made[:2] + checksum.internet(made).to_bytes(2) + made[4:]
        else:
            return bytes(len(inside))
        if kind == _UDP and inside[6:8] == bytes(2):  # none was sent: RFC 768
            return made
        half = len(addresses) // 2
        length = len(inside) if whole is None else whole
        pseudo = checksum.pseudo_header(addresses[:half], addresses[half:], kind, length)
        sum_ = -(pseudo + checksum.total(made)) % 0xFFFF or 0xFFFF
        return made[:at] + sum_.to_bytes(2) + made[at + 2 :]

    @staticmethod
    def _tcp(data: bytes) -> bytes:
        """A segment: its header, with the options that say nothing of anybody."""
        end = min(max((data[12] >> 4) * 4, 20), len(data))
        options, at = bytearray([_NO_OPERATION]) * (end - 20), 20
        while at + 1 < end and data[at]:
            length = 1 if data[at] == _NO_OPERATION else data[at + 1]
            if not length or at + length > end:
                break
            if _TCP_OPTIONS.get(data[at]) == length:
                options[at - 20 : at - 20 + length] = data[at : at + length]
            at += length
        return data[:16] + bytes(4) + bytes(options) + bytes(len(data) - end)

    def _icmp(self, data: bytes, depth: int) -> bytes:
        """The checksum is left out."""
        kind = data[0]
        if kind in _ECHOES:
            return data[:2] + bytes(2) + data[4:8] + bytes(len(data) - 8)
        if kind not in _ERRORS:
            return data[:2] + bytes(len(data) - 2)
        rest = self._who.ip(data[4:8]) if kind == 5 else data[4:8]  # a redirect names a router
        return data[:2] + bytes(2) + rest + self._quoted(data[8:], depth)

    def _icmp6(self, data: bytes, depth: int) -> bytes:
        """The checksum is left out."""
        kind, head = data[0], data[:2] + bytes(2)
        if kind in _ECHOES6:
            return head + data[4:8] + bytes(len(data) - 8)
        if kind in _ERRORS6:
            return head + data[4:8] + self._quoted(data[8:], depth)
        if kind == _REPORT6:
            return head + bytes(2) + data[6:8] + self._records(data[8:], 16)
        at, addresses = _MESSAGES6.get(kind, (0, 0))
        end = at + 16 * addresses
        if not at or len(data) < end:
            return data[:2] + bytes(len(data) - 2)
        named = b"".join(self._who.ip(data[i : i + 16]) for i in range(at, end, 16))
        rest = data[end:]
        return (
            head + data[4:at] + named + (self._options(rest) if kind > _DONE6 else bytes(len(rest)))
        )

    def _options(self, data: bytes) -> bytes:
        """Of neighbor discovery: MACs, prefixes and MTUs are kept, all else is zeros."""
        made, at = b"", 0
        while len(data) >= at + 8 and data[at + 1] and len(data) >= at + data[at + 1] * 8:
            length, kind = data[at + 1] * 8, data[at]
            value = data[at + 2 : at + length]
            if kind in (1, 2) and length == 8:
                value = self._who.mac(value)
            elif kind == 3 and length == 32:
                value = value[:14] + self._prefix(value[14:], value[0])
            elif kind != 5:
                value = bytes(len(value))
            made += data[at : at + 2] + value
            at += length
        return made + bytes(len(data) - at)

    def _prefix(self, prefix: bytes, length: int) -> bytes:
        """The bits of a prefix; those behind it stay zeros."""
        mask = (1 << 128) - (1 << 128 - min(length, 128))
        return (int.from_bytes(self._who.ip(prefix)) & mask).to_bytes(16)

    def _igmp(self, data: bytes) -> bytes:
        """The checksum is left out."""
        head = data[:2] + bytes(2)
        if data[0] == 0x22:  # a report of version 3
            return head + bytes(2) + data[6:8] + self._records(data[8:], 4)
        if data[0] in (0x11, 0x12, 0x16, 0x17):
            return head + self._who.ip(data[4:8]) + bytes(len(data) - 8)
        return data[:2] + bytes(len(data) - 2)

    def _records(self, data: bytes, address: int) -> bytes:
        """Group records: kind, length of what is behind, number of sources, group, sources."""
        made, at = b"", 0
        while len(data) >= at + 4 + address:
            sources = int.from_bytes(data[at + 2 : at + 4])
            end = at + 4 + address * (1 + sources)
            if data[at + 1] or len(data) < end:
                break
            made += data[at : at + 4]
            for place in range(at + 4, end, address):
                made += self._who.ip(data[place : place + address])
            at = end
        return made + bytes(len(data) - at)

    def _quoted(self, data: bytes, depth: int) -> bytes:
        return self.packet(data, depth + 1) if depth < _DEPTH_MAX else bytes(len(data))
