"""DHCP messages and their options. RFC 2131 2, RFC 2132, RFC 3396, RFC 3442."""

from dataclasses import dataclass
from struct import Struct
from typing import TypeAlias

from virtualtap.errors import WireError
from virtualtap.wire.address import ANY4, IP4_LEN, MAC_LEN, Ip, Mac, Route, network_mask

CLIENT_PORT, SERVER_PORT = 68, 67
TO_SERVER, TO_CLIENT = 1, 2  # the operation: BOOTREQUEST, BOOTREPLY
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)  # RFC 2132 9.6
BROADCAST_FLAG = 0x8000
LEN_MIN = 300  # RFC 1542 2.1: what BOOTP's servers and relays expect at least
INFINITE = 0xFFFFFFFF  # RFC 2131 3.3: a lease without end

PAD, END = 0, 255
MASK, ROUTER, DNS, HOST_NAME, DOMAIN_NAME, MTU = 1, 3, 6, 12, 15, 26
REQUESTED_IP, LEASE_TIME, OVERLOAD, KIND, SERVER_ID = 50, 51, 52, 53, 54
PARAMETERS, MESSAGE, SIZE_MAX, RENEWAL_TIME, REBINDING_TIME, CLIENT_ID = 55, 56, 57, 58, 59, 61
ROUTES = 121

Options: TypeAlias = tuple[tuple[int, bytes], ...]

_ETHERNET = 1  # IANA's hardware type
_COOKIE = bytes((99, 130, 83, 99))  # RFC 2131 3
_FILE_OVERLOADED, _NAME_OVERLOADED = 1, 2  # RFC 2132 9.3: bits
_LAYOUT = Struct("!BBBBIHH4s4s4s4s6s10s64s128s4s")
HEADER_LEN = 240  # the cookie included
MAC_AT = 28  # where the client's hardware address stands
assert _LAYOUT.size == HEADER_LEN


@dataclass(slots=True)
class Dhcp:
    """One message of an Ethernet client; addresses of 4 bytes, `secs` in seconds.

    `options` keeps the order, unknown ones too, each code once: parts that a sender split are
    joined (RFC 3396), also from overloaded header fields, and longer ones are split again.
    """

    operation: int
    xid: int
    client_mac: Mac
    options: Options = ()
    secs: int = 0
    flags: int = 0
    client_ip: Ip = ANY4  # ciaddr: what the client is called already
    your_ip: Ip = ANY4  # yiaddr: what it may be called
    next_server: Ip = ANY4  # siaddr: who serves its boot file
    relay_ip: Ip = ANY4  # giaddr
    hops: int = 0
    server_name: bytes = b""  # at most 64 bytes, without the zeros after it
    boot_file: bytes = b""  # at most 128

    @classmethod
    def parse(cls, data: bytes) -> "Dhcp":
        """WireError below 240 bytes, for another cookie or hardware, for an option cut short."""
        if len(data) < HEADER_LEN:
            raise WireError(f"DHCP needs {HEADER_LEN} bytes, got {len(data)}")
        operation, hardware, mac_len, hops, xid, secs, flags, *rest = _LAYOUT.unpack_from(data)
        client_ip, your_ip, next_server, relay_ip, client_mac, _, name, file, cookie = rest
        if (hardware, mac_len, cookie) != (_ETHERNET, MAC_LEN, _COOKIE):
            got = f"{hardware}, {mac_len}, {cookie.hex()}"
            raise WireError(f"DHCP needs hardware 1, length 6 and its cookie, got {got}")
        options: dict[int, bytes] = {}
        _read_options(data[HEADER_LEN:], options)
        overload = options.pop(OVERLOAD, b"\0")
        if overload not in (b"\0", b"\1", b"\2", b"\3"):
            raise WireError(f"DHCP's option overload is 1, 2 or 3, got {overload.hex()}")
        if overload[0] & _FILE_OVERLOADED:  # RFC 3396 5: the file first, then the name
            _read_options(file, options)
            file = b""
        if overload[0] & _NAME_OVERLOADED:
            _read_options(name, options)
            name = b""
        return cls(
            operation,
            xid,
            client_mac,
            tuple(options.items()),
            secs,
            flags,
            client_ip,
            your_ip,
            next_server,
            relay_ip,
            hops,
            name.rstrip(b"\0"),
            file.rstrip(b"\0"),
        )

    def to_bytes(self) -> bytes:
        """The message with its end mark, at least 300 bytes."""
        assert len(self.server_name) <= 64
        assert len(self.boot_file) <= 128
        head = _LAYOUT.pack(
            self.operation,
            _ETHERNET,
            MAC_LEN,
            self.hops,
            self.xid,
            self.secs,
            self.flags,
            self.client_ip,
            self.your_ip,
            self.next_server,
            self.relay_ip,
            self.client_mac,
            b"",
            self.server_name,
            self.boot_file,
            _COOKIE,
        )
        options = b"".join(_option_bytes(code, value) for code, value in self.options)
        return (head + options + bytes((END,))).ljust(LEN_MIN, b"\0")

    def value(self, code: int) -> bytes | None:
        """What an option says, or None."""
        return next((value for each, value in self.options if each == code), None)

    @property
    def kind(self) -> int:
        """DISCOVER to INFORM; 0 for a BOOTP message, which has none."""
        return self.number(KIND, 1) or 0

    def number(self, code: int, length: int = 4) -> int | None:
        """An option that is a number; WireError where it has not `length` bytes."""
        value = self.value(code)
        if value is not None and len(value) != length:
            raise WireError(f"DHCP option {code} needs {length} bytes, got {len(value)}")
        return None if value is None else int.from_bytes(value)

    def addresses(self, code: int) -> tuple[Ip, ...]:
        """An option that lists addresses; WireError where it is not one or more times 4 bytes."""
        value = self.value(code)
        if value is None:
            return ()
        if not value or len(value) % IP4_LEN:
            raise WireError(f"DHCP option {code} needs 4 bytes each, got {len(value)}")
        return tuple(value[at : at + IP4_LEN] for at in range(0, len(value), IP4_LEN))

    def prefix_length(self) -> int | None:
        """The subnet mask as a number of bits; WireError where its ones are not all in front."""
        mask = self.number(MASK)
        if mask is None:
            return None
        length = mask.bit_count()
        if mask != network_mask(length):
            raise WireError(f"DHCP's subnet mask needs its ones in front, got {mask:#010x}")
        return length


