"""What a scenario may say of phones: the platform, the session's transport, and where they go."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sim.words.quantities import Rate, RateOrNone, Time
from sim.words.tables import Part, Pattern


class Transport(Part, frozen=True, kw_only=True):
    """What the account of a client asks for."""

    connections: Annotated[int, Meta(ge=1, le=32)] = 1
    half_duplex: bool = False
    qos: bool = True
    encrypt: bool = True
    interval: Time = "1s"  # between additional connections
    retry: Time = "15s"
    udp_acceleration: bool = False
    udp_passes: bool = True  # false: something on the way swallows UDP
    fast_detection: bool = False
    reads: Rate | None = None  # how fast the server takes what arrives


class Hosts(Part, frozen=True, kw_only=True):
    """What hosts are whose name matches."""

    match: Pattern
    platform: Literal["ios", "android", "wireguard"]
    memory: Annotated[int, Meta(ge=1, le=2**40)] | None = None  # bytes; None: the platform's


class Roam(Part, frozen=True, kw_only=True):
    """A client goes over to another network: what is not said of its link stays."""

    link: Pattern
    delay: Time | None = None
    rate: RateOrNone | None = None
    udp_passes: bool | None = None


TABLES: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "$.links[...].transport": (Transport,),
    "$.hosts[...]": (Hosts,),
    "$.timeline[...].roam": (Roam,),
}
