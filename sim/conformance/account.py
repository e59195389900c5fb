"""What went into a translator, and so what may come out. RFC 826, 894, 1112 6.4, 1122, 2464 7."""

from collections import Counter
from collections.abc import Iterable

from virtualtap.config import TapConfig
from virtualtap.errors import WireError
from virtualtap.wire import arp, checksum, ethernet, icmp, ipv4, ipv6, udp
from virtualtap.wire.address import (
    ANY4,
    ANY6,
    BROADCAST,
    LIMITED_BROADCAST,
    NO_MAC,
    Ip,
    Mac,
    directed_broadcast,
    is_group,
    is_multicast4,
    is_multicast6,
    multicast_mac4,
    multicast_mac6,
)
from virtualtap.wire.arp import Arp
from virtualtap.wire.dhcp import CLIENT_PORT
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6, LENGTH_MAX, VLAN

_PADDED = ethernet.MIN_LEN - HEADER_LEN
_ERRORS_TO_THE_HOST = (
    (ipv4.ICMP, bytes((icmp.UNREACHABLE,))),
    (ipv6.ICMPV6, bytes((icmp.TOO_BIG6,))),
)


class Broken(AssertionError):
    """A promise that any translator makes, and this one did not keep."""


class Account:
    """The books of one translator: each packet goes over once, unharmed, and nothing is invented.

    Lenient where translators may differ: whether to pass on at all, and what checksums to judge.
    """

    def __init__(self, config: TapConfig) -> None:
        self._config = config
        self._packets: list[bytes] = []  # of the host, all of them
        self._frames: list[bytes] = []  # of the LAN, all of them
        self._may_go: Counter[bytes] = Counter()
        self._may_come: Counter[bytes] = Counter()
        self._wholes: set[bytes] = set()

    def packet_in(self, packet: bytes) -> None:
        """The host sends this."""
        self._packets.append(packet)
        inside = _trimmed(packet)
        if inside is not None:
            self._may_go[inside] += 1

    def frame_in(self, frame: bytes) -> None:
        """The LAN sends this: its packet may come out if the frame is for our MAC, or for many."""
        self._frames.append(frame)
        to, source = frame[:6], frame[6:12]
        for_us = to == self._config.our_mac or (to and is_group(to))
        from_another = len(source) == 6 and source != self._config.our_mac
        inside = _inside(frame) if for_us and from_another else None
        if inside is not None:
            self._may_come[inside] += 1

    def whole_in(self, packet: bytes) -> None:
        """The frames that come next carry this packet in pieces: it may come out whole."""
        self._wholes.add(packet)

    def frames_out(self, frames: Iterable[object]) -> None:
        """Judge what went to the LAN. Broken where it may not."""
        for frame in frames:
            self._frame_out(frame)

    def packets_out(self, packets: Iterable[object]) -> None:
        """Judge what went to the host. Broken where it may not."""
        for packet in packets:
            self._packet_out(packet)

    def _frame_out(self, frame: object) -> None:
        if not isinstance(frame, bytes) or len(frame) < HEADER_LEN:
            raise Broken(f"a frame is at least {HEADER_LEN} bytes: {_shown(frame)}")
        to, inside = frame[:6], frame[HEADER_LEN:]
        if frame[6:12] != self._config.our_mac:
            raise Broken(f"a frame came from a MAC that is not ours: {_shown(frame)}")
        if len(inside) > max(self._config.mtu, _PADDED):
            raise Broken(f"a frame is longer than the MTU allows: {_shown(frame)}")
        wanted = self._inside_out(frame[12:14], inside, to)
        if wanted is not None and to != wanted:
            raise Broken(f"{to.hex(':')} is not the MAC of the group it speaks to: {_shown(frame)}")
        if wanted is None:
            self._to_one(to, frame)

    def _inside_out(self, ethertype: bytes, inside: bytes, to: Mac) -> Mac | None:
        """Judge what a frame carries: the MAC that it must go to, or None for any station."""
        if ethertype == ARP:
            return self._arp_out(inside, to)
        if ethertype == IPV4:
            self._ip_out(inside, 4)
            return self._group4(inside[16:20])
        if ethertype == IPV6:
            self._ip_out(inside, 6)
            return multicast_mac6(inside[24:40]) if is_multicast6(inside[24:40]) else None
        raise Broken(f"a frame of type {ethertype.hex()}, which a tap does not speak")

    def _to_one(self, to: Mac, frame: bytes) -> None:
        """To one station, and one of which the LAN has spoken."""
        if is_group(to) or to in (NO_MAC, self._config.our_mac):
            raise Broken(f"what is for one was sent to {to.hex(':')}: {_shown(frame)}")
        if to != self._config.gateway_mac and not any(to in heard for heard in self._frames):
            raise Broken(f"nobody has ever spoken of {to.hex(':')}: {_shown(frame)}")

    def _arp_out(self, inside: bytes, to: Mac) -> Mac | None:
        """As `_inside_out`."""
        try:
            message = Arp.parse(inside)
        except WireError as error:
            raise Broken(f"ARP that cannot be read, {error}: {_shown(inside)}") from None
        if message.operation not in (arp.REQUEST, arp.REPLY):
            raise Broken(f"ARP that neither asks nor answers: {_shown(inside)}")
        if message.sender_mac != self._config.our_mac:
            raise Broken(f"ARP in the name of another MAC: {_shown(inside)}")
        if message.sender_ip not in (self._config.our_ip, ANY4):
            raise Broken(f"ARP in the name of another address: {_shown(inside)}")
        return BROADCAST if is_group(to) else None

    def _group4(self, to: Ip) -> Mac | None:
        """The MAC of an address that stands for many; None: it is one host's."""
        config = self._config
        directed = directed_broadcast(config.our_ip or ANY4, config.prefix_length)
        if to in (LIMITED_BROADCAST, directed):
            return BROADCAST
        return multicast_mac4(to) if is_multicast4(to) else None

    def _ip_out(self, inside: bytes, version: int) -> None:
        packet = _trimmed(inside)
        if packet is None or packet[0] >> 4 != version:
            raise Broken(f"IPv{version} whose length or version is wrong: {_shown(inside)}")
        if any(inside[len(packet) :]) or len(inside) > max(len(packet), _PADDED):
            raise Broken(f"a packet with more behind it than padding: {_shown(inside)}")
        if self._may_go[packet] > 0:
            self._may_go[packet] -= 1
        elif not (self._is_own(packet) or any(_is_piece(packet, of) for of in self._packets)):
            raise Broken(f"the host did not send this, or only once: {_shown(packet)}")

    def _is_own(self, packet: bytes) -> bool:
        """Whether it is what a translator says itself: ICMP, IGMP, MLD, DHCP, with right sums."""
        if packet[0] >> 4 == 6:
            kind, at = ipv6.upper_layer(packet)
            ours = packet[8:24] in (*self._config.our_ip6, ANY6)
            ends = packet[8:24], packet[24:40]
            return ours and kind == ipv6.ICMPV6 and _is_summed(*ends, kind, packet[at:])
        at = ipv4.header_len(packet)
        if packet[12:16] not in (self._config.our_ip, ANY4) or not checksum.is_right(packet[:at]):
            return False
        if packet[9] == udp.PROTOCOL:
            return packet[at : at + 2] == CLIENT_PORT.to_bytes(2)
        return packet[9] in (ipv4.ICMP, ipv4.IGMP) and checksum.is_right(packet[at:])

    def _packet_out(self, packet: object) -> None:
        if not isinstance(packet, bytes) or _trimmed(packet) != packet:
            raise Broken(f"a packet is as long as it says, and no longer: {_shown(packet)}")
        if self._may_come[packet] > 0:
            self._may_come[packet] -= 1
        elif packet not in self._wholes and not self._is_error_about_ours(packet):
            raise Broken(f"no frame for us held this packet, or only one did: {_shown(packet)}")

    def _is_error_about_ours(self, packet: bytes) -> bool:
        """Whether it tells the host what became of a packet of its own. RFC 1191 4, 4443 3.2."""
        at = ipv6.HEADER_LEN if packet[0] >> 4 == 6 else ipv4.header_len(packet)
        protocol = packet[6] if packet[0] >> 4 == 6 else packet[9]
        quoted = packet[at + icmp.HEADER_LEN :]
        known = any(sent.startswith(quoted) for sent in self._packets)
        is_error = (protocol, packet[at : at + 1]) in _ERRORS_TO_THE_HOST
        return is_error and bool(quoted) and known


