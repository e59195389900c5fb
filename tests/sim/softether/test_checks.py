"""Virtual taps in the hands of a SoftEther server: the 22 checks that a tap has to stand.

Each is a scenario with the server as it is modelled (docs/softether.md) and real taps. Here are
those of neighbors, rates and leases; those of frames and of twins are in `test_checks_twins.py`.
"""

from tests.sim.softether.stage import (
    BY_HAND,
    BY_LEASE,
    FAR,
    GATEWAY,
    QUIET,
    SECURE_NAT,
    Stage,
    dhcp_messages,
    host_ip,
    is_arp,
    is_broadcast,
    is_group,
    most_in,
)
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, BROADCAST, ip, mac
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import IPV6
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

NAT_MAC = mac("5e:00:00:00:00:01")


# 1, 2, 3: the hub asks, and who answers stays


def test_01_a_tap_answers_the_hub_that_asks_from_an_address_off_its_subnet():
    stage = Stage()
    stage.pings("h1", host_ip(2), 1)
    stage.run(120)
    polls = [Arp.parse(f[14:]) for _, f in stage.arrived("tap1", 3) if is_arp(f, 1)]
    answers = [f for _, f in stage.sent("tap1", 3)]
    assert len(polls) >= 20
    assert {poll.sender_ip[:2] for poll in polls} == {bytes((172, 31))}
    assert {poll.target_mac for poll in polls} == {bytes(6)}
    assert len(answers) == len(polls)
    assert {f[:12] for f in answers} == {stage.hub.mac + stage.mac("tap1")}
    assert all(is_arp(f, 2) for f in answers)
    assert stage.hub.ips.entries[host_ip(1)].session is stage.session("tap1")


def test_02_a_tap_answers_a_solicitation_that_is_sent_to_its_own_address():
    stage = Stage("[[taps]]\nmatch = 'tap*'\nslaac = true")
    stage.run(60)
    (own,) = stage.tap("tap1").our_ip6
    asked = [f for _, f in stage.arrived("tap1") if f[6:8] == b"\x00\xae" and f[12:14] == IPV6]
    told = [f for _, f in stage.sent("tap1") if f[:6] == stage.hub.mac]
    assert len(asked) >= 8
    assert {f[38:54] for f in asked} == {own}  # not the solicited-node group
    assert {f[22:26] for f in asked} == {bytes.fromhex("fe800000")}
    assert len(told) == len(asked)
    assert {f[54] for f in told} == {136}
    assert stage.hub.ips.entries[own].session is stage.session("tap1")


def test_03_who_is_silent_for_ten_minutes_is_still_reached_and_nobody_else_is():
    stage = Stage(clients=3)
    stage.pings("h1", host_ip(2), 1)
    stage.pings("h2", host_ip(1), 660)
    stage.run(662)
    assert [p[20] for p in stage.heard("h1", 600)] == [8]
    assert [p[20] for p in stage.heard("h2", 600)] == [0]
    to_tap1 = [f for _, f in stage.arrived("tap3", 600) if f[:6] == stage.mac("tap1")]
    assert to_tap1 == []  # a unicast, not a flood


# 4, 5, 6, 17: what a tap says


def a_busy_tap() -> Stage:
    """A lease, an IPv6 address, colleagues, the world outside, and forty who are not there."""
    words = BY_LEASE + "slaac = true\nclaim = 'probed'\n"
    stage = Stage(words, server=SECURE_NAT, clients=3)
    stage.pings("h1", host_ip(2), 30, 60, 90)
    stage.pings("h1", FAR, 31, 61)
    for i in range(40):
        stage.sends("h1", ip(f"10.0.9.{i + 1}"), 40)
    stage.run(120)
    return stage


def test_04_a_tap_has_one_source_mac():
    stage = a_busy_tap()
    assert {f[6:12] for _, f in stage.sent("tap1")} == {stage.mac("tap1")}
    assert [m for (m, _), s in stage.hub.macs.items() if s is stage.session("tap1")] == [
        stage.mac("tap1")
    ]
    assert "mac-limit" not in stage.drops()


