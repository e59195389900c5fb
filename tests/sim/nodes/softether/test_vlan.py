"""A session in a VLAN: a tag goes in and comes out again."""

import pytest

from sim.nodes.softether import vlan
from tests.sim.nodes.softether.hubs import sent

TAGGED = sent(head=b"\x81\x00\xe0\x05\x88\xb5")


def test_a_tag_has_the_id_and_no_priority():
    assert vlan.insert(sent(), 4095, 0x8100)[12:18] == b"\x81\x00\x0f\xff\x88\xb5"


def test_a_hub_may_use_another_type_of_tag():
    assert vlan.insert(sent(), 5, 0x88A8)[12:16] == b"\x88\xa8\x00\x05"
    assert vlan.remove(vlan.insert(sent(), 5, 0x88A8), 5, 0x88A8) == sent()
    assert vlan.remove(vlan.insert(sent(), 5, 0x88A8), 5, 0x8100) is None


def test_whatever_the_priority_the_tag_is_removed():
    assert vlan.remove(TAGGED, 5, 0x8100) == TAGGED[:12] + TAGGED[16:]


@pytest.mark.parametrize(
    "frame", [sent(), sent(head=b"\x81\x00\x00\x06"), TAGGED[:17]], ids=["none", "other", "cut"]
)
def test_what_has_no_tag_or_another_is_not_for_it(frame: bytes):
    assert vlan.remove(frame, 5, 0x8100) is None
