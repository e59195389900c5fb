"""Exhibits: what became of packets that waited, and how often was asked. RFC 1122 2.3.2."""

from itertools import pairwise

from sim.conformance.frames import arp_reply, arp_request, frame, our_request, packet, wrapped
from sim.conformance.museum import exhibit
from sim.conformance.packets import meet
from sim.conformance.script import (
    GATEWAY,
    GATEWAY_MAC,
    NOBODY,
    OTHER,
    OTHER_MAC,
    PEER,
    US,
    Script,
)
from virtualtap.units import MS, SECOND, Instant
from virtualtap.wire.address import BROADCAST, Ip
from virtualtap.wire.icmp import ECHO_REQUEST, Icmp
from virtualtap.wire.ipv4 import ICMP, MORE_FRAGMENTS, Ipv4

QUEUE, FLOODING, AGING = "RFC 1122, 2.3.2.2", "RFC 1122, 2.3.2.1: flooding", "RFC 1122, 2.3.2.1"
ECHO_REPLY = 0


def echo(kind: int, source: Ip, to: Ip) -> bytes:
    """A ping or its answer."""
    return Ipv4(source, to, ICMP, Icmp(kind, 0, 1, b"ping").summed()).to_bytes()


def requests(tap: Script, ip: Ip) -> list[Instant]:
    """When `ip` was asked for, each time."""
    asked = our_request(ip)
    return [each.at for each in tap.exchange if not each.into and each.data == asked]


@exhibit("smoltcp-rs/smoltcp#597", QUEUE, "the answer to a stranger's ping waits for its MAC")
def first_ping_is_answered(tap: Script) -> None:
    """A stranger's first ping got no answer: the question for its MAC took its place."""
    ping, pong = echo(ECHO_REQUEST, PEER, US), echo(ECHO_REPLY, US, PEER)
    tap.lan(frame(ping)).expect_host(ping)
    tap.host(pong).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(pong))


@exhibit("esp8266/Arduino#3481", QUEUE, "of a burst sent at once no datagram is lost")
def burst_arrives_whole(tap: Script) -> None:
    """Of several datagrams in a row to a new destination only the last ones were transmitted."""
    burst = [packet(PEER, identification=number) for number in range(8)]
    for each in burst:
        tap.host(each)
    tap.expect(our_request(PEER))
    tap.lan(arp_reply()).expect(*map(wrapped, burst))


@exhibit("frebib/netstack#3", QUEUE, "while one neighbor is waited for, others are served")
def others_go_on_while_one_waits(tap: Script) -> None:
    """A reply that waited for a MAC locked up its thread, and all receiving with it."""
    meet(tap).host(packet(NOBODY)).expect(our_request(NOBODY))
    tap.host(packet(PEER)).expect(wrapped(packet(PEER)))
    tap.lan(frame(packet(US, source=PEER))).expect_host(packet(US, source=PEER))


@exhibit("azonenberg/antikernel-ipcores#4", QUEUE, "a packet without a MAC is not sent to all")
def first_packet_is_not_broadcast(tap: Script) -> None:
    """On a miss in the ARP cache the first packet left for ff:ff:ff:ff:ff:ff."""
    tap.host(packet(PEER)).expect(our_request(PEER))
    assert not [each for each in tap.exchange if each.data == wrapped(packet(PEER), BROADCAST)]
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))


@exhibit("butok/FNET#18", QUEUE, "all fragments of a datagram wait, not the last one alone")
def fragments_wait_together(tap: Script) -> None:
    """Each fragment took the place of the one before it, and nothing could be joined."""
    word = MORE_FRAGMENTS
    first, second = (packet(payload=bytes(800), fragment=word | at) for at in (0, 100))
    last = packet(payload=bytes(99), fragment=200)
    tap.host(first).host(second).host(last).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(first), wrapped(second), wrapped(last))


@exhibit("smoltcp-rs/smoltcp#68", FLOODING, "a packet every millisecond makes one request a second")
def silent_address_makes_no_storm(tap: Script) -> None:
    """Requests for one address left more than once a millisecond, and stopped others' work."""
    for at in range(100):
        tap.at(at * MS).host(packet(NOBODY))
    assert requests(tap, NOBODY) == [0], f"asked {len(requests(tap, NOBODY))} times"
    tap.forget()


