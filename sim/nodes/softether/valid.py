"""What an administrator may not set: no card's MAC, no host's address, masks with holes. Virtual.c.

Each raises a UsageError that names the setting.
"""

from virtualtap.errors import UsageError
from virtualtap.wire.address import Ip, Mac, ip_text, is_group, is_unicast4, mac_text

_LEAST_TYPE = 0x0600  # below, it is a length. IEEE 802.3 3.2.6
_TAKEN = (0x0800, 0x0806, 0x86DD)  # IPv4, ARP, IPv6


def card(name: str, value: Mac) -> None:
    """A MAC that one network card may have."""
    if is_group(value) or not any(value):
        raise UsageError(
            f"`{name}` is `{mac_text(value)}`", "give the MAC of one card: its first byte is even"
        )


def host(name: str, value: Ip) -> None:
    """An IPv4 address that one host may have."""
    if not is_unicast4(value):
        raise UsageError(f"`{name}` is `{ip_text(value)}`", "give the address of a host")


def mask(name: str, value: Ip) -> None:
    """Ones, and then zeros."""
    zeros = ~int.from_bytes(value) & 0xFFFFFFFF
    if zeros & (zeros + 1):
        raise UsageError(
            f"`{name}` is `{ip_text(value)}`", "give ones and then zeros: `255.255.255.0`"
        )


def tag(name: str, value: int) -> None:
    """A type that a VLAN tag may have: no length, and no protocol that the hub looks into."""
    if not _LEAST_TYPE <= value <= 0xFFFF or value in _TAKEN:
        raise UsageError(f"`{name}` is `0x{value:04X}`", "give the type of a tag: `0x8100`")
