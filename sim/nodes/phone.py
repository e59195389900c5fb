"""A phone: a host, its tap and its session in one device, which sleeps and moves as one."""

from sim.nodes.host import L3Host
from sim.nodes.softether.transport import Transport
from sim.nodes.virtual_tap import VirtualTapNode
from virtualtap.units import SECOND, Duration

RELAUNCH: Duration = 1 * SECOND  # after the system has killed the tunnel; the number is ours


class Phone:
    """What happens to the device happens to all of its parts."""

    def __init__(self, host: L3Host, tap: VirtualTapNode, transport: Transport | None) -> None:
        self.name = host.name
        self.killed = 0
        self._host, self._tap, self._transport = host, tap, transport
        self._network = host.network
        host.after_read = self._look

    def sleep(self) -> None:
        """Nothing of it does anything: no timer, no packet, no keep-alive."""
        self._host.asleep = True
        self._tap.asleep = True
        if self._transport is not None:
            self._transport.sleep()

    def wake(self) -> None:
        """It goes on: first what was due meanwhile."""
        self._host.asleep = False
        self._tap.wake()
        if self._transport is not None:
            self._transport.wake()

    def holds(self) -> int:
        """Bytes that wait in the process of the tunnel; a packet that its tap holds is a full one.

        What the process takes up besides is not counted.
        """
        assert self._host.platform is not None
        waits = 0 if self._transport is None else self._transport.up.held_bytes()
        return waits + self._tap.holding() * self._host.platform.mtu

    def _look(self) -> None:
        platform = self._host.platform
        if platform is None or platform.memory is None or not self._tap.up:
            return
        if self.holds() > platform.memory:
            self.killed += 1
            self._network.note(self.name, "the system kills the tunnel: memory")
            self._network.crash(self._tap)
            if self._transport is not None:
                self._transport.roam()
            self._network.call_at(self._network.now + RELAUNCH, self._relaunch, None)

    def _relaunch(self, _: None) -> None:
        self._network.restart(self._tap)
        if self._transport is not None:
            self._transport.launch()
