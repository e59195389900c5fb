"""What a hub drops, cuts or mends because of what is inside a frame. TcpIp.c:ParsePacketEx5.

A SoftEther hub is no pure layer-2 device: a frame whose IPv4, IPv6 or ARP is too short is dropped
whole, and bytes behind the end of an IP packet are cut off. Checksums are not judged; only those
that a network card was to compute are filled in.
"""

from collections.abc import Callable
from typing import TypeAlias

from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import is_bpdu, upper_layer
from virtualtap.wire import checksum
from virtualtap.wire.address import BROADCAST, NO_MAC, Mac

Key: TypeAlias = tuple[Mac, int]  # MAC, VLAN id
KeyOf: TypeAlias = Callable[[bytes], Key]

AS_IT_IS = HubOptions(DisableCorrectIpOffloadChecksum=True)  # nothing is mended

_IPV4, _ARP, _IPV6, _VLAN = b"\x08\x00", b"\x08\x06", b"\x86\xdd", b"\x81\x00"
_ICMP, _TCP, _UDP, _NOTHING = 1, 6, 17, 59
_LEAST = {_ICMP: 4, _UDP: 8, _TCP: 20}  # the bytes that must be there
_LEAST6 = {_UDP: 8, _TCP: 20}
_BPDU = b"\x42\x42"  # DSAP and SSAP of IEEE 802.1D
_BRIDGE_MAC_AT = 14 + 3 + 19  # behind LLC, protocol, version, type, flags, root, cost, priority
_CHECKSUM_AT = {_TCP: 16, _UDP: 6}


def parse(frame: bytes, options: HubOptions = AS_IT_IS) -> bytes | None:
    """The frame as the hub forwards it, perhaps shorter; None where the hub drops it."""
    if len(frame) < 14 or frame[6:12] in (NO_MAC, BROADCAST, frame[:6]):
        return None
    kind, at = frame[12:14], 14
    if kind not in (_IPV4, _IPV6, _ARP):
        tagged = _tagged(frame, options)
        if tagged is None:
            return None
        frame, kind, at = tagged
    elif kind != _ARP:
        frame = _cut(frame, 14, kind)
    look = None if options.DisableIPParsing else _LOOKS.get(kind)
    return frame if look is None else look(frame, at, options)


def learning_key(frame: bytes) -> Key:
    """Whose place is learned: the source, in a BPDU the bridge inside; with its VLAN id."""
    if frame[12:14] == _VLAN:
        return frame[6:12], ((frame[14] << 8) | frame[15]) & 0x0FFF
    if frame[14:16] == _BPDU and is_bpdu(frame):
        return frame[_BRIDGE_MAC_AT : _BRIDGE_MAC_AT + 6], 0
    return frame[6:12], 0


def key_of(options: HubOptions) -> KeyOf:
    """How a hub with these options tells whose place it learns."""
    one_vlan = options.NoManageVlanId or options.VlanTypeId != 0x8100  # the parser's only tag
    if options.NoLookBPDUBridgeId:
        return _source if one_vlan else _source_in_vlan
    return _untagged if one_vlan else learning_key


def _untagged(frame: bytes) -> Key:
    return learning_key(frame)[0], 0


def _source(frame: bytes) -> Key:
    return frame[6:12], 0


def _source_in_vlan(frame: bytes) -> Key:
    return frame[6:12], learning_key(frame)[1]


def _tagged(frame: bytes, options: HubOptions) -> tuple[bytes, bytes, int] | None:
    """A frame that is neither IP nor ARP in front: cut, with the type to go by and its place.

    A tag of the hub's type is looked behind to cut; only one of type 0x8100 to drop.
    """
    kind = frame[12:14]
    if kind == options.VlanTypeId.to_bytes(2):
        frame = _cut(frame, 18, frame[16:18])
    if kind != _VLAN:
        return frame, kind, 14
    return (frame, frame[16:18], 18) if len(frame) >= 18 else None


def _cut(frame: bytes, at: int, kind: bytes) -> bytes:
    """Without what trails the IP packet at `at`; only frames of 24 bytes and more are cut."""
    if len(frame) < 24:
        return frame
    if kind == _IPV4:
        length = (frame[at + 2] << 8) | frame[at + 3]
        end = at + length
    elif kind == _IPV6:
        length = (frame[at + 4] << 8) | frame[at + 5]
        end = at + 40 + length
    else:
        return frame
    return frame[:end] if length and end < len(frame) else frame


def _arp(frame: bytes, at: int, options: HubOptions) -> bytes | None:
    return frame if len(frame) - at >= 28 else None


def _ipv4(frame: bytes, at: int, options: HubOptions) -> bytes | None:
    available = len(frame) - at
    if available < 20:
        return None
    header = (frame[at] & 15) * 4
    if header < 20 or header > available:
        return frame
    protocol = frame[at + 9]
    later = frame[at + 6] & 0x1F or frame[at + 7]
    if not later and available - header < _LEAST.get(protocol, 0):
        return None
    if options.DisableCorrectIpOffloadChecksum:
        return frame
    if not (frame[at + 10] or frame[at + 11]):
        value = checksum.internet(frame[at : at + header])
        frame = frame[: at + 10] + value.to_bytes(2) + frame[at + 12 :]
    if later or protocol not in _CHECKSUM_AT:
        return frame
    length = max(0, ((frame[at + 2] << 8) | frame[at + 3]) - header)
    more = bool(frame[at + 6] & 0x20)
    length = min(length, available - header)
    return _mended(frame, at + header, protocol, frame[at + 12 : at + 20], length, more)


def _ipv6(frame: bytes, at: int, options: HubOptions) -> bytes | None:
    if len(frame) - at < 40 or frame[at] >> 4 != 6:
        return None
    found = upper_layer(frame, at)
    if found is None:
        return None
    protocol, start, word = found
    if word & 0xFFF8 or protocol == _NOTHING:
        return frame
    left = len(frame) - start
    if left < _LEAST6.get(protocol, 0):
        return None
    if options.DisableCorrectIpOffloadChecksum or protocol not in _CHECKSUM_AT:
        return frame
    return _mended(frame, start, protocol, frame[at + 8 : at + 40], left, bool(word & 1))


_LOOKS = {_IPV4: _ipv4, _ARP: _arp, _IPV6: _ipv6}


def _mended(frame: bytes, at: int, protocol: int, ends: bytes, length: int, more: bool) -> bytes:
    """With the checksum that was left to a network card. TcpIp.c:CorrectChecksum.

    Such a card finds the sum of the pseudo header, or its complement. `ends` are both addresses,
    `length` is that of what the packet carries; with `more` it is the first fragment.
    """
    field = at + _CHECKSUM_AT[protocol]
    given = (frame[field] << 8) | frame[field + 1]
    whole = (frame[at + 4] << 8) | frame[at + 5] if protocol == _UDP else length
    if given:
        bare = (int.from_bytes(ends) + protocol + whole) % 0xFFFF
        if given != bare and given != 0xFFFF - bare:
            return frame
    elif protocol == _UDP:
        return frame  # it has none
    if protocol == _TCP and (more or not 20 <= (frame[at + 12] >> 4) * 4 <= len(frame) - at):
        return frame
    value = 0
    if not more and length >= whole:
        segment = frame[at:field] + b"\0\0" + frame[field + 2 : at + whole]
        half = len(ends) // 2
        value = checksum.transport(ends[:half], ends[half:], protocol, segment)
    return frame[:field] + value.to_bytes(2) + frame[field + 2 :]
