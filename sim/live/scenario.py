"""A simulated network in real time, with real hosts in the place of simulated ones."""

import os
import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic_ns
from typing import Any

from sim.live.kernel import LENGTH_MAX, Kind, open_device
from sim.live.tunnel import give_up_rights, ip_command, stopped
from sim.network import Network
from sim.node import Node, Port
from sim.nodes.host import L3Host
from sim.nodes.station import Station
from sim.run import Order, built
from sim.words.quantities import duration
from virtualtap.errors import UsageError
from virtualtap.units import SECOND, Duration
from virtualtap.wire.address import ip_text, mac_text

SCHEMA = 1
PREFIX4, PREFIX6 = 16, 64  # of every simulated LAN: sim.build
_BATCH_MAX = 64
_WAIT_MAX_S = 1.0


class Plug:
    """A device, and the simulated endpoint in whose place its kernel stands."""

    def __init__(self, device: str, node: Station | L3Host) -> None:
        """UsageError, Missing where the device cannot be had."""
        self.device, self.node = device, node
        self.port: Port = node.port if isinstance(node, Station) else node.uplink
        self.kind: Kind = "tap" if isinstance(node, Station) else "tun"
        self.fd = open_device(self.kind, device)
        self.taken = self.given = self.lost = 0
        node.refuse = self._give  # type: ignore[method-assign]  # the node is down: its frames
        node.network.crash(node)  # are refused, that is handed to the kernel

    def set_up(self) -> None:
        """The kernel gets the endpoint's MAC and addresses."""
        for words in self.commands():
            ip_command(*words)

    def commands(self) -> Iterator[tuple[str, ...]]:
        """What `ip` is told."""
        node = self.node
        if isinstance(node, Station):
            yield "link", "set", self.device, "address", mac_text(node.interface.mac)
        yield "link", "set", self.device, "up"
        for address in self.addresses():
            yield "addr", "replace", address, "dev", self.device

    def addresses(self) -> list[str]:
        """The endpoint's, as `ip` writes them."""
        stack = self.node.stack
        return [
            f"{ip_text(stack.ip)}/{PREFIX4}",
            *(f"{ip_text(one)}/{PREFIX6}" for one in stack.ip6),
        ]

    def take(self) -> None:
        """What the kernel sends, into the network, at its present instant."""
        with suppress(BlockingIOError):
            for _ in range(_BATCH_MAX):
                data = os.read(self.fd, LENGTH_MAX)
                self.taken += 1
                self.node.fates.originated += 1
                self.port.send(data)

    def _give(self, port: Port, data: bytes) -> None:
        self.node.fates.consumed += 1
        try:
            os.write(self.fd, data)
            self.given += 1
        except OSError:  # a link that is full, or not up
            self.lost += 1


def play(
    order: Order, attached: Sequence[str], said: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Play a scenario in real time to its end, or until a signal: what was counted.

    Each of `attached` is `DEVICE=NODE`: a TAP for a station, a TUN for a host behind a tap. Their
    kernels get the nodes' addresses, which `said` is told; what such a node should say in the
    scenario is left out. UsageError, Missing.
    """
    network, until = built(order).network, duration(order.scenario().until)
    with _plugs(network, attached) as plugs, stopped() as end:
        for plug in plugs:
            plug.set_up()
            said(f"{plug.device} is {plug.node.name}: {', '.join(plug.addresses())}")
        give_up_rights()
        late = _keep_time(network, until, plugs, end)
        network.finish()
        return {
            "schema": SCHEMA,
            "scenario": order.scenario().name,
            "simulated_s": network.now / SECOND,
            "late_s": late / SECOND,
            "crossings": network.crossings(),
            "dropped": network.drops(),
            "ledger": network.ledger(),
            "attached": {
                plug.device: {"node": plug.node.name, "taken": plug.taken, "given": plug.given}
                | {"lost": plug.lost}
                for plug in plugs
            },
        }


def _keep_time(network: Network, until: Duration, plugs: Sequence[Plug], end: int) -> Duration:
    """The simulated clock follows the real one; by how much it was late at most."""
    by_fd = {plug.fd: plug for plug in plugs}
    begun, late = monotonic_ns(), 0
    while (now := monotonic_ns() - begun) < until:
        network.run(max(now, network.now))
        late = max(late, monotonic_ns() - begun - now)
        due = min(float(network.peek()), until) - (monotonic_ns() - begun)
        wait = min(max(due / SECOND, 0.0), _WAIT_MAX_S)
        ready = select.select((*by_fd, end), (), (), wait)[0]
        if end in ready:
            return late
        if ready:
            network.run(max(monotonic_ns() - begun, network.now))
        for fd in ready:
            by_fd[fd].take()
    network.run(until)
    return late


@contextmanager
def _plugs(network: Network, attached: Sequence[str]) -> Iterator[list[Plug]]:
    plugs: list[Plug] = []
    try:
        for word in attached:
            device, is_said, name = word.partition("=")
            if not (device and is_said and name):
                hint = "write it as `tap1=s2`"
                raise UsageError(f"`{word:.60}` attaches nothing", hint)
            plugs.append(Plug(device, _endpoint(network.nodes.get(name), name)))
        yield plugs
    finally:
        for plug in plugs:
            os.close(plug.fd)


def _endpoint(node: Node | None, name: str) -> Station | L3Host:
    if isinstance(node, Station | L3Host) and node.up:
        return node
    raise UsageError(
        f"`{name:.60}` is no station and no host behind a tap, or has a device already",
        "`vtap topologies NAME` lists the nodes",
    )
