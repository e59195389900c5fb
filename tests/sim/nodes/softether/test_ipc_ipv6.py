"""IPv6 of the in-process client: a relay of neighbour discovery. Facts 3.7, 6.2."""

import pytest

from sim.nodes.softether.identity import link_local
from sim.nodes.softether.ipc import IpcClient
from tests import builders as b
from virtualtap import TapConfig, ip
from virtualtap.units import SECOND
from virtualtap.wire import ndp
from virtualtap.wire.address import (
    ALL_NODES6,
    ALL_ROUTERS6,
    ANY6,
    is_link_local6,
    multicast_mac6,
    solicited_node,
)
from virtualtap.wire.ethernet import IPV6
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage, Prefix, RouterAdvertisement, RouterSolicitation

LOCAL = ip("fe80::5")
ROUTER, ROUTER_MAC = b.GATEWAY6, b.GATEWAY_MAC
PREFIX = ip("2001:db8:1::")
FORMED, NEAR = ip("2001:db8:1::5"), ip("2001:db8:1::6")


def a_client(*ours: bytes, **changes: object) -> IpcClient:
    return IpcClient(TapConfig(our_mac=b.OUR_MAC, our_ip6=ours or (LOCAL,), **changes))


def routers(
    *prefixes: bytes, router: bytes = ROUTER, options: ndp.Options = (), lifetime: int = 1800
) -> bytes:
    """A router advertisement of /64 prefixes whose time is over at once."""
    told = tuple((ndp.PREFIX, Prefix(one, 64, 0, 0, 0).to_bytes()) for one in prefixes)
    packet = ndp.packet(RouterAdvertisement(lifetime, told + options), router, ALL_NODES6)
    return b.frame(packet, multicast_mac6(ALL_NODES6), ROUTER_MAC)


def sent_to(
    client: IpcClient, to: bytes, source: bytes = LOCAL, now: int | None = None
) -> bytes | None:
    """The MAC that a packet goes to; None: it waits."""
    frame = client.ip_to_ethernet(b.packet6(to, source), now)
    return None if frame is None else frame[:6]


def asked(client: IpcClient) -> list[bytes]:
    """The targets of the neighbour solicitations it sent."""
    return [
        NeighborMessage.parse(Ipv6.parse(frame[14:]).payload).target
        for frame in client.take_frames()
    ]


def router_questions(client: IpcClient) -> int:
    frames = client.take_frames()
    return sum(frame[38:54] == ALL_ROUTERS6 for frame in frames)


def test_who_has_no_ipv6_hears_and_says_none():
    client = IpcClient(b.config(our_ip6=(), gateway_ip6=None))
    assert client.ethernet_to_ip(b.advertisement()) is None
    assert client.ip_to_ethernet(b.packet6()) is None
    assert client.next_deadline() is None


def test_every_packet_for_an_unknown_neighbor_asks_anew_and_all_wait():
    client = a_client()
    other = ip("fe80::9")
    for _ in range(30):
        assert sent_to(client, other) is None
    frames = client.take_frames()
    assert (len(frames), client.holding()) == (30, 30)
    question = Ipv6.parse(frames[0][14:])
    message = NeighborMessage.parse(question.payload)
    assert frames[0][:6] == multicast_mac6(solicited_node(other))
    assert (question.source, question.destination) == (LOCAL, solicited_node(other))
    assert (message.target, message.mac(ndp.SOURCE_MAC)) == (other, b.OUR_MAC)
    client.ethernet_to_ip(b.advertisement(b.PEER_MAC, other, LOCAL))
    assert [frame[:6] for frame in client.take_frames()] == [b.PEER_MAC] * 30
    assert (client.stats.held, client.stats.released) == (30, 30)


def test_three_seconds_after_the_first_packet_all_that_waited_is_gone():
    client = a_client()
    sent_to(client, ip("fe80::9"), now=0)
    sent_to(client, ip("fe80::9"), now=2 * SECOND)
    assert client.next_deadline() == 3 * SECOND
    client.poll(3 * SECOND)
    assert (client.holding(), client.stats.dropped) == (0, {"unresolved": 2})
    assert client.take_packets() == []  # and no error says so


def test_an_entry_ends_30_seconds_after_it_was_heard_and_sending_prolongs_nothing():
    client = a_client()
    other = ip("fe80::9")
    client.ethernet_to_ip(b.advertisement(b.PEER_MAC, other, LOCAL), 0)
    assert sent_to(client, other, now=29 * SECOND) == b.PEER_MAC
    client.ethernet_to_ip(b.frame(b.packet6(LOCAL, other), source=b.PEER_MAC), 29 * SECOND)
    assert sent_to(client, other, now=58 * SECOND) == b.PEER_MAC  # a packet refreshes it
    assert sent_to(client, other, now=59 * SECOND) is None


def test_only_an_advertisement_makes_an_entry():
    client = a_client()
    other = ip("fe80::9")
    client.ethernet_to_ip(b.frame(b.packet6(LOCAL, other), source=b.PEER_MAC))
    client.ethernet_to_ip(b.solicitation(b.PEER_MAC, other, LOCAL))
    assert sent_to(client, other) is None


