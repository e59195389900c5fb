"""How long a healed network may take until it works, term by term: no number is a guess.

Each is a timer of who is to wait for it: of the taps' configurations, of stations (`interface.py`),
of SoftEther's sessions; RFC 826, 4861, 2131, 5227, 4862. The terms are added, as if each had to
wait for the one before. docs/debugging.md shows the sum.
"""

from typing import NamedTuple

import networkx as nx

from sim.actions.healing import Core
from sim.laws.law import Scene
from sim.link import Link
from sim.nodes.gateway import LanGateway
from sim.nodes.interface import LIFETIME
from sim.nodes.softether.cascade import RETRY_INTERVAL
from sim.nodes.softether.local_bridge import BRIDGE_TRY_SPAN
from sim.nodes.softether.pipe import RETRY_MOST
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.transport import CONNECT_ROUND_TRIPS, CONNECT_TIMEOUT, Transport
from sim.nodes.virtual_tap import VirtualTapNode
from sim.words.servers import rules_of
from virtualtap.config import TapConfig
from virtualtap.handlers.claim import (
    ANNOUNCE_WAIT,
    PROBE_MAX,
    PROBE_NUM,
    PROBE_WAIT,
    RATE_LIMIT_INTERVAL,
)
from virtualtap.units import MS, SECOND, Duration, Instant

_FRAME = 1514  # bytes of the longest
_ASKS: Duration = 4 * SECOND  # of a station: three questions, a second apart, and one more second
_LIES = ("inject", "spoof", "flap", "repeat_arp", "storm", "rogue", "duplicate", "move")
_DAMAGES = ("bit-flip", "truncation", "exactly")


class Bound(NamedTuple):
    """Each term once, and their sum."""

    session: Duration  # until every session of the core is there
    address: Duration  # until taps have their addresses
    entry: Duration  # until one wrong or missing entry is right, times the entries on the way
    path: Duration  # there and back, for each of these

    @property
    def total(self) -> Duration:
        return self.session + self.address + self.entry + self.path


