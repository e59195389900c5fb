"""Ways to make a listener to the host's DHCP client wrong: what passes, and what it learns."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.wrong_clients import payload, reframed
from virtualtap.config import TapConfig
from virtualtap.handlers.host_lease import HostLeaseHandler
from virtualtap.lease import Lease
from virtualtap.tap import VirtualTap
from virtualtap.wire.dhcp import Dhcp

Wrong = tuple[VirtualTap, HostLeaseHandler]
HEADER = bytes(14)


def listener(config: TapConfig, **changes: Any) -> Wrong:
    """A right tap, and its listener to be made wrong."""
    tap = VirtualTap(replace(config, **changes))
    return tap, tap._host_lease


def changed(packet: bytes, change: Callable[[Dhcp], Dhcp]) -> bytes:
    """The packet with another message, its checksums right."""
    frame = HEADER + packet
    before = Dhcp.parse(payload(frame))
    after = change(before)
    return packet if after == before else reframed(frame, after.to_bytes())[len(HEADER) :]


def leaving(config: TapConfig, change: Callable[[bytes, bytes], bytes]) -> VirtualTap:
    """What leaves is made of what the host sent, and of what should leave."""
    tap, ours = listener(config)
    sent = ours.sent
    ours.sent = lambda packet: change(packet, sent(packet))  # type: ignore[method-assign]  # a mutant
    return tap


def coming(config: TapConfig, change: Callable[[bytes, bytes | None], bytes | None]) -> VirtualTap:
    """What the host hears is made of what came, and of what it should hear."""
    tap, ours = listener(config)
    came = ours.came
    ours.came = lambda packet: change(packet, came(packet))  # type: ignore[method-assign]  # a mutant
    return tap


def hearing(config: TapConfig, change: Callable[[Dhcp, HostLeaseHandler], Dhcp]) -> VirtualTap:
    """The tap learns from another message than the one that came."""
    tap, ours = listener(config)
    heard = ours.heard
    wrong = lambda packet: heard(changed(packet, lambda message: change(message, ours)))  # noqa: E731  # a mutant
    ours.heard = wrong  # type: ignore[method-assign]  # a mutant
    return tap


def asking(config: TapConfig, **fields: Any) -> VirtualTap:
    """Of the host's question something else is remembered."""
    tap, ours = listener(config)
    sent = ours.sent

    def wrong(packet: bytes) -> bytes:
        out = sent(packet)
        if ours._asked is not None:
            ours._asked = replace(ours._asked, **fields)
        return out

    ours.sent = wrong  # type: ignore[method-assign]  # a mutant
    return tap


def taking(config: TapConfig, change: Callable[[Lease], Lease]) -> VirtualTap:
    """Another lease is taken than the one that was granted."""
    tap, ours = listener(config)
    take = ours._take
    ours._take = lambda lease: take(change(lease))  # type: ignore[method-assign]  # a mutant
    return tap