def test_an_advertisement_is_believed_by_the_frames_source_not_by_its_option():
    client = a_client()
    told = ((ndp.TARGET_MAC, b.STRANGER_MAC),)
    message = NeighborMessage(ndp.ADVERTISEMENT, 0, ip("fe80::8"), told)
    packet = ndp.packet(message, ip("fe80::9"), LOCAL)
    client.ethernet_to_ip(b.frame(packet, source=b.PEER_MAC))
    assert [sent_to(client, ip(f"fe80::{n}")) for n in (8, 9)] == [b.PEER_MAC] * 2


def test_global_neighbors_are_learned_only_inside_an_advertised_prefix():
    client = a_client()
    client.ethernet_to_ip(b.advertisement(b.PEER_MAC, NEAR, LOCAL))
    assert router_questions(client) == 3  # for each look at a global address
    client.ethernet_to_ip(routers(PREFIX))
    client.ethernet_to_ip(b.advertisement(b.PEER_MAC, NEAR, LOCAL))
    assert sent_to(client, NEAR, FORMED) == b.PEER_MAC
    client.ethernet_to_ip(b.advertisement(b.PEER_MAC, b.FAR6, LOCAL))
    assert sent_to(client, b.FAR6, FORMED) == ROUTER_MAC


def test_a_prefix_never_ends_and_ten_are_kept():
    client = a_client()
    prefixes = [ip(f"2001:db8:{n}::") for n in range(1, 13)]
    client.ethernet_to_ip(routers(*prefixes[:10], lifetime=0), 0)
    client.ethernet_to_ip(routers(*prefixes[:10]), 0)
    client.ethernet_to_ip(routers(*prefixes[10:]), 86_400 * SECOND)
    near = [ip(f"2001:db8:{n}::6") for n in (1, 10, 11)]
    for address in near:
        sent_to(client, address, FORMED)
    assert asked(client) == near[:2]  # the eleventh leads to the router


def test_a_router_is_at_the_frames_source_and_then_at_what_it_says():
    client = a_client()
    client.ethernet_to_ip(routers(PREFIX))
    assert sent_to(client, b.FAR6, FORMED) == ROUTER_MAC
    client.ethernet_to_ip(routers(PREFIX, options=((ndp.SOURCE_MAC, b.STRANGER_MAC),)))
    assert sent_to(client, b.FAR6, FORMED) == b.STRANGER_MAC


def test_the_router_of_the_sources_prefix_leads_or_else_the_first():
    client = a_client()
    other, other_prefix = ip("fe80::fd"), ip("2001:db8:2::")
    client.ethernet_to_ip(routers(PREFIX))
    packet = ndp.packet(
        RouterAdvertisement(1800, ((ndp.PREFIX, Prefix(other_prefix, 64, 0, 0, 0).to_bytes()),)),
        other,
        ALL_NODES6,
    )
    client.ethernet_to_ip(b.frame(packet, multicast_mac6(ALL_NODES6), b.STRANGER_MAC))
    assert sent_to(client, b.FAR6, FORMED) == ROUTER_MAC
    assert sent_to(client, b.FAR6, ip("2001:db8:2::5")) == b.STRANGER_MAC
    assert sent_to(client, b.FAR6, LOCAL) == ROUTER_MAC


def test_a_router_that_was_silent_for_30_seconds_is_asked_for_by_the_wrong_name():
    client = a_client()
    client.ethernet_to_ip(routers(PREFIX), 0)
    assert sent_to(client, b.FAR6, FORMED, 30 * SECOND) is None
    assert asked(client) == [b.FAR6]


def test_without_a_router_the_far_is_taken_for_near_and_routers_are_asked_for():
    client = a_client()
    assert sent_to(client, b.FAR6) is None
    frames = client.take_frames()
    assert [frame[38:54] for frame in frames] == [ALL_ROUTERS6, solicited_node(b.FAR6)]
    question = RouterSolicitation.parse(Ipv6.parse(frames[0][14:]).payload)
    assert (frames[0][22:38], question.mac(ndp.SOURCE_MAC)) == (LOCAL, b.OUR_MAC)


def test_without_a_link_local_address_no_router_is_asked_for():
    client = a_client(FORMED)  # its prefix is known
    client._ipv6._prefixes.clear()
    sent_to(client, b.FAR6, FORMED)
    assert router_questions(client) == 0


def test_a_configured_address_stands_for_what_a_router_has_said():
    client = a_client(FORMED, gateway_ip6=ROUTER)
    client.ethernet_to_ip(b.advertisement(b.PEER_MAC, NEAR, FORMED))
    client.ethernet_to_ip(b.advertisement(ROUTER_MAC, ROUTER, FORMED))
    assert sent_to(client, NEAR, FORMED) == b.PEER_MAC
    assert sent_to(client, b.FAR6, FORMED) == ROUTER_MAC


