"""The rig: frames in, frames out, time passes only when the script says so."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from virtualtap.config import TapConfig
from virtualtap.tap import Translator
from virtualtap.units import Instant
from virtualtap.wire import ndp
from virtualtap.wire.address import ANY6, ip, mac
from virtualtap.wire.ethernet import HEADER_LEN, IPV6
from virtualtap.wire.ipv6 import HEADER_LEN as HEADER6_LEN
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage

US, PEER, GATEWAY, OTHER, NOBODY = (
    ip("10.0.0.2"),
    ip("10.0.0.3"),
    ip("10.0.0.1"),
    ip("10.0.0.4"),
    ip("10.0.0.77"),
)
OUR_MAC, PEER_MAC, GATEWAY_MAC, OTHER_MAC = (
    mac("02:00:5e:00:00:02"),
    mac("02:00:5e:00:00:03"),
    mac("02:00:5e:00:00:01"),
    mac("02:00:5e:00:00:04"),
)
US6, PEER6, GATEWAY6, NOBODY6 = ip("fd00::2"), ip("fd00::3"), ip("fe80::1"), ip("fd00::77")

CONFIG = TapConfig(
    our_mac=OUR_MAC,
    our_ip=US,
    prefix_length=24,
    gateway_ip=GATEWAY,
    our_ip6=(US6,),
    gateway_ip6=GATEWAY6,
)
Make = Callable[[TapConfig], Translator]


_WITH_NONCE = bytes((ndp.SOLICITATION, ndp.NONCE, 1))


_POLLS_MAX = 2000  # at one instant


class Restless(Exception):
    """It asks to be polled at an instant that has passed, again and again."""


class Missed(AssertionError):
    """What came out is not what the clause demands."""

    def __init__(self, side: str, expected: tuple[bytes, ...], seen: tuple[bytes, ...]) -> None:
        others = "another" if len(seen) == 1 else "others"
        saw = others if len(seen) == len(expected) else len(seen)
        super().__init__(f"to the {side}: expected {len(expected)}, saw {saw}")
        self.side, self.expected, self.seen = side, expected, seen

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.side, self.expected, self.seen)


class NotGiven(Missed):
    """What the case only needs as a set-up did not come about: it says nothing of its clause."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One frame or packet of the exchange, for a capture and a report."""

    at: Instant
    side: str  # lan, host
    into: bool  # given to the translator
    data: bytes


class Script:
    """A translator in the dark: `lan` and `host` give it bytes, `expect` demands its own.

    `expect` and `expect_host` demand exactly what came out since they were last called, in order;
    a case ends with an `expect()` of nothing on both sides. `given` is as `expect`, but for what is
    only set up.
    """

    def __init__(self, make: Make, profile: str = "strict") -> None:
        self.make = make
        self.profile = profile
        self._tap: Translator | None = None
        self._frames: list[bytes] = []
        self._packets: list[bytes] = []
        self.now: Instant = 0
        self.exchange: list[Exchanged] = []

    @property
    def tap(self) -> Translator:
        """The translator; made with the usual configuration if `start` has not said another."""
        if self._tap is None:
            self.start()
        assert self._tap is not None
        return self._tap

    def start(self, **changes: Any) -> "Script":
        """Make the translator, with these changes to the usual configuration."""
        self._tap = self.make(replace(CONFIG, profile=self.profile, **changes))
        self._gather(None, None)
        return self

    def at(self, instant: Instant) -> "Script":
        """Let time pass until `instant`, every deadline on the way at its time."""
        assert instant >= self.now, "a script goes forward"
        polls = 0
        while (deadline := self.tap.next_deadline()) is not None and deadline <= instant:
            polls = 0 if deadline > self.now else polls + 1
            if polls > _POLLS_MAX:
                raise Restless(f"the deadline stays at {deadline}, and it is {self.now}")
            self.now = max(self.now, deadline)
            self.tap.poll(self.now)
            self._gather(None, None)
        self.now = instant
        self.tap.poll(instant)
        self._gather(None, None)
        return self

    def lan(self, frame: bytes) -> "Script":
        """A frame arrives from the LAN."""
        tap = self.tap
        self.exchange.append(Exchanged(self.now, "lan", True, frame))
        self._gather(None, tap.ethernet_to_ip(frame, self.now))
        return self

    def host(self, packet: bytes) -> "Script":
        """The host sends a packet."""
        tap = self.tap
        self.exchange.append(Exchanged(self.now, "host", True, packet))
        self._gather(tap.ip_to_ethernet(packet, self.now), None)
        return self

    def expect(self, *frames: bytes) -> "Script":
        """Exactly these frames went to the LAN; a probe may carry a nonce, whatever is demanded."""
        seen, self._frames = tuple(self._frames), []
        if seen != frames and tuple(map(without_nonce, seen)) != frames:
            raise Missed("lan", frames, seen)
        return self

    def given(self, *frames: bytes) -> "Script":
        """Exactly these frames went to the LAN, or else the case cannot be judged."""
        try:
            return self.expect(*frames)
        except Missed as missed:
            raise NotGiven(missed.side, missed.expected, missed.seen) from None

    def expect_host(self, *packets: bytes) -> "Script":
        """Exactly these packets went to the host."""
        seen, self._packets = tuple(self._packets), []
        if seen != packets:
            raise Missed("host", packets, seen)
        return self

    def frames(self) -> tuple[bytes, ...]:
        """What went to the LAN, taken, for a case that judges fields of it."""
        seen, self._frames = tuple(self._frames), []
        return seen

    def packets(self) -> tuple[bytes, ...]:
        """What went to the host, taken, for a case that judges fields of it."""
        seen, self._packets = tuple(self._packets), []
        return seen

    def until_sent(self, limit: Instant) -> "Script":
        """Let time pass until something goes to the LAN, but not beyond `limit`."""
        while not self._frames:
            deadline = self.tap.next_deadline()
            if deadline is None or deadline > limit:
                return self.at(limit)
            self.at(max(self.now, deadline))
        return self

    def forget(self) -> "Script":
        """What came out so far does not matter to this case."""
        self._frames, self._packets = [], []
        return self

    def _gather(self, frame: bytes | None, packet: bytes | None) -> None:
        assert self._tap is not None
        frames = ([] if frame is None else [frame]) + self._tap.take_frames()
        packets = ([] if packet is None else [packet]) + self._tap.take_packets()
        for data in (*frames, *packets):
            if not isinstance(data, bytes):
                raise TypeError(f"the target gave a `{type(data).__name__}`, not bytes")
        self.exchange += [Exchanged(self.now, "lan", False, data) for data in frames]
        self.exchange += [Exchanged(self.now, "host", False, data) for data in packets]
        self._frames += frames
        self._packets += packets


def without_nonce(frame: bytes) -> bytes:
    """A probe for an address without the number that RFC 7527 lets it carry; others as they are."""
    start = HEADER_LEN + HEADER6_LEN
    is_probe = frame[12:14] == IPV6 and frame[22:38] == ANY6
    if not is_probe or frame[start : start + 1] + frame[start + ndp.LEN :][:2] != _WITH_NONCE:
        return frame
    packet = Ipv6.parse(frame[HEADER_LEN:])
    message = NeighborMessage.parse(packet.payload)
    if message.between(packet.source, packet.destination) != packet.payload:
        return frame  # a wrong checksum is not made right
    others = tuple(each for each in message.options if each[0] != ndp.NONCE)
    bare = NeighborMessage(message.type, message.flags, message.target, others)
    return frame[:HEADER_LEN] + ndp.packet(bare, packet.source, packet.destination)
