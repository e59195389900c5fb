"""The Internet checksum and its incremental update. RFC 1071, 1624, 768, 8200 8.1.

2**16 is 1 modulo 0xFFFF, so the one's complement sum of 16-bit words is the whole field of bytes
read as one number, modulo 0xFFFF. Odd lengths are padded with a zero byte on the right.
"""

from virtualtap.wire.address import Ip


def total(data: bytes) -> int:
    """The sum of the 16-bit big-endian words of `data`, below 0xFFFF."""
    value = int.from_bytes(data)
    return (value << 8 if len(data) & 1 else value) % 0xFFFF


def internet(data: bytes) -> int:
    """The checksum of `data` whose checksum field is zero, below 0xFFFF. RFC 1071 1."""
    return -total(data) % 0xFFFF


def is_right(data: bytes) -> bool:
    """Whether `data`, its checksum included, sums to zero. RFC 1071 1."""
    return total(data) == 0


def update(checksum: int, old: int, new: int) -> int:
    """The checksum after a word (or any aligned big-endian field) changed. RFC 1624 3, eqn. 3.

    What came wrong stays wrong: the error is carried over unchanged.
    """
    return (checksum + old - new) % 0xFFFF


def pseudo_header(source: Ip, destination: Ip, protocol: int, length: int) -> int:
    """The sum over the pseudo header of either family. RFC 768, 8200 8.1."""
    return (int.from_bytes(source) + int.from_bytes(destination) + protocol + length) % 0xFFFF


def transport(source: Ip, destination: Ip, protocol: int, segment: bytes) -> int:
    """The checksum of a UDP, TCP or ICMPv6 segment with a zero checksum field; never 0.

    RFC 768: a UDP checksum of 0 means none, so 0 is sent as 0xFFFF, which sums alike.
    """
    length = len(segment)
    return -(pseudo_header(source, destination, protocol, length) + total(segment)) % 0xFFFF or (
        0xFFFF
    )


def transport_is_right(source: Ip, destination: Ip, protocol: int, segment: bytes) -> bool:
    """Whether a received segment, its checksum included, sums to zero with its pseudo header."""
    length = len(segment)
    pseudo = pseudo_header(source, destination, protocol, length)
    return (pseudo + total(segment)) % 0xFFFF == 0
