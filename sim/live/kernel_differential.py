"""The kernel and the engine's profile `linux` are asked the same: sections of the page. RFC 826."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from select import select
from time import monotonic

from sim.conformance.script import without_nonce
from sim.live import kernel, stimuli_arp, stimuli_ndp
from sim.live.fidelity import Row, Section
from sim.live.namespace import Namespace
from sim.live.stacks import (
    PAUSE_S,
    EngineStack,
    KernelStack,
    Stack,
    asks,
    probe_packet,
    told,
)
from sim.live.stimuli_arp import LOCKED, OLD_MAC, OUR_MAC, PEER
from sim.live.stimuli_ndp import OURS6, PEER6
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire.address import Ip, Mac, ip, ip_text, mac_text

LAST_S = 9
LATE = 1 / 8  # of its length: a kernel's timers may be so late (Linux' kernel/time/timer.c)
LATE_S = 0.1  # and a machine that does more than this
DAD_S = 3.2  # RFC 4862 5.4.2: up to a second of luck before the probe, and one after it
_NOBODY, _NOBODY6 = ip("10.0.0.77"), ip("fd00:5::77")
_HOW = (
    "The same bytes to a kernel on a TAP and to the engine; each answer's bytes are compared, and "
    "the whole table (`ip neigh`; the engine's states by what it does next). In a cell: what is "
    "answered; then the table, if nobody was known, if the peer was known at its old MAC and not "
    "sure (STALE), and if it was sure (REACHABLE). "
)


def sections() -> Iterator[Section]:
    """All of it: about half a minute. Missing where there is no namespace or no TUN."""
    with Namespace("kernel", ipv6=True) as namespace, closing(KernelStack(namespace)) as real:
        model = EngineStack()
        yield _section("ARP", _HOW, stimuli_arp.stimuli(), PEER, (model, real))
        rows = [_resolution(name, answers, real) for name, answers in stimuli_arp.answers()]
        text = "The host has a packet for the peer; what is sent then, and after each answer."
        yield Section("The kernel: resolution", text, rows)
        yield _section("NDP", _HOW, stimuli_ndp.stimuli(), PEER6, (model, real))
        rows = list(_timers(real))
        text = f"Seconds after it; the same: not early, at most an eighth and {LATE_S} s late."
        yield Section("The kernel: timers", text, rows)
    with Namespace("dad", ipv6=True) as namespace:
        text = (
            "A probe for our address is under way, and this comes: the probe, what becomes of it."
        )
        yield Section("The kernel: duplicate address detection", text, list(_dad(namespace)))


def _section(
    name: str,
    text: str,
    stimuli: Iterable[tuple[str, bytes]],
    peer: Ip,
    stacks: tuple[Stack, Stack],
) -> Section:
    rows = []
    for stimulus, frame in stimuli:
        model, real = (reaction(stack, frame, peer) for stack in stacks)
        rows.append(Row(stimulus, model, real, model == real))
    return Section(f"The kernel: {name}", text, rows)


def reaction(stack: Stack, frame: bytes, peer: Ip) -> str:
    """What is answered, and each table."""
    routed = frame[54:55] == b"\x86" and frame[20:21] == b"\x3a"
    answers, tables = [], []
    for known, state in (((), ""), ((peer,), "STALE"), ((peer,), "REACHABLE")):
        stack.begin(*known, state=state, routed=routed)
        answers.append(told(stack.hear(frame)))
        tables.append(stack.table())
        if routed:
            stack.begin(*known, state=state, routed=True)
            stack.hear(frame)
            tables[-1] += f" ({stack.routes()})"
    return "; ".join((*dict.fromkeys(answers), " / ".join(tables)))


def _resolution(name: str, answers: tuple[bytes, ...], real: KernelStack) -> Row:
    locked = name == LOCKED
    real.lock(100 if locked else 0)
    model = _resolved(EngineStack(), answers, lambda: None)
    found = _resolved(real, answers, real.pause)
    real.lock(0)
    cause = "the profile has `locktime` 0" if locked else ""
    return Row(name, model, found, model == found, cause)


def _resolved(stack: Stack, answers: tuple[bytes, ...], pause: Callable[[], None]) -> str:
    stack.begin()
    said = [told(stack.send(probe_packet(PEER)))]
    for answer in answers:
        said.append(told(stack.hear(answer)))
        pause()
    return "; ".join((*said, stack.table()))


def _timers(real: KernelStack) -> Iterator[Row]:
    """Unanswered questions, and doubts, of either family: all at once in the kernel."""
    flows: tuple[tuple[str, Ip, Mac | None], ...] = (
        ("nobody answers a request", _NOBODY, None),
        ("nobody answers a solicitation", _NOBODY6, None),
        ("a packet to one who is not sure", PEER, OLD_MAC),
        ("the same in IPv6", PEER6, OLD_MAC),
    )
    real.begin(PEER, PEER6, state="STALE")
    begun = monotonic()
    heard = [(0.0, one) for _, whom, _ in flows for one in real.send(probe_packet(whom))]
    while (now := monotonic() - begun) < LAST_S:
        heard += [(monotonic() - begun, one) for one in real.listen(LAST_S - now)]
    for name, whom, at in flows:
        stack = EngineStack()
        stack.begin(*(whom,) * (at is not None), state="STALE")
        sent = [(0, one) for one in stack.send(probe_packet(whom))] + stack.timed(LAST_S * SECOND)
        model = [(when / SECOND, one) for when, one in sent if asks((one,), whom, at)]
        found = [(when, one) for when, one in heard if asks((one,), whom, at)]
        yield Row(name, _timed(model), _timed(found), _are_same(model, found))


def _are_same(model: list[tuple[float, bytes]], found: list[tuple[float, bytes]]) -> bool:
    """The same frames, none early, none later than a kernel's timers are."""
    return len(model) == len(found) and all(
        frame == other and -PAUSE_S < late - due < due * LATE + LATE_S
        for (due, frame), (late, other) in zip(model, found, strict=True)
    )


