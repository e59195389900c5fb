"""MAC and IP addresses as their wire bytes. RFC 826, 1112 6.4, 2464 7, 4291 2."""

import ipaddress
from typing import NamedTuple, TypeAlias

from virtualtap.errors import UsageError

Mac: TypeAlias = bytes  # 6
Ip: TypeAlias = bytes  # 4 or 16


class Route(NamedTuple):
    """What is reached through whom; a router of 0.0.0.0: on-link. RFC 3442."""

    network: Ip  # 4 bytes, zero below the prefix
    prefix_length: int
    router: Ip


MAC_LEN, IP4_LEN, IP6_LEN = 6, 4, 16
BROADCAST: Mac = b"\xff" * 6
NO_MAC: Mac = bytes(6)
LIMITED_BROADCAST: Ip = b"\xff" * 4  # RFC 919 7
ANY4: Ip = bytes(4)
ALL_HOSTS4: Ip = b"\xe0\x00\x00\x01"  # RFC 1112 4
ANY6: Ip = bytes(16)
LOOPBACK4 = 127  # the first byte: RFC 1122 3.2.1.3 (g)
LOOPBACK6: Ip = bytes(15) + b"\x01"  # RFC 4291 2.5.3
ALL_NODES6: Ip = b"\xff\x02" + bytes(13) + b"\x01"  # RFC 4291 2.7.1
ALL_ROUTERS6: Ip = b"\xff\x02" + bytes(13) + b"\x02"  # RFC 4291 2.7.1
LINK_LOCAL6: bytes = b"\xfe\x80" + bytes(6)  # RFC 4291 2.5.6: a /64
_SOLICITED_NODE = b"\xff\x02" + bytes(9) + b"\x01\xff"  # RFC 4291 2.7.1, + 3 low bytes


def mac(text: str) -> Mac:
    """`"02:00:5e:00:00:01"` as 6 bytes; UsageError for anything else."""
    try:
        value = bytes.fromhex(text.replace(":", "").replace("-", ""))
    except ValueError:
        value = b""
    if len(value) != MAC_LEN:
        raise UsageError(f"`{text!s:.40}` is not a MAC address", "write it as `02:00:5e:00:00:01`")
    return value


def ip(text: str) -> Ip:
    """`"10.0.0.1"` or `"fd00::1"` as 4 or 16 bytes; UsageError for anything else."""
    try:
        return ipaddress.ip_address(text).packed
    except ValueError:
        hint = "write it as `10.0.0.1` or `fd00::1`"
        raise UsageError(f"`{text!s:.60}` is not an IP address", hint) from None


def mac_text(value: Mac) -> str:
    """6 bytes as `02:00:5e:00:00:01`."""
    return value.hex(":")


def ip_text(value: Ip) -> str:
    """4 or 16 bytes as text, IPv6 in the form of RFC 5952."""
    return str(ipaddress.ip_address(value))


def is_group(address: Mac) -> bool:
    """The I/G bit: broadcast and multicast. IEEE 802."""
    return bool(address[0] & 1)


def is_neighbors_mac(address: Mac, our_mac: Mac) -> bool:
    """Whether another station can have it: no group, not zero, not ours."""
    return not is_group(address) and any(address) and address != our_mac


def is_multicast4(address: Ip) -> bool:
    """224.0.0.0/4. RFC 1112 4."""
    return 224 <= address[0] < 240


def is_unicast4(address: Ip) -> bool:
    """An address that one host on a network may own. RFC 1122 3.2.1.3."""
    return 0 < address[0] < 224 and address[0] != 127


def is_link_local4(address: Ip) -> bool:
    """169.254.0.0/16, never routed. RFC 3927 7."""
    return address[0] == 169 and address[1] == 254


def is_multicast6(address: Ip) -> bool:
    """ff00::/8. RFC 4291 2.7."""
    return address[0] == 0xFF


def is_unicast6(address: Ip) -> bool:
    """Neither multicast, nor ::, nor ::1. RFC 4291 2.4."""
    return address[0] != 0xFF and address[:15] != bytes(15)


def is_link_local6(address: Ip) -> bool:
    """fe80::/10, never routed. RFC 4291 2.5.6."""
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


def multicast_mac4(group: Ip) -> Mac:
    """01:00:5e and the low 23 bits of the group. RFC 1112 6.4."""
    return b"\x01\x00\x5e" + bytes((group[1] & 0x7F,)) + group[2:4]


def multicast_mac6(group: Ip) -> Mac:
    """33:33 and the low 32 bits of the group. RFC 2464 7."""
    return b"\x33\x33" + group[12:16]


def solicited_node(address: Ip) -> Ip:
    """ff02::1:ff00:0/104 and the low 24 bits of the address. RFC 4291 2.7.1."""
    return _SOLICITED_NODE + address[13:16]


def eui64(mac: Mac) -> bytes:
    """The 8 bytes that end the addresses of this MAC. RFC 4291 appendix A, RFC 2464 4."""
    return bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:]


def network_mask(prefix_length: int) -> int:
    """An IPv4 mask as a number, 0 to 32 bits. RFC 4632 3.1."""
    return (0xFFFFFFFF << (32 - prefix_length)) & 0xFFFFFFFF


def directed_broadcast(address: Ip, prefix_length: int) -> Ip | None:
    """The broadcast address of the address's network; None for /31 and /32. RFC 919 7, 3021."""
    if prefix_length > 30:
        return None
    host_bits = ~network_mask(prefix_length) & 0xFFFFFFFF
    return (int.from_bytes(address) | host_bits).to_bytes(4)
