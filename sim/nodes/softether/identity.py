"""Who the server's own parts are: MACs and addresses from SHA-0. Hub.c:GenHubMacAddress, TcpIp.c.

SHA-0 is FIPS 180: SHA-1 without the rotation in the schedule.
"""

from functools import lru_cache
from struct import Struct

from sim.nodes.softether.constants import Version
from virtualtap.wire.address import Ip, Mac

_WORDS = Struct(">16I")
_START: tuple[int, ...] = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
_MASK = 0xFFFFFFFF


def sha0(data: bytes) -> bytes:
    """20 bytes."""
    state = _START
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + (8 * len(data)).to_bytes(8)
    for at in range(0, len(padded), 64):
        words = list(_WORDS.unpack_from(padded, at))
        for i in range(16, 80):
            words.append(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16])
        state = _rounds(state, words)
    return b"".join(word.to_bytes(4) for word in state)


@lru_cache(maxsize=1024)
def hub_mac(machine: str, hub: str) -> Mac:
    """The polling identity of a hub: 00:AE and four bytes of its name on this machine."""
    return b"\x00\xae" + sha0((sha0(machine.encode()).hex() + hub).upper().encode())[:4]


def hub_ip(mac: Mac, version: Version) -> Ip:
    """172.31.x.y of the polling identity: the stable version takes y from a byte of its own."""
    last = mac[3] if version is Version.STABLE else mac[2]
    return bytes((172, 31, mac[2] % 254 + 1, last % 254 + 1))


def link_local(mac: Mac) -> Ip:
    """fe80:: and the product's EUI-64, which has the first half of the MAC twice."""
    first = mac[:3]
    return b"\xfe\x80" + bytes(6) + bytes((first[0] ^ 2,)) + first[1:] + b"\xff\xfe" + first


def is_polling(mac: Mac, address: Ip) -> bool:
    """Whether this is how a hub asks, ours or another: its addresses are never learned."""
    if mac[:2] != b"\x00\xae":
        return False
    if len(address) == 4:
        return address[:2] == b"\xac\x1f" and 1 <= address[2] <= 254 and 1 <= address[3] <= 254
    return address[:10] == b"\xfe\x80" + bytes(6) + b"\x02\xae"


def _rounds(state: tuple[int, ...], words: list[int]) -> tuple[int, ...]:
    a, b, c, d, e = state
    for i, word in enumerate(words):
        if i < 20:
            mixed, constant = (b & c) | (~b & d), 0x5A827999
        elif i < 40:
            mixed, constant = b ^ c ^ d, 0x6ED9EBA1
        elif i < 60:
            mixed, constant = (b & c) | (b & d) | (c & d), 0x8F1BBCDC
        else:
            mixed, constant = b ^ c ^ d, 0xCA62C1D6
        turned = (a << 5 | a >> 27) & _MASK
        a, b, c, d, e = (turned + mixed + e + constant + word) & _MASK, a, b, c, d
        c = (c << 30 | c >> 2) & _MASK
    return tuple((old + new) & _MASK for old, new in zip(state, (a, b, c, d, e), strict=True))
