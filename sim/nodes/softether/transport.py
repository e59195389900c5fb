"""The transport of a session: TCP connections, UDP acceleration, and what becomes of it. Session.c.

A link between a client and a hub carries real frames; with a transport, it decides when they
arrive, in which order, what they take up, and which are dropped. The client is said to know at
once that its own network has gone or changed; the server learns it from silence.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from sim.link import Direction, Link
from sim.network import Network
from sim.nodes.softether import mss
from sim.nodes.softether.fifo import Budget, Reader
from sim.nodes.softether.lane import Lane, Manner
from sim.nodes.softether.pipe import Pipe
from sim.nodes.softether.policy import Kind, Policy
from sim.nodes.softether.server import SoftEtherServer
from sim.rng import stream
from virtualtap.errors import UsageError
from virtualtap.units import MS, SECOND, Duration, Instant

MAX_TCP_CONNECTION = 32  # Cedar.h
RETRY_INTERVAL_MIN: Duration = 5 * SECOND  # Client.h
CONNECT_TIMEOUT: Duration = 5 * SECOND  # observed with 5.01: an attempt without a way there
# TCP, TLS 1.3, the signature and the answer to it, the login; the count is ours.
CONNECT_ROUND_TRIPS = 4
_TRIES = 3  # of an attempt's first segment in CONNECT_TIMEOUT: RFC 6298 2.1, after 1 and 3 s

# UdpAccel.h: keep-alives, the silence after which it is given up; then with fast detection
KEEPALIVE_INTERVAL = (1 * SECOND, 3 * SECOND)
KEEPALIVE_TIMEOUT: Duration = 9 * SECOND
KEEPALIVE_INTERVAL_FAST = (500 * MS, 1 * SECOND)
KEEPALIVE_TIMEOUT_FAST: Duration = 2100 * MS
REQUIRE_CONTINUOUS: Duration = 10 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a client's account asks for; `reads` (bit/s) is how fast the server takes its bytes."""

    connections: int = 1
    half_duplex: bool = False
    qos: bool = True
    encrypt: bool = True
    interval: Duration = 1 * SECOND  # between additional connections
    retry: Duration = 15 * SECOND
    udp_acceleration: bool = False
    udp_passes: bool = True  # False: something on the way swallows UDP
    fast_detection: bool = False
    reads: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.connections <= MAX_TCP_CONNECTION:
            raise UsageError(
                f"a session has {self.connections} connections",
                f"give a number from 1 to {MAX_TCP_CONNECTION}",
            )
        if self.half_duplex and self.connections == 1:
            raise UsageError("half duplex with one connection", "it needs at least 2 connections")
        if self.retry < RETRY_INTERVAL_MIN:
            raise UsageError("a client retries too soon", "it waits at least 5 s")

    @property
    def required(self) -> int:
        """The connections that are made at once; others follow at an interval."""
        return min(self.connections, (2 if self.qos else 1) * (2 if self.half_duplex else 1))


class Ear:
    """Whether one end hears the other by UDP, and has long enough."""

    def __init__(self, silence: Duration) -> None:
        self._silence = silence
        self.forget()

    def forget(self) -> None:
        """A new session begins."""
        self._heard_at: Instant = -(1 << 62)
        self._since: Instant = 0

    def hear(self, at: Instant) -> None:
        """A datagram comes at `at`."""
        if at - self._heard_at > self._silence:
            self._since = at
        self._heard_at = max(self._heard_at, at)

    def is_steady(self, now: Instant) -> bool:
        """Whether this end may send by UDP."""
        return now - self._heard_at <= self._silence and now - self._since >= REQUIRE_CONTINUOUS


