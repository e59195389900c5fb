"""What one tap holds stays under the bound that its limits give, whatever comes."""

import dataclasses
import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.builders import (
    OUR_IP,
    OUR_MAC,
    PEER,
    PEER_MAC,
    advertisement,
    arp_request,
    config,
    frame,
    icmp6_frame,
    packet,
    packet6,
    solicitation,
)
from tests.hostile import JOINED4, JOINED6, hostile
from virtualtap import SECOND, DropReason, TapConfig, VirtualTap, memory_bound, mobile
from virtualtap.lease import granted
from virtualtap.wire import dhcp, ipv4, ndp
from virtualtap.wire.address import ALL_NODES6, multicast_mac6
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.dns import Dns, Question
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ndp import Prefix, RouterAdvertisement
from virtualtap.wire.udp import Udp

MANY = 200
LIMITS = (
    *("neighbors_max", "held_packets_max", "held_bytes_max", "outbox_max", "headers_max"),
    *("reassembly_datagrams_max", "reassembly_bytes_max", "reassembly_fragments_max"),
    *(
        "dns_entries_max",
        "redirects_max",
        "routers_max",
        "prefixes_max",
        "addresses6_max",
        "lease_routes_max",
    ),
)
OF_TIME = {  # limits of how often and how long, which hold no bytes
    *("arp_retries_max", "ndp_retries_max", "ndp_unicast_retries_max", "icmp_errors_max"),
    *("dns_ttl_max", "dns_negative_ttl_max"),
    *("router_solicitations_max", "dhcp_delay_max", "dhcp_interval_max", "dhcp_requests_max"),
}
LEAST = dict.fromkeys(LIMITS, 1)
ON_THE_NET = {"prefix_length": 8}


class Held:
    """The bytes that are held since it was made, and the most that there were."""

    def __init__(self) -> None:
        gc.collect()
        self._before = tracemalloc.get_traced_memory()[0]

    def now(self) -> int:
        return tracemalloc.get_traced_memory()[0] - self._before

    def peak(self) -> int:
        return tracemalloc.get_traced_memory()[1] - self._before


@contextmanager
def counted(chosen: TapConfig) -> Iterator[tuple[VirtualTap, Held]]:
    """A tap and what it holds; what is made once for all taps is made before."""
    VirtualTap(chosen)
    tracemalloc.start()
    try:
        held = Held()
        yield VirtualTap(chosen), held
    finally:
        tracemalloc.stop()


def own(number: int) -> bytes:
    return b"\x0a\x01" + number.to_bytes(2)


def own6(number: int) -> bytes:
    return b"\xfd" + bytes(13) + number.to_bytes(2)


def own_mac(number: int) -> bytes:
    return PEER_MAC[:4] + number.to_bytes(2)


def neighbors_that_do_not_answer(tap, number):
    tap.ip_to_ethernet(packet(own(number)), 0)


def neighbors_that_speak(tap, number):
    tap.ethernet_to_ip(arp_request(own_mac(number), own(number), OUR_IP), 0)
    tap.take_frames()


def neighbors_of_ipv6_that_do_not_answer(tap, number):
    tap.ip_to_ethernet(packet6(own6(number + 9)), 0)


def neighbors_of_ipv6_that_speak(tap, number):
    tap.ethernet_to_ip(solicitation(own_mac(number), own6(number + 9)), 0)
    tap.ip_to_ethernet(packet6(own6(number + 9)), 0)


def packets_that_wait(tap, number):
    tap.ip_to_ethernet(packet(PEER, payload=number.to_bytes(4)), 0)


def frames_that_nobody_takes(tap, number):
    tap.ethernet_to_ip(arp_request(), 0)
    tap.ip_to_ethernet(packet(PEER, payload=bytes(6_000)), 0)


def errors_that_nobody_takes(tap, number):
    tap.ip_to_ethernet(packet6(payload=bytes(1500)), number * SECOND)


def events_that_nobody_takes(tap, number):
    tap.ethernet_to_ip(arp_request(own_mac(number)), 0)


def arp_that_the_caller_handles(tap, number):
    tap.ethernet_to_ip(arp_request() + bytes(2000), 0)


def ways_out_and_in(tap, number):
    tap.ethernet_to_ip(arp_request(), 0)
    for ttl in (60, 61, 62, 63):
        tap.ip_to_ethernet(packet(PEER, own(number), ttl=ttl), 0)
        tap.ethernet_to_ip(frame(packet(OUR_IP, own(number), ttl=ttl)), 0)


