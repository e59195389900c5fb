"""What a scenario may say of traffic: who speaks to whom, how often, and what."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from sim.words.quantities import Time
from sim.words.tables import Count, Part, Pattern

Size = Annotated[int, Meta(ge=16, le=65_000)]  # payload: 16 bytes say flow, number and time
Family = Literal[4, 6]  # of IP


class Stride(Part, frozen=True, kw_only=True):
    """Sender i speaks to receiver (stride · i + offset) modulo their number, itself never."""

    stride: Count
    offset: Count = 0


class Conversation(Part, frozen=True, kw_only=True, tag_field="kind", rename={"from_": "from"}):
    """Who says something to whom, and when. Names are patterns: `h*` is every host."""

    from_: Pattern
    to: Pattern | Stride  # a name, a pattern, `next`, `gateway`, or a stride
    start: Time = "0s"
    stop: Time | None = None
    stagger: Time = "0s"  # sender i starts i times later

    @classmethod
    def kind(cls) -> str:
        """What scenarios call it."""
        return str(cls.__struct_config__.tag)


class Ping(Conversation, frozen=True, kw_only=True, tag="ping"):
    """Echo requests."""

    every: Time = "100ms"
    size: Size = 56
    family: Family = 4


class Stream(Conversation, frozen=True, kw_only=True, tag="stream"):
    """UDP datagrams at a constant rate."""

    every: Time
    size: Size = 1000
    port: Annotated[int, Meta(ge=1, le=65_535)] = 9
    family: Family = 4


class Poisson(Stream, frozen=True, kw_only=True, tag="poisson"):
    """UDP datagrams with exponential gaps, `every` on average."""


class Burst(Stream, frozen=True, kw_only=True, tag="burst"):
    """`count` UDP datagrams back to back, every `every`."""

    count: Annotated[int, Meta(ge=1, le=100_000)]


class Replay(Conversation, frozen=True, kw_only=True, tag="replay"):
    """What `address` sent in the capture `file`, with its timing."""

    file: Pattern
    address: Pattern
    speak_control: bool = False  # its DHCP and neighbour discovery too


class Addresses(Conversation, frozen=True, kw_only=True, tag="addresses"):
    """`count` frames, each from a MAC of its own; `backward`: each to one of those."""

    every: Time
    count: Annotated[int, Meta(ge=1, le=2**24)]
    backward: bool = False


Ours: TypeAlias = Ping | Stream | Poisson | Burst | Replay | Addresses

TRAFFIC: dict[str, type[Conversation]] = {
    kind.kind(): kind for kind in (Ping, Stream, Poisson, Burst, Replay, Addresses)
}
