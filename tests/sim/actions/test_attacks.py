"""Attackers send what they are told to, and their victims believe it."""

import pytest

from sim.actions import enact
from sim.actions.attacks import EXPERIMENT, silence
from sim.actions.timeline import arm
from sim.build import build
from sim.nodes.interface import HEARD_MAX
from sim.observers import Kind
from sim.scenario import decode
from tests.sim.lan import (
    FRAME,
    GW1,
    IP1,
    IP2,
    IP3,
    IP4,
    LAN,
    LEASING,
    LONG,
    PINGS,
    S1,
    S2,
    SIX2,
    SIX3,
    SIX4,
    TAP1,
    at,
    sent,
    watched,
)
from tests.sim.networks import Record, a_station_and_a_listener, datagram, echo
from topologies import load
from virtualtap.units import MS, SECOND
from virtualtap.wire import arp, dhcp, ndp
from virtualtap.wire.address import ALL_NODES6, BROADCAST, LIMITED_BROADCAST, NO_MAC
from virtualtap.wire.arp import Arp
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import ARP, IPV4, IPV6
from virtualtap.wire.ipv4 import UDP, Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage
from virtualtap.wire.udp import Udp


def said_by_s1(words):
    """The one frame that these words make `s1` send."""
    ((_, frame),) = sent(LAN + at("1s", words))
    return frame


def test_injected_frames_leave_one_after_another_the_whole_list_again_and_again():
    other = FRAME.upper()[:-2] + "02"
    words = f'inject = {{ from = "s1", frames = ["{FRAME}", "{other}"], times = 2 }}'
    assert sent(LAN + at("1s", words)) == [
        (SECOND + i * MS, bytes.fromhex(one)) for i, one in enumerate((FRAME, other) * 2)
    ]


def test_a_host_injects_packets():
    packet = datagram(IP3, IP4).hex()
    words = f'inject = {{ from = "h1", frames = ["{packet}", "60"], every = "5ms" }}'
    assert sent(LAN + at("1s", words), "h1.uplink") == [
        (SECOND, bytes.fromhex(packet)),
        (SECOND + 5 * MS, b"\x60"),
    ]


def test_a_gateway_injects_out_of_its_first_lan():
    words = f'inject = {{ from = "gw1", frames = ["{FRAME}"] }}'
    assert len(sent(LAN + at("1s", words), "gw1.lan1")) == 1


def test_a_crash_ends_an_attack():
    words = f'inject = {{ from = "s1", frames = ["{FRAME}"], every = "1s", times = 3 }}'
    crash = at("1.5s", 'crash = "s1"') + at("1.6s", 'restart = "s1"')
    assert len(sent(LAN + at("500ms", words) + crash)) == 1
    assert sent(LAN + at("1s", 'crash = "s1"') + at("2s", words)) == []


def test_who_sleeps_misses_his_turns():
    text = f"""{LONG.replace("switch", "hub")}
[[links]]
match = "tap1--sw1"
transport = {{ }}
"""
    packet = datagram(IP3, IP4).hex()
    words = f'inject = {{ from = "h1", frames = ["{packet}"], every = "1s", times = 7 }}'
    text += at("500ms", words) + at("2s", 'sleep = "h1"') + at("5s", 'wake = "h1"')
    times = [when for when, _ in sent(text, "h1.uplink", 9 * SECOND)]
    assert times == [500 * MS + i * SECOND for i in (0, 1, 5, 6)]


# what is not so


@pytest.mark.parametrize(
    ("words", "to", "message"),
    [
        ('to = "s2"', S2, Arp(arp.REPLY, S1, IP4, S2, IP2)),
        ('to = "h1"', TAP1, Arp(arp.REPLY, S1, IP4, TAP1, IP3)),
        ('to = "all"', BROADCAST, Arp(arp.REPLY, S1, IP4, S1, IP4)),
        ('to = "s2", as = "request"', S2, Arp(arp.REQUEST, S1, IP4, NO_MAC, IP2)),
        ('to = "all", as = "request"', BROADCAST, Arp(arp.REQUEST, S1, IP4, NO_MAC, IP4)),
    ],
)
def test_an_address_is_claimed_by_arp(words, to, message):
    frame = said_by_s1(f'spoof = {{ from = "s1", claims = "gw1", {words} }}')
    assert frame == to + S1 + ARP + message.to_bytes()


