"""Neighbours that exist only in what is said of them, led to a state and told something there.

RFC 4861 7.3.2 (states) and appendix C (what is told), RFC 826 for IPv4.
"""

from dataclasses import dataclass

from sim.fuzz.sketch import Sketch, ms
from sim.fuzz.villains import near
from sim.nodes.interface import Addresses
from sim.rng import Stream
from virtualtap.profiles import PROFILES
from virtualtap.wire import arp, ipv6, ndp, udp
from virtualtap.wire.address import BROADCAST, NO_MAC, Ip, Mac, ip_text, mac_text
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, IPV4, IPV6
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage
from virtualtap.wire.udp import Udp

_LEAST, _STEP_MOST = 800, 400  # ms: of a world, and from one word to the next
_SUBNET = b"\x58"  # where nobody is
_SEND, _PAUSE, _HEARD, _CONFIRMED = "send", "", "heard", "confirmed"
# what leads to ABSENT, INCOMPLETE, REACHABLE, STALE, DELAY, PROBE; the last two are hit less often
_LEADING: tuple[tuple[str, ...], ...] = (
    (),
    (_SEND,),
    (_SEND, _CONFIRMED),
    (_HEARD,),
    (_HEARD, _SEND),
    (_HEARD, _SEND),
    (_HEARD, _SEND, _PAUSE, _PAUSE),
    (_HEARD, _SEND, _PAUSE, _PAUSE, _SEND),
)
# in half steps: it ends in each state, in DELAY and PROBE just before a packet, or not in time
_LIFETIMES = (3, 4, 7, 7, 7, 12, 80, 80, 80, 80, 80)
_TOLD = (_SEND, _PAUSE, _HEARD, "moved", _CONFIRMED, "advertised", "replaced", "contradicted")
_FLAGS = {
    _CONFIRMED: ndp.SOLICITED | ndp.OVERRIDE,
    "advertised": 0,
    "replaced": ndp.OVERRIDE,
    "contradicted": 0,
}
_ELSEWHERE = ("moved", "replaced", "contradicted")
_BY_ARP = ("asked", "replied", "announced", "overheard", "packet")
_PORT = 9  # discard: RFC 863


@dataclass(frozen=True, slots=True)
class _Phantom:
    """Its address, the host that speaks to it, and two MACs where it is said to be."""

    ip: Ip
    host: Addresses
    here: Mac
    there: Mac

    @property
    def ip6(self) -> Ip:
        return self.host.ip6[0][:8] + bytes(6) + self.ip[2:]


