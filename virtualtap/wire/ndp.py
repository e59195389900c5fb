"""Neighbour discovery: five messages and their options. RFC 4861 4, RFC 7527 (the nonce)."""

from dataclasses import dataclass
from struct import Struct
from typing import Protocol

from virtualtap.errors import WireError
from virtualtap.wire import checksum
from virtualtap.wire.address import Ip, Mac
from virtualtap.wire.ipv6 import ICMPV6, Ipv6

LEN = 24
ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT = 133, 134
SOLICITATION, ADVERTISEMENT, REDIRECT = 135, 136, 137
ROUTER, SOLICITED, OVERRIDE = 0x80000000, 0x40000000, 0x20000000  # RFC 4861 4.4
SOURCE_MAC, TARGET_MAC, PREFIX, REDIRECTED, MTU = 1, 2, 3, 4, 5  # RFC 4861 4.6
NONCE, NONCE_LEN = 14, 6  # RFC 3971 5.3.2, as RFC 7527 4 uses it
ON_LINK, AUTONOMOUS = 0x80, 0x40  # RFC 4861 4.6.2
FOREVER = 0xFFFFFFFF  # RFC 4861 4.6.2: a lifetime in seconds that does not end
HOP_LIMIT = 255  # RFC 4861 3.1: a router would have lowered it
PROTOCOL = ICMPV6
_LAYOUT = Struct("!BBHI16s")
_SOLICITATION = Struct("!BBHI")
_ADVERTISEMENT = Struct("!BBHBBHII")
_REDIRECT = Struct("!BBHI16s16s")
_PREFIX = Struct("!BBIII16s")
assert (_LAYOUT.size, _SOLICITATION.size, _ADVERTISEMENT.size) == (LEN, 8, 16)
assert (_REDIRECT.size, _PREFIX.size) == (40, 30)

_KINDS = tuple(bytes((kind,)) for kind in range(ROUTER_SOLICITATION, REDIRECT + 1))

Options = tuple[tuple[int, bytes], ...]


class Message(Protocol):
    """What all five have: options as (code, value) in order, unknown ones kept; a checksum."""

    __slots__ = ()
    options: Options

    def to_bytes(self) -> bytes: ...

    def between(self, source: Ip, destination: Ip) -> bytes:
        """The message with its right checksum for these addresses. RFC 4443 2.3."""
        data = self.to_bytes()
        bare = data[:2] + bytes(2) + data[4:]
        value = checksum.transport(source, destination, PROTOCOL, bare)
        return data[:2] + value.to_bytes(2) + data[4:]

    def option(self, code: int, length: int) -> bytes | None:
        """The first value of this code and length, or None."""
        for found, value in self.options:
            if found == code and len(value) == length:
                return value
        return None

    def mac(self, code: int) -> Mac | None:
        """The first link-layer address option of this code, or None. RFC 4861 4.6.1."""
        return self.option(code, 6)


@dataclass(slots=True)
class NeighborMessage(Message):
    """A neighbour solicitation or advertisement. RFC 4861 4.3, 4.4."""

    type: int
    flags: int
    target: Ip
    options: Options = ()
    code: int = 0
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "NeighborMessage":
        """WireError below 24 bytes, for other types, and where an option's length is wrong."""
        if len(data) < LEN:
            raise WireError(f"a neighbour message needs {LEN} bytes, got {len(data)}")
        kind, code, value, flags, target = _LAYOUT.unpack_from(data)
        if kind not in (SOLICITATION, ADVERTISEMENT):
            raise WireError(f"a neighbour message has type 135 or 136, got {kind}")
        return cls(kind, flags, target, _options(data[LEN:]), code, value)

    def to_bytes(self) -> bytes:
        """The message with the checksum it carries."""
        head = _LAYOUT.pack(self.type, self.code, self.checksum, self.flags, self.target)
        return head + _packed(self.options)


@dataclass(slots=True)
class RouterSolicitation(Message):
    """Who asks for routers. RFC 4861 4.1."""

    options: Options = ()
    code: int = 0
    reserved: int = 0
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "RouterSolicitation":
        """WireError below 8 bytes, for other types, and where an option's length is wrong."""
        _check(data, _SOLICITATION.size, ROUTER_SOLICITATION, "a router solicitation")
        _, code, value, reserved = _SOLICITATION.unpack_from(data)
        return cls(_options(data[_SOLICITATION.size :]), code, reserved, value)

    def to_bytes(self) -> bytes:
        """The message with the checksum it carries."""
        head = _SOLICITATION.pack(ROUTER_SOLICITATION, self.code, self.checksum, self.reserved)
        return head + _packed(self.options)


