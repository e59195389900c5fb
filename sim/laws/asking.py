"""Laws of asking and answering who is at which MAC: RFC 826, RFC 1122 2.3.2.1."""

from dataclasses import dataclass

from sim.laws.law import Scene
from sim.laws.wire import EndpointLaw, settled, untagged
from sim.node import Node
from sim.observers import Kind, Moment
from sim.probes import Place
from virtualtap.config import TapConfig
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import arp
from virtualtap.wire.address import (
    ANY4,
    BROADCAST,
    NO_MAC,
    Ip,
    Mac,
    directed_broadcast,
    ip_text,
    is_group,
    is_unicast4,
    mac_text,
)
from virtualtap.wire.ethernet import ARP, IPV4

_KERNELS: Duration = 1 * SECOND  # how long a station waits before it asks again
_KERNELS_LIFETIME: Duration = 60 * SECOND  # of an entry of a station
_SNAP = b"\xaa\xaa\x03\0\0\0"  # RFC 1042: the EtherType follows
_HEAD = b"\0\1\x08\0\6\4"  # RFC 826: Ethernet, IPv4, and their lengths


@dataclass(frozen=True, slots=True)
class Message:
    """What an ARP frame says."""

    operation: int
    sender_mac: Mac
    sender_ip: Ip
    target_ip: Ip


