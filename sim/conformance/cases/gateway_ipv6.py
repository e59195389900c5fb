"""The other side in IPv6: what the router advertises, and to whom. RFC 4861 6.2, RFC 4862 5.5.3."""

from itertools import pairwise

from sim.conformance.cases.gateway import FAR6, ROUTER6, gateway
from sim.conformance.frames import advertisement, frame, packet6, patched, wrapped
from sim.conformance.frames6 import ns, prefix, ra, said
from sim.conformance.registry import clause
from sim.conformance.script import OUR_MAC, PEER6, PEER_MAC, US6, Script
from virtualtap.serving import Serving
from virtualtap.units import MS, SECOND, Instant
from virtualtap.wire import checksum, ndp
from virtualtap.wire.address import ALL_NODES6, ALL_ROUTERS6, ANY6, Ip, Mac, ip, multicast_mac6
from virtualtap.wire.ethernet import HEADER_LEN
from virtualtap.wire.ipv6 import ICMPV6, Ipv6
from virtualtap.wire.ndp import RouterAdvertisement, RouterSolicitation

PREFIX = ip("fd00:1::")
SERVE = Serving(prefixes=(PREFIX,), advertisement_interval=600 * SECOND)
HOST6 = ip("fd00:1::5")  # in the prefix
SENDING, ANSWERING = "RFC 4861, 6.2.4", "RFC 4861, 6.2.6"
S, O, R = ndp.SOLICITED, ndp.OVERRIDE, ndp.ROUTER  # noqa: E741  # the RFC's letters


def solicited(by: Ip = PEER6, says: Mac | None = PEER_MAC, hop_limit: int = 255) -> bytes:
    """A peer asks for routers."""
    options = () if says is None else ((ndp.SOURCE_MAC, says),)
    whole = said(RouterSolicitation(options), by, ALL_ROUTERS6, PEER_MAC)
    return patched(whole, HEADER_LEN + 7, bytes((hop_limit,)))


def advertised(tap: Script, limit: Instant) -> tuple[bytes, Ipv6, RouterAdvertisement]:
    """The one advertisement that comes out until `limit`."""
    frames = tap.until_sent(limit).frames()
    assert len(frames) == 1, f"expected one router advertisement, saw {len(frames)} frames"
    packet = Ipv6.parse(frames[0][HEADER_LEN:])
    assert packet.payload[:1] == bytes((ndp.ROUTER_ADVERTISEMENT,)), "expected an advertisement"
    assert ndp.is_whole(packet), "expected hop limit 255, code 0 and a right checksum"
    return frames[0], packet, RouterAdvertisement.parse(packet.payload)


def settled(tap: Script) -> Script:
    """A router that has said its first words."""
    return gateway(tap, SERVE).at(100 * SECOND).forget()


@clause(
    SENDING, "the router tells everyone of itself soon, from its link-local address", "v6LC.2.2.5"
)
def router_advertises_itself(tap: Script) -> None:
    data, packet, message = advertised(gateway(tap, SERVE).at(0), 16 * SECOND)
    assert data[:12] == multicast_mac6(ALL_NODES6) + OUR_MAC, "expected to all, from our MAC"
    assert (packet.source, packet.destination) == (ROUTER6, ALL_NODES6)
    assert message.lifetime == 1800, f"expected half an hour, saw {message.lifetime} s"
    assert message.mac(ndp.SOURCE_MAC) == OUR_MAC, "expected our MAC as an option"


@clause("RFC 4861, 4.2", "without prefixes the router is silent")
def router_without_prefixes_is_silent(tap: Script) -> None:
    gateway(tap).at(1000 * SECOND).expect()
    tap.lan(solicited()).at(1010 * SECOND).expect()


@clause("RFC 4861, 6.2.3", "each prefix is on the link, and addresses may be formed from it")
def prefixes_are_advertised(tap: Script) -> None:
    _, _, message = advertised(gateway(tap, SERVE).at(0), 16 * SECOND)
    found = [(one.prefix, one.length, one.flags) for one in message.prefixes()]
    assert found == [(PREFIX, 64, ndp.ON_LINK | ndp.AUTONOMOUS)], f"saw {found}"
    times = [(one.valid, one.preferred) for one in message.prefixes()]
    assert times == [(2_592_000, 604_800)], f"expected 30 days and 7 days, saw {times}"


@clause("RFC 4861, 4.6.4", "the MTU of the link is advertised")
def mtu_is_advertised(tap: Script) -> None:
    _, _, message = advertised(gateway(tap, SERVE, mtu=1400).at(0), 16 * SECOND)
    assert message.option(ndp.MTU, 6) == (1400).to_bytes(6), "expected 1400"


@clause(SENDING, "the first three advertisements are not more than 16 seconds apart")
def first_advertisements_are_close(tap: Script) -> None:
    gateway(tap, SERVE).at(0)
    for _ in range(3):
        advertised(tap, tap.now + 16 * SECOND)


@clause(SENDING, "later ones are a third of the interval to all of it apart")
def later_advertisements_are_rare(tap: Script) -> None:
    settled(tap)
    advertised(tap, 700 * SECOND)
    for _ in range(5):
        last = tap.now
        advertised(tap, last + 600 * SECOND)
        assert tap.now - last >= 200 * SECOND, f"expected 200 s, saw {(tap.now - last) / SECOND} s"