@exhibit(
    "tass-belgium/picotcp#82", FLOODING, "an address that stays silent is asked for in seconds"
)
def flood_protection_lasts(tap: Script) -> None:
    """The limit of one request a second for each address was there and did nothing."""
    for at in range(100):
        tap.at(at * 100 * MS).host(packet(NOBODY))
    asked = requests(tap, NOBODY)
    assert len(asked) > 2, "given up for good"
    assert min(later - earlier for earlier, later in pairwise(asked)) >= SECOND
    tap.forget()


@exhibit("smoltcp-rs/smoltcp#1101", FLOODING, "the limit is each address's own")
def silent_address_silences_no_other(tap: Script) -> None:
    """While a silent address was asked for each second, a present one was never asked for."""
    tap.at(0).host(packet(NOBODY)).expect(our_request(NOBODY))
    tap.at(10 * MS).host(packet(PEER)).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))


@exhibit("smoltcp-rs/smoltcp#319", AGING, "a flood of packets does not keep its own request back")
def flood_outlives_an_entry(tap: Script) -> None:
    """A sender that filled its queue stopped for good when the receiver's entry timed out."""
    meet(tap.start(neighbor_lifetime=60 * SECOND).at(0))
    for at in range(59_900, 60_100):
        tap.at(at * MS).host(packet(PEER))
    assert our_request(PEER) in tap.frames(), "not asked for again"
    tap.lan(arp_reply())
    assert wrapped(packet(PEER)) in tap.frames(), "nothing goes on"
    tap.host(packet(PEER)).expect(wrapped(packet(PEER)))


@exhibit("genodelabs/genode#4534", QUEUE, "packets for a silent address take no room from others")
def silent_target_slows_nobody(tap: Script) -> None:
    """Every packet for a target that was gone made an entry of its own, until all was slow."""
    meet(tap)
    for _ in range(500):
        tap.host(packet(NOBODY, payload=bytes(1000)))
    tap.forget().host(packet(PEER)).expect(wrapped(packet(PEER)))
    tap.host(packet(OTHER)).expect(our_request(OTHER))
    tap.lan(arp_reply(OTHER, at=OTHER_MAC)).expect(wrapped(packet(OTHER), OTHER_MAC))


@exhibit("zephyrproject-rtos/zephyr#8019", QUEUE, "what waits in vain is dropped with its entry")
def vain_waiting_ends(tap: Script) -> None:
    """The packet that waited was kept, with its buffer, after the request had timed out."""
    tap.at(0).host(packet(NOBODY)).at(60 * SECOND).forget()
    tap.lan(arp_request(by=NOBODY, at=OTHER_MAC))
    assert wrapped(packet(NOBODY), OTHER_MAC) not in tap.frames(), "sent a minute later"


@exhibit("embox/embox#618", QUEUE, "a request that is lost is sent again")
def lost_request_is_no_end(tap: Script) -> None:
    """The request was sent once; where it was lost, the packet stayed in its queue for ever."""
    tap.at(0).host(packet(PEER)).expect(our_request(PEER))
    tap.at(1 * SECOND).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))


@exhibit("smoltcp-rs/smoltcp#940", "RFC 826, Packet Generation", "the request is in our own name")
def request_bears_our_name(tap: Script) -> None:
    """A packet with a foreign source was asked for in that name, so the answer was not ours."""
    foreign = packet(PEER, source=NOBODY)
    tap.host(foreign).expect(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(foreign))


@exhibit("smoltcp-rs/smoltcp#965", AGING, "what others ask one another costs no peer its entry")
def noise_costs_no_peer(tap: Script) -> None:
    """On a noisy network the peer in use lost its entry again and again, a second each time."""
    meet(tap.start(neighbors_max=4))
    for last in range(100, 150):
        tap.lan(arp_request(NOBODY, by=bytes((10, 0, 0, last)), at=bytes((2, 0, 0, 0, 1, last))))
    tap.expect().host(packet(PEER)).expect(wrapped(packet(PEER)))


@exhibit("smoltcp-rs/smoltcp#83", AGING, "of a table that is full the way out is not pushed out")
def scan_leaves_the_gateway(tap: Script) -> None:
    """A scan of the subnet made the cache grow without end."""
    tap.start(neighbors_max=8)
    meet(tap, GATEWAY, GATEWAY_MAC)
    for last in range(100, 200):
        tap.lan(arp_request(by=bytes((10, 0, 0, last)), at=bytes((2, 0, 0, 0, 1, last))))
    far = packet(bytes((192, 0, 2, 9)))
    tap.forget().host(far).expect(wrapped(far, GATEWAY_MAC))