class AsksPatiently(EndpointLaw):
    """Nobody asks everyone for one address more than once in an interval. RFC 1122 2.3.2.1.

    Not where phones sleep: what was due meanwhile is due when they wake.
    """

    name = "asks-patiently"
    kinds = (Kind.SENT,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._asked: dict[tuple[str, Ip], tuple[Instant, int]] = {}
        self._least = dict.fromkeys(self._places, scene.shortest(_KERNELS))
        for lan, tap in self._taps.items():
            config = settled(tap.config)
            self._least[lan] = scene.shortest(config.arp_interval)
            if config.serve is not None:
                self._places.pop(lan, None)  # who offers an address asks whether it is free

    @staticmethod
    def holds(scene: Scene) -> bool:
        return not any(one.sleep for one in scene.scenario.timeline)

    def see(self, moment: Moment) -> None:
        message = heard(untagged(moment.data))
        if message is None or message.operation != arp.REQUEST or moment.data[:6] != BROADCAST:
            return
        if message.sender_ip in (ANY4, message.target_ip):
            return  # a probe, an announcement
        key, at = (moment.where, message.target_ip), moment.at
        life = _node(self, moment.where).incarnation
        before = self._asked.get(key)
        self._asked[key] = at, life
        if before is not None and before[1] == life and at - before[0] < self._least[moment.where]:
            said = f"{moment.where} asks for {ip_text(key[1])} after {(at - before[0]) / SECOND} s"
            self.broken(at, said, f"not before {self._least[moment.where] / SECOND:g} s")


class AskedIsAnswered(EndpointLaw):
    """A plain question for an endpoint's address is answered at once. RFC 826.

    Where the address is its own without a claim: not with leases, nor after somebody took it away.
    """

    name = "asked-is-answered"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._pending: dict[str, tuple[Instant, Message, int]] = {}
        self._lan_of = {tap.name: lan for lan, tap in self._taps.items()}
        for lan, tap in self._taps.items():
            if lan in self._places and not _is_settled(tap.config, self._places[lan]):
                del self._places[lan]
        self._broadcasts = {
            lan: directed_broadcast(place.ip, place.prefix_length)
            for lan, place in self._places.items()
        }
        self.where = {*self._places, *self._lan_of}

    def see(self, moment: Moment) -> None:
        at, kind, where, data, why = moment
        if kind is Kind.NOTED:
            if why.startswith("AddressLost("):
                self._places.pop(self._lan_of[where], None)
                self._pending.pop(self._lan_of[where], None)
            return
        if where not in self._places:
            return
        if kind is Kind.DROPPED:
            self._pending.pop(where, None)
        elif kind is Kind.SENT:
            self._said(where, heard(data))
        else:
            self._judge(where)
            message = heard(data)
            if message is not None and self._has_to_answer(where, data, message):
                self._pending[where] = at, message, _node(self, where).incarnation

    def look(self, now: Instant) -> None:
        for where in list(self._pending):
            self._judge(where)

    def _has_to_answer(self, where: str, data: bytes, message: Message) -> bool:
        place, node = self._places[where], _node(self, where)
        ip, mac = message.sender_ip, message.sender_mac
        return (
            (node.up and not node.asleep)
            and (message.operation, message.target_ip) == (arp.REQUEST, place.ip)
            and data[:6] in (place.mac, BROADCAST)
            and (data[6:12] == mac != place.mac and mac != NO_MAC and not is_group(mac))
            and (is_unicast4(ip) and ip not in (place.ip, self._broadcasts[where]))
        )

    def _said(self, where: str, message: Message | None) -> None:
        waiting = self._pending.get(where)
        if waiting is not None and message is not None and message.operation == arp.REPLY:
            question = waiting[1]
            if (message.sender_ip, message.target_ip) == (question.target_ip, question.sender_ip):
                del self._pending[where]

    def _judge(self, where: str) -> None:
        at, question, life = self._pending.pop(where, (0, None, -1))
        if question is not None and _node(self, where).incarnation == life:
            said = f"{self._places[where].name} does not answer {ip_text(question.sender_ip)}"
            self.broken(at, said, "an answer at once")


class SentWhereTold(EndpointLaw):
    """What is for an IPv4 neighbor, or for what lies behind it, goes to a MAC said to be its own.

    Said to the sender, in ARP, no longer ago than an entry lives. Not where routes or a lease
    decide who is whose neighbor.
    """

    name = "sent-where-told"
    kinds = Kind.SENT, Kind.ARRIVED

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._told: dict[tuple[str, Ip], dict[Mac, Instant]] = {}
        kernels = scene.longest(_KERNELS_LIFETIME)
        self._lives: dict[str, Duration] = dict.fromkeys(self._places, kernels)
        self._reads_packets: set[str] = set()
        for lan, tap in self._taps.items():
            config = settled(tap.config)
            if lan in self._places and not _resolves(config):
                del self._places[lan]
            manners = config.manners
            life = config.neighbor_lifetime
            if manners.doubts_ipv4:  # what is doubted is used until the last question
                life += config.ndp_delay + config.ndp_unicast_retries_max * config.arp_interval
            self._lives[lan] = scene.longest(life + config.arp_interval)
            if manners.adds_from_packets:
                self._reads_packets.add(lan)
            if config.gateway_ip is not None and config.gateway_mac is not None:
                self._tell(lan, config.gateway_ip, config.gateway_mac, 1 << 62)
        self._prolongs = {
            lan for lan, tap in self._taps.items() if settled(tap.config).manners.use_prolongs
        }

    def see(self, moment: Moment) -> None:
        if moment.kind is Kind.ARRIVED:
            self._hear(moment.at, moment.where, untagged(moment.data))
        else:
            data = untagged(moment.data)
            if data[12:14] == IPV4 and not is_group(data):
                self._sent(moment.at, moment.where, data)

    def _hear(self, at: Instant, where: str, frame: bytes) -> None:
        if frame[14:20] == _SNAP:
            frame = frame[:12] + frame[20:]
        if frame[12:14] == ARP:
            self._tell(where, frame[28:32], frame[22:28], at)
        elif frame[12:14] == IPV4 and where in self._reads_packets:
            self._tell(where, frame[26:30], frame[6:12], at)

    def _tell(self, where: str, ip: Ip, mac: Mac, at: Instant) -> None:
        self._told.setdefault((where, ip), {})[mac] = at

    def _sent(self, at: Instant, where: str, frame: bytes) -> None:
        place, mac, to = self._places[where], frame[:6], frame[30:34]
        hop = place.next_hop(to)
        if hop is None:
            return
        said = self._told.get((where, hop), {}).get(mac)
        if said is not None and (at - said <= self._lives[where] or where in self._prolongs):
            return
        what = f"{where} sends what is for {ip_text(to)} to {mac_text(mac)}"
        self.broken(at, what, f"a MAC that {ip_text(hop)} was said to have")


def heard(frame: bytes) -> Message | None:
    """The ARP message of an untagged frame, or None."""
    if frame[12:14] != ARP or frame[14:20] != _HEAD or len(frame) < 42:
        return None
    return Message(int.from_bytes(frame[20:22]), frame[22:28], frame[28:32], frame[38:42])


def _node(law: EndpointLaw, port: str) -> Node:
    return law.scene.built.network.nodes[port.rpartition(".")[0]]


def _is_settled(config: TapConfig, place: Place) -> bool:
    """Whether the tap has the place's address from the start, and answers for it itself."""
    return (
        (config.our_ip, config.claim) == (place.ip, "silently")
        and (config.handle_arp_internally and config.vlan_id is None)
        and not (config.dhcp or config.learn_ip)
    )


def _resolves(config: TapConfig) -> bool:
    """Whether ARP, and the plan of addresses, decide where its packets go."""
    return not (
        (config.dhcp or config.learn_ip or config.routes or config.serve is not None)
        or config.when_unresolved == "broadcast"
        or not config.handle_arp_internally
    )
