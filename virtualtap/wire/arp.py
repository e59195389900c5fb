"""ARP for IPv4 over Ethernet. RFC 826, 5227 1.1."""

from dataclasses import dataclass
from struct import Struct

from virtualtap.errors import WireError
from virtualtap.wire.address import NO_MAC, Ip, Mac

LEN = 28
REQUEST, REPLY = 1, 2
_ETHERNET, _IPV4 = 1, 0x0800  # RFC 826 "Definitions", IANA
_LAYOUT = Struct("!HHBBH6s4s6s4s")
assert _LAYOUT.size == LEN


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
        hardware, protocol, mac_len, ip_len, *rest = _LAYOUT.unpack_from(data)
        if (hardware, protocol, mac_len, ip_len) != (_ETHERNET, _IPV4, 6, 4):
            got = f"{hardware}, {protocol:#06x}, {mac_len}, {ip_len}"
            raise WireError(f"ARP needs types and lengths 1, 0x0800, 6, 4, got {got}")
        return cls(*rest)

    def to_bytes(self) -> bytes:
        """28 bytes."""
        return _LAYOUT.pack(
            _ETHERNET,
            _IPV4,
            6,
            4,
            self.operation,
            self.sender_mac,
            self.sender_ip,
            self.target_mac,
            self.target_ip,
        )


def request(our_mac: Mac, our_ip: Ip, asks: Ip) -> bytes:
    """The 28 bytes of `who has asks, tell our_ip`."""
    return Arp(REQUEST, our_mac, our_ip, NO_MAC, asks).to_bytes()


def reply(our_mac: Mac, our_ip: Ip, to: Arp) -> bytes:
    """The 28 bytes of `our_ip is at our_mac`, for the sender of a request."""
    return Arp(REPLY, our_mac, our_ip, to.sender_mac, to.sender_ip).to_bytes()
