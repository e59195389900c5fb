"""What limits and rules say of a frame: the words between a hub and the files that know them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from sim.nodes.softether.packet import Packet
from virtualtap.units import Duration, Instant

if TYPE_CHECKING:
    from sim.nodes.softether.session import Session

Gate: TypeAlias = Callable[[Packet, Instant], bool]  # a limiter: whether the packet passes


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of an access list, on the way in: `why` is a reason to drop, `delay` when it goes on.

    A `checked` frame matched a rule, and no rule on the way out is asked. An `answer` is a frame
    of the hub's own to the sender of what is dropped.
    """

    why: str | None = None
    checked: bool = False
    delay: Duration = 0
    answer: bytes = b""


class Rules(Protocol):
    """The filters of the whole hub and its access list. Hub.c:ApplyAccessListTo…Packet."""

    def ingress(self, packet: Packet, source: "Session", now: Instant) -> Verdict:
        """What becomes of a frame that `source` sent."""
        ...

    def egress(self, packet: Packet, source: "Session | None", target: "Session") -> bool:
        """Whether the frame may go to `target`; without a source it is the hub's own."""
        ...
