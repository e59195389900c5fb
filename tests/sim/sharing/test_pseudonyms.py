"""Pseudonyms: one for each, the same under one key, and of the same kind."""

from ipaddress import ip_address
from itertools import combinations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sim.sharing.pseudonyms import NAMES_MAX, TEXT_MAX, WITHHELD, Pseudonyms

KEY = bytes(range(32))
WHO = Pseudonyms(KEY)


def ip(text):
    """The pseudonym of an address, as text."""
    return str(ip_address(WHO.ip(ip_address(text).packed)))


def mac(text):
    return WHO.mac(bytes.fromhex(text.replace(":", ""))).hex(":")


def shared(one, other):
    """How many bits at the front are the same."""
    apart = int.from_bytes(one) ^ int.from_bytes(other)
    return 8 * len(one) - apart.bit_length()


def test_under_one_key_the_same_is_the_same():
    again = Pseudonyms(KEY)
    assert (again.ip(b"\x0a\1\2\3"), again.mac(b"abcdef"), again.name("x")) == (
        WHO.ip(b"\x0a\1\2\3"),
        WHO.mac(b"abcdef"),
        WHO.name("x"),
    )


def test_under_another_key_it_is_another():
    other = Pseudonyms(bytes(32))
    assert other.ip(b"\x0a\1\2\3") != WHO.ip(b"\x0a\1\2\3")
    assert other.mac(b"abcdef") != WHO.mac(b"abcdef")
    assert other.name("x") != WHO.name("x")


@given(st.binary(min_size=4, max_size=4), st.binary(min_size=4, max_size=4))
def test_ipv4_addresses_share_as_many_bits_as_before(one, other):
    assume(one[0] >> 4 != 14 and other[0] >> 4 != 14)  # groups share theirs with their MACs
    assume(b"\x7f\0\0\1" not in (one, other))
    assume({one, other}.isdisjoint({bytes(4), b"\xff" * 4}))
    assert shared(WHO.ip(one), WHO.ip(other)) == shared(one, other)


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_ipv6_networks_share_as_many_bits_as_before(one, other):
    assume(one[0] not in (0, 255) and other[0] not in (0, 255))
    made = [WHO.ip(network + b"\1\2\3\4\5\6\7\x08")[:8] for network in (one, other)]
    assert shared(*made) == shared(one, other)


@given(st.lists(st.binary(min_size=6, max_size=6), max_size=8, unique=True))
def test_no_two_macs_become_one(macs):
    assert len({WHO.mac(one) for one in macs}) == len(macs)


@given(st.binary(min_size=6, max_size=6))
def test_a_mac_stays_a_groups_or_given_locally(one):
    assert WHO.mac(one)[0] & 3 == one[0] & 3


def test_networks_of_a_plan_stay_networks():
    hosts = [ip(f"10.0.{i}.{j}") for i in (1, 2) for j in (5, 9)]
    networks = [one.rpartition(".")[0] for one in hosts]
    assert networks[0] == networks[1] != networks[2] == networks[3]


@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        ("10.", "10.1.2.3"),
        ("172.", "172.16.1.2"),
        ("192.168.", "192.168.1.1"),
        ("169.254.", "169.254.7.7"),
        ("127.", "127.0.7.1"),
        ("fe80::", "fe80::1:2:3:4"),
        ("fd", "fd00::1"),
    ],
)
def test_an_address_stays_of_its_kind(prefix, text):
    made = ip(text)
    assert made.startswith(prefix) and made != text


@given(st.binary(min_size=4, max_size=4))
def test_none_becomes_of_a_kind_that_it_was_not(address):
    before, after = ip_address(address), ip_address(WHO.ip(address))
    kinds = ("is_multicast", "is_link_local", "is_loopback", "is_unspecified")
    assert [getattr(before, kind) for kind in kinds] == [getattr(after, kind) for kind in kinds]


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.1", "224.0.0.251", "::", "::1"),
        *("ff02::1", "ff02::2", "ff02::16", "ff02::fb", "ff02::1:2", "ff02::1:3"),
    ],
)
def test_what_is_written_in_rfcs_stays(text):
    assert ip(text) == text


