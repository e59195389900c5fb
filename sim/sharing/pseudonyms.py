"""Pseudonyms: addresses, MACs and names as others that tell nobody who it was, one for each.

Under one key the same is always the same. Addresses that share a prefix share one afterwards, as
in Crypto-PAn (Xu, Fan, Ammar, Moon: Prefix-preserving IP address anonymization, 2002); private
ones stay private, link-local ones link-local, groups groups. What belongs together still does: a
group and its MAC (RFC 1112, 2464), a solicited-node group and its address (RFC 4291 2.7.1), an
interface identifier and the MAC it was made of (RFC 4291 appendix A).
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_address

from sim.capture import escaped
from virtualtap.wire.address import Ip, Mac, ip_text, mac_text

KEY_LEN = 32
NAMES_MAX = 5_000  # that are looked for in a text
TEXT_MAX = 4_000  # characters of it
WITHHELD = "(withheld)"

_REMEMBERED = 65_536
_CUT = 40  # characters: no text of ours cuts a name shorter
_SUM_LEN = 6  # bytes of a name's
_IP_LENS = (4, 16)
_MADE_OF_MAC = b"\xff\xfe"  # in the middle of an interface identifier
_GROUP_MAC4, _GROUP_MAC6, _BRIDGES = b"\x01\x00\x5e", b"\x33\x33", b"\x01\x80\xc2\x00\x00"
_WELL_KNOWN4 = 256  # the low 23 bits of groups of 224.0.0.0/24: RFC 5771 4
_WELL_KNOWN6 = 0x20000  # the low 32 bits of groups such as ff02::1 and ff02::1:2
_KEPT = {  # what these addresses are is written in RFCs
    *(bytes(4), b"\xff\xff\xff\xff", b"\x7f\x00\x00\x01"),
    *(bytes(16), bytes(15) + b"\x01", bytes(6), b"\xff" * 6),
}
# an address stays within these, and none comes into one: first bytes, length in bits
_KINDS4 = (
    *((b"\x00", 8), (b"\x0a", 8), (b"\x7f", 8), (b"\xa9\xfe", 16), (b"\xac\x10", 12)),
    *((b"\xc0\xa8", 16), (b"\xe0", 4), (b"\xf0", 4)),
)
_KINDS6 = (
    *((b"\x00", 8), (b"\xfc", 7), (b"\xfe\x80", 10), (b"\xfe\x80" + bytes(6), 64)),
    (b"\xff", 8),
)

_MAC = r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"
_IP4 = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
_IP6 = r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:[0-9.]*)"
_BYTES = r"(?=0|[0-9]*[A-Fa-f])[0-9A-Fa-f]{8,}|[0-9]{20,}"  # fewer digits are a number
_ADDRESS = rf"(?<![\w.:])(?:(?P<mac>{_MAC})|(?P<ip>{_IP6}|{_IP4})|(?P<bytes>{_BYTES}))(?![\w:])"


class Pseudonyms:
    """Of one key, which is drawn for one call and kept nowhere. `names` are found in texts, too."""

    def __init__(self, key: bytes, names: Iterable[str] = ()) -> None:
        self._key = key
        found = {form for name in names if name for form in (name, escaped(name, 2 * _CUT))}
        known = sorted(found, key=lambda name: (-len(name), name))
        self._too_many = len(known) > NAMES_MAX
        self._words = _pattern([] if self._too_many else known)
        self.ip = lru_cache(_REMEMBERED)(self._ip)
        self.mac = lru_cache(_REMEMBERED)(self._mac)
        self.text = lru_cache(_REMEMBERED)(self._text)

    def name(self, name: str) -> str:
        """A name; nothing stays nothing."""
        if not name:
            return name
        said = name.encode(errors="surrogatepass")
        sum_ = blake2b(said, key=self._key, digest_size=_SUM_LEN, person=b"name")
        return f"n{sum_.hexdigest()}"

    def address(self, text: str) -> str | None:
        """An address or MAC as text, of the same look; None where it is none."""
        if re.fullmatch(_MAC, text):
            dashes = "-" in text
            mac = self.mac(bytes.fromhex(text.replace(":", "").replace("-", "")))
            return mac_text(mac).replace(":", "-") if dashes else mac_text(mac)
        try:
            found = ip_address(text)
        except ValueError:
            return None
        return ip_text(self.ip(found.packed))

    def _found(self, found: re.Match[str]) -> str:
        said = found[0]
        if found["bytes"]:
            return self.name(said)
        if found["mac"] or found["ip"]:
            return self.address(said) or self.name(said)
        return self.name(said)

    def _text(self, text: str) -> str:
        """Words in which known names, addresses and bytes may stand; all else stays."""
        if len(text) > TEXT_MAX or self._too_many:
            return WITHHELD
        return self._words.sub(self._found, text)

    def _ip(self, ip: Ip) -> Ip:
        """An address of 4 or 16 bytes."""
        if ip in _KEPT:
            return ip
        if len(ip) == 4:
            return self._group4(ip) if ip[0] >> 4 == 14 else self._turned(b"ip", ip, _KINDS4)
        return self._group6(ip) if ip[0] == 0xFF else self._ip6(ip)

    def _mac(self, mac: Mac) -> Mac:
        """6 bytes: who made it, but for whether it is a group's or was given locally; and which."""
        if mac in _KEPT or mac.startswith(_BRIDGES):
            return mac
        if mac.startswith(_GROUP_MAC4):
            return mac[:3] + self._low23(mac[3:])
        if mac.startswith(_GROUP_MAC6):
            return mac[:2] + self._low32(mac[2:])
        first = mac[0]
        turned = bytes([(first & 3) << 6 | first >> 2]) + mac[1:3]  # the two bits in front
        maker = self._turned(b"maker", turned, kept=2)
        return bytes([maker[0] << 2 & 0xFF | maker[0] >> 6]) + maker[1:] + self._low(mac[3:])

    def _ip6(self, ip: Ip) -> Ip:
        network = self._turned(b"network", ip[:8], _KINDS6)
        if ip[11:13] == _MADE_OF_MAC:
            mac = self.mac(bytes([ip[8] ^ 2]) + ip[9:11] + ip[13:])
            return network + bytes([mac[0] ^ 2]) + mac[1:3] + _MADE_OF_MAC + mac[3:]
        return network + self._turned(b"interface", ip[8:13]) + self._low(ip[13:])

    def _group4(self, ip: Ip) -> Ip:
        low = self._low23(bytes([ip[1] & 0x7F]) + ip[2:])
        return bytes([ip[0], ip[1] & 0x80 | low[0]]) + low[1:]

    def _group6(self, ip: Ip) -> Ip:
        middle = ip[2:12]
        if int.from_bytes(middle) > 1:  # neither well known nor a solicited node's
            middle = self._turned(b"group", middle)
        return ip[:2] + middle + self._low32(ip[12:])

    def _low23(self, low: bytes) -> bytes:
        """3 bytes, of which a group's MAC and its address share 23 bits."""
        if int.from_bytes(low) < _WELL_KNOWN4:
            return low
        return self._turned(b"low23", low, kept=1)

    def _low32(self, low: bytes) -> bytes:
        """4 bytes that a group's MAC and its address share."""
        if int.from_bytes(low) < _WELL_KNOWN6:
            return low
        return low[:1] + self._low(low[1:])

    def _low(self, low: bytes) -> bytes:
        """3 bytes that a MAC, an address made of it and its solicited-node group share."""
        return self._turned(b"low", low)

    def _turned(
        self, what: bytes, data: bytes, kinds: Iterable[tuple[bytes, int]] = (), kept: int = 0
    ) -> bytes:
        """Every bit turned or not, as the key and the bits before it say: prefixes stay shared.

        The first `kept` stay, and all that tell which of `kinds` it is.
        """
        number, bits = int.from_bytes(data), 8 * len(data)
        for first, length in kinds:
            apart = (number >> bits - length) ^ int.from_bytes(first) >> 8 * len(first) - length
            kept = max(kept, min(length, length - apart.bit_length() + 1))
        made = bytearray()
        for at, byte in enumerate(data):
            # a sum of 256 bits has one for each prefix that ends in this byte
            tree = int.from_bytes(
                blake2b(data[:at], key=self._key, digest_size=32, person=what).digest()
            )
            node, turned = 1, byte
            for i in range(8):
                if 8 * at + i >= kept and tree >> node & 1:
                    turned ^= 0x80 >> i
                node = node << 1 | byte >> 7 - i & 1
            made.append(turned)
        return bytes(made)


def _pattern(names: list[str]) -> re.Pattern[str]:
    """Names, the longest first, where they are words of their own; and addresses.

    A name that begins with an address and goes on is looked for before addresses are.
    """
    whole = [name for name in names if not re.fullmatch(_ADDRESS, name)]
    longer = [_word(name) for name in whole if re.match(_ADDRESS, name)]
    others = [_word(name) for name in whole if not re.match(_ADDRESS, name)]
    return re.compile("|".join([*longer, _ADDRESS, *others]))


def _word(name: str) -> str:
    if len(name) > _CUT:  # in words a long one may be cut
        return re.escape(name[:_CUT]) + r"\S*"
    before = r"(?<!\w)" if name[0].isalnum() else ""
    behind = r"(?!\w)" if name[-1].isalnum() else ""
    return before + re.escape(name) + behind
