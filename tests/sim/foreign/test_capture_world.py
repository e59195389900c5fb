"""A capture becomes a scenario that runs: who stands where, what they say, what is left."""

import pytest

from sim.foreign.imported import imported
from sim.scenario import decode
from tests import builders as b
from tests.sim.foreign.field import (
    A6,
    AT_A,
    AT_B,
    AT_C,
    B6,
    FAR,
    OF_ONE_MAC,
    A,
    B,
    C,
    datagram,
    echo,
    every,
    framed,
    nodes,
    other,
    rules,
    run,
)
from virtualtap.wire import icmp
from virtualtap.wire.address import ip, mac
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import MORE_FRAGMENTS, TCP, UDP


def test_macs_become_stations_on_one_hub(heard):
    made = heard(*every(1000, datagram(A, B)), (20_000, framed(datagram(C, B))))
    assert nodes(made) == {"hub1": "hub", "s1": "station", "s2": "station", "s3": "station"}
    assert "# s1 is 192.168.7.1 at 02:00:00:00:07:01\n" in made.text
    assert "# s2 is 192.168.7.2 at 02:00:00:00:07:02, never heard itself\n" in made.text


def test_steady_datagrams_become_a_stream_of_their_number_rate_and_size(heard, tmp_path):
    made = heard(*every(250_000, datagram(A, B, size=300), 8))
    (rule,) = rules(made)
    assert (rule.kind(), rule.every, rule.size, rule.port) == ("stream", "0.25s", 300, 5000)
    assert made.left == []
    summary = run(made, tmp_path).summary
    assert (summary["verdict"], summary["delivered"]) == ("pass", 8)


def test_requests_become_pings_whose_answers_come_by_themselves(heard, tmp_path):
    asks = every(100_000, echo(A, B), 5)
    made = heard(*sorted(asks + every(100_000, echo(B, A, icmp.ECHO_REPLY), 5, 300)))
    (rule,) = rules(made)
    assert (rule.kind(), rule.from_, rule.to, rule.every, rule.size) == (
        *("ping", "s1", "s2"),
        *("0.1s", 56),
    )
    assert run(made, tmp_path).summary["delivered"] == 10


def test_datagrams_of_one_instant_become_a_burst(heard, tmp_path):
    made = heard(*every(0, datagram(A, B), 6))
    (rule,) = rules(made)
    assert (rule.kind(), rule.count) == ("burst", 6)
    assert run(made, tmp_path).summary["delivered"] == 6


def test_what_is_not_steady_is_said_again_as_it_was(heard, tmp_path):
    made = heard(*every(1000, datagram(A, B)), (900_000, framed(datagram(A, B, size=4))))
    (rule,) = rules(made)
    assert (rule.kind(), rule.file, rule.address) == ("replay", "field.pcap", "192.168.7.1")
    assert run(made, tmp_path).summary["delivered"] == 11


def test_both_sides_of_a_tcp_connection_are_said_again(heard, tmp_path):
    there, back = (framed(b.packet(to, source)) for source, to in ((A, B), (B, A)))
    made = heard((0, there), (500, back), (1000, there))
    assert [(rule.kind(), rule.from_, rule.to) for rule in rules(made)] == [
        ("replay", "s1", "s2"),
        ("replay", "s2", "s1"),
    ]
    assert run(made, tmp_path).summary["delivered"] == 3


def test_the_file_of_a_replay_is_named_from_where_the_scenario_is(heard, tmp_path):
    heard((0, framed(other(A, B))))
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (rule,) = rules(imported([tmp_path / "field.pcap"], folder))
    assert rule.file == "../field.pcap"


def test_who_speaks_to_several_is_carried_over_where_it_is_steady(heard):
    made = heard(*every(1000, datagram(A, B)), (9500, framed(other(A, C))))
    assert [(rule.kind(), rule.to) for rule in rules(made)] == [("stream", "s2")]
    assert made.left == [
        "1 protocol 253 from 192.168.7.1 to 192.168.7.3: 192.168.7.1 speaks to several"
    ]


def test_a_mean_that_stands_for_what_was_irregular_is_said(heard):
    frames = [*every(1000, datagram(A, B), 3), (9000, framed(datagram(A, B, size=400)))]
    made = heard(*frames, (9500, framed(datagram(A, C))))
    assert rules(made)[0].size == 175
    assert made.left == [
        "4 UDP/5000 from 192.168.7.1 to 192.168.7.2: 100 to 400 bytes and irregular,"
        " here 175 every 0.003s: 192.168.7.1 speaks to several"
    ]


def test_a_size_that_no_datagram_of_ours_has_is_said(heard):
    made = heard(*every(1000, datagram(A, B, size=2)))
    assert rules(made)[0].size == 16
    assert made.left == ["10 UDP/5000 from 192.168.7.1 to 192.168.7.2: of 2 bytes, here 16"]


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (other(A, B, TCP), "has wrong checksums (set by a network card?)"),
        (other(A, B)[:-1], "has packets that are cut"),
        (b.packet(B, A, bytes(1481)), "has packets of more than 1500 bytes"),
        (echo(A, B)[:20] + Icmp(icmp.ECHO_REQUEST, 0, 1, b"").to_bytes(), None),
    ],
)
def test_what_nobody_would_take_is_not_said_again(heard, packet, why):
    made = heard((0, framed(packet)))
    assert [rule.kind() for rule in rules(made)] == ([] if why else ["ping"])
    assert [line.rpartition("192.168.7.1 ")[2] for line in made.left if why] == [why] * bool(why)


