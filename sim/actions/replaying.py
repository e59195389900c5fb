"""A capture said again: what one address sent, between other addresses. RFC 1624 (checksums)."""

from sim.actions.traffic import Endpoint, Flow, Timing, flow_key
from sim.network import Network
from sim.nodes.stack import IpStack
from virtualtap.wire import checksum, ipv4
from virtualtap.wire.address import is_unicast4, is_unicast6


class Replay:
    """The packets that one address sent in a capture, said again with their timing: open loop.

    Source and destination become those of the two ends, and every checksum over them is updated by
    RFC 1624: what was wrong in the capture stays wrong. Packets to groups keep their destination.
    """

    def __init__(
        self,
        network: Network,
        number: int,
        ends: tuple[Endpoint, Endpoint],
        timing: Timing,
        packets: list[tuple[int, bytes]],
    ) -> None:
        self._network, self._timing = network, timing
        self._stack = ends[0].stack
        self._packets = [
            (at, readdressed(packet, ends[0].stack, ends[1].stack)) for at, packet in packets
        ]
        match = tuple({flow_key(packet): None for _, packet in self._packets})
        self.flow = Flow(f"{number}", "replay", ends[0].name, ends[1].name, match)
        for address in (ends[0].stack.ip, *ends[0].stack.ip6):
            ends[1].stack.bind_source(address, self._arrived)

    def start(self) -> None:
        """Say every packet at `timing.start` plus its time in the capture."""
        for at, packet in self._packets:
            if self._timing.start + at < self._timing.stop:
                self._network.call_at(self._timing.start + at, self._say, packet)

    def _say(self, packet: bytes) -> None:
        if not self._stack.up:
            return
        self._network.tally.offered += 1
        self._network.tally.offered_bytes += len(packet)
        self._stack.transmit(packet)

    def _arrived(self, packet: bytes) -> bool:
        if not payload_is_right(packet):
            return False
        self._network.tally.delivered += 1
        self._network.tally.delivered_bytes += len(packet)
        return True


_CHECKSUM_AT = {6: 16, 17: 6, 58: 2}  # TCP, UDP, ICMPv6: where in the segment


def readdressed(packet: bytes, source: IpStack, destination: IpStack) -> bytes:
    """The packet between other addresses, its checksums updated by RFC 1624, eqn. 3."""
    six = packet[0] >> 4 == 6
    at, size = (8, 16) if six else (12, 4)
    old = packet[at : at + 2 * size]
    unicast = is_unicast6(old[size:]) if six else is_unicast4(old[size:])
    ours = (source.ip6 or (old[:size],))[0] if six else source.ip
    theirs = (destination.ip6 or (old[size:],))[0] if six else destination.ip
    new = ours + (theirs if unicast else old[size:])
    changed = bytearray(packet)
    changed[at : at + 2 * size] = new
    before, after = int.from_bytes(old), int.from_bytes(new)
    if not six:
        _update(changed, 10, after - before)
    header = 40 if six else ipv4.header_len(packet)
    first = six or not (packet[6] & 0x1F or packet[7])
    offset = _CHECKSUM_AT.get(packet[6] if six else packet[9])
    if first and offset is not None and len(packet) >= header + offset + 2:
        udp_without = offset == 6 and not any(packet[header + 6 : header + 8])
        if not udp_without:
            _update(changed, header + offset, after - before, never_zero=offset == 6)
    return bytes(changed)


def _update(packet: bytearray, at: int, more: int, *, never_zero: bool = False) -> None:
    value = checksum.update(int.from_bytes(packet[at : at + 2]), 0, more)
    packet[at : at + 2] = (value or (0xFFFF if never_zero else 0)).to_bytes(2)


def payload_is_right(packet: bytes) -> bool:
    """Whether the checksum of a TCP, UDP, ICMP or ICMPv6 packet is right; others have none."""
    six = packet[0] >> 4 == 6
    header = 40 if six else ipv4.header_len(packet)
    protocol = packet[6] if six else packet[9]
    if not six and (packet[6] & 0x3F or packet[7]):
        return True  # a fragment cannot be judged alone
    segment = packet[header:]
    if protocol == 1 and not six:
        return checksum.is_right(segment)
    if protocol not in _CHECKSUM_AT or (protocol == 17 and not any(segment[6:8])):
        return True
    ends = packet[8:40] if six else packet[12:20]
    half = len(ends) // 2
    return checksum.transport_is_right(ends[:half], ends[half:], protocol, segment)
