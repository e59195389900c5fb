"""The limiters that a session's policy asks for: bits in a second, and floods. Hub.c."""

from collections.abc import Callable

from sim.nodes.softether.constants import Constants
from sim.nodes.softether.limiter import Limiter
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import Packet
from sim.nodes.softether.session import Session
from sim.nodes.softether.storm import StormLimiter
from sim.rng import Stream
from virtualtap.units import Duration, Instant


def limit(
    session: Session,
    options: HubOptions,
    constants: Constants,
    tick: Duration,
    luck: Callable[..., Stream],
) -> None:
    """Give the session its gates. Storms are told by a clock of steps of `tick`."""
    policy = session.policy
    if policy.MaxUpload:
        session.upload = Limiter(policy.MaxUpload).passes
    if policy.MaxDownload:
        session.download = Limiter(policy.MaxDownload).passes
    if policy.NoBroadcastLimiter:
        return

    def first(packet: Packet, now: Instant) -> bool:  # few sessions ever flood
        stream = luck("storm", session.name, f"{session.number}")
        limiter = StormLimiter(options, constants, stream)
        session.storm = lambda packet, now: limiter.passes(packet, now - now % tick)
        return session.storm(packet, now)

    session.storm = first