def test_fragments_are_said_again(heard, tmp_path):
    made = heard((0, framed(other(A, B, UDP, fragment=MORE_FRAGMENTS))))
    assert run(made, tmp_path).summary["delivered"] == 1


def test_addresses_behind_one_mac_stand_beyond_a_router(heard, tmp_path):
    made = heard(
        (0, b.arp_reply(AT_C, C, AT_A, A)),
        *every(1000, datagram(A, FAR)),
        *every(1000, datagram(FAR, A), start=500),
    )
    assert nodes(made) == {
        "hub1": "hub",
        "s1": "station",
        "outside": "switch",
        "gw1": "gateway",
        "o1": "station",
    }
    assert "# o1 is 198.51.100.9 beyond 02:00:00:00:07:03\n" in made.text
    assert run(made, tmp_path).summary["delivered"] == 20


@pytest.mark.parametrize(
    "beyond", [[ip("9.9.9.9")], [FAR, ip("203.0.113.5")], [A6, ip("2001:db8::1")]]
)
def test_a_router_is_found_without_a_word_of_arp(heard, beyond):
    source = A if len(beyond[0]) == 4 else B6
    frames = [
        b.frame(datagram(source, to), AT_C, OF_ONE_MAC[source]) for to in beyond if to != source
    ]
    assert nodes(heard(*enumerate(frames), (9, framed(datagram(A, B)))))["gw1"] == "gateway"


def test_several_routers_are_one_way_out(heard):
    frames = [b.frame(datagram(A, to), AT_B, AT_A) for to in (FAR, ip("203.0.113.5"))]
    frames += [b.frame(datagram(A, to), AT_C, AT_A) for to in (ip("203.0.113.6"), ip("9.9.9.9"))]
    made = heard(*enumerate(frames))
    assert [name for name in nodes(made) if name.startswith("gw")] == ["gw1", "gw2"]
    assert "2 routers: here the first leads to all that is beyond" in made.left


def test_a_mac_with_two_claimed_addresses_is_two_stations(heard):
    made = heard((0, b.arp_reply(AT_A, A, AT_B, B)), (1, b.arp_reply(AT_A, C, AT_B, B)))
    assert [name for name in nodes(made) if name.startswith("s")] == ["s1", "s2"]


def test_a_station_has_both_families(heard, tmp_path):
    made = heard(*every(1000, datagram(A, B)), *every(1000, datagram(A6, B6), start=50_000))
    assert [name for name in nodes(made) if name.startswith("s")] == ["s1", "s2"]
    assert decode(made.text).ipv6
    assert [rule.family for rule in rules(made)] == [4, 6]
    assert run(made, tmp_path).summary["delivered"] == 20


def test_an_address_at_two_macs_has_one_here(heard):
    moved = b.frame(datagram(A, B), AT_B, AT_C)
    made = heard((0, framed(datagram(A, B))), (1000, moved))
    assert "192.168.7.1 was heard at several MACs: here it has one" in made.left


def test_without_macs_everybody_is_a_host_behind_a_tap(heard, tmp_path):
    made = heard(*((i * 1000, datagram(A, B)) for i in range(5)), link_type=101)
    assert nodes(made) == {
        "hub1": "hub",
        "tap1": "tap",
        "h1": "host",
        "tap2": "tap",
        "h2": "host",
    }
    assert run(made, tmp_path).summary["delivered"] == 5


def test_groups_are_spoken_to_again_where_that_is_all(heard, tmp_path):
    group = b.frame(other(A, ip("224.0.0.251")), mac("01:00:5e:00:00:fb"), AT_A)
    made = heard((0, group), (1, framed(other(B, A))))
    assert [(rule.kind(), rule.from_) for rule in rules(made)] == [
        ("replay", "s1"),
        ("replay", "s2"),
    ]
    summary = run(made, tmp_path).summary
    assert (summary["verdict"], summary["delivered"]) == ("pass", 2)


def test_a_broadcast_of_its_network_is_left(heard):
    made = heard(
        (0, b.frame(datagram(A, ip("192.168.7.255")), b"\xff" * 6, AT_A)),
        (1, framed(datagram(B, A))),
    )
    assert [rule.from_ for rule in rules(made)] == ["s2"]
    assert made.left[0].endswith("192.168.7.1 speaks to a broadcast address of its network")


def test_who_is_alone_says_nothing(heard):
    group = b.frame(other(A, ip("224.0.0.251")), mac("01:00:5e:00:00:fb"), AT_A)
    made = heard((0, group))
    assert rules(made) == ()
    assert made.left[0].endswith("192.168.7.1 speaks where nobody else was heard")


def test_what_spoke_with_itself_is_left(heard):
    made = heard((0, framed(other(A, A))), (1, framed(datagram(B, B))))
    assert rules(made) == ()
    assert [line.rpartition(": ")[2] for line in made.left] == ["it spoke with itself"] * 2


def test_control_and_what_is_no_ip_is_counted(heard):
    made = heard(
        (0, b.arp_request(AT_A, A, B)),
        (1, framed(datagram(A, B, port=67))),
        (2, b.solicitation(AT_A, A6, B6)),
        (3, AT_A + AT_B + b"\x88\xcc" + bytes(50)),
        (4, AT_A + AT_B + b"\x08\x06" + bytes(50)),
        (5, b.frame(datagram(bytes(4), A), AT_A, AT_B)),
    )
    assert made.left == [
        "2 ARP packets: endpoints here ask and answer for themselves",
        "1 DHCP packets: endpoints here have planned addresses",
        "1 NDP packets: endpoints here ask and answer for themselves",
        "1 frames that are neither IP nor ARP",
        "1 packets of no address, or of a group's",
    ]
