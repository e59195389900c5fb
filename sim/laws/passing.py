"""Laws of payloads on their way: none vanishes in a tap, none waits for ever, none comes twice."""

from sim.laws.law import Scene
from sim.laws.path import OneCopy
from sim.laws.payloads import PayloadLaw, payload_key
from sim.laws.wire import EndpointLaw, destination, settled, total_length, untagged
from sim.nodes.softether.ipc import IpcClient
from sim.nodes.virtual_tap import VirtualTapNode
from sim.observers import Kind, Moment
from sim.probes import Place
from sim.words.traffic import Replay
from virtualtap.config import TapConfig
from virtualtap.tap import VirtualTap
from virtualtap.units import Duration, Instant
from virtualtap.wire.address import Ip
from virtualtap.wire.ethernet import HEADER_LEN

_KEPT = 10_000  # payloads of one tap
_EVER: Duration = 1 << 62


class NothingVanishes(EndpointLaw):
    """What a host gives its tap is sent, or refused with a reason; what is for it, given to it.

    It waits no longer than the tap's questions take. Of packets that are sent whole, as they are.
    """

    name = "nothing-vanishes"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._all = taps = [  # somebody else's translator says of nothing that it refused it
            tap
            for lan, tap in self._taps.items()
            if lan in self._places and isinstance(tap.tap, VirtualTap | IpcClient)
        ]
        self._tap_of = {
            where: tap for tap in taps for where in (tap.name, tap.host.name, tap.lan.name)
        }
        sleeps = any(one.sleep for one in scene.scenario.timeline)
        self._judges_waits = not sleeps
        self._settled = {tap.name: settled(tap.config) for tap in taps}
        self._addressed: dict[str, set[Ip]] = {tap.name: set() for tap in taps}
        self._given: dict[str, dict[bytes, Instant]] = {tap.name: {} for tap in taps}
        self._excused = dict.fromkeys(self._given, 0)  # how many that waited were refused
        self._coming: dict[str, Instant] = {}  # what is for a host, and not given to it yet
        self.where = self._tap_of

    def see(self, moment: Moment) -> None:
        _, kind, where, data, _ = moment
        tap = self._tap_of[where]
        if kind is Kind.NOTED:
            return
        if where == tap.name:
            self._excused[tap.name] += 1
        elif where == tap.host.name:
            self._at_the_host(moment, tap)
        elif kind is Kind.SENT:
            self._given[tap.name].pop(_key(untagged(data)[HEADER_LEN:], tap.config), None)
        else:
            self._at_the_lan(moment, tap)

    def _at_the_host(self, moment: Moment, tap: VirtualTapNode) -> None:
        at, kind, _, data, _ = moment
        given, key = self._given[tap.name], _key(data, tap.config)
        if kind is Kind.SENT:
            self._coming.pop(tap.name, None)
        if kind is not Kind.ARRIVED:
            given.pop(key, None)  # refused, or given back: it is for another host behind the tap
        elif key and tap.up and len(given) < _KEPT:
            given[key] = at
            self._addressed[tap.name].add(data[24:40] if data[:1] >= b"\x60" else data[16:20])

    def _at_the_lan(self, moment: Moment, tap: VirtualTapNode) -> None:
        at, kind, where, data, _ = moment
        if kind is Kind.DROPPED:
            self._coming.pop(tap.name, None)
            return
        self._judge(tap)
        place, frame = self._places[where], untagged(data)
        for_it = frame[:6] == place.mac and destination(frame) in (place.ip, *place.ip6)
        if for_it and tap.up and _key(frame[HEADER_LEN:], tap.config):
            self._coming[tap.name] = at

    def look(self, now: Instant) -> None:
        for tap in self._all:
            self._judge(tap)
            given, excused = self._given[tap.name], self._excused[tap.name]
            if not given:
                continue
            if len(given) - excused > tap.holding():
                said = f"{len(given) - excused} payloads that {tap.name} has and does not hold"
                self.broken(now, said, "sent, or refused with a reason")
            asked = _longest(self._settled[tap.name], len(self._addressed[tap.name]))
            most = self.scene.longest(asked)
            over = sum(now - at > most for at in given.values())
            if over > excused and self._judges_waits:
                self.broken(now, f"a payload that {tap.name} holds", "not longer than it asks")

    def _judge(self, tap: VirtualTapNode) -> None:
        at = self._coming.pop(tap.name, None)
        if at is not None:
            self.broken(at, f"a payload that {tap.name} kept", "given to its host, or refused")


class TakenOnce(PayloadLaw):
    """An endpoint takes each payload once: no two that are sent are the same.

    Not where links make copies, the topology keeps its loops, or somebody moves; nor where frames
    are injected or a capture is replayed.
    """

    name = "taken-once"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._took: set[tuple[str, bytes]] = set()

    @staticmethod
    def holds(scene: Scene) -> bool:
        injects = any(one.inject for one in scene.scenario.timeline)
        replays = any(isinstance(rule, Replay) for rule in scene.scenario.traffic)
        return OneCopy.holds(scene) and not (injects or replays)

    def took(self, at: Instant, place: Place, packet: bytes, key: bytes) -> None:
        if (place.name, key) in self._took:
            self.broken(at, f"a payload that {place.name} took again", "taken once")
        self._took.add((place.name, key))


def _key(packet: bytes, config: TapConfig) -> bytes:
    """What tells the payload of a packet that is sent whole from all others; empty: no such."""
    length = total_length(packet)
    if length is None or not length <= min(len(packet), config.mtu):
        return b""
    return payload_key(packet) or b""


def _longest(config: TapConfig, others: int) -> Duration:
    """How long all questions for one address can take, each after those for all the `others`."""
    if config.slaac:
        return _EVER  # a router may slow them down
    v4 = (1 + config.arp_retries_max) * (config.arp_interval + others * config.arp_spacing)
    v6 = (1 + config.ndp_retries_max) * config.ndp_interval
    return max(v4, v6) + config.arp_interval