@pytest.mark.parametrize(
    ("words", "to", "destination", "kind", "target", "flags"),
    [
        ('claims = "gw1", to = "s2"', S2, SIX2, 136, SIX4, 0xE0000000),
        ('claims = "h1", to = "s2"', S2, SIX2, 136, SIX3, 0x60000000),
        ('claims = "h1", to = "all"', b"\x33\x33\0\0\0\x01", ALL_NODES6, 136, SIX3, 0x20000000),
        ('claims = "gw1", to = "h1", as = "request"', TAP1, SIX3, 135, SIX3, 0),
    ],
)
def test_an_address_is_claimed_by_neighbor_discovery(words, to, destination, kind, target, flags):
    frame = said_by_s1(f'spoof = {{ from = "s1", {words}, family = 6 }}')
    packet = Ipv6.parse(frame[14:])
    message = NeighborMessage.parse(packet.payload)
    assert (frame[:6], frame[6:12], frame[12:14]) == (to, S1, IPV6)
    assert (packet.destination, packet.source) == (destination, SIX4 if "gw1" in words else SIX3)
    assert (message.type, message.target, message.flags) == (kind, target, flags)
    assert message.options == ((ndp.SOURCE_MAC if kind == 135 else ndp.TARGET_MAC, S1),)
    assert ndp.is_whole(packet)


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("", IP4),
        (', as = "request"', IP4),
        (", family = 6", SIX4),
        (', family = 6, as = "request"', SIX4),
    ],
)
def test_a_tap_that_speaks_to_the_gateway_believes_a_lie_about_it(words, address):
    spoof = f'spoof = {{ from = "s1", claims = "gw1", to = "h1"{words} }}'
    stage, _ = watched(LAN + PINGS + at("1s", spoof), SECOND + 10 * MS)
    assert stage.network.nodes["tap1"].tap.neighbors()[address] == S1


def test_every_one_that_fits_attacks_but_for_those_it_is_about():
    words = 'spoof = { from = "*", claims = "gw1", to = "s2" }'
    assert len(sent(LAN + at("1s", words))) == 1
    assert sent(LAN + at("1s", words), "s2.eth0") == []


def test_a_flapping_mac_is_learned_where_the_attacker_is():
    words = 'flap = { from = "s1", of = "gw1", every = "1ms", times = 2 }'
    stage, record = watched(LAN + PINGS + at("1s", words), SECOND + 20 * MS)
    frames = [m for m in record.of(Kind.SENT, "s1.eth0") if m[12:14] == EXPERIMENT]
    assert [(one[:12], one[14:18], len(one)) for one in frames] == [
        (BROADCAST + GW1, number.to_bytes(4), 60) for number in range(2)
    ]
    assert stage.bridges["sw1"].table()[GW1] == stage.bridges["sw1"].table()[S1]


def test_old_arp_frames_come_again_byte_for_byte():
    words = 'repeat-arp = { from = "s1", every = "10ms", times = 3 }'
    text = LAN + PINGS.partition('[[traffic]]\nkind = "ping"\nfrom = "s1"')[0]
    stage, record = watched(text + at("1s", words))
    assert stage.network.nodes["s1"].interface.heard == [
        m.data for m in record.moments
        if m.kind is Kind.ARRIVED and m.where == "s1.eth0" and m.data[12:14] == ARP
        and m.at < SECOND
    ]  # fmt: skip
    heard = stage.network.nodes["s1"].interface.heard
    assert 1 <= len(heard) < 3
    assert record.of(Kind.SENT, "s1.eth0") == [heard[i % len(heard)] for i in range(3)]


def test_who_heard_nothing_repeats_nothing():
    assert sent(LAN + at("1s", 'repeat-arp = { from = "s1", times = 3 }')) == []


def test_what_was_heard_is_bounded_and_forgotten_in_a_crash():
    network, station, listener = a_station_and_a_listener()
    station.interface.heard = []
    asks = Arp(arp.REQUEST, b"\x02\0\0\0\0\x63", b"\x0a\0\0\x63", NO_MAC, b"\x0a\0\0\x01")
    for _ in range(HEARD_MAX + 1):
        listener.say(BROADCAST + asks.sender_mac + ARP + asks.to_bytes())
    network.run(SECOND)
    assert len(station.interface.heard) == HEARD_MAX
    network.crash(station)
    assert station.interface.heard == []


def test_a_storm_is_many_broadcasts_each_with_its_number():
    frames = sent(LAN + at("1s", 'storm = { from = "s1", times = 3 }'))
    assert [when for when, _ in frames] == [SECOND, SECOND + MS, SECOND + 2 * MS]
    assert [frame[42:52] for _, frame in frames] == [
        b"storm " + number.to_bytes(4) for number in range(3)
    ]
    assert {(frame[:6], frame[30:34]) for _, frame in frames} == {(BROADCAST, LIMITED_BROADCAST)}


# servers and duplicates


def lease_of(stage):
    return stage.network.nodes["tap1"].tap.lease


def test_a_rogue_leases_with_itself_as_the_gateway():
    stage, _ = watched(
        LONG + LEASING + at("0s", 'rogue = { node = "s1", lease = "20s" }'), 9 * SECOND
    )
    lease = lease_of(stage)
    assert (lease.ip, lease.prefix_length, lease.gateway) == (b"\x0a\0\xc8\x01", 16, IP1)
    assert (lease.server, lease.dns) == (IP1, (IP1,))
    assert stage.endpoints["h1"].stack.ip == lease.ip


def test_a_rogue_leases_from_the_range_that_it_is_given():
    words = 'rogue = { node = "s1", first = "10.0.7.7", last = "10.0.7.8" }'
    stage, _ = watched(LONG + LEASING + at("0s", words), 9 * SECOND)
    assert lease_of(stage).ip == bytes((10, 0, 7, 7))


