"""Who the server's own parts are."""

import pytest

from sim.nodes.softether.constants import Version
from sim.nodes.softether.identity import hub_ip, hub_mac, is_polling, link_local, sha0
from virtualtap.wire.address import ip, mac

SEEN = mac("00:ae:42:11:01:4a")  # a hub of 5.01


def test_sha_0_is_that_of_fips_180():
    assert sha0(b"abc").hex() == "0164b8a914cd2a5e74c4f7ff082c4d97f1edf880"
    two_blocks = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    assert sha0(two_blocks).hex() == "d2516ee1acfa5baf33dfc1c471e438449ef134c8"


def test_a_hub_has_a_mac_of_its_own_that_stays():
    assert hub_mac("server", "A")[:2] == b"\x00\xae"
    assert hub_mac("server", "A") == hub_mac("server", "a")
    assert len({hub_mac(server, hub) for server in "xy" for hub in "AB"}) == 4


@pytest.mark.parametrize(
    ("seen", "stable", "developer"),
    [
        ("00:ae:42:11:01:4a", "172.31.67.18", "172.31.67.67"),
        ("00:ae:97:c6:00:00", "172.31.152.199", "172.31.152.152"),
        ("00:ae:f1:8d:00:00", "172.31.242.142", "172.31.242.242"),
        ("00:ae:fe:ff:00:00", "172.31.1.2", "172.31.1.1"),
    ],
)
def test_the_stable_version_has_a_last_octet_of_its_own(seen: str, stable: str, developer: str):
    assert hub_ip(mac(seen), Version.STABLE) == ip(stable)
    assert hub_ip(mac(seen), Version.DEVELOPER) == ip(developer)


def test_its_link_local_address_has_the_first_half_of_the_mac_twice():
    assert link_local(SEEN) == ip("fe80::2ae:42ff:fe00:ae42")


@pytest.mark.parametrize(
    ("source", "address", "expected"),
    [
        ("00:ae:42:11:01:4a", "172.31.67.18", True),
        ("00:ae:42:11:01:4a", "172.31.0.18", False),
        ("00:ae:42:11:01:4a", "172.31.67.255", False),
        ("00:ae:42:11:01:4a", "172.30.67.18", False),
        ("02:00:42:11:01:4a", "172.31.67.18", False),
        ("00:ae:42:11:01:4a", "fe80::2ae:42ff:fe00:ae42", True),
        ("00:ae:42:11:01:4a", "fe80::2af:42ff:fe00:ae42", False),
    ],
)
def test_a_polling_identity_is_known_by_its_mac_and_its_address(
    source: str, address: str, expected: bool
):
    assert is_polling(mac(source), ip(address)) is expected
