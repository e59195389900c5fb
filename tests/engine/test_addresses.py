"""Virtual MAC addresses."""

from hypothesis import given
from hypothesis import strategies as st

from virtualtap import TapConfig, mac, random_mac


@given(st.integers() | st.text(st.characters(codec="utf-8")))
def test_a_random_mac_is_unicast_and_locally_administered(seed):
    address = random_mac(seed)
    assert (len(address), address[0]) == (6, 0x02)
    assert TapConfig(our_mac=address).our_mac == address


def test_a_seed_gives_the_same_mac_for_ever():
    assert random_mac(1) == mac("02:36:c7:6e:ba:33")


def test_ten_thousand_seeds_give_ten_thousand_macs():
    assert len({random_mac(seed) for seed in range(10_000)}) == 10_000
