"""Exhibits of the C translator before this one, found by black-box probes. RFC 826, 894, 1122."""

from sim.conformance.dhcp_server import discover, owns_nothing, reply
from sim.conformance.frames import (
    arp_request,
    frame,
    our_reply,
    packet,
    padded,
    patched,
    wrapped,
)
from sim.conformance.museum import exhibit
from sim.conformance.packets import meet, ours, summed, tagged, to_us
from sim.conformance.script import (
    GATEWAY,
    GATEWAY_MAC,
    OTHER_MAC,
    PEER,
    PEER_MAC,
    US,
    Exchanged,
    Script,
)
from sim.conformance.verdicts import Unsupported
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import BROADCAST, LIMITED_BROADCAST, ip, multicast_mac4
from virtualtap.wire.ipv4 import Ipv4

THERE = "SoftEtherUnofficial/VirtualTap"
FAR, MDNS, ALL_HOSTS = ip("192.0.2.9"), ip("224.0.0.251"), ip("224.0.0.1")
IGMP, IGMP_QUERY = 2, bytes.fromhex("1164ee9b00000000")


def untaken(tap: Script, *frames: bytes) -> None:
    """These frames arrive, and nobody takes what the translator has to say to them."""
    if getattr(tap.tap, "takes_at_once", False):
        raise Unsupported("what it says is taken at once")
    for each in frames:
        tap.exchange.append(Exchanged(tap.now, "lan", True, each))
        tap.tap.ethernet_to_ip(each, tap.now)


@exhibit(THERE, "RFC 1812, 3.3.2", "a request whose sender is everyone is not answered")
def everyone_gets_no_answer(tap: Script) -> None:
    """A request whose sender had the MAC of everyone was answered to everyone."""
    tap.lan(arp_request(at=BROADCAST, link_source=PEER_MAC)).expect()


@exhibit(THERE, "RFC 826, Packet Reception", "who asked for us is known")
def asking_gateway_is_known(tap: Script) -> None:
    """The gateway had asked for us, and what was sent to it still went to everyone."""
    tap.lan(arp_request(by=GATEWAY, at=GATEWAY_MAC)).expect(our_reply(GATEWAY_MAC, GATEWAY))
    tap.host(packet(FAR)).expect(wrapped(packet(FAR), GATEWAY_MAC))


@exhibit(THERE, "RFC 1122, 3.3.1.1", "a peer on the link is sent to directly")
def peer_on_the_link_is_sent_to(tap: Script) -> None:
    """Everything went to the gateway's MAC; the table was never looked at on the way out."""
    meet(tap, GATEWAY, GATEWAY_MAC)
    meet(tap).host(packet(PEER)).expect(wrapped(packet(PEER)))


@exhibit(THERE, "RFC 1112, 6.4", "a group has a MAC of its own")
def group_has_its_mac(tap: Script) -> None:
    """Packets for groups went to the gateway's MAC."""
    meet(tap, GATEWAY, GATEWAY_MAC)
    tap.host(packet(MDNS)).expect(ours(packet(MDNS), multicast_mac4(MDNS)))


@exhibit(THERE, "RFC 894", "a broadcast goes to everyone on the link")
def broadcast_goes_to_everyone(tap: Script) -> None:
    """Packets for 255.255.255.255 went to the gateway's MAC."""
    meet(tap, GATEWAY, GATEWAY_MAC)
    tap.host(packet(LIMITED_BROADCAST)).expect(ours(packet(LIMITED_BROADCAST), BROADCAST))


@exhibit(THERE, "RFC 894", "padding is cut by the packet's own length")
def padding_is_cut(tap: Script) -> None:
    """A packet of 28 bytes in a frame of 60 came out as 46 bytes."""
    short = to_us(payload=b"8 bytes.")
    tap.lan(padded(frame(short))).expect_host(short)


@exhibit(THERE, "RFC 1122, 3.3.6", "a frame for another MAC is not for us")
def frame_for_another_mac_is_dropped(tap: Script) -> None:
    """A frame for another station's MAC was given to the host."""
    tap.lan(frame(to_us(), to=OTHER_MAC))


@exhibit(THERE, "IEEE 802.1Q, 6.9.1", "a tag that only says a priority hides nothing")
def priority_tag_hides_nothing(tap: Script) -> None:
    """A frame with a tag vanished without a word."""
    tap.lan(tagged(frame(to_us()), 0, priority=5)).expect_host(to_us())


@exhibit(THERE, "RFC 1122, 3.2.1.3", "no destination of a packet becomes our address")
def group_is_not_our_name(tap: Script) -> None:
    """The first frame was a query for groups, and 224.0.0.1 became the address of the tap."""
    tap.start(our_ip=None, gateway_ip=None, our_ip6=(), gateway_ip6=None, learn_ip=True).at(0)
    asked = Ipv4(GATEWAY, ALL_HOSTS, IGMP, IGMP_QUERY, ttl=1).to_bytes()
    tap.lan(frame(asked, to=multicast_mac4(ALL_HOSTS), source=GATEWAY_MAC)).forget()
    tap.lan(frame(packet(US, source=PEER))).forget()
    tap.lan(arp_request(ALL_HOSTS)).lan(arp_request(US)).expect()


@exhibit(THERE, "virtualtap, outbox_max", "answers nobody takes have a limit")
def untaken_answers_have_a_limit(tap: Script) -> None:
    """A thousand requests whose answers nobody took made a queue of a thousand answers."""
    untaken(tap.start(outbox_max=64), *[arp_request()] * 1000)
    kept = len(tap.tap.take_frames())
    assert 0 < kept <= 64, f"expected no more than 64 answers, saw {kept}"
    tap.lan(arp_request()).expect(our_reply())


@exhibit(THERE, "RFC 1122, 3.2.1", "a length that is not there is not believed")
def claimed_length_is_not_believed(tap: Script) -> None:
    """A header that claimed 1000 bytes had 40 of them given to the host."""
    lying = summed(patched(to_us(payload=bytes(20)), 2, (1000).to_bytes(2)))
    tap.lan(frame(lying)).expect_host()


@exhibit(THERE, "virtualtap, gateway_ip", "nobody becomes the gateway by a guess")
def gateway_is_not_guessed(tap: Script) -> None:
    """Where no gateway was configured, the first address of the subnet was taken for it."""
    tap.start(gateway_ip=None).host(packet(FAR)).expect()
    tap.at(5 * SECOND).expect()


@exhibit(THERE, "RFC 2131, 3.1", "an offer is not yet a lease")
def offer_names_nobody(tap: Script) -> None:
    """The address of the first OFFER was in use before the server had granted it."""
    tap.lan(reply(discover(tap), dhcp.OFFER)).forget()
    owns_nothing(tap)
