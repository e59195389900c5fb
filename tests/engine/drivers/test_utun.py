"""A macOS utun: 4 bytes of family before each packet."""

import pytest

from tests.builders import packet, packet6
from tests.engine.drivers.platforms import Wire
from virtualtap.drivers.utun import Utun


@pytest.fixture
def kernel():
    wire = Wire()
    yield wire
    wire.close()


@pytest.mark.parametrize(
    ("data", "header"), [(packet(), b"\0\0\0\2"), (packet6(), b"\0\0\0\x1e")], ids=["IPv4", "IPv6"]
)
def test_a_packet_is_written_behind_its_family_and_read_without_it(kernel, data, header):
    side = Utun(kernel.near.fileno())

    side.write([data, data])
    kernel.far.send(header + data)

    assert (kernel.received(), side.read()) == ([header + data] * 2, [data])


def test_what_is_too_short_for_a_family_is_an_empty_packet(kernel):
    kernel.far.send(b"\0\0")

    assert Utun(kernel.near.fileno()).read() == [b""]


def test_a_utun_that_goes_away_is_down(kernel):
    kernel.far.close()

    assert Utun(kernel.near.fileno()).read() is None
