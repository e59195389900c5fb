"""What a hub does with one frame: forwarding, cutting, dropping, in every path through it."""

from typing import TypeAlias

from sim.live.bout import STEP, Bout, Say
from virtualtap.wire.address import BROADCAST, ip, mac

ONE, TWO, UNKNOWN = mac("02:00:5e:10:00:01"), mac("02:00:5e:10:00:02"), mac("02:00:5e:10:00:09")
MULTICAST = mac("01:00:5e:00:00:fb")
_TYPE = b"\x88\xb5"  # IEEE 802: for experiments
Stimulus: TypeAlias = tuple[str, bytes]  # what it is called, and the frame

_READER = "the product reads 1,600 bytes off a device; the model is given whole frames, and drops"


def plain(to: bytes, source: bytes = ONE, length: int = 60, head: bytes = _TYPE) -> bytes:
    """A frame of a type that nobody knows."""
    return (to + source + head).ljust(length, b"x")


def arp(sender: bytes, address: str, target: str = "10.0.0.99", source: bytes = b"") -> bytes:
    """A broadcast ARP request of 42 bytes; `source` where the frame's is another."""
    body = bytes.fromhex("0001080006040001") + sender + ip(address) + bytes(6) + ip(target)
    return BROADCAST + (source or sender) + b"\x08\x06" + body


def ipv4(
    source: str, target: str, payload: bytes, *, protocol: int = 253, checksum: bytes = b"\x12\x34"
) -> bytes:
    """An IPv4 packet with the header checksum that is given."""
    head = b"\x45\0" + (20 + len(payload)).to_bytes(2) + bytes(4) + bytes((64, protocol))
    return head + checksum + ip(source) + ip(target) + payload


def ipv6(source: str, target: str, payload: bytes, *, protocol: int = 253) -> bytes:
    """An IPv6 packet."""
    head = b"\x60\0\0\0" + len(payload).to_bytes(2) + bytes((protocol, 64))
    return head + ip(source) + ip(target) + payload


_PACKET = ipv4("10.0.0.1", "10.0.0.2", b"x" * 26)


def _stimuli() -> list[Stimulus]:
    """Addresses, sizes, packets, tags, and sources, in this order: each session may have three."""
    return _ethernet() + _sizes() + _packets() + _arps() + _tags() + _sources()


def _ethernet() -> list[Stimulus]:
    return [
        ("a known unicast", plain(TWO)),
        ("an unknown unicast", plain(UNKNOWN)),
        ("a broadcast", plain(BROADCAST)),
        ("a multicast", plain(MULTICAST)),
        ("IPv6 multicast", plain(mac("33:33:00:00:00:fb"))),
        ("spanning tree's address", plain(mac("01:80:c2:00:00:00"))),
        ("PAUSE's address", plain(mac("01:80:c2:00:00:01"))),
        ("LLDP's address", plain(mac("01:80:c2:00:00:0e"))),
        ("an 802.3 length and LLC", plain(TWO, head=b"\x00\x10\x06\x06")),
        ("ethertype 0", plain(TWO, head=b"\0\0")),
        ("source broadcast", plain(TWO, BROADCAST)),
        ("source zero", plain(TWO, bytes(6))),
        ("destination zero", plain(bytes(6))),
        ("source is destination", plain(ONE, ONE)),
    ]


def _sizes() -> list[Stimulus]:
    lengths = (14, 15, 20, 30, 33, 34, 42, 59, 1514, 1515, 1518, 1599, 1600)
    longer = (1601, 1700, 2000, 4000)
    found = [(f"{length} bytes", plain(TWO, length=length)) for length in lengths]
    return found + [(f"over the limit: {n} bytes", plain(TWO, length=n)) for n in longer]