def _trimmed(data: bytes) -> bytes | None:
    """The IP packet at the start of `data`, without what stands behind it; None: there is none."""
    version = data[0] >> 4 if data else 0
    if version == 6 and len(data) >= ipv6.HEADER_LEN:
        total = ipv6.total_len(data)
    elif version == 4 and len(data) >= ipv4.HEADER_LEN:
        total = ipv4.total_len(data)
        if not ipv4.HEADER_LEN <= ipv4.header_len(data) <= total:
            return None
    else:
        return None
    return data[:total] if total <= len(data) else None


def _inside(frame: bytes) -> bytes | None:
    """The IP packet in a frame: of Ethernet II, behind a priority tag, or in SNAP."""
    if len(frame) < HEADER_LEN:
        return None
    try:
        vlan_id, plain = ethernet.untagged(frame) if frame[12:14] == VLAN else (0, frame)
        if int.from_bytes(plain[12:14]) <= LENGTH_MAX:
            plain = ethernet.from_snap(plain) or b""
    except WireError:
        return None
    is_ip = plain[12:14] in (IPV4, IPV6) and not vlan_id
    return _trimmed(plain[HEADER_LEN:]) if is_ip else None


def _is_piece(packet: bytes, of: bytes) -> bool:
    """Whether it is an IPv4 fragment of that packet. RFC 791 3.2."""
    if packet[0] >> 4 != 4 or len(of) < ipv4.HEADER_LEN or packet[12:20] != of[12:20]:
        return False
    word = ipv4.fragment_word(packet)
    start = ipv4.header_len(of) + (word & ipv4.OFFSET_MASK) * 8
    payload = packet[ipv4.header_len(packet) :]
    is_fragment = word & (ipv4.MORE_FRAGMENTS | ipv4.OFFSET_MASK) and packet[4:6] == of[4:6]
    return bool(is_fragment) and of[start : start + len(payload)] == payload


def _is_summed(source: Ip, to: Ip, protocol: int, body: bytes) -> bool:
    return checksum.transport_is_right(source, to, protocol, body)


def _shown(data: object) -> str:
    return f"`{data.hex()[:120]}`" if isinstance(data, bytes) else repr(data)[:120]
