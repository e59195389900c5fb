"""What `vtap live tunnel` is told: a configuration, or one line that says what is wrong."""

import sys

import pytest

from sim.cli.main import WRONG_CALL, call
from sim.live.tunnel import Words, config_of
from virtualtap import ip, mac

ENDS = ("live", "tunnel", "--tun", "nobodys-tun", "--tap", "nobodys-tap")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--address", "10.0.0.2/33"), "`prefix_length` must be from 0 to 32"),
        (("--address", "10.0.0.2/x"), "`10.0.0.2/x` has no such prefix"),
        (("--address", "fd00::2/48"), "`fd00::2/48` has no such prefix"),
        (("--address", "10.0.0.2", "--address", "10.0.0.3"), "more than one `--address` of IPv4"),
        (("--gateway", "nobody"), "`nobody` is not an IP address"),
        (("--mac", "01:00:5e:00:00:01"), "`our_mac` must be a unicast MAC"),
        (("--profile", "polite"), "`profile` must be one of"),
    ],
)
def test_a_wrong_word_is_one_line(words, complaint, capsys):
    assert call([*ENDS, *words]) == WRONG_CALL
    said = capsys.readouterr().err
    assert (said.startswith(f"error: {complaint}"), said.count("\n")) == (True, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="not Linux")
def test_a_device_with_too_long_a_name_cannot_be_had(capsys):
    assert call(["live", "tunnel", "--tun", "x" * 300, "--tap", "y"]) == WRONG_CALL
    said = capsys.readouterr().err
    assert (said.startswith("error: "), said.count("\n")) == (True, 1)


def test_words_become_a_configuration():
    addresses, gateways = ["10.9.0.2/16", "fd00::2", "fe80::2/64"], ["10.9.0.1", "fe80::1"]
    config = config_of(Words("02:00:5e:00:00:07", addresses, gateways, False, 1400, "linux"))
    assert (config.our_mac, config.mtu, config.profile) == (mac("02:00:5e:00:00:07"), 1400, "linux")
    assert (config.our_ip, config.prefix_length) == (ip("10.9.0.2"), 16)
    assert config.our_ip6 == (ip("fd00::2"), ip("fe80::2"))
    assert (config.gateway_ip, config.gateway_ip6) == (ip("10.9.0.1"), ip("fe80::1"))


def test_without_a_mac_each_tunnel_has_one_of_its_own():
    assert config_of(Words()).our_mac != config_of(Words()).our_mac
