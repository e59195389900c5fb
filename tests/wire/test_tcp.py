"""The segment size of a SYN, and the checksum that pays for its change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.builders import vector
from virtualtap import ip
from virtualtap.wire import checksum, tcp
from virtualtap.wire.ipv4 import TCP

ENDS = ip("10.0.0.2"), ip("10.0.0.3")
AT = 23  # where the vector's MSS stands: behind a NOP, so at an odd place


def test_the_vector_is_right():
    assert checksum.transport_is_right(*ENDS, TCP, vector("tcp_syn"))
    assert vector("tcp_syn")[AT : AT + 2] == (1460).to_bytes(2)


def test_a_segment_size_is_lowered_and_the_checksum_stays_right():
    changed = tcp.clamped(vector("tcp_syn"), 1360)
    assert changed[AT : AT + 2] == (1360).to_bytes(2)
    assert changed[:16] + changed[18:AT] == vector("tcp_syn")[:16] + vector("tcp_syn")[18:AT]
    assert checksum.transport_is_right(*ENDS, TCP, changed)


def test_a_segment_size_is_never_raised():
    assert tcp.clamped(vector("tcp_syn"), 1461) == vector("tcp_syn")


def test_an_option_of_no_length_ends_the_search():
    syn = vector("tcp_syn")
    broken = syn[:20] + b"\2\1" + syn[20:]
    assert tcp.clamped(broken, 100) == broken


@given(strategies.tcps, st.integers(0, 0xFFFF))
def test_what_changes_is_paid_for_and_nothing_else_changes(segment, most):
    changed = tcp.clamped(segment, most)
    assert len(changed) == len(segment)
    # the sum over everything is what it was: right stays right, wrong stays as wrong
    assert checksum.total(changed) == checksum.total(segment)
    different = sum(one != other for one, other in zip(changed, segment, strict=True))
    assert different <= 4


@given(st.binary(max_size=80), st.integers(0, 0xFFFF))
def test_no_bytes_raise(segment, most):
    assert len(tcp.clamped(segment, most)) == len(segment)


def test_the_segment_size_is_found_behind_an_option_without_a_value():
    syn = vector("tcp_syn")[:12] + b"\x80" + vector("tcp_syn")[13:20]
    options = b"\4\2\2\4\5\xb4\0\0"  # RFC 2018 2: SACK permitted
    assert tcp.clamped(syn + options, 1360)[20:] == b"\4\2\2\4" + (1360).to_bytes(2) + bytes(2)


@pytest.mark.parametrize(("words", "options"), [(5, b""), (6, b"\1\1\1\1")])
def test_data_behind_the_header_is_no_option(words, options):
    syn = vector("tcp_syn")
    segment = syn[:12] + bytes((words << 4,)) + syn[13:20] + options + b"\2\4\5\xb4"
    assert tcp.clamped(segment, 1360) == segment