class Transport:
    """What carries a client's session. `is_connected` is as the client sees it."""

    def __init__(self, link: Link, network: Network, wish: Wish, budget: Budget) -> None:
        up, down, server = _ends(link)
        session = server.session_of(up.target)
        assert session is not None
        assert session.timeout is not None
        wish = _granted(wish, session.policy)
        if wish.udp_acceleration:
            most = mss.udp_acceleration(ipv6=session.terms.over_ipv6, encrypted=wish.encrypt)
            asked = mss.least(session.terms.adjust_mss, most)
            server.assign(up.target, replace(session.terms, adjust_mss=asked))
        self.link = link
        self.wish = wish
        self.budget = budget
        self.server = server
        self.is_connected = False
        self.is_asleep = False
        self.connects = 0
        self.stirs: Callable[[], None] | None = None  # a keep-alive comes to the client, or goes
        self._network, self._port = network, up.target
        self.timeout = session.timeout
        self._luck = stream(network.seed, "transport", link.name)
        numbers = server.constants
        manner = Manner(
            encrypted=wish.encrypt,
            qos=wish.qos,
            quota=max(
                numbers.MAX_SEND_SOCKET_QUEUE_SIZE // wish.connections,
                numbers.MIN_SEND_SOCKET_QUEUE_SIZE,
            ),
            timeout=self.timeout,
        )
        reader = None if wish.reads is None else Reader(wish.reads, budget)
        self.up = Lane(up, network, self._luck, manner, reader, self._broke)
        self.down = Lane(down, network, self._luck, manner, None, self._broke)
        self._epoch = 0  # of connections: what was armed for an older one does nothing
        self._connections: list[int] = []
        self._numbers = 0
        self._accelerate()
        network.call_at(network.now, self._establish, False)

    # what the link asks of it

    def send(self, way: Direction, frame: bytes) -> None:
        """A frame to be carried."""
        (self.up if way is self.up.way else self.down).send(frame)

    def waiting(self, way: Direction) -> int:
        """Frames that wait here."""
        return (self.up if way is self.up.way else self.down).waiting()

    def link_changed(self, *, up: bool) -> None:
        """The client's own interface is gone: it tries again until it gets through."""
        if not up and self.is_connected:
            self._lose()

    # what happens to the client

    def roam(self, *, udp_passes: bool | None = None) -> None:
        """The client has another address: its connections lead nowhere."""
        for lane in (self.up, self.down):
            lane.way.lose_in_flight()
        if udp_passes is not None:
            self.wish = replace(self.wish, udp_passes=udp_passes)
            self._accelerate()
        if self.is_connected:
            self._lose()

    def launch(self) -> None:
        """The client's process begins anew, and connects."""
        self._epoch += 1
        self._try(self._epoch)

    def sleep(self) -> None:
        """The client does nothing until it wakes; the server gives it up after its time-out."""
        self.is_asleep = True
        self.up.held = self.down.held = True
        epoch = self._epoch
        self._network.call_at(self._heard_at() + self.timeout, self._missed, epoch)

    def wake(self) -> None:
        """The client goes on, or finds that its session is gone."""
        if not self.is_asleep:
            return
        self.is_asleep = False
        if not self.is_connected:
            self._try_after(self.wish.retry)
        for lane in (self.up, self.down):
            lane.release()

    # the session

    def _establish(self, again: bool) -> None:
        """The client is in: the first connections are there, others follow."""
        if again:  # another session, which knows nobody
            self.server.end_session(self._port)
            self.server.begin_session(self._port)
        self.is_connected = True
        self.connects += 1
        self._epoch += 1
        for count in range(self.wish.connections):
            if count < self.wish.required:
                self._open(self._epoch)
            else:
                wait = (1 + count - self.wish.required) * self.wish.interval
                self._network.call_at(self._network.now + wait, self._open, self._epoch)
        if self.wish.udp_acceleration:
            for ear in self._ears:
                ear.forget()
            for lane in (self.up, self.down):
                self._ping((lane, self._epoch))

    def _open(self, epoch: int) -> None:
        """One more connection; in half duplex for the way that has fewer, at first to the server.

        On a tie the client receives by it.
        """
        if epoch != self._epoch or self.is_asleep:
            return
        self._numbers += 1
        self._connections.append(self._numbers)
        lanes = [self.up, self.down]
        if self.wish.half_duplex:
            receives = len(self._connections) > 1 and len(self.down.pipes) <= len(self.up.pipes)
            lanes = [self.down if receives else self.up]
        for lane in lanes:
            self._arm_keep_alive(lane, lane.open(self._numbers))

    def _broke(self, number: int) -> None:
        """Nothing gets through a connection: it is closed, and another made."""
        self._connections.remove(number)
        for lane in (self.up, self.down):
            lane.close(number)
        if not self._connections:
            self._lose()
        else:
            again = self._network.now + self.wish.interval
            self._network.call_at(again, self._open, self._epoch)

    def _lose(self) -> None:
        """The client has lost its session, and tries for another; the server hears nothing more."""
        self._abandon()
        if not self.is_asleep:
            self._try_after(self.wish.retry)

    def _abandon(self) -> None:
        """Nothing leads to the server any more, and it hears nothing.

        It closes its sockets a time-out after it heard something last, and the session a time-out
        after it sent something last: a keep-alive, less than a gap before. (5.01: 29 to 36 s.)
        """
        closes = max(self._heard_at() + self.timeout, self._network.now)
        ends = closes + self.timeout - self._luck.below(max(1, self._gap()))
        self.is_connected = False
        self._connections.clear()
        for lane in (self.up, self.down):
            lane.close_all()
        self._epoch += 1
        self._network.call_at(max(ends, self._network.now), self._end, self._epoch)

    def _end(self, epoch: int) -> None:
        """The server has heard nothing: the session ends, and what it knew of its addresses."""
        if not self.is_connected and epoch == self._epoch:
            self.server.end_session(self._port)

    def _missed(self, epoch: int) -> None:
        """The server's sockets close, where it has heard nothing of a sleeping client."""
        if self.is_asleep and epoch == self._epoch and self.is_connected:
            closes = self._heard_at() + self.timeout
            if closes > self._network.now:
                self._network.call_at(closes, self._missed, epoch)
            else:
                self._abandon()

    def _try_after(self, wait: Duration) -> None:
        self._network.call_at(self._network.now + wait, self._try, self._epoch)

    def _try(self, epoch: int) -> None:
        """One attempt to connect. It fails where there is no way to the server, and is repeated."""
        if epoch != self._epoch or self.is_asleep or self.is_connected:
            return
        reaches = self.link.up and self.server.up
        if reaches and any(self.up.passes() for _ in range(_TRIES)):
            way_back = self._network.now + CONNECT_ROUND_TRIPS * 2 * self.link.delay
            self._network.call_at(way_back, self._connected, epoch)
        else:
            self._try_after(CONNECT_TIMEOUT + self.wish.retry)

    def _connected(self, epoch: int) -> None:
        if epoch == self._epoch and not (self.is_asleep or self.is_connected):
            if self.link.up:
                self._establish(True)
            else:
                self._try_after(self.wish.retry)

    def _heard_at(self) -> Instant:
        """When the server heard something last."""
        return max((pipe.heard_at for pipe in self.up.pipes), default=self._network.now)

    # keep-alives

    def _gap(self) -> Duration:
        return max(self.timeout // 5, self._luck.below(self.timeout // 2))

    def _arm_keep_alive(self, lane: Lane, pipe: Pipe) -> None:
        pipe.gap = self._gap()
        when = self._network.now + pipe.gap
        self._network.call_at(when, partial(self._keep_alive, lane), pipe)

    def _keep_alive(self, lane: Lane, pipe: Pipe) -> None:
        """A socket that has sent nothing for its gap says that it is there."""
        if pipe not in lane.pipes:
            return
        due = pipe.sent_at + pipe.gap
        if self._network.now < due:
            self._network.call_at(due, partial(self._keep_alive, lane), pipe)
            return
        if not lane.held and not pipe.records:
            lane.keep_alive(pipe)
            self._stir()
        self._arm_keep_alive(lane, pipe)

    def _stir(self) -> None:
        """It wakes the client."""
        if self.stirs is not None:
            self.stirs()

    # UDP acceleration

    def _accelerate(self) -> None:
        fast = self.wish.fast_detection
        silence = KEEPALIVE_TIMEOUT_FAST if fast else KEEPALIVE_TIMEOUT
        self._ears = server, client = Ear(silence), Ear(silence)
        if self.wish.udp_acceleration:
            self.up.accelerates, self.down.accelerates = client.is_steady, server.is_steady
            if self.wish.udp_passes:
                self.up.heard_udp, self.down.heard_udp = server.hear, client.hear

    def _ping(self, what: tuple[Lane, int]) -> None:
        """Each end says by UDP that it is there, whether or not it is heard."""
        lane, epoch = what
        if epoch != self._epoch:
            return
        if not lane.held:
            lane.send_datagram(b"")
            self._stir()
        least, most = KEEPALIVE_INTERVAL_FAST if self.wish.fast_detection else KEEPALIVE_INTERVAL
        wait = least + self._luck.below(most - least)
        self._network.call_at(self._network.now + wait, self._ping, what)


def is_session(link: Link) -> bool:
    """Whether a link is a client's session of a hub: only such a one has a transport."""
    for way in link.directions:
        server = way.target.node
        if isinstance(server, SoftEtherServer):
            session = server.session_of(way.target)
            return session is not None and session.kind is Kind.CLIENT
    return False


def _granted(wish: Wish, policy: Policy) -> Wish:
    """What of a wish the user's policy grants; one connection goes both ways. ServerAccept."""
    connections = min(wish.connections, policy.MaxConnection or MAX_TCP_CONNECTION)
    return replace(
        wish,
        connections=connections,
        half_duplex=wish.half_duplex and connections > 1,
        qos=wish.qos and not policy.NoQoS,
    )


def _ends(link: Link) -> tuple[Direction, Direction, SoftEtherServer]:
    """To the server, from the server, and the server itself."""
    for up, down in (link.directions, link.directions[::-1]):
        if isinstance(up.target.node, SoftEtherServer) and is_session(link):
            return up, down, up.target.node
    raise UsageError(
        f"`{link.name}` is no client's session", "a transport is for links of a tap with a hub"
    )
