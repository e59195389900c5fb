"""Virtual taps in the hands of a SoftEther server: frames of all kinds, twins, new sessions."""

import pytest

from tests import builders as b
from tests.sim.networks import datagram, echo
from tests.sim.softether.stage import (
    BY_HAND,
    FAR,
    GATEWAY,
    QUIET,
    SECURE_NAT,
    Stage,
    host_ip,
    is_arp,
)
from virtualtap.wire.address import BROADCAST, ip, mac
from virtualtap.wire.ethernet import IPV4, tag
from virtualtap.wire.ipv4 import Ipv4

# 13, 14, 15, 16, 21: frames of all kinds


def test_13_a_long_packet_leaves_as_frames_of_1514_bytes():
    stage = Stage()
    stage.sends("h1", host_ip(2), 1, size=4000)
    stage.run(2)
    sent = [f for _, f in stage.sent("tap1") if not is_arp(f)]
    assert [len(f) for f in sent] == [1514, 1514, 14 + 20 + 8 + 4000 - 2 * 1480]
    (whole,) = stage.heard("h2")
    assert len(whole) == 20 + 8 + 4000


def test_13_a_long_packet_that_must_not_be_cut_is_given_back():
    stage = Stage()
    packet = bytearray(datagram(host_ip(1), host_ip(2), bytes(2000)))
    whole = Ipv4.parse(bytes(packet))
    whole.fragment = 0x4000
    stage.says("h1", whole.to_bytes(), 1)
    stage.run(2)
    assert [f for _, f in stage.sent("tap1") if not is_arp(f)] == []
    (error,) = stage.heard("h1")
    assert (error[20], error[21], error[26:28]) == (3, 4, (1500).to_bytes(2))


def tagged(frame: bytes) -> bytes:
    return frame[:12] + tag(5) + frame[12:]


@pytest.mark.parametrize(("said", "gets"), [("", 0), ("vlan_id = 5", 1)])
def test_14_a_tagged_frame_is_for_the_tap_of_that_vlan(said, gets):
    stage = Stage(f"[[taps]]\nmatch = 'tap1'\n{said}", bridges=1)
    packet = echo(host_ip(3), host_ip(1))
    stage.puts("s1", tagged(stage.mac("tap1") + b.PEER_MAC + IPV4 + packet), 1)
    stage.run(2)
    assert len(stage.arrived("tap1")) >= 1
    assert len(stage.heard("h1")) == gets


def test_15_a_flooded_frame_for_another_mac_is_not_for_the_host():
    stage = Stage(bridges=1)
    stage.puts("s1", b.STRANGER_MAC + b.PEER_MAC + IPV4 + echo(host_ip(3), host_ip(1)), 1)
    stage.run(2)
    assert [f[:6] for _, f in stage.arrived("tap1")] == [b.STRANGER_MAC]
    assert (stage.heard("h1"), stage.sent("tap1")) == ([], [])


def test_16_a_tap_takes_no_notice_of_its_own_frame():
    stage = Stage(bridges=1)
    own = stage.mac("tap1")
    stage.puts("s1", b.arp_request(own, host_ip(1), host_ip(2)), 1)
    stage.puts("s1", BROADCAST + own + IPV4 + datagram(host_ip(1), ip("10.0.255.255")), 2)
    stage.run(3)
    assert len([f for _, f in stage.arrived("tap1") if f[6:12] == own]) == 2
    assert (stage.heard("h1"), stage.sent("tap1")) == ([], [])


@pytest.mark.parametrize("length", [42, 60])
def test_21_a_tap_answers_arp_of_any_length(length):
    stage = Stage(bridges=1)
    stage.puts("s1", b.arp_request(b.PEER_MAC, host_ip(9), host_ip(1)).ljust(length, b"\0"), 1)
    stage.run(2)
    assert [len(f) for _, f in stage.arrived("tap1")] == [length]
    assert [f[:6] for _, f in stage.sent("tap1")] == [b.PEER_MAC]


@pytest.mark.parametrize("length", [42, 60])
def test_21_a_host_gets_a_packet_without_what_pads_its_frame(length):
    stage = Stage(bridges=1)
    packet = echo(host_ip(3), host_ip(1), b"")
    assert len(packet) == 28
    frame = stage.mac("tap1") + b.PEER_MAC + IPV4 + packet
    stage.puts("s1", frame.ljust(length, b"\0"), 1)
    stage.run(2)
    assert stage.heard("h1") == [packet]


# 19, 20: two that are one

TWINS = """
[[taps]]
match = "tap*"
our_mac = "02:00:00:00:00:77"
our_ip = "none"
[[sessions]]
match = "tap2--server"
user = "checked"
"""


def twins(policy: str) -> Stage:
    """Two taps with one MAC, and somebody who hears them: who is second has this policy."""
    users = f'users = [{{ name = "checked", policy = {{ {policy} }} }}]\n'
    stage = Stage(TWINS, server=users, bridges=1)
    for number in (1, 2):
        stage.built.endpoints[f"h{number}"].configure(host_ip(number))
    return stage