@dataclass(slots=True)
class RouterAdvertisement(Message):
    """What a router says of itself; lifetime in seconds, times in milliseconds. RFC 4861 4.2."""

    lifetime: int
    options: Options = ()
    hop_limit: int = 0
    flags: int = 0
    reachable_time: int = 0
    retrans_timer: int = 0
    code: int = 0
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "RouterAdvertisement":
        """WireError below 16 bytes, for other types, and where an option's length is wrong."""
        _check(data, _ADVERTISEMENT.size, ROUTER_ADVERTISEMENT, "a router advertisement")
        _, code, value, hops, flags, lifetime, reachable, retrans = _ADVERTISEMENT.unpack_from(data)
        options = _options(data[_ADVERTISEMENT.size :])
        return cls(lifetime, options, hops, flags, reachable, retrans, code, value)

    def to_bytes(self) -> bytes:
        """The message with the checksum it carries."""
        head = _ADVERTISEMENT.pack(
            *(ROUTER_ADVERTISEMENT, self.code, self.checksum, self.hop_limit, self.flags),
            *(self.lifetime, self.reachable_time, self.retrans_timer),
        )
        return head + _packed(self.options)

    def prefixes(self) -> "list[Prefix]":
        """The prefix options that are as long as one, in order; of 128 bits at most."""
        values = [value for code, value in self.options if code == PREFIX]
        return [Prefix.parse(v) for v in values if len(v) == _PREFIX.size and v[0] <= 128]


@dataclass(slots=True)
class Redirect(Message):
    """A better first hop. RFC 4861 4.5."""

    target: Ip
    destination: Ip
    options: Options = ()
    code: int = 0
    reserved: int = 0
    checksum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "Redirect":
        """WireError below 40 bytes, for other types, and where an option's length is wrong."""
        _check(data, _REDIRECT.size, REDIRECT, "a redirect")
        _, code, value, reserved, target, destination = _REDIRECT.unpack_from(data)
        return cls(target, destination, _options(data[_REDIRECT.size :]), code, reserved, value)

    def to_bytes(self) -> bytes:
        """The message with the checksum it carries."""
        head = _REDIRECT.pack(
            *(REDIRECT, self.code, self.checksum, self.reserved, self.target, self.destination)
        )
        return head + _packed(self.options)


@dataclass(slots=True)
class Prefix:
    """The value of a prefix option, 30 bytes; lifetimes in seconds. RFC 4861 4.6.2."""

    prefix: Ip
    length: int
    flags: int
    valid: int
    preferred: int
    reserved: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "Prefix":
        """WireError below 30 bytes, and where the prefix is longer than an address."""
        if len(data) < _PREFIX.size:
            raise WireError(f"a prefix needs {_PREFIX.size} bytes, got {len(data)}")
        length, flags, valid, preferred, reserved, prefix = _PREFIX.unpack_from(data)
        if length > 128:
            raise WireError(f"a prefix has at most 128 bits, got {length}")
        return cls(prefix, length, flags, valid, preferred, reserved)

    def to_bytes(self) -> bytes:
        """The value, without code and length."""
        return _PREFIX.pack(
            *(self.length, self.flags, self.valid, self.preferred, self.reserved, self.prefix)
        )


def packet(message: Message, source: Ip, destination: Ip) -> bytes:
    """The IPv6 packet of a message, with the hop limit that proves it local. RFC 4861 3.1."""
    body = message.between(source, destination)
    return Ipv6(source, destination, PROTOCOL, body, hop_limit=HOP_LIMIT).to_bytes()


def is_inside(packet: bytes) -> bool:
    """Whether an IPv6 packet of 40 bytes or more carries one of the five at once."""
    return packet[6] == PROTOCOL and packet[40:41] in _KINDS


def is_whole(packet: Ipv6) -> bool:
    """What each of the five must satisfy. RFC 4861 6.1.1, 6.1.2, 7.1.1, 7.1.2, 8.1.

    Hop limit 255, code 0, a right checksum; lengths are for `parse`.
    """
    return (
        packet.hop_limit == HOP_LIMIT
        and packet.payload[1:2] == b"\0"
        and checksum.transport_is_right(packet.source, packet.destination, PROTOCOL, packet.payload)
    )


def _check(data: bytes, least: int, kind: int, what: str) -> None:
    if len(data) < least:
        raise WireError(f"{what} needs {least} bytes, got {len(data)}")
    if data[0] != kind:
        raise WireError(f"{what} has type {kind}, got {data[0]}")


def _packed(options: Options) -> bytes:
    return b"".join(bytes((code, (len(value) + 2) // 8)) + value for code, value in options)


def _options(data: bytes) -> Options:
    """RFC 4861 4.6: lengths count 8 bytes, zero is never right."""
    found = []
    at = 0
    while at < len(data):
        length = data[at + 1] * 8 if at + 1 < len(data) else 0
        if length == 0 or at + length > len(data):
            raise WireError(f"an option claims {length} bytes, {len(data) - at} are left")
        found.append((data[at], data[at + 2 : at + length]))
        at += length
    return tuple(found)
