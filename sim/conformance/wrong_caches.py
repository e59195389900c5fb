"""Ways to make a DNS cache wrong: what it is asked, what it hears, keeps and says."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from virtualtap.config import TapConfig
from virtualtap.handlers.dns import DnsHandler
from virtualtap.passing import Passing
from virtualtap.tap import VirtualTap
from virtualtap.wire import dns
from virtualtap.wire.dns import Dns, Record
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.udp import Udp

Wrong = tuple[VirtualTap, DnsHandler]


def cache(config: TapConfig, **changes: Any) -> Wrong:
    """A right tap, and its cache to be made wrong."""
    tap = VirtualTap(replace(config, **changes))
    service = tap._ipv4._services.get(dns.PORT)
    if not isinstance(service, Passing) or not isinstance(service._watcher, DnsHandler):
        return tap, DnsHandler(tap._core)  # nobody asks it
    return tap, service._watcher


def opened(packet: bytes) -> tuple[Ipv4 | Ipv6, Udp]:
    """A packet and its datagram."""
    inside = Ipv6.parse(packet) if packet[0] >> 4 == 6 else Ipv4.parse(packet)
    return inside, Udp.parse(inside.payload)


def closed(inside: Ipv4 | Ipv6, datagram: Udp) -> bytes:
    """The packet with another datagram, its checksum right."""
    body = datagram.between(inside.source, inside.destination)
    return replace(inside, payload=body).to_bytes()


def answering(config: TapConfig, change: Callable[[bytes], bytes]) -> VirtualTap:
    """Every answer of the cache is changed, as a packet."""
    tap, _ = cache(config)
    give = tap._core.give
    tap._core.give = lambda packet: give(change(packet))  # type: ignore[method-assign]  # a mutant
    return tap


def saying(config: TapConfig, change: Callable[[bytes], bytes]) -> VirtualTap:
    """Every message that the cache gives is changed, its checksums right."""

    def wrong(packet: bytes) -> bytes:
        inside, datagram = opened(packet)
        return closed(inside, replace(datagram, payload=change(datagram.payload)))

    return answering(config, wrong)


def hearing(config: TapConfig, change: Callable[[bytes, DnsHandler], bytes | None]) -> VirtualTap:
    """Every packet from port 53 is changed before the cache hears it; None: not heard."""
    tap, ours = cache(config)
    heard = ours.heard

    def wrong(packet: bytes) -> None:
        changed = change(packet, ours)
        if changed is not None:
            heard(changed)

    ours.heard = wrong  # type: ignore[method-assign]  # a mutant
    return tap


def reading(config: TapConfig, change: Callable[[bytes], bytes]) -> VirtualTap:
    """The bytes of every message are changed before the cache reads them."""

    def wrong(packet: bytes, _: DnsHandler) -> bytes:
        inside, datagram = opened(packet)
        changed = change(datagram.payload)
        return (
            packet
            if changed == datagram.payload
            else closed(inside, replace(datagram, payload=changed))
        )

    return hearing(config, wrong)


def keeping(config: TapConfig, change: Callable[[Dns], Dns]) -> VirtualTap:
    """Every message that could be kept is judged as another."""
    tap, ours = cache(config)
    keep = ours._keep

    def wrong(key: Any, message: Dns, data: bytes) -> None:
        keep(key, change(message), data)

    ours._keep = wrong  # type: ignore[method-assign]  # a mutant
    return tap


def told(message: Dns, change: Callable[[Record], Record]) -> Dns:
    """The message with all of its records changed."""
    sections = (message.answers, message.authorities, message.additional)
    changed = (tuple(map(change, section)) for section in sections)
    return Dns(message.id, message.flags, message.questions, *changed)


def asking(config: TapConfig, change: Callable[[bytes], bytes]) -> VirtualTap:
    """The cache takes every question for another; the packet is what the host sent."""
    tap, ours = cache(config)
    sent = ours.sent

    def wrong(packet: bytes) -> bytes | None:
        inside, datagram = opened(packet)
        changed = closed(inside, replace(datagram, payload=change(datagram.payload)))
        return None if sent(changed) is None else packet

    ours.sent = wrong  # type: ignore[method-assign]  # a mutant
    return tap
