"""A session of a hub: its policy, and the queue of frames that wait to be sent. Hub.c."""

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Protocol

from sim.node import Port
from sim.nodes.softether import mss, valid
from sim.nodes.softether.cascade import queue_of
from sim.nodes.softether.constants import Constants
from sim.nodes.softether.local_bridge import refusals
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Kind, Policy, policy_of
from sim.nodes.softether.rewriting import static_ip
from sim.nodes.softether.tables import most_macs
from sim.nodes.softether.verdict import Gate
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire.address import Ip, Mac


class FarEnd(Protocol):
    """What a session's frames are put into where that is no port: it takes one, or refuses.

    If they leave by a `port` after all, `room` says whether the next one may at once.
    """

    port: Port | None

    def put(self, frame: bytes, now: Instant) -> bool: ...
    def room(self, now: Instant, quota: "FloodQuota | None" = None, length: int = 0) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Who connects, as what, and what he asks for. UsageError for a card that is none."""

    kind: Kind = Kind.CLIENT
    user: str = ""
    policy: Policy = Policy()  # noqa: RUF009  # frozen
    bridge: bool = True  # asks for bridge or routing mode
    monitor: bool = False  # asks for monitoring mode
    limit_broadcast: bool = False  # a local bridge's LimitBroadcast
    card: Mac | None = None  # a local bridge's network card
    over_ipv6: bool = False  # what carries the session
    group: str = ""  # of the user
    note: str = ""  # of the user; may name his address: IPv4:192.168.30.222
    adjust_mss: int = 0  # bytes, what its transport asks for; 0: nothing

    def __post_init__(self) -> None:
        if self.card is not None:
            valid.card("card", self.card)

    def enforced(self) -> Policy:
        """The policy that holds, with what its kind grants and takes. Protocol.c:ServerAccept."""
        return policy_of(
            self.kind, self.policy, bridge=self.bridge, limit_broadcast=self.limit_broadcast
        )


class FloodQuota:
    """The bytes of flooded frames that wait in the whole server. CedarGetCurrentTcpQueueSize."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Instant, int]] = []  # when it leaves, bytes
        self._bytes = 0

    def add(self, leaves: Instant, length: int) -> None:
        """A flooded frame waits until `leaves`."""
        heappush(self._waiting, (leaves, length))
        self._bytes += length

    def waiting(self, now: Instant) -> int:
        """Bytes that have not left."""
        while self._waiting and self._waiting[0][0] <= now:
            self._bytes -= heappop(self._waiting)[1]
        return self._bytes


class Backlog:
    """The frames that wait for a port's link: MAX_STORED_QUEUE_NUM at most, then tail drop."""

    __slots__ = ("_most", "_waiting", "port")

    def __init__(self, port: Port, most: int) -> None:
        self.port = port
        self._most = most
        self._waiting: deque[Instant] = deque()  # when each will leave

    def room(self, now: Instant, quota: FloodQuota | None = None, length: int = 0) -> bool:
        """Whether one frame more may wait; if so, the caller sends it now.

        A flooded frame of `length` bytes that has to wait counts in the quota.
        """
        out = self.port.out
        assert out is not None, f"{self.port.name} is not connected"
        leaves = out.free_at
        waiting = self._waiting
        if leaves <= now:
            waiting.clear()  # also what a link that went down has lost
            return True
        while waiting and waiting[0] <= now:
            waiting.popleft()
        if len(waiting) >= self._most:
            return False
        waiting.append(leaves)
        if quota is not None:
            quota.add(leaves, length)
        return True