def _packets() -> list[Stimulus]:
    packet, packet6 = _PACKET, ipv6("fd00::1", "fd00::2", b"x" * 16)
    udp = bytes((0x12, 0x34, 0x12, 0x35, 0, 12, 0x12, 0x34)) + b"data"
    return [
        ("IPv4, a wrong header checksum", _framed(packet)),
        ("IPv4, a header checksum of 0", _framed(packet[:10] + b"\0\0" + packet[12:])),
        ("IPv4, longer than its frame", _framed(packet[:2] + b"\0\xff" + packet[4:])),
        ("IPv4, version 5", _framed(b"\x55" + packet[1:])),
        ("IPv4 and 24 bytes more", _framed(packet) + b"trailing" * 3),
        ("IPv4 of 19 bytes", _framed(packet[:19])),
        ("UDP, a wrong checksum", _framed(ipv4("10.0.0.1", "10.0.0.2", udp, protocol=17))),
        ("UDP of 4 bytes", _framed(ipv4("10.0.0.1", "10.0.0.2", udp[:4], protocol=17))),
        ("IPv6 and 24 bytes more", _framed(packet6) + b"trailing" * 3),
        ("IPv6 of 39 bytes", _framed(packet6[:39], b"\x86\xdd")),
        ("IPv6, version 4", _framed(b"\x40" + packet6[1:], b"\x86\xdd")),
    ]


def _arps() -> list[Stimulus]:
    request = arp(ONE, "10.0.0.1")
    return [
        ("ARP of 42 bytes", request),
        ("ARP padded to 60", request.ljust(60, b"\0")),
        ("ARP with 100 bytes more", request + bytes(100)),
        ("ARP of 41 bytes", request[:41]),
        ("ARP of 30 bytes", request[:30]),
        ("ARP of another hardware", request[:15] + b"\x06" + request[16:]),
        ("RARP's ethertype", request[:12] + b"\x80\x35" + request[14:]),
    ]


def _tags() -> list[Stimulus]:
    packet = _PACKET
    return [
        ("VLAN 0, priority 5", plain(TWO, head=b"\x81\0\xa0\0\x88\xb5")),
        ("a tag cut at 15 bytes", plain(TWO, length=15, head=b"\x81")[:12] + b"\x81\0\0"),
        ("a tag cut at 16 bytes", plain(TWO)[:12] + b"\x81\0\0\x05"),
        ("tagged IPv4 and 24 bytes more", _tagged(_framed(packet) + b"trailing" * 3)),
        ("VLAN 5, 64 bytes", plain(TWO, length=64, head=b"\x81\0\0\x05\x88\xb5")),
        ("VLAN 5, 1518 bytes", plain(TWO, length=1518, head=b"\x81\0\0\x05\x88\xb5")),
        ("VLAN 4095", plain(TWO, head=b"\x81\0\x0f\xff\x88\xb5")),
        ("two tags, 88a8 outside", plain(TWO, head=b"\x88\xa8\0\x05\x81\0\0\x06\x88\xb5")),
        ("two tags of 8100", plain(TWO, head=b"\x81\0\0\x05\x81\0\0\x06\x88\xb5")),
    ]


def _sources() -> list[Stimulus]:
    return [
        ("ARP whose sender is not the source", arp(UNKNOWN, "10.0.0.1", source=ONE)),
        ("a multicast source", plain(TWO, mac("01:00:5e:00:00:01"))),
        ("an IPv6 multicast source", plain(TWO, mac("33:33:00:00:00:01"))),
        ("a second MAC", plain(TWO, mac("02:00:5e:10:00:0b"))),
        ("a third MAC", plain(TWO, mac("02:00:5e:10:00:0c"))),
    ]


def _framed(packet: bytes, kind: bytes = b"") -> bytes:
    return TWO + ONE + (kind or (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\0")) + packet


def _tagged(frame: bytes) -> bytes:
    return frame[:12] + b"\x81\0\0\x05" + frame[12:]


def _path(title: str, ports: str) -> Bout:
    """Every stimulus from the first port; the second has been heard, the third listens."""
    script = [Say(0, ports[1], plain(UNKNOWN, TWO), "who the others are")]
    script += [
        Say(n * STEP, ports[0], frame, text) for n, (text, frame) in enumerate(_stimuli(), 1)
    ]
    return Bout(title=title, ports=ports, script=script, causes={"over the limit": _READER})


def paths() -> list[Bout]:
    """Local bridge to local bridge, session to bridge, bridge to session, session to session."""
    return [
        _path("A frame from local bridge A to local bridge B, with C beside", "ABC"),
        _path("A frame from session a to local bridge B, with session c beside", "aBc"),
        _path("A frame from local bridge A to session b, with session c beside", "Abc"),
        _path("A frame from session a to session b, with local bridge C beside", "abC"),
    ]