def piece(length: int, **fields) -> bytes:
    return frame(Ipv4(PEER, OUR_IP, 17, bytes(length), **fields).to_bytes())


def pieces_of_one(tap, number):
    tap.ethernet_to_ip(piece(8, fragment=ipv4.MORE_FRAGMENTS | 2 * number), 0)


def pieces_of_many(tap, number):
    tap.ethernet_to_ip(piece(8, fragment=ipv4.MORE_FRAGMENTS, identification=number), 0)


def advertised(number: int, flags: int) -> bytes:
    prefix = Prefix(b"\x20" + bytes(5) + number.to_bytes(2) + bytes(8), 64, flags, 9000, 9000)
    message = RouterAdvertisement(9000, ((ndp.PREFIX, prefix.to_bytes()),))
    link = (own_mac(number), multicast_mac6(ALL_NODES6))
    return icmp6_frame(message, b"\xfe\x80" + own6(number)[2:], ALL_NODES6, link)


def routers_and_prefixes(tap, number):
    tap.ethernet_to_ip(advertised(number, ndp.ON_LINK), 0)
    tap.take_events()


def addresses(tap, number):
    tap.ethernet_to_ip(advertised(number, ndp.AUTONOMOUS), 0)
    tap.take_events()
    tap.take_frames()


def answered_names(tap, number):
    """Forty records each, as many as 512 bytes hold."""
    asked = Question(b"\x04" + f"{number:04}".encode() + b"\0", 1)
    ask = Dns(number, 0x0100, (asked,)).to_bytes()
    tap.ip_to_ethernet(datagram((OUR_IP, PEER), (40_000, 53), ask), 0)
    head = number.to_bytes(2) + bytes.fromhex("8180 0001 0028 0000 0000") + asked.to_bytes()
    record = bytes.fromhex("c00c 0001 0001 00000e10 0000")
    answer = datagram((PEER, OUR_IP), (53, 40_000), head + 40 * record)
    assert tap.ethernet_to_ip(frame(answer), 0) == answer


def questions_under_way(tap, number):
    asked = Question(b"\x3f" + bytes(63) + b"\x04" + f"{number:04}".encode() + b"\0", 1)
    ask = Dns(number, 0x0100, (asked,)).to_bytes()
    tap.ip_to_ethernet(datagram((OUR_IP, PEER), (40_000, 53), ask), 0)


def datagram(ends, ports, data) -> bytes:
    return Ipv4(*ends, 17, Udp(*ports, data).between(*ends)).to_bytes()


FLOODS = (
    (answered_names, {"dns_entries_max": MANY, "dns_cache": True}),
    (questions_under_way, {"dns_entries_max": MANY, "dns_cache": True}),
    (neighbors_that_do_not_answer, {"neighbors_max": MANY}),
    (neighbors_that_speak, {"neighbors_max": MANY}),
    (neighbors_of_ipv6_that_do_not_answer, {"neighbors_max": MANY}),
    (neighbors_of_ipv6_that_speak, {"neighbors_max": MANY}),
    (packets_that_wait, {"held_packets_max": MANY, "held_bytes_max": 24 * MANY}),
    (frames_that_nobody_takes, {"outbox_max": MANY}),
    (errors_that_nobody_takes, {"outbox_max": MANY}),
    (events_that_nobody_takes, {"outbox_max": MANY}),
    (arp_that_the_caller_handles, {"outbox_max": MANY, "handle_arp_internally": False}),
    (ways_out_and_in, {"headers_max": MANY}),
    (pieces_of_one, {"reassembly_fragments_max": MANY, "reassembly_bytes_max": 28 * MANY}),
    (pieces_of_many, {"reassembly_datagrams_max": MANY, "reassembly_bytes_max": 28 * MANY}),
    (routers_and_prefixes, {"routers_max": MANY, "prefixes_max": MANY}),
    (addresses, {"addresses6_max": MANY, "slaac": True}),
)


@pytest.mark.parametrize(("flood", "raised"), FLOODS)
def test_each_table_takes_no_more_than_its_share(flood, raised):
    few = config(**ON_THE_NET | raised | LEAST)
    many = config(**LEAST | ON_THE_NET | raised)
    share = memory_bound(many) - memory_bound(few)
    with counted(many) as (tap, held):
        made = held.now()
        for number in range(2 * MANY):
            flood(tap, number)
        taken = held.now() - made
    assert share // 16 < taken < share


