"""What the cases of the data path speak in: tags, SNAP, headers that lie, segments, ICMP errors."""

from sim.conformance.frames import EXPERIMENT, arp_request, our_reply, patched, solicitation
from sim.conformance.script import (
    GATEWAY,
    GATEWAY6,
    OUR_MAC,
    PEER,
    PEER6,
    PEER_MAC,
    US,
    US6,
    Script,
)
from virtualtap.wire import checksum
from virtualtap.wire.address import Ip, Mac
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import ICMP, TCP, Ipv4
from virtualtap.wire.ipv6 import ICMPV6, Ipv6

SNAP = bytes.fromhex("aaaa03 000000")  # RFC 1042
SYN, ACK = 2, 16


def meet(tap: Script, peer: Ip = PEER, at: Mac = PEER_MAC) -> Script:
    """`peer` asks for us, so that its MAC is known."""
    return tap.lan(arp_request(by=peer, at=at)).expect(our_reply(at, peer))


def meet6(tap: Script, peer: Ip = PEER6, at: Mac = PEER_MAC) -> Script:
    """`peer` asks for us, so that its MAC is known; how it is answered is another family's."""
    return tap.lan(solicitation(by=peer, at=at)).forget()


def to_us(source: Ip = PEER, to: Ip = US, payload: bytes = b"hello", **fields: object) -> bytes:
    """An IPv4 packet from the LAN."""
    return Ipv4(source, to, EXPERIMENT, payload, **fields).to_bytes()  # type: ignore[arg-type]  # header fields


def to_us6(source: Ip = PEER6, to: Ip = US6, payload: bytes = b"hello") -> bytes:
    """An IPv6 packet from the LAN."""
    return Ipv6(source, to, EXPERIMENT, payload).to_bytes()


def summed(packet: bytes) -> bytes:
    """An IPv4 packet with its header checksum put right, whatever else it claims."""
    header_len = max(20, (packet[0] & 15) * 4)
    bare = patched(packet, 10, bytes(2))
    return patched(bare, 10, checksum.internet(bare[:header_len]).to_bytes(2))


def tagged(data: bytes, vlan_id: int, priority: int = 0) -> bytes:
    """A frame with an 802.1Q tag behind its addresses."""
    return data[:12] + b"\x81\x00" + (priority << 13 | vlan_id).to_bytes(2) + data[12:]


def in_snap(data: bytes, llc: bytes = SNAP) -> bytes:
    """An Ethernet II frame in the clothes of IEEE 802.3."""
    return data[:12] + (len(llc) + len(data) - 12).to_bytes(2) + llc + data[12:]


def segment(
    options: bytes, flags: int = SYN, ends: tuple[Ip, Ip] = (US, PEER), payload: bytes = b""
) -> bytes:
    """A TCP segment with a right checksum; `options` a multiple of 4 bytes."""
    offset = (20 + len(options)) // 4 << 4
    ports = bytes.fromhex("c000 0050 00000001 00000000")
    bare = ports + bytes((offset, flags)) + b"\xff\xff\0\0\0\0" + options + payload
    value = checksum.transport(*ends, TCP, bare)
    return patched(bare, 16, value.to_bytes(2))


def mss(size: int) -> bytes:
    """The option that says how long a segment may be."""
    return b"\x02\x04" + size.to_bytes(2)


def tcp4(inside: bytes, source: Ip = US, to: Ip = PEER, **fields: int) -> bytes:
    """An IPv4 packet with a TCP segment."""
    return Ipv4(source, to, TCP, inside, **fields).to_bytes()  # type: ignore[arg-type]  # header fields


def tcp6(inside: bytes, source: Ip = US6, to: Ip = PEER6) -> bytes:
    """An IPv6 packet with a TCP segment."""
    return Ipv6(source, to, TCP, inside).to_bytes()


def must_cut(packet: bytes, mtu: int, by: Ip = GATEWAY) -> bytes:
    """RFC 1191 4: too long by so much; the quote is as long as RFC 1812 4.3.2.3 allows."""
    body = Icmp(3, 4, mtu, packet[:548]).summed()
    return Ipv4(by, packet[12:16], ICMP, body).to_bytes()


def too_big(packet: bytes, mtu: int, by: Ip = GATEWAY6) -> bytes:
    """RFC 4443 3.2: too long by so much; the whole is not longer than 1280 bytes."""
    to = packet[8:24]
    body = Icmp(2, 0, mtu, packet[:1232]).between(by, to)
    return Ipv6(by, to, ICMPV6, body).to_bytes()


def ours(inside: bytes, to: Mac) -> bytes:
    """An IPv6 or IPv4 packet on its way to `to`."""
    kind = b"\x86\xdd" if inside[0] >> 4 == 6 else b"\x08\x00"
    return to + OUR_MAC + kind + inside