@clause(SENDING, "the distance between two of them is not always the same")
def advertisements_are_not_in_step(tap: Script) -> None:
    settled(tap)
    times = []
    for _ in range(4):
        advertised(tap, tap.now + 700 * SECOND)
        times.append(tap.now)
    assert len({b - a for a, b in pairwise(times)}) > 1, "saw the same thrice"


@clause(ANSWERING, "a solicitation is answered to everyone within half a second")
def solicitation_is_answered(tap: Script) -> None:
    settled(tap).lan(solicited())
    _, packet, _ = advertised(tap, tap.now + 500 * MS)
    assert packet.destination == ALL_NODES6


@clause(ANSWERING, "a solicitation from nobody yet is answered")
def solicitation_from_nobody_is_answered(tap: Script) -> None:
    settled(tap).lan(solicited(ANY6, None))
    advertised(tap, tap.now + 500 * MS)


@clause(ANSWERING, "two advertisements are three seconds apart, whoever asks")
def answers_are_rare(tap: Script) -> None:
    settled(tap).lan(solicited())
    advertised(tap, tap.now + 500 * MS)
    last = tap.now
    tap.lan(solicited()).at(last + 3 * SECOND - 1).expect()
    advertised(tap, last + 4 * SECOND)


@clause(ANSWERING, "many who ask together are told once")
def many_are_told_once(tap: Script) -> None:
    settled(tap).lan(solicited()).lan(solicited()).lan(solicited())
    advertised(tap, tap.now + 500 * MS)
    tap.at(tap.now + 5 * SECOND).expect()


@clause("RFC 4861, 6.1.1", "a solicitation that crossed a router is not answered", "v6LC.2.2.4")
def solicitation_from_afar_is_ignored(tap: Script) -> None:
    settled(tap).lan(solicited(hop_limit=254)).at(tap.now + 5 * SECOND).expect()


@clause("RFC 4861, 6.1.1", "a solicitation with a wrong checksum is not answered")
def solicitation_with_a_wrong_checksum_is_ignored(tap: Script) -> None:
    wrong = patched(solicited(), HEADER_LEN + 42, b"\0\0")
    settled(tap).lan(wrong).at(tap.now + 5 * SECOND).expect()


@clause("RFC 4861, 6.1.1", "a solicitation with an option of no length is not answered")
def solicitation_with_an_empty_option_is_ignored(tap: Script) -> None:
    body = RouterSolicitation().between(PEER6, ALL_ROUTERS6) + bytes((ndp.SOURCE_MAC, 0)) * 4
    bare = body[:2] + bytes(2) + body[4:]
    value = checksum.transport(PEER6, ALL_ROUTERS6, ICMPV6, bare).to_bytes(2)
    inside = Ipv6(PEER6, ALL_ROUTERS6, ICMPV6, bare[:2] + value + bare[4:], hop_limit=255)
    sent = frame(inside.to_bytes(), to=multicast_mac6(ALL_ROUTERS6))
    settled(tap).lan(sent).at(tap.now + 5 * SECOND).expect()


@clause("RFC 4861, 6.1.1", "who has no address must not say where it is")
def solicitation_from_nobody_with_a_mac_is_ignored(tap: Script) -> None:
    settled(tap).lan(solicited(ANY6, PEER_MAC)).at(tap.now + 5 * SECOND).expect()


@clause("RFC 4861, 6.2.6", "who asks and says where it is need not be asked for")
def solicitation_teaches_where_the_peer_is(tap: Script) -> None:
    settled(tap).lan(solicited(HOST6))
    sent = packet6(HOST6, source=FAR6)
    tap.host(sent).expect(wrapped(sent)).at(tap.now + 4 * SECOND).forget()


@clause("RFC 4861, 7.2.4", "the router's neighbour advertisements say that it is one")
def neighbor_advertisement_says_router(tap: Script) -> None:
    gateway(tap, SERVE).lan(ns())
    tap.expect(advertisement(US6, at=OUR_MAC, to=PEER_MAC, to_ip=PEER6, flags=S | O | R))


@clause("RFC 4861, 5.1", "what is in an advertised prefix is on the link")
def prefix_is_on_the_link(tap: Script) -> None:
    frames = gateway(tap, SERVE).host(packet6(HOST6, source=FAR6)).frames()
    asked = (
        ns(HOST6, by=ROUTER6, at=OUR_MAC, says=OUR_MAC),
        ns(HOST6, by=US6, at=OUR_MAC, says=OUR_MAC),
    )
    assert len(frames) == 1, f"expected one solicitation, saw {len(frames)} frames"
    assert frames[0] in asked, "expected a solicitation from one of the router's addresses"


@clause("RFC 4861, 6.2.7", "another router's advertisement is neither followed nor passed on")
def another_router_is_not_followed(tap: Script) -> None:
    gateway(tap, SERVE).lan(ra(options=(prefix(),))).expect_host()
    tap.host(packet6(FAR6, source=HOST6)).host(packet6(FAR6, source=FAR6)).expect()
