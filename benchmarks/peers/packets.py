"""The engine's two verbs, and the same work by dpkt, scapy and a C library through ctypes.

The work, equal for all: read an IPv4 packet of 1,400 bytes, check its version, length and header
checksum, look up the MAC of its destination, give the frame as bytes; and back, for a frame to our
MAC. Every packet has an identification and a checksum of its own, and no known protocol inside.
"""

import ctypes
import logging
import warnings
from collections.abc import Callable
from ctypes import c_char_p, c_uint32, c_void_p
from dataclasses import dataclass
from importlib.metadata import version
from time import thread_time_ns

import dpkt

from sim.conformance.targets import target
from virtualtap import TapConfig, Translator, VirtualTap, ip, mac
from virtualtap.wire import arp
from virtualtap.wire.address import BROADCAST
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4
from virtualtap.wire.ipv4 import Ipv4

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the ciphers that scapy imports
    logging.getLogger("scapy").setLevel(logging.ERROR)
    from scapy.layers.inet import IP
    from scapy.layers.l2 import Ether
    from scapy.utils import checksum

OUR_MAC, OUR_IP = mac("02:00:00:00:00:01"), ip("10.0.0.1")
THEIR_MAC, THEIR_IP = mac("02:00:00:00:00:02"), ip("10.0.0.2")
LENGTH, ALIKE, ROUNDS = 1400, 100, 15
ALLOWANCE = 2.0  # machines are noisy, as in `budget.toml`; but never slower than a peer
LEAST = {"dpkt": 10.0, "scapy": 200.0, "C": 1.0}  # how often we must be as fast, both ways

Verb = Callable[[bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One way of one peer: nanoseconds a packet, theirs and ours, measured in turn."""

    verb: str
    peer: str
    ns: float
    ours_ns: float
    least: float

    @property
    def times(self) -> float:
        return self.ns / self.ours_ns

    @property
    def kept(self) -> bool:
        return self.times >= max(1.0, self.least / ALLOWANCE)


def measure(library: str | None = None) -> list[Row]:
    """Every peer in both directions; `library` is a C library with the predecessor's interface."""
    packets = [_packet(number, OUR_IP, THEIR_IP) for number in range(ALIKE)]
    frames = [
        OUR_MAC + THEIR_MAC + IPV4 + _packet(number, THEIR_IP, OUR_IP) for number in range(ALIKE)
    ]
    ours = _met(VirtualTap)
    peers: dict[str, tuple[Verb, Verb]] = {
        f"dpkt {version('dpkt')}": (_dpkt_out, _dpkt_in),
        f"scapy {version('scapy')}": (_scapy_out, _scapy_in),
    }
    if library is not None:
        peers["C library"] = _c(library)
    rows = []
    for name, (out, back) in peers.items():
        least = LEAST[name.split()[0]]
        for verb, own, their, given in (
            ("ip_to_ethernet", ours.ip_to_ethernet, out, packets),
            ("ethernet_to_ip", ours.ethernet_to_ip, back, frames),
        ):
            _agree(own, their, given)
            ns, ours_ns = _fastest(their, own, given)
            rows.append(Row(verb, name, ns, ours_ns, least))
    return rows


def _agree(own: Verb, their: Verb, given: list[bytes]) -> None:
    """Equal work gives equal bytes."""
    for data in given:
        assert own(data) == their(data), "a peer gives other bytes"


def _fastest(their: Verb, own: Verb, given: list[bytes]) -> tuple[float, float]:
    """Both in turn, so that whatever else the machine does befalls both; the fastest counts."""
    times = [(_timed(their, given), _timed(own, given)) for _ in range(ROUNDS)]
    return min(time for time, _ in times), min(time for _, time in times)


def _timed(verb: Verb, given: list[bytes]) -> float:
    """Nanoseconds of this thread: what others do to a long block is not held against it."""
    for data in given:  # warm again after the other
        verb(data)
    start = thread_time_ns()
    for data in given:
        verb(data)
    return (thread_time_ns() - start) / len(given)


def _packet(number: int, source: bytes, to: bytes) -> bytes:
    return Ipv4(source, to, 253, bytes(LENGTH - 20), identification=number).to_bytes()


def _met(make: Callable[[TapConfig], Translator]) -> Translator:
    """A translator that knows the peer, and has sent it a packet."""
    tap = make(TapConfig(our_mac=OUR_MAC, our_ip=OUR_IP))
    request = arp.request(THEIR_MAC, THEIR_IP, OUR_IP)
    tap.ethernet_to_ip(BROADCAST + THEIR_MAC + ARP + request)
    tap.take_frames()
    return tap


def _c(library: str) -> tuple[Verb, Verb]:
    """A C library's two verbs as cheap as ctypes makes them: one buffer for all calls."""
    tap = _met(target(f"c:{library}"))
    code, handle = tap._library, tap._handle  # noqa: SLF001  # its verbs make a buffer each time
    room = 65_536
    buffer = ctypes.create_string_buffer(room)

    def verb(function: Callable[..., int]) -> Verb:
        function.argtypes = (c_void_p, c_char_p, c_uint32, c_char_p, c_uint32)

        def call(data: bytes) -> bytes | None:
            length = function(handle, data, len(data), buffer, room)
            return ctypes.string_at(buffer, length) if length > 0 else None

        return call

    return verb(code.virtual_tap_ip_to_ethernet), verb(code.virtual_tap_ethernet_to_ip)


_MACS = {THEIR_IP: THEIR_MAC}
_MACS_TEXT = {"10.0.0.2": "02:00:00:00:00:02"}


def _dpkt_out(packet: bytes) -> bytes | None:
    inside = dpkt.ip.IP(packet)
    if inside.v != 4 or inside.len != len(packet) or dpkt.in_cksum(packet[: inside.hl * 4]):
        return None
    to = _MACS[inside.dst]
    return bytes(dpkt.ethernet.Ethernet(dst=to, src=OUR_MAC, type=0x0800, data=inside))


def _dpkt_in(frame: bytes) -> bytes | None:
    outside = dpkt.ethernet.Ethernet(frame)
    if outside.dst != OUR_MAC or outside.type != 0x0800:
        return None
    inside = outside.data
    header = frame[HEADER_LEN : HEADER_LEN + inside.hl * 4]
    if inside.v != 4 or inside.len > len(frame) - HEADER_LEN or dpkt.in_cksum(header):
        return None
    return bytes(inside)


def _scapy_out(packet: bytes) -> bytes | None:
    inside = IP(packet)
    if inside.version != 4 or inside.len != len(packet) or checksum(packet[: inside.ihl * 4]):
        return None
    outside = Ether(dst=_MACS_TEXT[inside.dst], src="02:00:00:00:00:01", type=0x0800)
    return bytes(outside / inside)


def _scapy_in(frame: bytes) -> bytes | None:
    outside = Ether(frame)
    if outside.dst != "02:00:00:00:00:01" or outside.type != 0x0800:
        return None
    inside = outside[IP]
    header = frame[HEADER_LEN : HEADER_LEN + inside.ihl * 4]
    if inside.version != 4 or inside.len > len(frame) - HEADER_LEN or checksum(header):
        return None
    return bytes(inside)