def _timed(frames: list[tuple[float, bytes]]) -> str:
    """When, and what."""
    times = ", ".join(f"{when:.2f}" for when, _ in frames)
    return f"{times} s: {told(dict.fromkeys(one for _, one in frames))}" if frames else "never"


def _dad(namespace: Namespace) -> Iterator[Row]:
    """One device for each stimulus, all at the same time."""
    stimuli = list(stimuli_ndp.objections(OURS6))
    for name, value in (("dad_transmits", 1), ("accept_dad", 1), ("router_solicitations", 0)):
        namespace.set(f"net/ipv6/conf/default/{name}", str(value))
    devices = [kernel.open_in(namespace, "tap", f"d{number}") for number in range(len(stimuli))]
    try:
        for number in range(len(stimuli)):
            kernel.batch(
                namespace,
                f"link set d{number} addrgenmode none address {mac_text(OUR_MAC)} up",
                f"addr add {ip_text(OURS6)}/64 dev d{number}",
            )
        probes = _probed(devices, [objection for _, objection in stimuli])
        shown = [
            namespace.ip("-6", "-o", "addr", "show", "dev", f"d{number}")
            for number in range(len(stimuli))
        ]
    finally:
        for device in devices:
            os.close(device)
    for (name, objection), probe, line in zip(stimuli, probes, shown, strict=True):
        state = "given up" if "dadfailed" in line else "probed" if "tentative" in line else "ours"
        model, real = _claimed(objection), f"{probe}; {state}"
        yield Row(name, model, real, model == real)


def _probed(devices: list[int], objections: list[bytes | None]) -> list[str]:
    """Each device's probe; as soon as it is sent the objection comes."""
    probes: list[list[bytes]] = [[] for _ in devices]
    until = monotonic() + DAD_S
    while monotonic() < until:
        for device, objection, seen in zip(devices, objections, probes, strict=True):
            for frame in kernel.waiting(device, 0):
                if not asks((frame,), OURS6, None):
                    continue
                seen.append(without_nonce(frame))
                if objection is not None and len(seen) == 1:
                    os.write(device, objection)
        select(devices, (), (), max(0.0, until - monotonic()))
    return [told(seen) for seen in probes]


def _claimed(objection: bytes | None) -> str:
    """The engine's probe, and what becomes of the address."""
    tap = VirtualTap(TapConfig(our_mac=OUR_MAC, our_ip6=(OURS6,), dad=True, profile="linux"))
    now, probes = 0, list[bytes]()
    while (deadline := tap.next_deadline()) is not None and deadline <= 3 * SECOND:
        now = max(now, deadline)
        tap.poll(now)
        sent = tap.take_frames()
        if sent and not probes and objection is not None:
            tap.ethernet_to_ip(objection, now)
        probes += [without_nonce(one) for one in sent]
    state = "ours" if OURS6 in tap.our_ip6 else "given up"
    return f"{told(probes)}; {state}"
