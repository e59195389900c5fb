"""ARP for IPv4 over Ethernet. RFC 826, 5227 1.1."""

from dataclasses import dataclass
from struct import Struct

from virtualtap.errors import WireError
from virtualtap.wire.address import NO_MAC, Ip, Mac

LEN = 28
REQUEST, REPLY = 1, 2
ETHERNET = b"\0\1"  # the hardware type: IANA
# Ethernet, IPv4, and their lengths: RFC 826 "Definitions", IANA
_KIND = ETHERNET + bytes((8, 0, 6, 4))
_LAYOUT = Struct("!H6s4s6s4s")
assert len(_KIND) + _LAYOUT.size == LEN


@dataclass(slots=True)
class Arp:
    """One ARP message; MACs of 6 bytes, addresses of 4."""

    operation: int
    sender_mac: Mac
    sender_ip: Ip
    target_mac: Mac
    target_ip: Ip

    @classmethod
    def parse(cls, data: bytes) -> "Arp":
        """WireError below 28 bytes, or where the types or lengths are not Ethernet and IPv4."""
        if len(data) < LEN:
            raise WireError(f"ARP needs {LEN} bytes, got {len(data)}")
        if data[: len(_KIND)] != _KIND:
            got = data[: len(_KIND)].hex(" ")
            raise WireError(f"ARP needs types and lengths 1, 0x0800, 6, 4, got {got}")
        return cls(*_LAYOUT.unpack_from(data, len(_KIND)))

    def to_bytes(self) -> bytes:
        """28 bytes."""
        return _KIND + _LAYOUT.pack(
            self.operation, self.sender_mac, self.sender_ip, self.target_mac, self.target_ip
        )


def request(our_mac: Mac, our_ip: Ip, asks: Ip) -> bytes:
    """The 28 bytes of `who has asks, tell our_ip`."""
    return Arp(REQUEST, our_mac, our_ip, NO_MAC, asks).to_bytes()


def reply(our_mac: Mac, our_ip: Ip, to: Arp) -> bytes:
    """The 28 bytes of `our_ip is at our_mac`, for the sender of a request."""
    return _KIND + _LAYOUT.pack(REPLY, our_mac, our_ip, to.sender_mac, to.sender_ip)