class Session:
    """One session, and its egress: frames in order, tail drop, no priority. StorePacketToHubPa.

    It ends at a port, or at a far end inside the server.
    """

    __slots__ = (
        *("at_port", "checks_mac", "download", "far", "heard", "is_monitor", "kind", "most_macs"),
        *("mss_in", "mss_out", "name", "no_router", "number", "plain_in", "plain_out", "policy"),
        *("port", "refuses_in", "refuses_out", "reworks", "room", "silent_since", "static_ip"),
        *("storm", "terms", "upload", "vlan_id"),
    )

    def __init__(
        self,
        number: int,
        port: Port | FarEnd,
        terms: Terms,
        constants: Constants,
        hub: HubOptions,
        name: str = "",
    ) -> None:
        self.number = number
        self.port = port if isinstance(port, Port) else port.port
        self.far = None if isinstance(port, Port) else port
        self.at_port = int(self.far is None)  # copies that leave the server with `send`
        self.name = name
        self.terms = terms
        self.kind = terms.kind
        self.policy = policy = terms.enforced()
        is_bridge = terms.kind is Kind.BRIDGE
        self.checks_mac = policy.CheckMac or (is_bridge and not hub.DisableCheckMacOnLocalBridge)
        self.vlan_id = policy.VLanId
        self.most_macs = most_macs(policy)
        self.is_monitor = policy.MonitorPort and terms.monitor
        own = refusals(terms.card, hub)
        self.refuses_in = policy.ingress() + own
        self.refuses_out = policy.egress() + own
        self.no_router = policy.NoIPv6DefaultRouterInRA or (
            policy.NoIPv6DefaultRouterInRAWhenIPv6 and terms.over_ipv6
        )
        self.plain_in = not (self.refuses_in or policy.MaxUpload or self.is_monitor)
        self.mss_in, self.mss_out = _clamps(terms, hub)
        self.static_ip = _static_ip(terms)
        self.reworks = bool(self.mss_in or self.vlan_id or self.static_ip is not None)
        self.plain_out = not (
            self.refuses_out
            or self.no_router
            or policy.PrivacyFilter
            or policy.MaxDownload
            or policy.VLanId
            or self.mss_out
        )
        self.upload: Gate | None = None
        self.download: Gate | None = None
        self.storm: Gate | None = None
        self.heard: Instant | None = None  # when it sent last; only clients can be dormant
        self.silent_since: Instant | None = None  # its link is down
        end = Backlog(port, queue_of(self.kind, constants)) if isinstance(port, Port) else port
        self.room = end.room

    @property
    def timeout(self) -> Duration | None:
        """Without a byte for so long the session ends; None: never. Session.c, Account.c."""
        if self.kind in (Kind.CLIENT, Kind.CASCADE):
            return min(60, max(5, self.policy.TimeOut)) * SECOND
        return None

    @property
    def is_tcp(self) -> bool:
        """Whether floods wait in the quota for it; in-process clients count as TCP."""
        return self.kind in (Kind.CLIENT, Kind.CASCADE, Kind.IPC)

    def is_dormant(self, now: Instant, after: Duration) -> bool:
        """Whether a client has sent nothing for so long, or ever, that floods pass it by."""
        return self.kind is Kind.CLIENT and (self.heard is None or self.heard + after <= now)

    def send(self, frame: bytes, now: Instant) -> bool:
        """Queue one frame; False where the queue is full, and the new frame goes."""
        if self.far is not None:
            return self.far.put(frame, now)
        if not self.room(now):
            return False
        assert self.port is not None
        self.port.send(frame)
        return True


def _clamps(terms: Terms, hub: HubOptions) -> tuple[int, int]:
    """What its SYNs may say at most, on the way in and out, in bytes; 0: what they like."""
    if hub.DisableAdjustTcpMss:
        return 0, 0
    return mss.least(hub.AdjustTcpMssValue, terms.adjust_mss), terms.adjust_mss


def _static_ip(terms: Terms) -> Ip | None:
    """What a named user's DHCP is made to ask for, perhaps nothing; None: it asks as it likes."""
    is_named = terms.kind in (Kind.CLIENT, Kind.IPC) and bool(terms.user)
    return static_ip(terms.note) if is_named else None