def test_a_rogue_ends_with_its_stop():
    stage, record = watched(LAN + LEASING + at("0s", 'rogue = { node = "s1", stop = "1us" }'))
    assert (lease_of(stage), record.of(Kind.SENT, "s1.eth0")) == (None, [])


def a_rogue(network_of, **fields):
    """What `s1` answers to one message of `s2`."""
    text = network_of + at("0s", 'rogue = { node = "s1" }')
    message = Dhcp(dhcp.TO_SERVER, 7, S2, ((dhcp.KIND, bytes((dhcp.DISCOVER,))),)).to_bytes()
    body = Udp(68, 67, fields.get("payload", message)).between(IP2, IP1)
    body = fields.get("damage", lambda data: data)(body)
    frame = (S1 + S2 + IPV4 + Ipv4(IP2, IP1, UDP, body).to_bytes()).hex()
    inject = at("1s", f'inject = {{ from = "s2", frames = ["{frame}"] }}')
    return [frame for _, frame in sent(text + inject) if frame[12:14] == IPV4]


def test_a_rogue_answers_one_who_has_an_address_there():
    (frame,) = a_rogue(LAN)
    assert (frame[:6], frame[26:34]) == (S2, IP1 + IP2)


@pytest.mark.parametrize(
    "fields",
    [
        {"payload": b"short"},
        {"damage": lambda data: data[:-1] + b"\1"},
        {"damage": lambda data: data[:4] + b"\xff\xff" + data[6:]},
    ],
)
def test_a_rogue_does_not_answer_what_is_wrong(fields):
    assert a_rogue(LAN, **fields) == []


def test_a_duplicate_answers_for_both_families():
    stage, _ = watched(LAN + at("1s", 'duplicate = { node = "s1", of = "gw1" }'))
    network, s1 = stage.network, stage.network.nodes["s1"]
    record = Record()
    network.observers.append(record)
    for packet in (echo(IP2, IP4), echo(SIX2, SIX4)):
        network.nodes["s2"].stack.transmit(packet)
    network.run(4 * SECOND)
    kinds = {(one[12:14], one[20:22]) for one in record.of(Kind.SENT, "s1.eth0")}
    assert (ARP, b"\0\2") in kinds
    s1.receive(s1.port, S1 + S2 + IPV4 + echo(IP2, IP4))
    s1.receive(s1.port, S1 + S2 + IPV6 + echo(SIX2, SIX4))
    network.run(9 * SECOND)
    answers = [m for m in record.of(Kind.SENT, "s1.eth0") if m[12:14] != ARP]
    assert {one[26:30] for one in answers if one[12:14] == IPV4} == {IP4}
    assert {one[22:38] for one in answers if one[12:14] == IPV6} == {SIX4}


def test_a_duplicate_of_a_mac_speaks_with_it_and_hears_both():
    stage, _ = watched(LAN + at("1s", 'duplicate = { node = "s1", of = "h1", what = "mac" }'))
    network, s1 = stage.network, stage.network.nodes["s1"]
    record = Record()
    network.observers.append(record)
    asks = arp.request(S2, IP2, IP1)
    for mac in (S1, TAP1):
        s1.receive(s1.port, mac + S2 + ARP + asks)
    network.run(4 * SECOND)
    assert (
        record.of(Kind.SENT, "s1.eth0")
        == [S2 + TAP1 + ARP + arp.reply(TAP1, IP1, Arp.parse(asks))] * 2
    )


def attacked(*timeline):
    """The network of `LAN` with these words armed, and its timeline."""
    scenario = decode(LAN + "".join(timeline))
    words = {key: value for key, value in scenario.topology.items() if key != "name"}
    stage = build(load("drawn", **words), 1, ipv6=True)
    happenings = enact.happenings(scenario, stage)
    arm(stage.network, happenings)
    return stage, happenings


def test_who_is_silenced_stops_and_does_not_begin():
    storm = 'storm = { from = "s*", times = 3, every = "1s" }'
    rogue = 'rogue = { node = "s1", stop = "2.5s" }'
    duplicate = 'duplicate = { node = "s1", of = "gw1", what = "%s" }'
    stage, happenings = attacked(
        at("0s", storm), at("0s", rogue), at("0s", duplicate % "mac"),
        at("0s", duplicate % "address"), at("2s", storm), at("2s", rogue),
        at("2s", duplicate % "mac"),
    )  # fmt: skip
    record = Record()
    stage.network.observers.append(record)
    stage.network.run(1500 * MS)
    s1 = stage.network.nodes["s1"]
    assert (s1.interface.mac, s1.stack.also) == (GW1, {IP4, SIX4})
    silence(happenings, {"s1", "h1"})
    stage.network.run(5 * SECOND)
    assert (s1.interface.mac, s1.interface.also, s1.stack.also) == (S1, frozenset(), frozenset())
    assert len(record.of(Kind.SENT, "s1.eth0")) == 2
    assert len(record.of(Kind.SENT, "s2.eth0")) == 6
    before = s1.fates.dropped["no-listener"]
    s1.receive(s1.port, S1 + S2 + IPV4 + datagram(IP2, IP1, port=67))
    assert s1.fates.dropped == {"no-listener": before + 1}
