"""Who was heard in captures: addresses and their MACs, and who said what to whom how often.

Of a MAC, ARP (RFC 826) and neighbor discovery (RFC 4861) say which addresses are its own.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sim.actions.conversation import BYTES_MAX, ip_packet, is_control
from sim.actions.replaying import payload_is_right
from sim.capture import ETHERNET, escaped
from sim.capture_reader import Record, read_capture
from sim.inputs import BYTES_MAX as FILE_MAX
from sim.nodes.interface import MTU
from virtualtap.errors import UsageError, WireError
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import checksum, ethernet, icmp, ipv4, ipv6, ndp
from virtualtap.wire.address import NO_MAC, Ip, Mac, is_group, is_unicast4, is_unicast6
from virtualtap.wire.arp import Arp

ADDRESSES_MAX = 200
TALKS_MAX = 1000
SPAN_MAX = 86_400 * SECOND  # of all captures together
PING, PONG, UDP, TCP, GROUP, FRAGMENT = "ping", "pong", "UDP", "TCP", "to groups", "fragments"
_ECHOES = {
    (False, bytes((icmp.ECHO_REQUEST,))): PING,
    (False, bytes((icmp.ECHO_REPLY,))): PONG,
    (True, bytes((icmp.ECHO_REQUEST6,))): PING,
    (True, bytes((icmp.ECHO_REPLY6,))): PONG,
}


@dataclass(slots=True)
class Talk:
    """Packets of one kind from one address to another, in numbers. Sizes are of the payload."""

    source: Ip
    destination: Ip
    kind: str
    port: int  # of UDP: the lower one, which is the service's
    first: Instant
    last: Instant
    least: int
    most: int
    packets: int = 0
    payload: int = 0
    longest: Duration = 0  # between two of them

    def hear(self, at: Instant, size: int) -> None:
        """One more packet."""
        self.longest = max(self.longest, at - self.last)
        self.last = at
        self.least, self.most = min(self.least, size), max(self.most, size)
        self.packets += 1
        self.payload += size

    @property
    def is_steady(self) -> bool:
        """All of one size, and no pause twice as long as the mean."""
        pauses = self.packets - 1
        return self.least == self.most and self.longest * pauses <= 2 * (self.last - self.first)


@dataclass(slots=True)
class Sender:
    """What one address sent: `unfit` is why it cannot be said again as it was, if it cannot."""

    files: dict[Path, Instant] = field(default_factory=dict)  # where, and when each begins
    unfit: str = ""
    size: int = 0


class Heard:
    """Everything of some captures, within bounds; what is beyond them is counted in `beyond`."""

    def __init__(self) -> None:
        self.at: dict[Ip, Mac | None] = {}  # in the order of appearance; None: without a MAC
        self.claimed: dict[Ip, Mac] = {}  # as their own, by ARP or neighbor discovery
        self.senders: dict[Ip, Sender] = {}
        self.talks: dict[tuple[Ip, Ip, str, int], Talk] = {}
        self.control: Counter[str] = Counter()  # what endpoints say for themselves
        self.beyond: Counter[str] = Counter()
        self.start: Instant = 0  # of the first capture
        self._moved: dict[Ip, None] = {}
        self._latest: Instant = 0
        self._began: dict[Path, Instant] = {}

    @property
    def span(self) -> Duration:
        """From the first record to the last that was heard."""
        return max(0, self._latest - self.start)

    def read(self, path: Path) -> None:
        """Hear one capture. UsageError where it cannot be read, or is of another day."""
        latest = began = None
        for record in read_capture(path):
            if latest is None or began is None:
                latest = began = record.at
                self._begin(path, began)
            latest = max(latest, record.at)
            if latest - began > SPAN_MAX:
                self.beyond["records later than a day after the first"] += 1
                continue
            self._latest = max(self._latest, latest)
            self._hear(path, record, latest)

    @property
    def moved(self) -> list[Ip]:
        """Addresses that were heard at several MACs."""
        return list(self._moved)

    def _begin(self, path: Path, at: Instant) -> None:
        self.start = min(self.start, at) if self._began else at
        self._began[path] = at
        apart = max(self._began.values()) - self.start
        if apart > SPAN_MAX:
            raise UsageError(
                f"`{escaped(str(path), 4096)}` is {apart // SECOND} s apart from the others",
                "import captures of one day together, others alone",
            )

    def _hear(self, path: Path, record: Record, at: Instant) -> None:
        packet = ip_packet(record)
        if packet is not None:
            self._hear_packet(path, record, packet, at)
        elif record.link_type == ETHERNET and ethernet.ethertype(record.data) == ethernet.ARP:
            self._hear_arp(record.data)
        else:
            self.beyond["frames that are neither IP nor ARP"] += 1

    def _hear_arp(self, frame: bytes) -> None:
        self.control["ARP"] += 1
        try:
            message = Arp.parse(frame[ethernet.HEADER_LEN :])
        except WireError:
            return
        self._claim(message.sender_ip, message.sender_mac)

    def _claim(self, address: Ip, mac: Mac) -> None:
        if _is_somebody(address) and mac != NO_MAC and not is_group(mac):
            self._place(address, mac)
            if address in self.at:
                self.claimed.setdefault(address, mac)

    def _hear_packet(self, path: Path, record: Record, packet: bytes, at: Instant) -> None:
        six = packet[0] >> 4 == 6
        source, destination = (
            (packet[8:24], packet[24:40]) if six else (packet[12:16], packet[16:20])
        )
        macs = _macs(record)
        if six and ndp.is_inside(packet):
            self._claim(source, macs[1] or NO_MAC)
        if is_control(packet):
            self.control["NDP" if six else "DHCP"] += 1
            return
        if not _is_somebody(source):
            self.beyond["packets of no address, or of a group's"] += 1
            return
        self._place(source, macs[1])
        to_group = (macs[0] is not None and is_group(macs[0])) or not _is_somebody(destination)
        if not to_group:
            self._place(destination, macs[0])
        if source not in self.at or not (to_group or destination in self.at):
            self.beyond[f"packets of addresses after the first {ADDRESSES_MAX}"] += 1
            return
        sender = self.senders.setdefault(source, Sender())
        self._judge(sender, path, record, packet)
        if to_group and _is_somebody(destination):
            sender.unfit = sender.unfit or "speaks to a broadcast address of its network"
        kind = (GROUP, 0, len(packet)) if to_group else _kind(packet)
        self._hear_talk((source, destination, *kind[:2]), kind[2], at)

    def _place(self, address: Ip, mac: Mac | None) -> None:
        """An address was seen behind a MAC, or without one: the first one counts."""
        if mac == NO_MAC:  # of a machine with itself
            mac = None
        has_room = address in self.at or len(self.at) < ADDRESSES_MAX
        if has_room and self.at.setdefault(address, mac) != mac:
            self._moved[address] = None

    def _judge(self, sender: Sender, path: Path, record: Record, packet: bytes) -> None:
        """Whether what was sent can still be said again as it was."""
        sender.files.setdefault(path, self._began[path])
        sender.size += len(packet)
        if not sender.unfit:
            sender.unfit = next((why for why, holds in _FLAWS if holds(record, packet)), "")
        if not sender.unfit and sender.size > BYTES_MAX // 4:
            sender.unfit = "is too much"  # Python's own bytes for each packet come on top
        if not sender.unfit and path.stat().st_size > FILE_MAX:
            sender.unfit = "stands in a capture that is too long"

    def _hear_talk(self, key: tuple[Ip, Ip, str, int], size: int, at: Instant) -> None:
        talk = self.talks.get(key)
        if talk is None:
            if len(self.talks) >= TALKS_MAX:
                self.beyond[f"packets of conversations after the first {TALKS_MAX}"] += 1
                return
            talk = self.talks[key] = Talk(*key, at, at, size, size)
        talk.hear(at, size)


def _is_somebody(address: Ip) -> bool:
    if len(address) == 16:
        return is_unicast6(address)
    return len(address) == 4 and is_unicast4(address) and address[0] not in (0, 255)


def _macs(record: Record) -> tuple[Mac | None, Mac | None]:
    """Destination and source; without an Ethernet header there are none."""
    if record.link_type != ETHERNET:
        return None, None
    return record.data[:6], record.data[6:12]


def _kind(packet: bytes) -> tuple[str, int, int]:
    """What a packet is, its service's port if it is UDP, and the size of its payload."""
    six = packet[0] >> 4 == 6
    protocol, header = (packet[6], 40) if six else (packet[9], ipv4.header_len(packet))
    body = packet[header:]
    if (protocol == ipv6.FRAGMENT) if six else packet[6] & 0x3F or packet[7]:
        return FRAGMENT, 0, len(body)
    if protocol == (ipv6.ICMPV6 if six else ipv4.ICMP):
        return _ECHOES.get((six, body[:1]), "ICMP"), 0, max(0, len(body) - 8)
    if protocol == ipv4.UDP and len(body) >= 8:
        port = min(int.from_bytes(body[:2]), int.from_bytes(body[2:4]))
        return UDP, max(1, port), len(body) - 8
    return TCP if protocol == ipv4.TCP else f"protocol {protocol}", 0, len(body)


def _is_cut(record: Record, packet: bytes) -> bool:
    if packet[0] >> 4 == 6:
        whole = int.from_bytes(packet[4:6]) + 40
    else:
        whole = ipv4.total_len(packet) if 20 <= ipv4.header_len(packet) <= len(packet) else 0
    return record.original_length > len(record.data) or whole != len(packet)


def _is_long(_: Record, packet: bytes) -> bool:
    return len(packet) > MTU


def _sum_is_wrong(_: Record, packet: bytes) -> bool:
    header = b"" if packet[0] >> 4 == 6 else packet[: ipv4.header_len(packet)]
    return not ((not header or checksum.is_right(header)) and payload_is_right(packet))


_FLAWS: tuple[tuple[str, Callable[[Record, bytes], bool]], ...] = (
    ("has packets that are cut", _is_cut),
    (f"has packets of more than {MTU} bytes", _is_long),
    ("has wrong checksums (set by a network card?)", _sum_is_wrong),
)