@pytest.mark.parametrize(
    "text", ["ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "01:80:c2:00:00:0e", "01:00:5e:00:00:01"]
)
def test_macs_that_are_nobodys_stay(text):
    assert mac(text) == text


@given(st.integers(0, 2**28 - 1))
def test_a_group_of_ipv4_and_its_mac_stay_together(number):
    group = (0xE0000000 | number).to_bytes(4)
    made = WHO.ip(group)
    low = bytes([group[1] & 0x7F]) + group[2:]
    assert made[0] >> 4 == 14
    assert WHO.mac(b"\x01\x00\x5e" + low) == b"\x01\x00\x5e" + bytes([made[1] & 0x7F]) + made[2:]


@given(st.binary(min_size=16, max_size=16))
def test_an_ipv6_address_its_group_and_the_groups_mac_stay_together(address):
    assume(address[0] not in (0, 255))
    group = b"\xff\x02" + bytes(9) + b"\x01\xff" + address[13:]
    made = WHO.ip(group)
    assert made == b"\xff\x02" + bytes(9) + b"\x01\xff" + WHO.ip(address)[13:]
    assert WHO.mac(b"\x33\x33" + group[12:]) == b"\x33\x33" + made[12:]


def test_an_address_that_was_made_of_a_mac_still_is():
    made = WHO.mac(b"\x02\0\0\1\2\3")
    address = WHO.ip(b"\xfe\x80" + bytes(6) + b"\0\0\0\xff\xfe\1\2\3")
    assert (
        address
        == b"\xfe\x80" + bytes(6) + bytes([made[0] ^ 2]) + made[1:3] + b"\xff\xfe" + made[3:]
    )


def test_a_group_of_somebodys_own_is_a_group_still():
    assert ip("ff3e:20:2001:db8::1234:5678").startswith("ff3e:")
    assert ip("239.1.2.3").startswith("239.") and ip("239.1.2.3") != "239.1.2.3"


def test_a_name_says_nothing_and_is_one_that_a_scenario_may_have():
    names = ["x", "X", "\ud800", "a" * 1000, "a\nb"]
    made = [WHO.name(one) for one in names]
    assert len(set(made)) == len(names)
    assert all(one.isalnum() and len(one) == 13 and one.islower() for one in made)
    assert WHO.name("") == ""


def test_addresses_keep_their_look():
    assert WHO.address("02-00-00-00-00-07") == mac("02:00:00:00:00:07").replace(":", "-")
    assert WHO.address("02:00:00:00:00:07") == mac("02:00:00:00:00:07")
    assert WHO.address("10.0.0.1") == ip("10.0.0.1")
    assert [WHO.address(text) for text in ("", "x", "10.0.0", "10.0.0.0/8", "1:2")] == [None] * 5


def test_in_words_names_and_addresses_are_found():
    who = Pseudonyms(KEY, ["h1", "h", "center", "a b", "[/]"])
    said = "h1 spoke to center.s1 (10.0.0.7, 02:00:00:00:00:07) and fd00::7; a b [/] the 10 h10"
    assert who.text(said) == (
        f"{who.name('h1')} spoke to {who.name('center')}.s1 ({ip('10.0.0.7')}, "
        f"{mac('02:00:00:00:00:07')}) and {ip('fd00::7')}; {who.name('a b')} {who.name('[/]')} "
        "the 10 h10"
    )


def test_in_words_bytes_are_no_payload_any_more():
    said = WHO.text("it was 4500001c00 or 0a000007, after 3000000000 ns")
    assert "4500001c00" not in said and "0a000007" not in said and "3000000000 ns" in said


def test_in_words_a_long_name_is_found_though_it_was_cut():
    who = Pseudonyms(KEY, ["long" * 50, "e\x1bvil"])
    for name in ("long" * 50, "long" * 15, "e\x1bvil", "e\\x1bvil"):
        assert name not in who.text(f"`{name}` did it")
        assert who.text(f"`{name}` did it").endswith("did it")


@pytest.mark.parametrize("text", ["12:30:45", "1.2.3.400", "::::::"])
def test_what_only_looks_like_an_address_is_taken_for_a_name(text):
    assert text not in WHO.text(f"at {text} it was")


def test_more_words_than_can_be_searched_are_withheld():
    assert WHO.text("x" * (TEXT_MAX + 1)) == WITHHELD
    many = Pseudonyms(KEY, [f"name{i}" for i in range(NAMES_MAX + 1)])
    assert many.text("name7") == WITHHELD


ADDRESSES = st.sampled_from(["127.0.0.1", "::1", "00:00:00:00:00:00", "10.0.0.1", "fe80::1"])


@given(st.text(max_size=60) | st.builds("{}{}".format, ADDRESSES, st.text(max_size=60)), st.text())
@example("00:00:00:00:00:00 secret", "")
@example("127.0.0.1/secret", "")
def test_a_name_is_in_no_text_where_it_stood_alone(name, words):
    who = Pseudonyms(KEY, [name])
    assume(len(name) > 4 and name.strip() and not name.isspace())
    assume(who.address(name) is None)  # those have rules of their own
    assert name not in who.text(f"{name} {words.replace(name, '')}")[: len(name)]


def test_no_addresses_of_a_network_become_each_others():
    addresses = [f"10.0.0.{i}" for i in range(1, 60)]
    made = {text: ip(text) for text in addresses}
    assert all(made[one] != made[other] for one, other in combinations(addresses, 2))