def test_19_of_two_taps_with_one_mac_each_gets_a_share():
    stage = twins("")
    for i in range(100):
        stage.sends(f"h{1 + i // 5 % 2}", host_ip(3), 10 + i / 10)
        packet = datagram(host_ip(3), host_ip(1 + i % 2))
        stage.puts("s1", mac("02:00:00:00:00:77") + b.PEER_MAC + IPV4 + packet, 10.05 + i / 10)
    stage.run(21)
    shares = [len([f for _, f in stage.arrived(f"tap{i}", 10) if f[12:14] == IPV4]) for i in (1, 2)]
    assert sum(shares) == 100
    assert min(shares) >= 30


def test_19_with_check_mac_the_second_is_mute_for_13_s_after_the_first_spoke_last():
    stage = twins("CheckMac = true")
    stage.sends("h1", host_ip(3), *range(1, 11))
    stage.sends("h2", host_ip(3), *(t + 0.5 for t in range(5, 30)))
    stage.run(31)
    heard = [at for at, f in stage.arrived("s1.eth0") if f[26:30] == host_ip(2)]
    assert heard[0] == pytest.approx(23.5, abs=0.1)  # 10 + 13, and the next of his frames
    assert stage.drops("server") == {"mac-conflict"}


SAME_IP = "[[taps]]\nmatch = 'tap[12]'\nour_ip = '10.0.0.1'\ndefend = 'always'\n"


def test_20_of_two_taps_with_one_address_secure_nat_answers_who_spoke_last():
    stage = Stage(BY_HAND + SAME_IP, server=QUIET + SECURE_NAT)
    stage.pings("h1", GATEWAY, 1)  # the answers find out, and the tables are full
    stage.pings("h2", GATEWAY, 2)
    stage.pings("h1", FAR, 10)
    stage.pings("h2", FAR, 10.005)  # before the answer to the first comes back
    stage.run(11)
    assert [[p[9] for p in stage.heard(host, 9.99)].count(1) for host in ("h1", "h2")] == [0, 2]


def test_20_of_two_taps_with_one_address_the_second_gives_it_up():
    stage = Stage(BY_HAND + SAME_IP.replace("always", "once"), server=QUIET + SECURE_NAT)
    stage.pings("h1", GATEWAY, 1, 20)
    stage.pings("h2", GATEWAY, 2, 21)
    stage.run(22)
    assert [len([p for p in stage.heard(host, 19) if p[9] == 1]) for host in ("h1", "h2")] == [1, 0]
    assert stage.drops("tap2") >= {"no-address"}


SWITCH = """
[[servers.hubs]]
name = "SALES"
[[servers.switches]]
name = "between"
[[servers.switches.interfaces]]
hub = "DEFAULT"
ip = "10.0.255.1"
mask = "255.255.0.0"
[[servers.switches.interfaces]]
hub = "SALES"
ip = "10.9.0.1"
mask = "255.255.0.0"
"""
AT_SALES = """
[[sessions]]
match = "tap3--server"
hub = "SALES"
[[taps]]
match = "tap3"
our_ip = "10.9.0.3"
gateway_ip = "10.9.0.1"
"""


def test_20_of_two_taps_with_one_address_the_layer_3_switch_keeps_the_first():
    stage = Stage(BY_HAND + SAME_IP + AT_SALES, server=QUIET + SWITCH, clients=3)
    stage.pings("h1", GATEWAY, 1)
    stage.pings("h2", GATEWAY, 2, 9)  # he spoke last
    stage.pings("h3", host_ip(1), 10)
    stage.run(12)
    asked = [[p for p in stage.heard(host, 10) if p[9] == 1] for host in ("h1", "h2")]
    assert [len(one) for one in asked] == [1, 0]


# 22: a session that begins anew


def test_22_after_a_session_has_ended_a_tap_is_reached_before_it_speaks():
    stage = Stage(server=QUIET, clients=3)
    stage.pings("h1", host_ip(2), 1)
    stage.link("server--tap1", 5, up=False)
    stage.run(24)
    own = stage.mac("tap1")
    assert (own, 0) in dict(stage.hub.macs.items())
    stage.run(26)  # 20 s later
    assert (own, 0) not in dict(stage.hub.macs.items())
    assert host_ip(1) not in stage.hub.ips.entries
    stage.link("server--tap1", 30, up=True)
    stage.pings("h2", host_ip(1), 40)
    stage.run(41)
    assert len([f for _, f in stage.arrived("tap3", 40) if f[:6] == own]) == 1  # flooded
    assert [p[20] for p in stage.heard("h1", 40)] == [8]
    assert [p[20] for p in stage.heard("h2", 40)] == [0]
    assert dict(stage.hub.macs.items())[own, 0] is stage.session("tap1")
