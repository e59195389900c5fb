"""A frame keeps its number from where it is sent to where it arrives, or is lost."""

import pytest

from sim.numbering import Numbering
from sim.observers import Kind, Moment
from sim.reasons import Reason

FRAME, OTHER = bytes(range(64)), bytes(range(1, 65))


@pytest.fixture
def numbering():
    """Of two links: what a sends b gets, and what c sends d gets."""
    return Numbering({"b": "a", "d": "c"})


def numbers(numbering, *moments) -> list[int]:
    found = []
    for kind, where, data, *why in moments:
        numbering.see(Moment(0, kind, where, data, *why))
        found.append(numbering.number)
    return found


def test_frames_that_pass_each_other_keep_their_numbers(numbering):
    sent = [(Kind.SENT, "a", FRAME), (Kind.SENT, "a", OTHER)]
    assert numbers(numbering, *sent, (Kind.ARRIVED, "b", OTHER), (Kind.ARRIVED, "b", FRAME)) == [
        *(1, 2),
        *(2, 1),
    ]


def test_the_same_bytes_sent_twice_arrive_in_their_order(numbering):
    one, two = (Kind.SENT, "a", FRAME), (Kind.ARRIVED, "b", FRAME)
    assert numbers(numbering, one, one, two, two) == [1, 2, 1, 2]


def test_a_datagram_that_comes_twice_has_one_number(numbering):
    sent, arrived = (Kind.SENT, "a", FRAME), (Kind.ARRIVED, "b", FRAME)
    assert numbers(numbering, sent, arrived, arrived) == [1, 1, 1]


def test_what_is_lost_on_the_way_does_not_arrive(numbering):
    lost = (Kind.DROPPED, "a", FRAME, Reason.LINK_DOWN)
    later = (Kind.SENT, "c", OTHER)
    assert numbers(numbering, (Kind.SENT, "a", FRAME), later, lost) == [1, 2, 1]
    assert numbers(numbering, (Kind.ARRIVED, "b", FRAME)) == [0]


def test_of_two_alike_the_one_just_sent_is_lost_by_a_fault(numbering):
    sent, lost = (Kind.SENT, "a", FRAME), (Kind.DROPPED, "a", FRAME, Reason.LINK_LOSS)
    assert numbers(numbering, sent, sent, lost) == [1, 2, 2]
    numbering.become("a", FRAME, [])
    assert numbers(numbering, (Kind.ARRIVED, "b", FRAME)) == [1]


def test_links_that_are_not_followed_count_but_are_not_told(numbering):
    numbering.become("x", FRAME, [OTHER])
    unknown = [(Kind.SENT, "x", FRAME), (Kind.ARRIVED, "y", FRAME), (Kind.SENT, "a", OTHER)]
    assert numbers(numbering, *unknown) == [1, 0, 2]
    assert numbering.remark() == "frame 2"


def test_a_fact_has_no_number(numbering):
    assert numbers(numbering, (Kind.SENT, "a", FRAME), (Kind.NOTED, "a", b"", "well")) == [1, 0]
    assert numbering.remark() == ""


def test_only_the_latest_arrivals_are_remembered(numbering):
    frames = [i.to_bytes(60) for i in range(300)]
    for frame in frames:
        numbers(numbering, (Kind.SENT, "a", frame), (Kind.ARRIVED, "b", frame))
    assert numbers(numbering, (Kind.ARRIVED, "b", frames[0])) == [0]
    assert numbers(numbering, (Kind.ARRIVED, "b", frames[-1])) == [300]


def test_a_port_that_is_plugged_into_another_link_is_followed_there(numbering):
    numbering.plug("x", "b")
    numbering.plug("y", "z")  # which nobody follows
    sent = (Kind.SENT, "x", FRAME), (Kind.SENT, "y", OTHER)
    assert numbers(numbering, *sent, (Kind.ARRIVED, "b", FRAME), (Kind.ARRIVED, "z", OTHER)) == [
        *(1, 2),
        *(1, 0),
    ]
