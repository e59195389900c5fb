"""What the kernel as a target is given and what is made of its answers, without a kernel."""

import pytest

from sim.conformance.frames import frame, packet, packet6, wrapped
from sim.conformance.frames6 import LINK_LOCAL, ns
from sim.conformance.script import CONFIG, OUR_MAC, PEER, PEER6, US, US6
from sim.conformance.target_kernel import (
    CANNOT,
    check_passable,
    everyone,
    raised,
    renamed,
)
from sim.conformance.verdicts import Unsupported
from virtualtap.wire.address import ip
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6

EVERYONE = everyone(US, 24)


@pytest.mark.parametrize("ttl", [0, 1, 64, 253])
def test_a_packet_may_take_one_step_more_and_its_checksum_stays_right(ttl):
    assert raised(packet(ttl=ttl), 0) == packet(ttl=ttl + 1)


def test_a_wrong_checksum_stays_wrong():
    wrong = packet()[:10] + b"\x12\x34" + packet()[12:]
    more = raised(wrong, 0)
    difference = (int.from_bytes(wrong[10:12]) - int.from_bytes(more[10:12])) % 0xFFFF
    assert (more[8], difference) == (wrong[8] + 1, 0x0100)


def test_a_packet_inside_a_frame_is_found():
    inside = Ipv6(PEER6, US6, 253, b"hello", hop_limit=9).to_bytes()
    more = Ipv6(PEER6, US6, 253, b"hello", hop_limit=10).to_bytes()
    assert raised(frame(inside), 14) == frame(more)


@pytest.mark.parametrize("data", [b"", b"\x45", packet(ttl=254), packet(ttl=255), b"\x55" * 60])
def test_what_is_no_packet_or_has_steps_enough_stays(data):
    assert raised(data, 0) == data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (packet(ip("224.0.0.9")), "passes no groups and broadcasts on"),
        (packet(ip("10.0.0.255")), "passes no groups and broadcasts on"),
        (packet(ip("10.0.0.0")), "passes no groups and broadcasts on"),
        (packet(ttl=0), "passes nothing on that has no time to live"),
        (Ipv4(US, PEER, 253, b"x", fragment=1).to_bytes(), "joins no fragments"),
        (packet6(ip("ff02::9")), "passes no groups and broadcasts on"),
        (packet6(ip("fe80::9")), "passes nothing link-local on"),
        (Ipv6(US6, PEER6, 44, bytes(8)).to_bytes(), "joins no fragments"),
    ],
)
def test_what_no_router_passes_on_is_not_asked(data, why):
    with pytest.raises(Unsupported, match=f"a router {why}"):
        check_passable(data, EVERYONE)


@pytest.mark.parametrize("data", [packet(), packet6(), b"", b"\x45", ns()[14:]])
def test_all_else_may_be_asked(data):
    check_passable(data, EVERYONE)


def test_a_doubt_in_the_name_of_the_link_local_address_is_one_in_ours():
    doubt = ns(PEER6, by=LINK_LOCAL, at=OUR_MAC, says=OUR_MAC, to=PEER6)
    assert renamed(doubt, US6) == ns(PEER6, by=US6, at=OUR_MAC, says=OUR_MAC, to=PEER6)
    assert renamed(wrapped(packet6()), US6) == wrapped(packet6())


def test_what_the_kernel_does_not_have_is_named_as_the_configuration_names_it():
    assert {"dhcp", "hosts", "groups"} <= CANNOT <= set(CONFIG.__dataclass_fields__)
