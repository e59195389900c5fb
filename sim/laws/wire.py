"""Laws about what honest endpoints, taps and hubs send: RFC 791, 826, 894, 1112, 4861, 8200."""

from functools import lru_cache

from sim.laws.law import Invariant, Scene
from sim.nodes.gateway import LanGateway
from sim.nodes.interface import MTU
from sim.nodes.softether.ipc import IpcClient
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.virtual_tap import VirtualTapNode
from sim.observers import Kind, Moment
from sim.probes import Place
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap
from virtualtap.units import Instant
from virtualtap.wire import arp, checksum, ipv4, ipv6, ndp
from virtualtap.wire.address import (
    ANY4,
    BROADCAST,
    LIMITED_BROADCAST,
    Ip,
    Mac,
    ip_text,
    is_group,
    is_multicast4,
    is_multicast6,
    mac_text,
    multicast_mac4,
    multicast_mac6,
    solicited_node,
)
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4, IPV6, VLAN

DAMAGES = ("bit-flip", "truncation", "exactly")  # faults that change what a frame holds
_MTU6_LEAST = 1280  # RFC 8200 5
_NDP = range(ndp.ROUTER_SOLICITATION, ndp.REDIRECT + 1)


class EndpointLaw(Invariant):
    """Sees what is said at the LAN ports of endpoints that lie to nobody."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._taps = {
            tap.lan.name: tap for tap in scene.taps() if not isinstance(tap.tap, IpcClient)
        }
        liars, hosts = scene.attackers(), set(self._taps)
        self._places: dict[str, Place] = {
            place.lan: place
            for place in scene.built.places
            if place.name not in liars and (place.lan == place.speaks or place.lan in hosts)
        }
        self.where = self._places


class WellFormed(EndpointLaw):
    """Lengths and checksums of what is sent are right, and what pads it is zero.

    Also of what a tap gives its host, and of what a hub itself asks. Not of a neighbor message that
    a gateway passes on: nobody takes it.
    """

    name = "well-formed"
    kinds = (Kind.SENT,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._hosts = {
            tap.host.name
            for tap in self._taps.values()
            if tap.config.validate == "strict" and tap.lan.name in self._places
        }
        self._routers = {
            place.lan
            for place in scene.built.places
            if isinstance(scene.built.endpoints[place.name], LanGateway)
        }
        self._hubs: dict[str, set[Mac]] = {}
        for node in scene.built.bridges.values():
            if isinstance(node, SoftEtherServer):
                macs = {hub.mac for hub in node.hubs.values()}
                self._hubs.update(dict.fromkeys((port.name for port in node.ports.values()), macs))
        self.where = {*self._places, *self._hosts, *self._hubs}
        self._is_honest = not (scene.faults().intersection(DAMAGES) or scene.attackers())

    def see(self, moment: Moment) -> None:
        where, data = moment.where, moment.data
        if where in self._hosts:
            wrong = _wrong_in_packet(data) or (self._is_honest and _wrong_in_payload(data))
        elif where in self._places or data[6:12] in self._hubs[where]:
            frame = untagged(data)
            is_passed_on = where in self._routers and _has_come_far(frame)
            wrong = "" if is_passed_on else _wrong_in_frame(frame)
        else:
            return
        if wrong:
            self.broken(moment.at, f"{wrong} in what {where} sent", "as its protocol has it")


class FitsTheMtu(EndpointLaw):
    """No IP packet in a frame is longer than the sender's MTU."""

    name = "fits-the-mtu"
    kinds = (Kind.SENT,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._most = {
            lan: self._taps[lan].config.mtu if lan in self._taps else MTU for lan in self._places
        }

    def see(self, moment: Moment) -> None:
        data, most = untagged(moment.data), self._most[moment.where]
        kind = data[12:14]
        if kind == IPV6:
            most = max(most, _MTU6_LEAST)
        elif kind != IPV4:
            return
        if len(data) - HEADER_LEN > most:
            said = f"{len(data) - HEADER_LEN} bytes of IP from {moment.where}"
            self.broken(moment.at, said, f"at most {most}")


class MappedRight(EndpointLaw):
    """What is for a group goes to the group's MAC, what is for one endpoint to one station's.

    RFC 894, 1112 6.4, 2464 7. Not where a tap is told to send to all what it cannot resolve. Who
    believes, as Linux does, that somebody is at the MAC of a group may send there: stations, and
    taps of such a profile.
    """

    name = "mapped-right"
    kinds = (Kind.SENT,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        places = scene.built.places
        self._owned = {ip for place in places for ip in (place.ip, *place.ip6)}
        for lan, tap in self._taps.items():
            config = settled(tap.config)
            if config.when_unresolved == "broadcast" or not config.handle_arp_internally:
                self._places.pop(lan, None)
        self._credulous = {
            lan
            for lan in self._places
            if lan not in self._taps
            or not settled(self._taps[lan].config).manners.checks_sender_mac
        }

    def see(self, moment: Moment) -> None:
        data = untagged(moment.data)
        to = destination(data)
        if to is None:
            return
        mac, wanted = data[:6], _group_mac(to)
        if wanted is not None and mac != wanted:
            said = f"{ip_text(to)} sent to {mac_text(mac)} by {moment.where}"
            self.broken(moment.at, said, mac_text(wanted))
        elif to in self._owned and is_group(mac) and moment.where not in self._credulous:
            said = f"{ip_text(to)} sent to {mac_text(mac)} by {moment.where}"
            self.broken(moment.at, said, "the MAC of one station")


class ClaimsItsOwn(EndpointLaw):
    """Nobody says that an address is at its MAC which is not its own. RFC 826, RFC 4861 7.2.4.

    Not in the instant in which a phone wakes: what was due in its sleep is said then, though a
    lease may be over since.
    """

    name = "claims-its-own"
    kinds = Kind.SENT, Kind.NOTED

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.where = {*self._places, "wake"}
        self._woke: Instant = -1

    def see(self, moment: Moment) -> None:
        if moment.kind is Kind.NOTED:
            self._woke = moment.at
        if moment.kind is Kind.NOTED or moment.at == self._woke:
            return
        data = untagged(moment.data)
        claimed = _claimed(data)
        if claimed is None or claimed == ANY4:
            return
        place = self._places[moment.where]
        tap = self._taps.get(moment.where)
        owned = {place.ip, *place.ip6} if tap is None else addresses(tap, place)
        if claimed not in owned:
            said = f"{place.name} says that {ip_text(claimed)} is its own"
            self.broken(moment.at, said, "only its own addresses")


@lru_cache(maxsize=1024)
def settled(config: TapConfig) -> TapConfig:
    """As `config.settled()`, which takes its time; several laws ask for each tap's."""
    return config.settled()


def addresses(tap: VirtualTapNode, place: Place) -> set[Ip]:
    """Every address that a tap may answer for now."""
    config = tap.config
    found = {place.ip, *place.ip6, *config.our_ip6, *config.hosts}
    if config.our_ip is not None:
        found.add(config.our_ip)
    if config.serve is not None and config.serve.server_ip is not None:
        found.add(config.serve.server_ip)
    engine = tap.tap
    if isinstance(engine, VirtualTap):
        found.update(engine.our_ip6, engine.hosts())
        if engine.lease is not None:
            found.add(engine.lease.ip)
    return found


def untagged(frame: bytes) -> bytes:
    """The frame without the tag of its VLAN."""
    return frame[:12] + frame[16:] if frame[12:14] == VLAN else frame


def destination(frame: bytes) -> Ip | None:
    """Whom the IP packet in a frame is for; None where there is none."""
    kind = frame[12:14]
    if kind == IPV4 and len(frame) >= 34:
        return frame[30:34]
    return frame[38:54] if kind == IPV6 and len(frame) >= 54 else None


def _claimed(frame: bytes) -> Ip | None:
    """Whose address the sender says is its own; None where it says nothing of the kind."""
    if frame[12:14] == ARP:
        return frame[28:32]
    if frame[12:14] == IPV6 and frame[20] == ipv6.ICMPV6 and frame[54] == ndp.ADVERTISEMENT:
        return frame[62:78]
    return None


def _group_mac(ip: Ip) -> Mac | None:
    """Where what is for many has to go; None where it is for one."""
    if len(ip) == 16:
        return multicast_mac6(ip) if is_multicast6(ip) else None
    if ip == LIMITED_BROADCAST:
        return BROADCAST
    return multicast_mac4(ip) if is_multicast4(ip) else None


def _has_come_far(frame: bytes) -> bool:
    """Whether it is a neighbor message from beyond a router: RFC 4861 11.2."""
    is_message = frame[12:14] == IPV6 and frame[20:21] == b"\x3a" and len(frame) > 54
    return is_message and frame[54] in _NDP and frame[21] != ndp.HOP_LIMIT


def _wrong_in_frame(frame: bytes) -> str:
    """What is wrong, in a few words; empty if nothing is."""
    if len(frame) < HEADER_LEN:
        return f"{len(frame)} bytes"
    kind, packet = frame[12:14], frame[HEADER_LEN:]
    if kind == ARP:
        if len(packet) < arp.LEN or packet[:6] != _ARP_KIND:
            return "an odd ARP message"
        return "leftovers behind an ARP message" if any(packet[arp.LEN :]) else ""
    if kind not in (IPV4, IPV6):
        return ""
    length = total_length(packet)
    if length is None or length > len(packet):
        return "an odd IP header"
    if any(packet[length:]):
        return "leftovers behind an IP packet"
    return _wrong_in_packet(packet[:length])


def _wrong_in_packet(packet: bytes) -> str:
    """The same of an IP packet, behind which nothing may stand."""
    length = total_length(packet)
    if length is None or length > len(packet):
        return "an odd IP header"
    if length < len(packet):
        return "padding behind an IP packet"
    if packet[0] >> 4 == 4:
        return "" if checksum.is_right(packet[: ipv4.header_len(packet)]) else "a wrong checksum"
    if packet[6] != ipv6.ICMPV6 or packet[40:41] == b"" or packet[40] not in _NDP:
        return ""
    if packet[7] != ndp.HOP_LIMIT or _wrong_in_payload(packet):
        return "a neighbor message that nobody takes"
    if packet[40] != ndp.SOLICITATION:
        return ""
    to, target = packet[24:40], packet[48:64]
    if is_multicast6(target):
        return "a solicitation for a group"
    is_astray = is_multicast6(to) and to != solicited_node(target)
    return "a solicitation to another's group" if is_astray else ""


def _wrong_in_payload(packet: bytes) -> str:
    """What is wrong with a whole UDP datagram or ICMP message: its length, its checksum."""
    if packet[0] >> 4 == 6:
        protocol, start = packet[6], ipv6.HEADER_LEN
        source, to = packet[8:24], packet[24:40]
    else:
        protocol, start = packet[9], ipv4.header_len(packet)
        source, to = packet[12:16], packet[16:20]
        if ipv4.fragment_word(packet) & (ipv4.MORE_FRAGMENTS | ipv4.OFFSET_MASK):
            return ""
        if protocol == ipv4.ICMP:
            return "" if checksum.is_right(packet[start:]) else "a wrong ICMP checksum"
    body = packet[start:]
    if protocol == ipv4.UDP and int.from_bytes(body[4:6]) != len(body):
        return "a wrong length of a datagram"
    if protocol == ipv4.UDP and body[6:8] == b"\0\0" and packet[0] >> 4 == 4:
        return ""
    if protocol not in (ipv4.UDP, ipv6.ICMPV6):
        return ""
    is_right = checksum.transport_is_right(source, to, protocol, body)
    return "" if is_right else "a wrong checksum of a payload"


def total_length(packet: bytes) -> int | None:
    """What an IP header says; None where it is none."""
    if len(packet) >= ipv4.HEADER_LEN and packet[0] >> 4 == 4:
        return ipv4.total_len(packet)
    if len(packet) >= ipv6.HEADER_LEN and packet[0] >> 4 == 6:
        return ipv6.total_len(packet)
    return None


_ARP_KIND = b"\0\1\x08\0\6\4"  # RFC 826: Ethernet, IPv4, and their lengths
