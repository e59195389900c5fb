"""What a hub knows of a frame that it looks into: its packet's addresses, ports, type. TcpIp.c.

Made only where a rule asks: an ordinary unicast frame between ordinary sessions never needs it.
"""

from enum import IntEnum

from virtualtap.wire.address import Ip, Mac

_IPV4, _ARP, _IPV6, _VLAN = b"\x08\x00", b"\x08\x06", b"\x86\xdd", b"\x81\x00"
_BPDU = b"\x42\x42"  # DSAP and SSAP of IEEE 802.1D
_BPDU_LEN = 35
_EXTENSIONS = (0, 43, 60)  # hop-by-hop, routing, destination options
_FRAGMENT_HEADER, _NOTHING = 44, 59
_ICMP6_LEAST = {128: 8, 129: 8, 133: 8, 134: 16, 135: 24, 136: 24}  # others: 4 bytes
DHCP_LEAST = 44  # bytes of UDP payload; below, it is no DHCP. TcpIp.c:ParseDHCPv4


class L3(IntEnum):
    """What an Ethernet frame carries, inside one tag of type 0x8100 if there is one."""

    OTHER = 0
    IPV4 = 1
    IPV6 = 2
    ARP = 3
    BPDU = 4
    TAGGED = 5  # a tag, and no IP or ARP inside


class L4(IntEnum):
    """What an IP packet carries."""

    OTHER = 0
    FRAGMENT = 1  # not the first: no port and no flag is known
    ICMP = 2  # ICMPv6 too
    UDP = 3
    TCP = 4


class Packet:
    """One look into a frame. What `parse` would not let pass is nothing above Ethernet.

    `source` and `target` are IP addresses of 4 or 16 bytes, of ARP sender and target; None without.
    `at` is where the packet begins in the frame, `l4_at` what it carries; ports, and `flags` of
    TCP or the type of ICMP, are 0 where there are none; `protocol` is -1 where there is none.
    `is_fragment` is true of a first fragment too. A `flat` look sees nothing above Ethernet.
    """

    __slots__ = (
        *(
            "at",
            "flags",
            "frame",
            "is_checked",
            "is_fragment",
            "l3",
            "l4",
            "l4_at",
            "protocol",
            "source",
            "source_port",
        ),
        *("target", "target_port", "vlan"),
    )

    def __init__(self, frame: bytes, *, flat: bool = False) -> None:
        self.frame = frame
        self.is_checked = False  # a rule of the access list has let it pass
        self.is_fragment = False
        self.at = 14
        self.vlan = 0
        self.l3, self.l4 = L3.OTHER, L4.OTHER
        self.source: Ip | None = None
        self.target: Ip | None = None
        self.protocol = -1
        self.l4_at = len(frame)
        self.source_port = self.target_port = self.flags = 0
        kind = frame[12:14]
        if kind == _VLAN and len(frame) >= 18:
            self.vlan = ((frame[14] << 8) | frame[15]) & 0x0FFF
            self.at, kind, self.l3 = 18, frame[16:18], L3.TAGGED
        if kind in _LOOKS:
            if not flat:
                _LOOKS[kind](self)
        elif is_bpdu(frame):
            self.l3 = L3.BPDU

    @property
    def source_mac(self) -> Mac:
        """6 bytes."""
        return self.frame[6:12]

    @property
    def is_group(self) -> bool:
        """Broadcast or multicast, by its destination MAC."""
        return bool(self.frame and self.frame[0] & 1)

    @property
    def dhcp(self) -> bytes:
        """The DHCPv4 message, by the port pair 67 and 68 in either order; empty without."""
        if self.l3 is not L3.IPV4 or {self.source_port, self.target_port} != {67, 68}:
            return b""
        body = self.frame[self.l4_at + 8 :] if self.l4 is L4.UDP else b""
        return body if len(body) >= DHCP_LEAST else b""

    def _ipv4(self) -> None:
        frame, at = self.frame, self.at
        left = len(frame) - at
        header = (frame[at] & 15) * 4 if left else 0
        if header < 20 or header > left:
            return  # kept, and nothing is known of it
        self.l3 = L3.IPV4
        self.source, self.target = frame[at + 12 : at + 16], frame[at + 16 : at + 20]
        self.protocol = frame[at + 9]
        self.l4_at = at + header
        self.is_fragment = bool(frame[at + 6] & 0x3F or frame[at + 7])
        if frame[at + 6] & 0x1F or frame[at + 7]:
            self.l4 = L4.FRAGMENT
        else:
            self._transport(1)

    def _ipv6(self) -> None:
        frame, at = self.frame, self.at
        if len(frame) - at < 40:
            return
        self.l3 = L3.IPV6
        self.source, self.target = frame[at + 8 : at + 24], frame[at + 24 : at + 40]
        found = upper_layer(frame, at)
        if found is None:
            return
        self.protocol, self.l4_at, word = found
        self.is_fragment = bool(word & 0xFFF9)
        if word & 0xFFF8:
            self.l4 = L4.FRAGMENT
        else:
            self._transport(58)

    def _arp(self) -> None:
        body = self.frame[self.at :]
        if len(body) < 28:
            return
        self.l3 = L3.ARP
        if body[:6] == b"\x00\x01\x08\x00\x06\x04":  # Ethernet and IPv4
            self.source, self.target = body[14:18], body[24:28]

    def _transport(self, icmp: int) -> None:
        frame, at, protocol = self.frame, self.l4_at, self.protocol
        left = len(frame) - at
        if protocol == icmp:
            least = _ICMP6_LEAST.get(frame[at], 4) if icmp == 58 and left else 4
            if left >= least:
                self.l4, self.flags = L4.ICMP, frame[at]
        elif protocol == 17 and left >= 8:
            self.l4 = L4.UDP
            self._ports()
        elif protocol == 6 and left >= 20 and 20 <= (frame[at + 12] >> 4) * 4 <= left:
            self.l4, self.flags = L4.TCP, frame[at + 13]
            self._ports()

    def _ports(self) -> None:
        frame, at = self.frame, self.l4_at
        self.source_port = (frame[at] << 8) | frame[at + 1]
        self.target_port = (frame[at + 2] << 8) | frame[at + 3]


_LOOKS = {_IPV4: Packet._ipv4, _ARP: Packet._arp, _IPV6: Packet._ipv6}  # noqa: SLF001  # its own


def is_bpdu(frame: bytes) -> bool:
    """Whether it is a whole spanning tree message, untagged. TcpIp.c:ParsePacketBPDU."""
    length = int.from_bytes(frame[12:14])
    whole = length <= min(1500, len(frame) - 14) and len(frame) >= 17 + _BPDU_LEN
    return whole and frame[14:16] == _BPDU


def upper_layer(frame: bytes, at: int) -> tuple[int, int, int] | None:
    """What follows the extension headers of the IPv6 packet at `at`; None: the chain is broken.

    Its protocol, where it begins, and the word of the fragment header: offset, and 1 for more.
    As in TcpIp.c:ParseIPv6ExtHeader, nothing is known behind a header that ends the frame.
    """
    kind, at, following, word = frame[at + 6], at + 40, _NOTHING, 0
    while kind in _EXTENSIONS or kind == _FRAGMENT_HEADER:
        left = len(frame) - at
        if left < 8:
            return None
        size = 8
        if kind == _FRAGMENT_HEADER:
            word = (frame[at + 2] << 8) | frame[at + 3]
        else:
            size = (frame[at + 1] + 1) * 8
            if left < size:
                return None
        if left > 8:
            following = frame[at]
        kind, at = following, at + size
    return kind, at, word
