"""The contract kit: promises that any translator keeps, as a Hypothesis state machine. RFC 1122."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import ClassVar
from unittest import TestCase

from sim.conformance.account import Account, Broken
from sim.conformance.frames import arp_reply, arp_request, frame, packet, solicitation
from sim.conformance.script import CONFIG, NOBODY, OUR_MAC, PEER, PEER_MAC, US, US6, Make
from virtualtap.errors import UsageError
from virtualtap.tap import Translator
from virtualtap.units import MS, SECOND, Duration, Instant
from virtualtap.wire import ipv4
from virtualtap.wire.ipv4 import Ipv4

try:
    from hypothesis import HealthCheck, settings
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
except ImportError:
    raise UsageError(
        "the contract kit needs `hypothesis`", "install `virtualtap[contract]`"
    ) from None

from sim.conformance import happenings as happen

_WIDE = replace(CONFIG, prefix_length=8)  # room for many strangers
_POLLS_MAX = 10_000  # in one step: more is a timer that never rests
_FLOOD = 4000
_LEFT_MAX = 64 * _FLOOD  # bytes: what an entry for each stranger would surely need


def contract(make: Make) -> type[TestCase]:
    """A test case for what `make(config)` makes, to be collected by pytest or unittest.

    The configuration is that of the conformance cases: an address in each family, a gateway. Two
    copies are made for each history and get the same input: of the first time passes in small
    steps, of the second at once. Broken (an AssertionError) says what was not kept; the history
    that shows it is the shortest that Hypothesis finds. How hard it looks its settings say.
    """

    class Machine(Histories):
        translator = staticmethod(make)

    class Contract(TestCase):
        """What any translator promises."""

        def test_it_keeps_its_promises_whatever_comes(self) -> None:
            run_state_machine_as_test(Machine, settings=_of_a_machine())

        def test_it_reaches_an_honest_neighbor(self) -> None:
            reach(make)

        def test_its_outboxes_are_bounded(self) -> None:
            flood(make(_WIDE), 2 * CONFIG.outbox_max)

        def test_its_memory_is_bounded(self) -> None:
            forget_strangers(make)

    return Contract


def _of_a_machine() -> settings:
    """What Hypothesis says today, but as for its own state machines: no judge of slowness.

    A busy computer breaks no promise, and whoever gives settings loses what they have of these.
    """
    every = list(HealthCheck)
    return settings(report_multiple_bugs=False, deadline=None, suppress_health_check=every)


class Histories(RuleBasedStateMachine):
    """Whatever a host, a LAN and time may do to two copies of one translator."""

    translator: ClassVar[Callable[..., Translator]]

    def __init__(self) -> None:
        super().__init__()
        self.stepping, self.leaping = self.translator(CONFIG), self.translator(CONFIG)
        self.account = Account(CONFIG)
        self.now: Instant = 0
        self.datagrams = 0
        self.unanswered: list[bytes] = []
        self._compare(_Out(self.stepping), _Out(self.leaping))

    @rule(data=happen.packets)
    def host_sends(self, data: bytes) -> None:
        self.account.packet_in(data)
        copies = (self.stepping, self.leaping)
        self._compare(*(_Out(one, frame=one.ip_to_ethernet(data, self.now)) for one in copies))

    @rule(data=happen.control)
    def lan_speaks_of_itself(self, data: bytes) -> None:
        self._lan_sends(data)

    @rule(data=happen.data)
    def lan_sends(self, data: bytes) -> None:
        self._lan_sends(data)

    @rule(data=happen.noise)
    def lan_makes_noise(self, data: bytes) -> None:
        self._lan_sends(data)

    @rule()
    def lan_answers(self) -> None:
        """Everybody who was asked for since the last time says where it is."""
        questions, self.unanswered = self.unanswered, []
        for answer in map(happen.answer, questions):
            if answer is not None:
                self._lan_sends(answer)

    @rule(length=st.integers(300, 2000), luck=st.randoms(use_true_random=False))
    def lan_sends_pieces(self, length: int, luck: Random) -> None:
        """Of one packet, out of order, some of them twice."""
        self.datagrams += 1
        whole, pieces = happen.in_pieces(length, self.datagrams)
        self.account.whole_in(whole)
        pieces += pieces[: luck.randrange(2)]
        luck.shuffle(pieces)
        for piece in pieces:
            self._lan_sends(frame(piece))

    @rule(wait=happen.waits, parts=st.lists(st.integers(0, 1000), max_size=4))
    def time_passes(self, wait: Duration, parts: list[int]) -> None:
        """The same time for both: in steps, every deadline at its time; and in one leap."""
        start, out = self.now, _Out(self.stepping)
        for stop in (*sorted(start + wait * part // 1000 for part in parts), start + wait):
            self._step_to(stop, out)
        self.leaping.poll(start + wait)
        self._compare(out, _Out(self.leaping))

    def _lan_sends(self, data: bytes) -> None:
        self.account.frame_in(data)
        copies = (self.stepping, self.leaping)
        self._compare(*(_Out(one, packet=one.ethernet_to_ip(data, self.now)) for one in copies))

    def _step_to(self, stop: Instant, out: "_Out") -> None:
        for _ in range(_POLLS_MAX):
            deadline = self.stepping.next_deadline()
            self.now = stop if deadline is None else min(max(deadline, self.now), stop)
            self.stepping.poll(self.now)
            out.gather(self.stepping)
            later = self.stepping.next_deadline()
            if later is not None and later <= self.now:
                raise Broken(f"polled at {self.now}, it wants to be polled at {later} again")
            if self.now == stop:
                return
        raise Broken(f"{_POLLS_MAX} polls did not lead to {stop}")

    def _compare(self, stepping: "_Out", leaping: "_Out") -> None:
        """Both copies gave the same, and it may come out."""
        self.account.frames_out(stepping.frames)
        self.account.packets_out(stepping.packets)
        self.unanswered += stepping.frames
        if (stepping.frames, stepping.packets) != (leaping.frames, leaping.packets):
            raise Broken(f"the same input gave {leaping} after one poll, after many {stepping}")


class _Out:
    """What came out of a translator, in order."""

    def __init__(
        self, tap: Translator, *, frame: bytes | None = None, packet: bytes | None = None
    ) -> None:
        self.frames = [] if frame is None else [frame]
        self.packets = [] if packet is None else [packet]
        self.gather(tap)

    def gather(self, tap: Translator) -> None:
        self.frames += tap.take_frames()
        self.packets += tap.take_packets()

    def __repr__(self) -> str:
        frames, packets = ([one.hex() for one in side] for side in (self.frames, self.packets))
        return f"frames {frames}, packets {packets}"


def reach(make: Make) -> None:
    """One who asks for us and answers is spoken to, once and unharmed. Broken where not."""
    tap, ours, theirs = make(CONFIG), packet(PEER), packet(US, source=PEER)
    out = _Out(tap, frame=tap.ip_to_ethernet(ours, 0))
    tap.ethernet_to_ip(arp_request(US), 0)
    tap.ethernet_to_ip(arp_reply(PEER), 0)
    out.gather(tap)
    tap.poll(10 * SECOND)
    out.gather(tap)
    if out.frames.count(frame(ours, to=PEER_MAC, source=OUR_MAC)) != 1:
        raise Broken(f"a packet for one who answers must go to it, once: {out}")
    if tap.ethernet_to_ip(frame(theirs), 10 * SECOND) != theirs:
        raise Broken("a packet in a frame for us must go to the host")


def flood(tap: Translator, count: int, first: int = 0, now: Instant = 0) -> None:
    """So many strangers of every kind, and nobody takes what comes out. Broken where it grows."""
    for number in range(first, first + count):
        mac, low = PEER_MAC[:2] + number.to_bytes(4), number.to_bytes(3)
        tap.ethernet_to_ip(arp_request(US, by=b"\x0a" + low, at=mac), now)
        tap.ethernet_to_ip(solicitation(US6, by=US6[:13] + low, at=mac), now)
        piece = Ipv4(b"\x0a" + low, US, 253, bytes(8), fragment=ipv4.MORE_FRAGMENTS)
        tap.ethernet_to_ip(frame(piece.to_bytes()), now)
        tap.ip_to_ethernet(packet(NOBODY[:1] + low), now)
    waiting = len(tap.take_frames()), len(tap.take_packets())
    if max(waiting) > CONFIG.outbox_max:
        raise Broken(f"nobody took {max(waiting)} outputs, and {CONFIG.outbox_max} are the limit")


def forget_strangers(make: Make) -> None:
    """A second flood of other strangers leaves nothing that the first had not, or it is Broken.

    Memory is what `tracemalloc` counts: that of Python, not that of a C library.
    """
    tap = make(_WIDE)
    flood(tap, _FLOOD)
    tracemalloc.start()
    try:
        flood(tap, _FLOOD, first=_FLOOD, now=200 * MS)
        before, _ = tracemalloc.get_traced_memory()
        flood(tap, _FLOOD, first=2 * _FLOOD, now=400 * MS)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    if after - before > _LEFT_MAX:
        raise Broken(f"{after - before} bytes stay of {_FLOOD} strangers more")
