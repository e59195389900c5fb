"""A packet flow: arrays of packets with their families, as an iOS packet tunnel has it.

Apple's NEPacketTunnelFlow: readPackets(completionHandler:), writePackets(_:withProtocols:).
"""

from collections.abc import Callable, Sequence
from time import monotonic_ns
from typing import Protocol

from virtualtap.drivers.contract import Arm, Driver, Send
from virtualtap.tap import Translator
from virtualtap.units import Instant

AF_INET, AF_INET6 = 2, 30  # Darwin's numbers, on whatever system this runs


class PacketFlow(Protocol):
    """What the application's bridge to NEPacketTunnelFlow offers."""

    def read_packets(self, handler: Callable[[Sequence[bytes], Sequence[int]], None]) -> None:
        """Call `handler` once, later, with packets and their families."""

    def write_packets(self, packets: list[bytes], families: list[int]) -> None:
        """Hand packets to the platform."""


def carry(
    tap: Translator,
    flow: PacketFlow,
    to_lan: Send,
    arm: Arm,
    *,
    clock: Callable[[], Instant] = monotonic_ns,
) -> Driver:
    """Begin to carry what `flow` reads; give the driver frames (`from_lan`) and the timer (`poll`).

    All on one queue: no two calls overlap. The next packets are asked for when `to_lan` has
    returned: one who waits there for room holds the platform back, and needs no buffer.
    """

    def write(packets: list[bytes]) -> None:
        flow.write_packets(packets, [family(packet) for packet in packets])

    def came(packets: Sequence[bytes], _families: Sequence[int]) -> None:
        driver.from_host(packets)  # the engine reads the version of each packet itself
        if not driver.closed:
            flow.read_packets(came)

    driver = Driver(tap, to_lan, write, arm, clock=clock)
    driver.poll()
    flow.read_packets(came)
    return driver


def family(packet: bytes) -> int:
    """The address family of an IP packet, in Darwin's numbers."""
    return AF_INET6 if packet[:1] >= b"\x60" else AF_INET