def test_05_a_tap_has_few_addresses_as_the_hub_sees_it():
    stage = a_busy_tap()
    entries = stage.hub.ips.entries.items()
    owned = {address for address, e in entries if e.session is stage.session("tap1")}
    assert {address for address in owned if len(address) == 4} == {host_ip(1)}
    assert len(owned) == 2  # and a link-local one
    assert stage.drops("server") == set()


def test_06_a_tap_that_looks_for_many_trips_no_storm_limiter():
    stage = a_busy_tap()
    flooded = [at for at, f in stage.sent("tap1") if is_group(f)]
    asked = [at for at, f in stage.sent("tap1") if is_arp(f, 1) and is_broadcast(f)]
    assert len(asked) > 40
    assert most_in(asked, 0.5) < 16
    assert most_in(flooded, 0.5) < 16
    assert "storm" not in stage.drops()


def test_17_the_sender_of_every_arp_message_is_the_sender_of_its_frame():
    stage = a_busy_tap()
    said = [f for _, f in stage.sent("tap1") if is_arp(f)]
    assert {f[21] for f in said} == {1, 2}
    assert [f for f in said if f[6:12] != f[22:28]] == []


# 7, 8, 9, 18: SecureNAT as a neighbor


def reached_from_outside(stage: Stage, at: float) -> None:
    """h1 has sent one datagram outside; something comes back for it at this second."""
    stage.sends("h1", FAR, 1)
    stage.run(2)
    (out,) = (data for _, data in stage.arrived(stage.outside.port.name))
    there, here = Ipv4.parse(out), Udp.parse(Ipv4.parse(out).payload)
    back = Udp(here.destination_port, here.source_port, b"late").between(FAR, there.source)

    def answer(packet: bytes) -> None:
        stage.outside.fates.originated += 1
        stage.outside.port.send(packet)

    packet = Ipv4(FAR, there.source, 17, back).to_bytes()
    stage.network.call_at(int(at * SECOND), answer, packet)


def asked_by_nat(stage: Stage, since: float) -> list[float]:
    """When SecureNAT asked for h1, as tap2 hears it."""
    frames = stage.arrived("tap2", since)
    return [at for at, f in frames if is_arp(f, 1) and f[6:12] == NAT_MAC]


def test_07_secure_nat_asks_once_where_a_tap_answers():
    stage = Stage(BY_HAND, server=SECURE_NAT)
    reached_from_outside(stage, 45)
    stage.run(60)
    assert len(asked_by_nat(stage, 10)) == 1
    assert [p[-4:] for p in stage.heard("h1", 10) if p[12:16] == FAR] == [b"late"]


def test_07_secure_nat_asks_at_0_1_2_and_4_s_for_one_that_does_not():
    stage = Stage(BY_HAND, server=SECURE_NAT)
    reached_from_outside(stage, 45)
    stage.link("server--tap1", 40, up=False)
    stage.run(60)
    asked = asked_by_nat(stage, 10)
    assert [round(at - asked[0], 1) for at in asked] == [0, 1, 2, 4]


def test_08_who_only_sends_is_not_asked_for_and_asks_only_once():
    stage = Stage(BY_HAND, server=SECURE_NAT)
    stage.sends("h1", FAR, *range(1, 100))
    stage.run(101)
    assert len(stage.arrived(stage.outside.port.name)) == 99
    assert asked_by_nat(stage, 0) == []
    asked = [at for at, f in stage.sent("tap1") if is_arp(f, 1)]
    assert len(asked) == 1


def test_09_nobody_answers_the_odd_arp_reply_of_the_beacon():
    stage = Stage(BY_HAND, server=QUIET + SECURE_NAT)
    stage.run(22)
    beacons = [f for _, f in stage.arrived("tap1") if is_arp(f, 2)]
    assert len(beacons) == 5
    assert {(f[32:38], f[38:42]) for f in beacons} == {(BROADCAST, ip("10.0.255.255"))}
    assert stage.sent("tap1") == []


