"""A client whose session has a transport, a computer on the hub's LAN, and what goes between."""

from typing import Any

from sim.faults import Delivery, Fault
from sim.network import Network
from sim.nodes.softether.constants import Strategy
from sim.nodes.softether.fifo import Budget
from sim.nodes.softether.policy import Kind, Policy
from sim.nodes.softether.server import SILENT, SoftEtherServer
from sim.nodes.softether.session import Terms
from sim.nodes.softether.transport import Transport, Wish
from sim.rng import Stream
from tests import builders as b
from tests.sim.networks import NANOBYTE, Listener

FROM_CLIENT = b.PEER_MAC + b.OUR_MAC + b"\x88\xb5"
FROM_LAN = b.OUR_MAC + b.PEER_MAC + b"\x88\xb5"


class Road:
    """`client` by a transport to a hub, `lan` beside it; `say` and `tell` send at an instant."""

    def __init__(
        self,
        *,
        rate: int | None = NANOBYTE,
        delay: int = 0,
        queue: int | None = None,
        faults: tuple[Fault, ...] = (),
        strategy: Strategy = Strategy.PERFORMANCE,
        overrides: dict[str, int] | None = None,
        policy: Policy = Policy(),  # noqa: B008  # frozen
        seed: int = 0,
        **wish: Any,
    ) -> None:
        self.network = network = Network(seed)
        self.server = network.add(
            SoftEtherServer("hub", strategy, options=SILENT, overrides=overrides)
        )
        self.client, self.lan = network.add(Listener("client")), network.add(Listener("lan"))
        self.port = self.server.session(Terms(kind=Kind.CLIENT, bridge=False, policy=policy))
        self.link = network.connect(
            self.client.port, self.port, rate=rate, delay=delay, queue=queue, faults=faults
        )
        beside = self.server.session(Terms(kind=Kind.BRIDGE))
        network.connect(beside, self.lan.port)
        budget = Budget(self.server.constants)
        self.transport = Transport(self.link, network, Wish(**wish), budget)
        self.link.carrier = self.transport

    def say(self, when: int, *payloads: bytes) -> None:
        """The client sends to the computer."""
        self.client.say_at(when, *(FROM_CLIENT + payload for payload in payloads))

    def tell(self, when: int, *payloads: bytes) -> None:
        """The computer sends to the client."""
        self.lan.say_at(when, *(FROM_LAN + payload for payload in payloads))

    def run(self, until: int) -> None:
        """Let it happen; the books balance."""
        self.network.run(until)
        assert self.network.ledger() == []

    def knows_client(self) -> bool:
        """Whether the hub believes the client's MAC behind a session."""
        return b.OUR_MAC in self.server.table()

    def sockets(self) -> tuple[int, int]:
        """How many send to the server, and from it."""
        return len(self.transport.up.pipes), len(self.transport.down.pipes)


class LoseNth:
    """A fault that loses the segments of these numbers, counted from 0."""

    name = "lose-nth"

    def __init__(self, *numbers: int) -> None:
        self._numbers = numbers
        self._seen = -1

    def apply(self, frame: bytes, rng: Stream) -> list[Delivery]:
        self._seen += 1
        return [] if self._seen in self._numbers else [(0, frame)]


class LoseAll:
    """A fault that loses everything for which `which` says so."""

    name = "lose-all"

    def __init__(self, which: Any = lambda data: True) -> None:
        self._which = which

    def apply(self, frame: bytes, rng: Stream) -> list[Delivery]:
        return [] if self._which(frame) else [(0, frame)]