def test_it_asks_for_routers_twice_two_seconds_apart_from_a_doubled_half():
    client = IpcClient(TapConfig(our_mac=b.OUR_MAC, slaac=True))
    assert client.next_deadline() == 0
    client.poll(0)
    (frame,) = client.take_frames()
    assert frame[22:38] == link_local(b.OUR_MAC) == ip("fe80::00:5eff:fe02:5e")
    assert is_link_local6(frame[22:38])
    assert client.next_deadline() == 2 * SECOND
    client.poll(2 * SECOND)
    assert router_questions(client) == 1
    assert client.next_deadline() is None


def test_an_answer_ends_the_questions_for_routers():
    client = IpcClient(TapConfig(our_mac=b.OUR_MAC, slaac=True))
    client.poll(0)
    client.take_frames()
    client.ethernet_to_ip(routers(PREFIX), 1 * SECOND)
    client.poll(5 * SECOND)
    assert client.take_frames() == []


@pytest.mark.parametrize("source", [LOCAL, ANY6])
def test_its_mac_is_written_into_what_the_host_asks_even_into_a_probe(source: bytes):
    client = a_client()
    group = solicited_node(FORMED)
    told = ((ndp.SOURCE_MAC, b.STRANGER_MAC),) if source == LOCAL else ()
    question = NeighborMessage(ndp.SOLICITATION, 0, FORMED, told)
    frame = client.ip_to_ethernet(ndp.packet(question, source, group))
    assert frame is not None
    assert frame[:14] == multicast_mac6(group) + b.OUR_MAC + IPV6
    packet = Ipv6.parse(frame[14:])
    assert ndp.is_whole(packet)
    assert NeighborMessage.parse(packet.payload).options == ((ndp.SOURCE_MAC, b.OUR_MAC),)


def test_its_mac_is_written_into_the_hosts_answer_and_its_search_for_routers():
    client = a_client()
    answer = NeighborMessage(ndp.ADVERTISEMENT, ndp.SOLICITED, LOCAL)
    frame = client.ip_to_ethernet(ndp.packet(answer, LOCAL, ALL_NODES6))
    assert frame is not None
    found = NeighborMessage.parse(Ipv6.parse(frame[14:]).payload)
    assert found.options == ((ndp.TARGET_MAC, b.OUR_MAC),)
    frame = client.ip_to_ethernet(ndp.packet(RouterSolicitation(), LOCAL, ALL_ROUTERS6))
    assert frame is not None
    search = RouterSolicitation.parse(Ipv6.parse(frame[14:]).payload)
    assert search.mac(ndp.SOURCE_MAC) == b.OUR_MAC


@pytest.mark.parametrize(
    "frame",
    [
        b.solicitation(b.PEER_MAC, ip("fe80::9"), LOCAL),
        b.advertisement(b.PEER_MAC, ip("fe80::9"), LOCAL),
        routers(PREFIX, options=((ndp.SOURCE_MAC, ROUTER_MAC),)),
    ],
)
def test_link_layer_addresses_are_cut_out_of_what_comes_in(frame: bytes):
    packet = a_client().ethernet_to_ip(frame)
    assert packet is not None
    assert ndp.is_whole(Ipv6.parse(packet))
    assert len(packet) == len(frame) - 14 - 8


def test_a_question_for_the_hosts_address_is_the_hosts_to_answer():
    client = a_client()
    packet = client.ethernet_to_ip(b.solicitation(b.PEER_MAC, ip("fe80::9"), LOCAL))
    assert packet is not None
    assert client.take_frames() == []


@pytest.mark.parametrize(
    "packet",
    [
        ndp.packet(RouterSolicitation(), ip("fe80::9"), ALL_ROUTERS6),
        Ipv6(ip("fe80::9"), LOCAL, 58, b"\x87\0\0\0").to_bytes(),
        Ipv6(ip("fe80::9"), LOCAL, 58, b"\x80\0\0\0").to_bytes(),
        Ipv6(ip("fe80::9"), LOCAL, 58, b"").to_bytes(),
        b.packet6(LOCAL, ip("fe80::9")),
    ],
)
def test_all_else_comes_in_as_it_is(packet: bytes):
    assert a_client().ethernet_to_ip(b.frame(packet)) == packet


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (b.packet6(ip("fe80::9"), LOCAL, bytes(1461)), "too-big"),
        (b.packet6(ip("fe80::9"), LOCAL)[:39], "malformed"),
    ],
)
def test_what_is_too_long_or_too_short_vanishes(packet: bytes, why: str):
    client = a_client()
    assert client.ip_to_ethernet(packet) is None
    assert (client.take_packets(), client.stats.dropped) == ([], {why: 1})


def test_a_short_packet_from_the_hub_is_dropped():
    client = a_client()
    assert client.ethernet_to_ip(b.frame(b.packet6(LOCAL, ip("fe80::9"))[:39])) is None
    assert client.stats.dropped == {"malformed": 1}