def bound(scene: Scene, core: Core, now: Instant = 0) -> Bound:
    """The bound of a core; at `now` with what waits on its links then. `path` is by the diameter.

    The slowest clock that the scenario makes stretches every term.
    """
    hops = 2 if any(isinstance(node, LanGateway) for node in core.nodes()) else 1
    session = max(map(_session, core.links()), default=0)
    mistaken = is_mistaken(scene)
    taps = [node.config.settled() for node in core.nodes() if isinstance(node, VirtualTapNode)]
    address = max((_address(config, mistaken=mistaken) for config in taps), default=0)
    others = len(scene.built.places)
    entries = [_entry(config, others, mistaken=mistaken) for config in taps]
    entry = max([(LIFETIME if mistaken else 0) + _ASKS, *entries])
    path = transit(scene, core, now)
    terms = (session, address, hops * entry, (1 + 2 * hops) * path)
    slow = max((-one.skew.ppm for one in scene.scenario.timeline if one.skew), default=0)
    million = 1_000_000
    return Bound(*(-(-term * million // (million - max(slow, 0))) for term in terms))


def patience(config: TapConfig | None, *, six: bool) -> Duration:
    """After how long nobody is waited for any longer: a tap, or a station (None)."""
    if config is None:
        return _ASKS - SECOND
    if six:
        return config.ndp_retries_max * config.ndp_interval
    settled = config.settled()
    return settled.arp_retries_max * settled.arp_interval


def is_mistaken(scene: Scene) -> bool:
    """Whether anybody may know a wrong MAC, or a bridge a wrong port, when the heal comes.

    Somebody lied or moved, frames were damaged, captures replayed, or leased addresses go round.
    """
    scenario = scene.scenario
    lies = any(getattr(one, key) is not None for one in scenario.timeline for key in _LIES)
    replays = any(hasattr(rule, "speak_control") for rule in scenario.traffic)
    leased = any(tap.config.dhcp or tap.config.learn_ip for tap in scene.taps())
    return lies or replays or leased or bool(scene.faults().intersection(_DAMAGES))


def transit(scene: Scene, core: Core, now: Instant) -> Duration:
    """How long a frame takes at most from one end of the core to the other.

    Twice the way to the farthest from any node is no less than the diameter.
    """
    graph: nx.Graph[str] = nx.Graph()
    for link in core.links():
        one, other = (way.source.node.name for way in link.directions)
        graph.add_edge(one, other, weight=_crossing(link, now))
    far = 0
    for part in nx.connected_components(graph):
        start = next(name for name in core.built.network.nodes if name in part)
        lengths = nx.single_source_dijkstra_path_length(graph, start).values()
        far = max(far, *(int(length) for length in lengths))
    return 2 * far + _inside(scene, core)


def _crossing(link: Link, now: Instant) -> Duration:
    waits = max(0, *(way.free_at - now for way in link.directions))
    rate = link.rate
    takes = -(-link.wire_bytes(_FRAME) * 8 * SECOND // rate) if rate else 0
    return waits + link.delay + takes


def _inside(scene: Scene, core: Core) -> Duration:
    """What a frame waits in servers that are described: turns of sessions, rules that delay."""
    servers = [node for node in core.nodes() if isinstance(node, SoftEtherServer)]
    if not scene.scenario.servers:
        return 0
    turns = 0
    for server in servers:
        numbers = server.constants
        count = -(-numbers.MAX_STORED_QUEUE_NUM // numbers.MAX_SEND_SOCKET_QUEUE_NUM)
        turns += count * numbers.SELECT_TIME
    said = [hub for server in scene.scenario.servers for hub in (server, *server.hubs)]
    delays = (
        rule.Delay * (100 + rule.Jitter) * MS // 100 for hub in said for rule in rules_of(hub)
    )
    return turns + len(servers) * max(delays, default=0)


def _session(link: Link) -> Duration:
    """Until a session is there: what is stuck is given up, then it is tried again."""
    carrier = link.carrier
    if isinstance(carrier, Transport):
        wish = carrier.wish
        stuck = max(RETRY_MOST, carrier.timeout)  # RFC 6298 2.5; Session.c
        shakes = CONNECT_ROUND_TRIPS * 2 * link.delay
        return stuck + CONNECT_TIMEOUT + wish.retry + shakes + wish.connections * wish.interval
    ends = [isinstance(way.target.node, SoftEtherServer) for way in link.directions]
    return RETRY_INTERVAL if all(ends) else BRIDGE_TRY_SPAN if any(ends) else 0


def _address(config: TapConfig, *, mistaken: bool) -> Duration:
    """Until a tap has its address: the longest waits of RFC 2131 4.1, 4.4.1, then RFC 5227, 4862.

    Another's claim, told by a liar, costs ten conflicts at worst: RFC 5227 2.1.1.
    """
    found: Duration = 0
    if config.dhcp:
        found += config.dhcp_delay_max + config.dhcp_decline_wait
        found += 2 * (config.dhcp_interval_max + SECOND)
    if config.claim == "probed" or mistaken:
        found += PROBE_WAIT + PROBE_NUM * PROBE_MAX + ANNOUNCE_WAIT
    if mistaken:
        found += 2 * RATE_LIMIT_INTERVAL
    if config.dad or config.slaac:
        found += config.router_solicitation_delay + config.dad_transmits * config.ndp_interval
    return found


def _entry(config: TapConfig, others: int, *, mistaken: bool) -> Duration:
    """Until an entry is right: a wrong one until it is too old or doubted, then the questions."""
    asks4 = (1 + config.arp_retries_max) * config.arp_interval + others * config.arp_spacing
    asks6 = (1 + config.ndp_retries_max) * config.ndp_interval if config.our_ip6 else 0
    if not mistaken:
        return max(asks4, asks6)
    doubt = config.ndp_reachable_time * 3 // 2 + config.ndp_delay  # RFC 4861 6.3.2, 7.3.3
    doubt4 = doubt + config.ndp_unicast_retries_max * config.arp_interval
    doubt6 = doubt + config.ndp_unicast_retries_max * config.ndp_interval
    life4 = doubt4 if config.manners.doubts_ipv4 else config.neighbor_lifetime
    return max(life4 + asks4, doubt6 + asks6 if config.our_ip6 else 0)