HOSTILE_TO = {
    "default": config(**ON_THE_NET),
    "mobile": mobile(config(**ON_THE_NET)),
    "asking": mobile(
        TapConfig(our_mac=OUR_MAC, dhcp=True, slaac=True, groups=(JOINED4, JOINED6), dns_cache=True)
    ),
    "external": mobile(
        config(**ON_THE_NET, slaac=True, handle_arp_internally=False, dns_cache=True)
    ),
}


@pytest.fixture(scope="module")
def floods():
    return hostile(seed=1, count=8_000)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE_TO)
def test_a_flood_of_everything_stays_under_the_bound(name, floods):
    chosen = HOSTILE_TO[name]
    now = most = 0
    with counted(chosen) as (tap, held):
        for number, (from_host, data, gap) in enumerate(floods):
            now += gap
            (tap.ip_to_ethernet if from_host else tap.ethernet_to_ip)(data, now)
            if number % 20 == 0:
                most = max(most, held.now())
    assert memory_bound(chosen) // 8 < most < memory_bound(chosen)


@pytest.mark.parametrize("name", ["mobile", "asking", "external"])
def test_a_mobile_tap_stays_under_a_mebibyte(name):
    assert memory_bound(HOSTILE_TO[name]) < 1 << 20


def test_every_limit_of_the_configuration_is_in_the_bound():
    fields = {field.name for field in dataclasses.fields(TapConfig)}
    limits = sorted(name for name in fields if name.endswith("_max") and name not in OF_TIME)
    usual = memory_bound(config(dns_cache=True))
    least = {name: memory_bound(config(dns_cache=True, **{name: 1})) for name in limits}
    assert [name for name in limits if least[name] >= usual] == []


def test_limits_for_a_phone_change_no_choice():
    chosen = config(dhcp=True, gateway_ip=None, mtu=1400)
    changed = mobile(chosen)
    assert (changed.our_mac, changed.dhcp, changed.mtu) == (chosen.our_mac, True, 1400)
    assert changed.neighbors_max < chosen.neighbors_max


def test_an_arp_frame_in_an_event_is_no_longer_than_frames_are():
    tap = VirtualTap(config(handle_arp_internally=False, mtu=100))
    tap.ethernet_to_ip(arp_request() + bytes(5000))
    (event,) = tap.take_events()
    assert event.frame == (arp_request() + bytes(5000))[:114]


def test_an_unknown_neighbor_takes_no_room_by_advertising():
    tap = VirtualTap(config())
    tap.ethernet_to_ip(advertisement())
    assert (tap.neighbors(), tap.stats.dropped.get(DropReason.NEIGHBORS_FULL)) == ({}, None)


OTHER_HOST = b"\x0a\0\0\x63"


def test_what_one_host_says_to_another_comes_up_in_pieces_if_it_is_long():
    tap = VirtualTap(config(hosts=(OTHER_HOST,)))
    said = packet(OTHER_HOST, payload=bytes(3000))
    assert tap.ip_to_ethernet(said) is None
    assert tap.take_packets() == ipv4.fragments(said, 1500)
    assert tap.stats.returned == 1


def test_what_one_host_says_to_another_and_may_not_be_cut_is_refused():
    tap = VirtualTap(config(hosts=(OTHER_HOST,)))
    said = packet(OTHER_HOST, payload=bytes(3000), fragment=ipv4.DONT_FRAGMENT)
    assert tap.ip_to_ethernet(said) is None
    (error,) = tap.take_packets()
    assert (error[9], error[20:22], error[28:48]) == (1, b"\x03\x04", said[:20])


def test_pieces_that_have_no_room_stay_out_together():
    tap = VirtualTap(config(hosts=(OTHER_HOST,), outbox_max=2))
    tap.ip_to_ethernet(packet(OTHER_HOST, payload=bytes(3000)))
    assert (tap.take_packets(), tap.stats.returned) == ([], 0)
    assert tap.stats.dropped == {DropReason.OUTBOX_FULL: 1}


def test_of_more_routes_than_a_lease_may_have_the_first_are_taken():
    routes = b"".join(b"\x20" + own(number) + PEER for number in range(5))
    options = (
        (dhcp.KIND, bytes((dhcp.ACK,))),
        (dhcp.SERVER_ID, PEER),
        (dhcp.LEASE_TIME, (60).to_bytes(4)),
        (dhcp.ROUTES, routes),
        (dhcp.DNS, PEER * 5),
    )
    message = Dhcp(dhcp.TO_CLIENT, 1, OUR_MAC, options, your_ip=OUR_IP)
    lease = granted(message, 0, config(lease_routes_max=2))
    assert (lease.routes, lease.dns) == (dhcp.routes(routes)[:2], (PEER, PEER))