def draw_phantoms(sketch: Sketch, luck: Stream) -> None:
    """Some of them, known to one tap whose timers pass within the run."""
    found = _scene(sketch, luck)
    if found is None:
        return
    tap, host, liar = found
    _last(sketch, _LEAST)
    step = min(sketch.until // 24, _STEP_MOST)
    known = sketch.addresses()
    some = [_phantom(known[host], known[liar], number) for number in range(1, 6 + luck.below(8))]
    words = sketch.last_entry("taps", tap)
    words.update(
        profile=luck.choice(list(PROFILES)),
        neighbor_lifetime=ms(step * luck.choice(_LIFETIMES) // 2),
        arp_interval=ms(2 * step),
        arp_retries_max=2,
        ndp_interval=ms(2 * step),
        ndp_retries_max=2,
        ndp_reachable_time=ms(6 * step),
        ndp_delay=ms(2 * step),
        neighbors_max=luck.choice((1, 2, 1024, 1024, 1024, 1024, 1024, 1024)),
        learn_gateway_mac=True,
    )
    leases = any(one.get("dhcp") for one in sketch.entries("taps"))
    if luck.chance(0.3) and not leases:
        words.update(gateway_ip=ip_text(some[0].ip), gateway_mac=mac_text(some[0].here))
    for phantom in some:
        is_6 = sketch.has_ipv6 and luck.chance(0.85)
        told = (*luck.choice(_LEADING), luck.choice(_TOLD), luck.choice(_TOLD), _SEND)
        at = luck.below(sketch.until * 2 // 3)
        for word in told:
            _happen(sketch, luck, at + luck.below(1 + step // 3), (host, liar), phantom, word, is_6)
            at += step


def draw_claims(sketch: Sketch, luck: Stream) -> None:
    """An address that is probed, lost and probed again, while packets wait for who is nowhere."""
    found = _scene(sketch, luck)
    if found is None:
        return
    tap, host, liar = found
    _last(sketch, 14_000)
    known = sketch.addresses()
    ours, second = known[host], known[host].ip[:2] + b"\x4d\xfb"
    sketch.last_entry("taps", tap).update(
        profile=luck.choice(list(PROFILES)),
        gateway_ip="none",
        hosts=[ip_text(second)],
        host_macs="shared",
        claim="probed",
        defend="never",
        handle_arp_internally=True,
    )
    phantom = _phantom(ours, known[liar], 1)
    packets = [_packet4(source, phantom.ip).hex() for source in (ours.ip, second)]
    words = {"from": host, "frames": packets, "every": ms(250), "times": 20}
    sketch.happen(2000, inject=words)
    mac = known[liar].mac
    message = Arp(arp.REQUEST, mac, ours.ip, NO_MAC, ours.ip)
    claimed = BROADCAST + mac + ARP + message.to_bytes()
    for at in (1000 + luck.below(4000), 10_000 + luck.below(3000)):
        sketch.happen(at, inject={"from": liar, "frames": [claimed.hex()]})


def speak_to_nobody(sketch: Sketch, luck: Stream, host: str) -> None:
    """Packets for a phantom from `host`, all the time: there is always one that waits."""
    ours = sketch.addresses()[host]
    packet = _packet4(ours.ip, ours.ip[:2] + _SUBNET + b"\xfa")
    words = {"from": host, "frames": [packet.hex()], "every": ms(sketch.until // 20), "times": 20}
    sketch.happen(luck.below(1000), inject=words)


def _scene(sketch: Sketch, luck: Stream) -> tuple[str, str, str] | None:
    """A tap, its host, and somebody on their LAN who may lie."""
    taps = sketch.named("tap")
    if not taps:
        return None
    tap = luck.choice(taps)
    (host,) = sketch.behind(tap)
    liars = [name for name in near(sketch, host) if sketch.kinds[name] != "host"]
    return (tap, host, luck.choice(liars)) if liars else None


def _last(sketch: Sketch, least: int) -> None:
    sketch.until = max(sketch.until, least)
    sketch.head["until"] = ms(sketch.until)


def _phantom(host: Addresses, liar: Addresses, number: int) -> _Phantom:
    there = b"\x02" + _SUBNET + bytes((0, 0, 0, number))
    return _Phantom(host.ip[:2] + _SUBNET + bytes((number,)), host, liar.mac, there)


def _happen(
    sketch: Sketch,
    luck: Stream,
    at: int,
    names: tuple[str, str],
    phantom: _Phantom,
    word: str,
    is_6: bool,
) -> None:
    """One word, from the host or the liar, at its time."""
    if word == _SEND:
        packet = _packet6(phantom) if is_6 else _packet4(phantom.host.ip, phantom.ip)
        sketch.happen(at, inject={"from": names[0], "frames": [packet.hex()]})
    elif word != _PAUSE:
        frame = _told6(phantom, word) if is_6 else _told4(phantom, word, luck)
        sketch.happen(at, inject={"from": names[1], "frames": [frame.hex()]})


def _told6(phantom: _Phantom, word: str) -> bytes:
    mac = phantom.there if word in _ELSEWHERE else phantom.here
    if word in _FLAGS:
        options = ((ndp.TARGET_MAC, mac),)
        message = NeighborMessage(ndp.ADVERTISEMENT, _FLAGS[word], phantom.ip6, options)
    else:
        options = ((ndp.SOURCE_MAC, mac),)
        message = NeighborMessage(ndp.SOLICITATION, 0, phantom.host.ip6[0], options)
    inside = ndp.packet(message, phantom.ip6, phantom.host.ip6[0])
    return phantom.host.mac + phantom.here + IPV6 + inside


def _told4(phantom: _Phantom, word: str, luck: Stream) -> bytes:
    """As a reply to us alone; as anything else that ARP or a packet tells, where it is or moved."""
    mac, ours = phantom.there if word in _ELSEWHERE else phantom.here, phantom.host
    how = "replied" if word == _CONFIRMED else "asked" if word == _HEARD else luck.choice(_BY_ARP)
    if how == "packet":
        return ours.mac + mac + IPV4 + _packet4(phantom.ip, ours.ip)
    operation = arp.REPLY if how == "replied" else arp.REQUEST
    target = {"announced": phantom.ip, "overheard": ours.ip[:2] + _SUBNET + b"\xff"}
    message = Arp(operation, mac, phantom.ip, ours.mac, target.get(how, ours.ip))
    return ours.mac + phantom.here + ARP + message.to_bytes()


def _packet4(source: Ip, to: Ip) -> bytes:
    body = Udp(_PORT, _PORT, b"").between(source, to)
    return Ipv4(source, to, udp.PROTOCOL, body).to_bytes()


def _packet6(phantom: _Phantom) -> bytes:
    source, to = phantom.host.ip6[0], phantom.ip6
    return Ipv6(source, to, ipv6.UDP, Udp(_PORT, _PORT, b"").between(source, to)).to_bytes()