def routes(data: bytes) -> tuple[Route, ...]:
    """The classless routes of option 121; WireError where they are cut short. RFC 3442.

    Bits of the network below the prefix are cleared.
    """
    found, at = [], 0
    while at < len(data):
        length = data[at]
        octets = (length + 7) // 8
        end = at + 1 + octets + IP4_LEN
        if length > 32 or end > len(data):
            raise WireError(f"a classless route claims {length} bits in {len(data) - at} bytes")
        number = int.from_bytes(data[at + 1 : at + 1 + octets].ljust(IP4_LEN, b"\0"))
        network = (number & network_mask(length)).to_bytes(IP4_LEN)
        found.append(Route(network, length, data[end - IP4_LEN : end]))
        at = end
    if not found:
        raise WireError("DHCP option 121 needs 5 bytes, got 0")
    return tuple(found)


def route_bytes(found: tuple[Route, ...]) -> bytes:
    """Option 121 of these routes: length, significant octets, router. RFC 3442."""
    return b"".join(
        bytes((route.prefix_length,))
        + route.network[: (route.prefix_length + 7) // 8]
        + route.router
        for route in found
    )


def options_len(options: Options) -> int:
    """The bytes that these options take in a message, without the end mark."""
    return sum(len(_option_bytes(code, value)) for code, value in options)


def _read_options(data: bytes, options: dict[int, bytes]) -> None:
    """Add what stands in one field, up to its end mark or, where none is, its end. RFC 3396 7."""
    at = 0
    while at < len(data) and data[at] != END:
        code = data[at]
        at += 1
        if code == PAD:
            continue
        end = at + 1 + data[at] if at < len(data) else at + 1
        if end > len(data):
            raise WireError(f"DHCP option {code} claims {end - at} bytes, got {len(data) - at}")
        options[code] = options.get(code, b"") + data[at + 1 : end]
        at = end


def _option_bytes(code: int, value: bytes) -> bytes:
    parts = [value[at : at + 255] for at in range(0, len(value), 255)] or [b""]
    return b"".join(bytes((code, len(part))) + part for part in parts)
