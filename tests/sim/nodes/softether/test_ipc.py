"""The in-process layer-3 client over IPv4: what it shares with a tap, and its faults. Facts 3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.nodes.softether.ipc import IPC_MAX_PACKET_QUEUE_LEN, IpcClient, ipc_mac
from sim.nodes.softether.options import HubOptions
from tests import builders as b
from virtualtap import DropReason, TapConfig, UsageError, ip, mac
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import ALL_HOSTS4, ANY4, BROADCAST, LIMITED_BROADCAST, NO_MAC
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import IPV4

TO_PEER = b.packet()
AWAY = b.packet(b.FAR)
ALL = ip("10.0.0.255")


def a_client(**changes: object) -> IpcClient:
    return IpcClient(b.config(**{"our_ip6": (), "gateway_ip6": None, **changes}))


def who_knows(*ips: bytes, **changes: object) -> IpcClient:
    client = a_client(**changes)
    for address in ips:
        client.ethernet_to_ip(b.arp_request(b.PEER_MAC, address))
    client.take_frames()
    return client


def lost(client: IpcClient) -> dict[str, int]:
    return {why.value: count for why, count in client.stats.dropped.items()}


def test_its_mac_begins_with_ca_and_is_the_same_for_the_same_slot():
    one = ipc_mac("vpn", "HUB", "7")
    assert (one[:1], len(one)) == (b"\xca", 6)
    assert one == ipc_mac("VPN", "hub", "7") != ipc_mac("vpn", "HUB", "8")


def test_it_asks_once_and_a_second_later_all_that_waited_is_gone():
    client = a_client()
    assert client.ip_to_ethernet(TO_PEER, 0) is None
    assert client.ip_to_ethernet(TO_PEER, 500 * MS) is None
    assert client.take_frames() == [b.arp_request(b.OUR_MAC, b.OUR_IP, b.PEER)]
    assert (client.next_deadline(), client.holding()) == (1 * SECOND, 2)
    client.poll(1 * SECOND)
    assert (client.take_frames(), client.holding(), lost(client)) == ([], 0, {"unresolved": 2})
    assert client.next_deadline() is None


def test_under_steady_traffic_it_asks_about_once_a_second():
    client, asked = a_client(), []
    for i in range(50):
        client.ip_to_ethernet(TO_PEER, i * 100 * MS)
        asked += [i * 100] * len(client.take_frames())
    assert asked == [0, 1000, 2000, 3000, 4000]


def test_what_waited_goes_in_its_order_when_the_answer_comes():
    client = a_client()
    packets = [b.packet(payload=bytes((i,))) for i in range(3)]
    for packet in packets:
        client.ip_to_ethernet(packet, 0)
    client.take_frames()
    assert client.ethernet_to_ip(b.arp_reply(), 900 * MS) is None
    assert client.take_frames() == [b.PEER_MAC + b.OUR_MAC + IPV4 + one for one in packets]
    assert (client.stats.held, client.stats.released) == (3, 3)


def test_ten_thousand_packets_wait_for_an_address_and_the_next_is_dropped():
    client = a_client()
    for _ in range(IPC_MAX_PACKET_QUEUE_LEN + 1):
        client.ip_to_ethernet(TO_PEER, 0)
    assert (client.holding(), lost(client)) == (10_000, {"held-full": 1})


def test_an_entry_ends_180_seconds_after_it_was_heard_or_sent_to():
    client = who_knows(b.PEER)
    client.poll(180 * SECOND)
    assert client.neighbors() == {}
    client = who_knows(b.PEER)
    for i in range(1, 20):
        assert client.ip_to_ethernet(TO_PEER, i * 179 * SECOND) is not None


def test_a_stale_mac_lives_as_long_as_packets_go_to_it():
    client = who_knows(b.GATEWAY)  # which has another MAC by now
    for i in range(100):
        frame = client.ip_to_ethernet(AWAY, i * 60 * SECOND)
        assert frame is not None
        assert frame[:6] == b.PEER_MAC
    assert client.take_frames() == []
    client.ethernet_to_ip(b.frame(b.packet(b.OUR_IP, b.GATEWAY), source=b.GATEWAY_MAC))
    frame = client.ip_to_ethernet(AWAY)
    assert frame is not None
    assert frame[:6] == b.GATEWAY_MAC  # until it is heard from


@pytest.mark.parametrize(
    "frame",
    [
        b.arp_request(asks=b.NOBODY),
        b.arp_frame(Arp(2, b.PEER_MAC, b.PEER, b.STRANGER_MAC, b.NOBODY)),
        b.arp_frame(Arp(2, b.STRANGER_MAC, b.NOBODY, b.PEER_MAC, b.PEER)),
        b.arp_frame(Arp(1, b.PEER_MAC, b.PEER, NO_MAC, b.OUR_IP), source=b.STRANGER_MAC),
        b.frame(b.packet(b.OUR_IP, b.PEER)),
        b.frame(b.packet(LIMITED_BROADCAST, b.PEER), BROADCAST),
    ],
)
def test_it_learns_unasked_from_every_arp_and_every_packet(frame: bytes):
    client = a_client()
    client.ethernet_to_ip(frame)
    assert client.neighbors()[b.PEER] == b.PEER_MAC


@pytest.mark.parametrize(
    "frame",
    [
        b.arp_request(sender_ip=b.HUB_POLL),
        b.arp_request(sender_ip=b.FAR),
        b.arp_request(sender_ip=b.OUR_IP),
        b.arp_request(sender_ip=ALL),
        b.arp_request(sender_ip=ip("224.0.0.1")),
        b.arp_frame(Arp(1, BROADCAST, b.PEER, NO_MAC, b.NOBODY), source=b.PEER_MAC),
        b.arp_frame(Arp(1, mac("01:00:5e:00:00:01"), b.PEER, NO_MAC, b.NOBODY), source=b.PEER_MAC),
        b.arp_frame(Arp(1, b.OUR_MAC, b.PEER, NO_MAC, b.NOBODY), source=b.PEER_MAC),
        b.frame(b.packet(b.OUR_IP, b.FAR)),
    ],
)
def test_it_learns_nothing_from_outside_its_subnet_nor_of_itself_nor_of_groups(frame: bytes):
    client = a_client()
    client.ethernet_to_ip(frame)
    assert client.neighbors() == {}


@pytest.mark.parametrize("sender", [b.PEER, b.HUB_POLL, ANY4])
def test_it_answers_whoever_asks_for_it_a_probe_and_a_hub_too(sender: bytes):
    client = a_client()
    client.ethernet_to_ip(b.arp_request(sender_ip=sender))
    answer = b.arp_reply(b.OUR_MAC, b.OUR_IP, b.PEER_MAC, sender)
    assert client.take_frames() == [answer]
    assert client.stats.requests_answered == 1


def test_it_does_not_defend_its_address():
    client = a_client()
    client.ethernet_to_ip(b.arp_request(sender_ip=b.OUR_IP))
    client.ethernet_to_ip(b.arp_reply(sender_ip=b.OUR_IP))
    assert (client.take_frames(), client.take_packets(), client.take_events()) == ([], [], [])


def test_it_says_nothing_by_itself_neither_at_first_nor_later():
    client = a_client()
    assert client.next_deadline() is None
    client.poll(3600 * SECOND)
    assert client.take_frames() == []


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (b.packet(payload=bytes(1481)), "too-big"),
        (b.packet(source=b.PEER), "bad-address"),
        (b.packet(ANY4), "bad-address"),
        (b.packet(b.OUR_IP), "bad-address"),
        (TO_PEER[:19], "malformed"),
        (b"", "malformed"),
        (b"\x75" + TO_PEER[1:], "malformed"),
        (b.packet6(), "malformed"),
    ],
)
def test_it_drops_silently_what_it_cannot_send(packet: bytes, why: str):
    client = who_knows(b.PEER)
    assert client.ip_to_ethernet(packet, 0) is None
    assert (client.take_frames(), client.take_packets(), lost(client)) == ([], [], {why: 1})


def test_1500_bytes_are_sent_whatever_the_mtu_says():
    client = who_knows(b.PEER, mtu=600)
    packet = b.packet(payload=bytes(1480))
    assert client.ip_to_ethernet(packet, 0) == b.PEER_MAC + b.OUR_MAC + IPV4 + packet


@pytest.mark.parametrize(
    ("to", "at"),
    [
        (LIMITED_BROADCAST, BROADCAST),
        (ALL, BROADCAST),
        (ALL_HOSTS4, mac("01:00:5e:00:00:01")),
        (ip("239.255.255.250"), mac("01:00:5e:7f:ff:fa")),
    ],
)
def test_broadcasts_and_groups_are_sent_at_once(to: bytes, at: bytes):
    packet = b.packet(to)
    assert a_client().ip_to_ethernet(packet) == at + b.OUR_MAC + IPV4 + packet


def test_without_a_gateway_even_broadcasts_do_not_leave():
    client = who_knows(b.PEER, gateway_ip=None)
    for to in (b.FAR, LIMITED_BROADCAST, ALL_HOSTS4):
        assert client.ip_to_ethernet(b.packet(to)) is None
    assert lost(client) == {"no-route": 3}
    assert client.ip_to_ethernet(TO_PEER) is not None


def test_the_longest_route_leads_and_of_equals_the_last():
    routers = [ip(f"10.0.0.{n}") for n in (10, 11, 12)]
    routes = (
        (ip("192.0.2.0"), 24, routers[0]),
        (ip("192.0.2.0"), 24, routers[1]),
        (ip("192.0.0.0"), 16, routers[2]),
    )
    client = a_client(routes=routes)
    for to in (b.FAR, ip("192.0.9.9"), ip("198.51.100.1")):
        client.ip_to_ethernet(b.packet(to))
    asked = [frame[38:42] for frame in client.take_frames()]
    assert asked == [routers[1], routers[2], b.GATEWAY]


@pytest.mark.parametrize(
    ("to", "comes"),
    [
        (b.OUR_IP, True),
        (ALL, True),
        (LIMITED_BROADCAST, True),
        (ip("224.0.0.251"), True),
        (ip("239.1.2.3"), True),
        (ip("239.239.0.1"), True),
        (ip("239.240.0.1"), False),
        (ip("239.255.255.250"), False),  # SSDP
        (ip("240.1.0.1"), True),
        (b.PEER, False),
        (b.FAR, False),
    ],
)
def test_it_looks_at_the_wrong_octet_of_a_group(to: bytes, comes: bool):
    client = a_client()
    packet = b.packet(to, b.PEER)
    group = mac("01:00:5e:00:00:01") if to[0] >= 224 else b.OUR_MAC
    assert client.ethernet_to_ip(b.frame(packet, group)) == (packet if comes else None)
    assert lost(client) == ({} if comes else {"not-for-us": 1})


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b"short", DropReason.MALFORMED),
        (b.frame(TO_PEER, b.STRANGER_MAC), DropReason.NOT_FOR_US),
        (b.frame(TO_PEER, source=b.OUR_MAC), DropReason.OWN_FRAME),
        (b.frame(TO_PEER, source=NO_MAC), DropReason.BAD_ADDRESS),
        (b.frame(TO_PEER, source=mac("33:33:00:00:00:01")), DropReason.BAD_ADDRESS),
        (b.frame(TO_PEER, source=mac("01:00:5e:00:00:01")), DropReason.BAD_ADDRESS),
        (b.frame(b"\0\1" + IPV4 + TO_PEER, ethertype=b"\x81\x00"), DropReason.UNSUPPORTED),
        (b.frame(b.packet6(b.OUR_IP6, b.PEER6)), DropReason.UNSUPPORTED),
        (b.frame(TO_PEER[:19]), DropReason.MALFORMED),
        (b.frame(b"", ethertype=b"\x08\x06"), DropReason.MALFORMED),
    ],
)
def test_it_ignores_what_is_not_for_it_and_what_it_does_not_know(frame: bytes, why: DropReason):
    client = a_client()
    assert client.ethernet_to_ip(frame) is None
    assert client.stats.dropped == {why: 1}


def test_it_checks_no_checksum_and_cuts_no_padding():
    packet = bytearray(b.packet(b.OUR_IP, b.PEER))
    packet[10] ^= 0xFF
    frame = b.padded(b.frame(bytes(packet)))
    assert a_client().ethernet_to_ip(frame) == frame[14:]


def test_a_wireguard_client_is_called_what_its_first_packet_says():
    option = HubOptions(DefaultGateway=b.GATEWAY)
    client = IpcClient(TapConfig(our_mac=b.OUR_MAC), options=option)
    assert client.ethernet_to_ip(b.arp_probe(ANY4)) is None  # its own, while it has none
    assert client.ethernet_to_ip(b.frame(b.packet(b.OUR_IP, b.PEER))) is None
    assert lost(client) == {"no-address": 1}
    assert client.ip_to_ethernet(AWAY) is None
    assert client.take_frames() == [b.arp_request(b.OUR_MAC, b.OUR_IP, b.GATEWAY)]
    assert client.ip_to_ethernet(b.packet(source=b.PEER)) is None
    assert lost(client)["bad-address"] == 1


def test_time_does_not_go_back():
    client = a_client()
    client.poll(5)
    with pytest.raises(UsageError, match="time went back from 5 to 4"):
        client.ip_to_ethernet(TO_PEER, 4)


def test_who_has_no_lease_gives_none_back():
    client = a_client()
    client.release(0)
    assert client.take_frames() == []


@given(st.binary(max_size=90), st.sampled_from([b"\x08\x00", b"\x08\x06", b"\x86\xdd"]))
def test_no_bytes_make_it_raise(data: bytes, kind: bytes):
    leasing = IpcClient(TapConfig(our_mac=b.OUR_MAC, dhcp=True, slaac=True))
    for client in (IpcClient(b.config()), leasing):
        client.poll(0)
        for given_ in (data, b"\x45" + data, b"\x60" + data):
            client.ip_to_ethernet(given_, 0)
            client.ethernet_to_ip(given_, 0)
            client.ethernet_to_ip(BROADCAST + b.PEER_MAC + kind + given_, 0)
