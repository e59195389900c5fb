"""The Internet checksum."""

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import vector
from virtualtap.wire import checksum


def folded(data: bytes) -> int:
    """RFC 1071 4.1, word by word."""
    data += bytes(len(data) % 2)
    value = sum(int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value


def test_the_sum_of_the_rfcs_example_is_the_rfcs():
    assert checksum.total(vector("checksum_rfc1071")) == 0xDDF2


def test_the_checksum_of_the_rfcs_example_is_the_complement():
    assert checksum.internet(vector("checksum_rfc1071")) == 0xFFFF ^ 0xDDF2


def test_an_odd_length_is_padded_on_the_right():
    assert checksum.total(b"\x12\x34\x56") == 0x1234 + 0x5600


@given(st.binary(max_size=100))
def test_the_sum_equals_the_one_word_by_word(data):
    assert folded(data) % 0xFFFF == checksum.total(data)


@given(st.binary(max_size=60), st.integers(0, 30))
def test_data_with_its_checksum_is_right(data, at):
    data += bytes(len(data) % 2)
    at = min(2 * at, len(data))
    value = checksum.internet(data)
    assert checksum.is_right(data[:at] + value.to_bytes(2) + data[at:])


@given(st.binary(min_size=2, max_size=60), st.integers(0, 0xFFFE), st.integers(1, 0xFFFE))
def test_one_changed_word_is_wrong(data, at, change):
    data += bytes(len(data) % 2)
    whole = checksum.internet(data).to_bytes(2) + data
    at = 2 * (at % (len(whole) // 2))
    word = int.from_bytes(whole[at : at + 2])
    other = (word + change) % 0x10000
    if (other - word) % 0xFFFF:
        assert not checksum.is_right(whole[:at] + other.to_bytes(2) + whole[at + 2 :])


@given(st.binary(min_size=8, max_size=60), st.integers(0, 100), st.integers(0, 0xFFFF))
def test_the_update_equals_a_new_sum(data, at, new):
    data += bytes(len(data) % 2)
    at = 2 * (at % (len(data) // 2))
    old = int.from_bytes(data[at : at + 2])
    changed = data[:at] + new.to_bytes(2) + data[at + 2 :]
    updated = checksum.update(checksum.internet(data), old, new)
    assert checksum.internet(changed) % 0xFFFF == updated


@given(st.binary(min_size=8, max_size=40), st.integers(1, 0xFFFE), st.integers(0, 0xFFFF))
def test_what_came_wrong_stays_wrong_by_the_same_error(data, error, new):
    data += bytes(len(data) % 2)
    wrong = (checksum.internet(data) + error) % 0xFFFF
    changed = new.to_bytes(2) + data[2:]
    updated = checksum.update(wrong, int.from_bytes(data[:2]), new)
    assert (checksum.internet(changed) + error) % 0xFFFF == updated


def test_the_pseudo_header_is_that_of_rfc_768():
    source, to = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
    written = source + to + bytes((0, 17)) + (28).to_bytes(2)
    assert checksum.total(written) == checksum.pseudo_header(source, to, 17, 28)


def test_the_pseudo_header_is_that_of_rfc_8200():
    source, to = b"\xfd" + bytes(14) + b"\1", b"\xfd" + bytes(14) + b"\2"
    written = source + to + (28).to_bytes(4) + bytes(3) + bytes((58,))
    assert checksum.total(written) == checksum.pseudo_header(source, to, 58, 28)
