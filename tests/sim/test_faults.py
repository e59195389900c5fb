"""A fault is a function from one frame to the deliveries it becomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.actions.troubles import FAULTS
from sim.faults import (
    BitFlip,
    Duplication,
    Exactly,
    Fault,
    Jitter,
    Loss,
    Mtu,
    Outcome,
    Reordering,
    Toward,
    Truncation,
)
from sim.rng import stream
from tests.sim.networks import a_wire
from virtualtap.units import MS

FRAME = bytes(range(60))
HOLD = 3 * MS
KINDS = {
    kind.name: kind for kind in (Loss, Jitter, Duplication, Reordering, BitFlip, Truncation, Mtu)
}


def make(name: str, probability: float) -> Fault:
    """The fault of this name; a jitter of nothing or of up to `HOLD`, an MTU of all or nothing."""
    kind = KINDS[name]
    if kind is Jitter:
        return Jitter(round(HOLD * probability))
    if kind is Mtu:
        return Mtu(round(1500 * (1 - probability)))
    return Reordering(probability, HOLD) if kind is Reordering else kind(probability)


def bits_that_differ(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


CERTAIN = {  # what one frame becomes for certain: how many, how late, with which bytes
    "loss": lambda out: out == [],
    "jitter": lambda out: [data for _, data in out] == [FRAME] and 0 <= out[0][0] <= HOLD,
    "duplication": lambda out: out == [(0, FRAME), (0, FRAME)],
    "reordering": lambda out: out == [(HOLD, FRAME)],
    "bit-flip": lambda out: (
        len(out) == 1 and len(out[0][1]) == 60 and bits_that_differ(out[0][1], FRAME) == 1
    ),
    "truncation": lambda out: (
        len(out) == 1 and 1 <= len(out[0][1]) < 60 and FRAME.startswith(out[0][1])
    ),
    "mtu": lambda out: out == [],
}


def test_every_fault_is_known_by_its_name():
    assert list(FAULTS) == list(CERTAIN)


@pytest.mark.parametrize("name", FAULTS)
@given(frame=st.binary(max_size=100), seed=st.integers(0, 1000))
def test_a_fault_of_probability_zero_is_identity(name: str, frame: bytes, seed: int):
    assert list(make(name, 0.0).apply(frame, stream(seed, "x"))) == [(0, frame)]


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("seed", range(50))
def test_a_fault_of_probability_one_is_certain(name: str, seed: int):
    assert CERTAIN[name](list(make(name, 1.0).apply(FRAME, stream(seed, "x"))))


@pytest.mark.parametrize("name", ["jitter", "duplication", "reordering"])
@given(
    frame=st.binary(max_size=100),
    probability=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_what_only_moves_or_repeats_conserves_bytes(
    name: str, frame: bytes, probability: float, seed: int
):
    out = make(name, probability).apply(frame, stream(seed, "x"))
    assert {data for _, data in out} == {frame}


@pytest.mark.parametrize("name", FAULTS)
@given(frame=st.binary(max_size=100), seed=st.integers(0, 1000))
def test_a_fault_never_makes_longer_frames_and_never_empty_ones_of_full(
    name: str, frame: bytes, seed: int
):
    out = make(name, 0.7).apply(frame, stream(seed, "x"))
    assert all(len(data) <= len(frame) and bool(data) == bool(frame) for _, data in out)
    assert all(late >= 0 for late, _ in out)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_prints_compares_and_is_frozen(name: str):
    assert make(name, 0.5) == make(name, 0.5) != make(name, 0.25)
    assert eval(repr(make(name, 0.5))) == make(name, 0.5)
    assert {make(name, 0.5): 1}[make(name, 0.5)] == 1


@pytest.mark.parametrize("name", FAULTS)
def test_the_same_luck_gives_the_same_deliveries(name: str):
    fault, one, other = make(name, 0.5), stream(1, "x"), stream(1, "x")
    assert [fault.apply(FRAME, one) for _ in range(40)] == [
        fault.apply(FRAME, other) for _ in range(40)
    ]


def test_bit_flips_reach_every_bit():
    luck = stream(1, "x")
    hit = {int.from_bytes(BitFlip(1.0).apply(b"\0\0", luck)[0][1]) for _ in range(400)}
    assert hit == {1 << bit for bit in range(16)}


def test_truncation_reaches_every_shorter_length_but_none():
    luck = stream(1, "x")
    assert {len(Truncation(1.0).apply(b"abcd", luck)[0][1]) for _ in range(200)} == {1, 2, 3}


def test_jitter_reaches_both_of_its_ends():
    luck = stream(1, "x")
    assert {Jitter(2).apply(FRAME, luck)[0][0] for _ in range(200)} == {0, 1, 2}


def test_faults_compose_from_left_to_right():
    both = (Duplication(1.0), Loss(1.0))
    network, a, b, link = a_wire(faults=both)
    a.say_at(0, FRAME)
    network.run(1 * MS)
    way = link.directions[0]
    assert (b.heard, way.sent, way.duplicated, way.lost) == ([], 1, 1, {"link-loss": 2})
    network, a, b, link = a_wire(faults=both[::-1])
    a.say_at(0, FRAME)
    network.run(1 * MS)
    way = link.directions[0]
    assert (b.heard, way.sent, way.duplicated, way.lost) == ([], 1, 0, {"link-loss": 1})


def test_delays_of_several_faults_add_up():
    network, a, b, _ = a_wire(delay=5, faults=(Reordering(1.0, 100), Reordering(1.0, 1000)))
    a.say_at(0, FRAME)
    network.run(1 * MS)
    assert b.heard == [(1105, FRAME)]


def test_the_two_directions_have_luck_of_their_own():
    network, a, b, _ = a_wire(seed=5, faults=(Loss(0.5),))
    for i in range(40):
        a.say_at(i, bytes([i]) * 60)
        b.say_at(i, bytes([i]) * 60)
    network.run(1 * MS)
    assert a.frames() != b.frames()


def test_one_direction_does_not_disturb_the_luck_of_the_other():
    def fates(answers: int) -> list[bytes]:
        network, a, b, _ = a_wire(seed=5, faults=(Loss(0.5),))
        for i in range(40):
            a.say_at(i, bytes([i]) * 60)
        for i in range(answers):
            b.say_at(i, FRAME)
        network.run(1 * MS)
        return b.frames()

    assert 5 < len(fates(0)) < 35
    assert fates(0) == fates(40)


def test_a_frame_longer_than_the_mtu_is_lost_and_one_as_long_passes():
    network, a, b, link = a_wire(faults=(Mtu(60),))
    a.say_at(0, FRAME, FRAME + b"!")
    network.run(1 * MS)
    assert (b.frames(), link.directions[0].lost) == ([FRAME], {"link-mtu": 1})
    assert network.ledger() == []


def exactly(**outcomes: Outcome) -> Exactly:
    """By `n1`, `n2`, …: what becomes of the frame of that number."""
    return Exactly(tuple((int(name[1:]), one) for name, one in outcomes.items()))


@pytest.mark.parametrize(
    ("outcome", "deliveries"),
    [
        (Outcome(), [(0, FRAME)]),
        (Outcome(lost=True, copies=2), []),
        (Outcome(copies=3), [(0, FRAME)] * 3),
        (Outcome(late=7), [(7, FRAME)]),
        (Outcome(flip=15), [(0, b"\0\0" + FRAME[2:])]),
        (Outcome(flip=480), [(0, FRAME)]),
        (Outcome(cut=2), [(0, FRAME[:2])]),
        (Outcome(cut=61), [(0, FRAME)]),
        (Outcome(flip=15, cut=2, late=7, copies=2), [(7, b"\0\0")] * 2),
    ],
)
def test_an_outcome_is_what_was_said(outcome: Outcome, deliveries: list):
    assert list(outcome.of(FRAME)) == deliveries


def test_exactly_the_frames_that_were_said_are_lost_on_each_way():
    network, a, b, _ = a_wire(faults=(exactly(n2=Outcome(lost=True), n3=Outcome(copies=2)),))
    frames = [bytes([i]) * 60 for i in range(4)]
    a.say_at(0, *frames)
    b.say_at(0, *frames[:2])
    network.run(1 * MS)
    assert b.frames() == [frames[0], frames[2], frames[2], frames[3]]
    assert a.frames() == frames[:1]
    assert network.ledger() == []


def test_what_one_fault_loses_the_next_does_not_count():
    faults = (exactly(n1=Outcome(lost=True)), exactly(n1=Outcome(lost=True)))
    network, a, b, _ = a_wire(faults=faults)
    frames = [bytes([i]) * 60 for i in range(3)]
    a.say_at(0, *frames)
    network.run(1 * MS)
    assert b.frames() == frames[2:]


def test_a_fault_goes_on_counting_when_another_begins():
    second = exactly(n2=Outcome(lost=True))
    network, a, b, link = a_wire(faults=(second,))
    frames = [bytes([i]) * 60 for i in range(3)]
    a.say_at(0, frames[0])
    a.say_at(2, *frames[1:])
    network.run(1)
    link.faults = (Jitter(0), second)
    network.run(1 * MS)
    assert b.frames() == [frames[0], frames[2]]


def test_the_same_fault_twice_counts_twice():
    twice = exactly(n2=Outcome(lost=True))
    network, a, b, link = a_wire(faults=(twice, twice))
    frames = [bytes([i]) * 60 for i in range(4)]
    a.say_at(0, *frames)
    network.run(0)
    link.faults = (twice, twice)
    network.run(1 * MS)
    assert b.frames() == [frames[0], frames[3]]


def test_a_fault_toward_a_node_leaves_the_other_way_plain():
    network, a, b, link = a_wire(faults=(Toward(Loss(1.0), "b"),))
    a.say_at(0, FRAME)
    b.say_at(0, FRAME)
    network.run(1 * MS)
    assert (a.frames(), b.frames()) == ([FRAME], [])
    assert [way.is_plain for way in link.directions] == [False, True]
