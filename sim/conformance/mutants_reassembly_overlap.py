"""Wrong engines that take overlaps for something else, and what is not whole for whole."""

from collections.abc import Callable
from typing import Any

from sim.conformance.mutants import mutant
from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_reassembly import opens, store, wrong
from virtualtap.config import TapConfig
from virtualtap.reassembly import Datagram, Fragment
from virtualtap.tap import VirtualTap


class Patchwork(Datagram):
    """A datagram in which bytes may come again: the newest count."""

    def __init__(self, expires: int) -> None:
        super().__init__(expires)
        self.cells: dict[int, int] = {}

    @property
    def payload(self) -> bytes:
        return bytes(self.cells.get(at, 0) for at in range(self.length or 0))

    def take(self, piece: Fragment) -> None:
        known = self.length
        super().take(piece)
        self.length = self.length if known is None else known
        self.cells |= dict(zip(range(piece.offset, piece.end), piece.payload, strict=True))
        self.received = sum(self.length is None or at < self.length for at in self.cells)


def lets(name: str, overlap: Callable[[Datagram, Fragment], bool]) -> None:
    """Register a tap that joins in spite of overlaps of one kind."""

    class Lenient(Patchwork):
        def fits(self, piece: Fragment) -> bool:
            return super().fits(piece) or overlap(self, piece)

    wrong(name, lambda config: opens(VirtualTap(config), Lenient))


def spans(datagram: Datagram) -> list[tuple[int, int]]:
    return [(start, start + len(data)) for start, data in datagram.pieces.items()]


lets("lets_other_bytes_be", lambda held, piece: (piece.offset, piece.end) in spans(held))
lets(
    "lets_overlaps_at_the_beginning_be",
    lambda held, piece: any(start < piece.offset < end for start, end in spans(held)),
)
lets(
    "lets_overlaps_at_the_end_be",
    lambda held, piece: any(start < piece.end < end for start, end in spans(held)),
)
lets(
    "lets_pieces_be_covered",
    lambda held, piece: any(
        piece.offset < start and end <= piece.end for start, end in spans(held)
    ),
)
lets("lets_two_ends_be", lambda held, piece: held.length is not None and not piece.more)
lets(
    "lets_pieces_behind_the_last_be",
    lambda held, piece: held.length is not None and piece.offset >= held.length,
)
lets(
    "lets_the_last_be_before_others",
    lambda held, piece: not piece.more and any(start >= piece.end for start, _ in spans(held)),
)


class Ordered(Datagram):
    def fits(self, piece: Fragment) -> bool:
        return super().fits(piece) and piece.offset == self.received


class Suspicious(Datagram):
    def has(self, piece: Fragment) -> bool:
        return False


class Holed(Patchwork):
    def take(self, piece: Fragment) -> None:
        super().take(piece)
        if self.length is not None and 0 in self.cells:
            self.received = self.length


class Hasty(Datagram):
    """Whose header is that of the first piece to come."""

    def __init__(self, expires: int) -> None:
        super().__init__(expires)
        self.early = b""

    def take(self, piece: Fragment) -> None:
        super().take(piece)
        self.early = self.early or piece.head
        if self.received == self.length:
            self.head = self.early


wrong("joins_in_order_only", lambda config: opens(VirtualTap(config), Ordered))
wrong("takes_duplicates_for_overlaps", lambda config: opens(VirtualTap(config), Suspicious))
wrong("overlooks_holes", lambda config: opens(VirtualTap(config), Holed))
wrong("keeps_the_earliest_header", lambda config: opens(VirtualTap(config), Hasty))


@mutant
def ignores_what_overlaps(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(store(tap), "_spoil", lambda right, datagram, why: None)
    return tap


@mutant
def forgets_what_was_spoiled(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    kept = store(tap)

    def spoil(right: Any, datagram: Datagram, why: Any) -> None:
        right(datagram, why)
        for key in [key for key, each in kept._datagrams.items() if each is datagram]:
            del kept._datagrams[key]

    swap(kept, "_spoil", spoil)
    return tap


@mutant
def never_forgets_what_was_spoiled(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    kept = store(tap)

    def spoil(right: Any, datagram: Datagram, why: Any) -> None:
        right(datagram, why)
        datagram.expires <<= 8

    swap(kept, "_spoil", spoil)
    return tap


@mutant
def spoils_everything_at_an_overlap(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    kept = store(tap)

    def spoil(right: Any, datagram: Datagram, why: Any) -> None:
        for each in kept._datagrams.values():
            right(each, why)

    swap(kept, "_spoil", spoil)
    return tap
