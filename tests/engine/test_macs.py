"""The MACs of one tap: generated, unique, locally administered, the same each time. IEEE 802 8."""

from virtualtap import addresses, ip, random_mac
from virtualtap.addresses import Macs

OWN, ONE, TWO = random_mac(1), ip("10.0.0.1"), ip("fd00::1")


def test_an_address_without_a_mac_of_its_own_is_at_the_taps():
    assert Macs(OWN, 0).of(ONE) == OWN


def test_a_generated_mac_is_unicast_local_and_nobody_elses():
    macs = Macs(OWN, 0)
    one, two = macs.add(ONE), macs.add(TWO)
    assert (one[0], two[0]) == (2, 2)
    assert macs.ours == {OWN, one, two} and len(macs.ours) == 3
    assert (macs.of(ONE), macs.of(TWO)) == (one, two)


def test_seed_tap_and_address_decide_a_generated_mac():
    first = Macs(OWN, 0).add(ONE)
    assert first == Macs(OWN, 0).add(ONE)
    assert len({first, Macs(OWN, 1).add(ONE), Macs(random_mac(2), 0).add(ONE)}) == 3


def test_a_mac_that_is_taken_is_not_generated_again(monkeypatch):
    made = iter((OWN, OWN, random_mac("fresh")))
    monkeypatch.setattr(addresses, "random_mac", lambda word: next(made))
    assert Macs(OWN, 0).add(ONE) == random_mac("fresh")
