"""What one address said in a capture: IP packets and their timing. RFC 791, 8200; IEEE 802.1Q."""

from ipaddress import ip_address
from pathlib import Path
from sys import getsizeof

from sim.capture import ETHERNET, escaped
from sim.capture_reader import LINUX_SLL, LINUX_SLL2, Record, read_capture
from virtualtap.errors import UsageError
from virtualtap.units import Duration, Instant

BYTES_MAX = 64 * 1024 * 1024  # of packets kept in memory
INTERFACES_NAMED_MAX = 5  # in a warning
SENDERS_NAMED_MAX = 5  # in the hint, when the address itself said nothing

_LINKS = {ETHERNET: (12, 14), LINUX_SLL: (14, 16), LINUX_SLL2: (0, 20)}  # EtherType, payload
_TAGS = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")  # 802.1Q, 802.1ad and what came before it
_TAGS_MAX = 2
_VERSIONS = {b"\x08\x00": 4, b"\x86\xdd": 6}  # by EtherType
_UDP, _ICMP6, _NO_NEXT_HEADER = 17, 58, 59
_DHCP_PORTS = (67, 68)


def conversation(
    path: Path, address: bytes, *, speak_control: bool = False
) -> tuple[list[tuple[Duration, bytes]], list[str]]:
    """The IP packets sent by `address` (4 or 16 bytes), and warnings in words.

    Each packet stands with its time since the capture's first record, never earlier than the
    one before. Its DHCP and NDP are left out unless `speak_control`; ARP is no IP packet.
    UsageError where the capture cannot be read, cut one of the packets, or has none of them.
    """
    told = _Story(escaped(str(path), 4096), address)
    packets: list[tuple[Duration, bytes]] = []
    left_out = kept = 0
    for number, record in enumerate(read_capture(path), 1):
        since = told.clock(number, record.at)
        packet = told.packet(number, record)
        if packet is None:
            continue
        if not speak_control and is_control(packet):
            left_out += 1
            continue
        kept += getsizeof(packet)
        if kept > BYTES_MAX:
            raise told.too_long()
        packets.append((since, packet))
    if not packets:
        raise told.silent(left_out)
    return packets, told.warnings(left_out)


def ip_packet(record: Record) -> bytes | None:
    """The IP packet in a record, without link layer and padding; None if there is none.

    A packet shorter than it says is returned as it is. A length of zero (segmentation offload,
    jumbograms) means all that follows.
    """
    data = record.data
    version = None
    if record.link_type in _LINKS:
        kind_at, start = _LINKS[record.link_type]
        kind = data[kind_at : kind_at + 2]
        for _ in range(_TAGS_MAX):
            if kind not in _TAGS:
                break
            kind = data[start + 2 : start + 4]
            start += 4
        version = _VERSIONS.get(kind)
        if version is None:
            return None
        data = data[start:]
    if not data or (version or data[0] >> 4) != data[0] >> 4:
        return None
    return _ipv4(data) if data[0] >> 4 == 4 else _ipv6(data)


def is_control(packet: bytes) -> bool:
    """Whether an IP packet is DHCP or NDP: what an endpoint says for itself."""
    if packet[0] >> 4 == 6:
        return packet[6] == _ICMP6 and packet[40:41] != b"" and 133 <= packet[40] <= 137
    header = (packet[0] & 0x0F) * 4
    if packet[9] != _UDP or packet[6] & 0x1F or packet[7] or len(packet) < header + 4:
        return False
    ports = (
        packet[header] << 8 | packet[header + 1],
        packet[header + 2] << 8 | packet[header + 3],
    )
    return ports[0] in _DHCP_PORTS or ports[1] in _DHCP_PORTS


def _ipv4(data: bytes) -> bytes | None:
    if len(data) < 20:
        return None
    length = data[2] << 8 | data[3]
    if length == 0:
        return data
    return data[:length] if length >= 20 else None


def _ipv6(data: bytes) -> bytes | None:
    if len(data) < 40 or data[0] >> 4 != 6:
        return None
    length = data[4] << 8 | data[5]
    if length == 0 and data[6] != _NO_NEXT_HEADER:
        return data
    return data[: 40 + length]


def _sender(packet: bytes) -> bytes:
    return packet[12:16] if packet[0] >> 4 == 4 else packet[8:24]


class _Story:
    """Reads a capture for one sender: its packets, a clock that never runs backward, remarks."""

    def __init__(self, name: str, address: bytes) -> None:
        self._name = name
        self._address = address
        self._first: Instant | None = None
        self._latest: Instant = 0
        self._backward = 0
        self._first_backward = ""
        self._interfaces: dict[str, None] = {}  # on which it was heard
        self._others: dict[bytes, None] = {}

    def clock(self, number: int, at: Instant) -> Duration:
        if self._first is None:
            self._first = self._latest = at
        if at < self._latest:
            if not self._backward:
                self._first_backward = f"record {number}, by {self._latest - at} ns"
            self._backward += 1
        self._latest = max(self._latest, at)
        return self._latest - self._first

    def packet(self, number: int, record: Record) -> bytes | None:
        packet = ip_packet(record)
        if packet is None:
            return None
        sender = _sender(packet)
        if sender != self._address:
            if len(self._others) < SENDERS_NAMED_MAX:
                self._others[sender] = None
            return None
        if record.original_length > len(record.data):
            raise UsageError(
                f"`{self._name}` record {number} was cut by the snap length:"
                f" {len(record.data)} of {record.original_length} bytes",
                hint="record again with `tcpdump -s 0`",
            )
        self._interfaces[record.interface] = None
        return packet

    def warnings(self, left_out: int) -> list[str]:
        warnings = []
        if self._backward:
            warnings.append(
                f"time goes backward: {self._backward} records are earlier than one before them"
                f" (first {self._first_backward}) and take its time"
            )
        if len(self._interfaces) > 1:
            names = ", ".join(f"`{name}`" for name in list(self._interfaces)[:INTERFACES_NAMED_MAX])
            warnings.append(
                f"heard on {len(self._interfaces)} interfaces ({names}):"
                " a packet that crossed several is sent as often"
            )
        if left_out:
            warnings.append(f"left out {left_out} DHCP or NDP packets: `speak_control` is false")
        return warnings

    def too_long(self) -> UsageError:
        return UsageError(
            f"`{self._name}` holds more than {BYTES_MAX} bytes sent by {_text(self._address)}",
            hint="cut a part out with `editcap -A START -B STOP IN OUT`",
        )

    def silent(self, left_out: int) -> UsageError:
        if left_out:
            return UsageError(
                f"`{self._name}` holds only DHCP and NDP packets sent by {_text(self._address)}",
                hint="set `speak_control = true` to replay them",
            )
        known = ", ".join(map(_text, self._others))
        return UsageError(
            f"`{self._name}` holds no IP packet sent by {_text(self._address)}",
            hint=f"among the senders are {known}" if known else "it holds no IP packet at all",
        )


def _text(address: bytes) -> str:
    return str(ip_address(address))
