"""Ways to make a DHCP client wrong: what it says, what it hears, what happens to it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from virtualtap.config import TapConfig
from virtualtap.handlers.dhcp import DhcpHandler, Happening
from virtualtap.tap import VirtualTap
from virtualtap.wire import dhcp, udp
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import HEADER_LEN, IPV4
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

Wrong = tuple[VirtualTap, DhcpHandler]


def client(config: TapConfig, **changes: Any) -> Wrong:
    """A right tap, and its client to be made wrong."""
    tap = VirtualTap(replace(config, **changes))
    return tap, tap._dhcp


def sending(config: TapConfig, change: Callable[[bytes, DhcpHandler], bytes | None]) -> VirtualTap:
    """Every frame to a DHCP server is changed; None: not sent."""
    tap, ours = client(config)
    send = tap._core.send

    def wrong(frame: bytes) -> bool:
        if frame[12:14] != IPV4 or frame[23] != udp.PROTOCOL or frame[36:38] != b"\0\x43":
            return send(frame)
        changed = change(frame, ours)
        return changed is not None and send(changed)

    tap._core.send = wrong  # type: ignore[method-assign]  # a mutant
    return tap


def saying(config: TapConfig, change: Callable[[Dhcp, DhcpHandler], Dhcp | None]) -> VirtualTap:
    """Every message to a server is changed, its checksums right; None: not said."""

    def wrong(frame: bytes, ours: DhcpHandler) -> bytes | None:
        changed = change(Dhcp.parse(payload(frame)), ours)
        return None if changed is None else reframed(frame, changed.to_bytes())

    return sending(config, wrong)


def receiving(
    config: TapConfig, change: Callable[[bytes, DhcpHandler], bytes | None]
) -> VirtualTap:
    """Every frame for port 68 is changed before it is read; None: not heard."""
    tap, ours = client(config)

    def wrong(frame: bytes) -> None:
        changed = change(frame, ours)
        if changed is not None:
            ours.receive(changed)

    tap._ipv4._udp = {dhcp.CLIENT_PORT: wrong}
    return tap


def reading(config: TapConfig, change: Callable[[bytes, DhcpHandler], bytes | None]) -> VirtualTap:
    """The bytes of every message are changed before they are read; None: not heard."""

    def wrong(frame: bytes, ours: DhcpHandler) -> bytes | None:
        before = payload(frame)
        after = change(before, ours)
        return frame if after == before else None if after is None else reframed(frame, after)

    return receiving(config, wrong)


def hearing(config: TapConfig, change: Callable[[Dhcp, DhcpHandler], Dhcp | None]) -> VirtualTap:
    """Every message that can be read is changed before it is judged; None: not heard."""

    def wrong(data: bytes, ours: DhcpHandler) -> bytes | None:
        message = Dhcp.parse(data)
        changed = change(message, ours)
        return None if changed is None else data if changed == message else changed.to_bytes()

    return reading(config, wrong)


def deaf_to(config: TapConfig, *happenings: Happening) -> VirtualTap:
    """Some things do not move the client."""
    tap, ours = client(config)
    happen = ours._happen

    def wrong(happening: Happening) -> None:
        if happening not in happenings:
            happen(happening)

    ours._happen = wrong  # type: ignore[method-assign]  # a mutant
    return tap


def payload(frame: bytes) -> bytes:
    """The DHCP message in a frame."""
    return Udp.parse(Ipv4.parse(frame[HEADER_LEN:]).payload).payload


def reframed(frame: bytes, data: bytes, **changes: Any) -> bytes:
    """The frame with another message, between other addresses if they are given."""
    packet = replace(Ipv4.parse(frame[HEADER_LEN:]), **changes)
    datagram = replace(Udp.parse(packet.payload), payload=data)
    body = datagram.between(packet.source, packet.destination)
    return frame[:HEADER_LEN] + replace(packet, payload=body).to_bytes()


def said(message: Dhcp, **options: bytes | None) -> Dhcp:
    """The message with `option_54=…` put in at its end, or taken out."""
    codes = {int(name.removeprefix("option_")): value for name, value in options.items()}
    kept = [(code, value) for code, value in message.options if code not in codes]
    added = [(code, value) for code, value in codes.items() if value is not None]
    return replace(message, options=(*kept, *added))