def test_18_the_beacon_of_another_gateway_with_the_old_address_is_believed():
    stage = Stage(
        BY_HAND
        + f"[[servers]]\nmatch = 'remote1'\n{SECURE_NAT}"
        + f"[[servers]]\nmatch = 'remote2'\n{SECURE_NAT.replace('00:01', '00:02')}",
        cascades=2,
    )
    stage.link("server--remote2", 0, up=False)
    stage.pings("h1", GATEWAY, 10, 60)
    stage.run(20)
    assert stage.tap("tap1").gateway_mac == NAT_MAC
    stage.link("server--remote1", 30, up=False)
    stage.link("server--remote2", 31, up=True)
    stage.run(31 + 10 + 5 + 1)  # the cascade's next try, the next beacon, the loop's lateness
    assert stage.tap("tap1").gateway_mac == mac("5e:00:00:00:00:02")
    assert [f for _, f in stage.sent("tap1", 30) if is_broadcast(f)] == []
    stage.run(61)
    assert [p[20] for p in stage.heard("h1") if p[9] == 1] == [0, 0]


# 10, 11, 12: SecureNAT's DHCP server


def test_10_a_tap_without_an_address_gets_one_by_the_book():
    stage = Stage(BY_LEASE + 'our_ip = "none"\n', server=SECURE_NAT)
    stage.run(30)
    said = dhcp_messages(stage.sent("tap1"))
    assert [m.value(dhcp.KIND)[0] for *_, m in said] == [dhcp.DISCOVER, dhcp.REQUEST]
    for frame, packet, datagram_, message in said:
        assert frame[6:12] == message.client_mac == stage.mac("tap1")
        assert (message.next_server, message.flags) == (ANY4, 0)
        assert (datagram_.source_port, datagram_.destination_port) == (68, 67)
        assert packet.source == ANY4
    lease = stage.tap("tap1").lease
    assert lease is not None
    assert lease.ip in {host_ip(1), host_ip(2)}
    assert stage.built.endpoints["h1"].stack.ip == lease.ip
    assert stage.hub.ips.entries[lease.ip].dhcp


def test_11_a_lease_is_renewed_at_half_its_time_by_a_unicast():
    stage = Stage(BY_LEASE, server=SECURE_NAT)
    stage.run(30)
    lease = stage.tap("tap1").lease
    stage.run(400)
    asked = dhcp_messages(stage.sent("tap1", 30))
    assert [(f[:6], p.source, p.destination) for f, p, *_ in asked] == [
        (NAT_MAC, host_ip(1), GATEWAY)
    ]
    (message,) = (m for *_, m in asked)
    assert (message.client_ip, message.next_server) == (host_ip(1), ANY4)
    assert (message.value(dhcp.REQUESTED_IP), message.value(dhcp.SERVER_ID)) == (None, None)
    (answer,) = (m for *_, m in dhcp_messages(stage.arrived("tap1", 30)) if m.operation == 2)
    assert answer.value(dhcp.KIND) == bytes((dhcp.ACK,))
    renewed = stage.tap("tap1").lease
    assert (lease.ip, renewed.ip) == (host_ip(1), host_ip(1))
    assert 290 < (renewed.expires_at - lease.expires_at) / SECOND < 310


def test_12_a_tap_that_is_refused_begins_anew():
    stage = Stage(BY_LEASE + 'our_ip = "10.0.9.9"\n', server=SECURE_NAT, clients=1)
    stage.run(40)
    told = [m.value(dhcp.KIND)[0] for *_, m in dhcp_messages(stage.arrived("tap1"))]
    assert told == [dhcp.NAK, dhcp.OFFER, dhcp.ACK]
    assert stage.tap("tap1").learned_ip == host_ip(1)
