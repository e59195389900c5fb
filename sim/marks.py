"""Marks in the simulator's code: what a campaign should see always, sometimes, or at all.

After Antithesis' assertions of the same names. Nobody collects outside of `collected`: a mark is
then one look at a name.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

MARKS: dict[str, str] = {
    "claim-made": "an IPv4 address was probed, or one of IPv6, and nobody objected",
    "conflict-4": "somebody else used an IPv4 address of a tap",
    "conflict-6": "somebody else used, or wanted, an IPv6 address of a tap",
    "address-lost": "a tap gave up its address to somebody else",
    "gateway-learned": "a tap learned where its gateway is, or that it moved",
    "host-admitted": "an address that spoke from behind a tap became a host of it",
    "lease-bound": "a lease gave an address",
    "lease-renewed": "a lease was prolonged",
    "lease-lost": "a lease ended, was refused, contested or given back",
    "neighbor-failed": "a tap asked for somebody, and nobody answered",
    "arp-handed-over": "a tap gave an ARP frame to its caller",
    "poison-healed": "somebody believed a wrong MAC, and does no longer",
    "converged": "after a heal the bound was over, and all of the core was where it is believed",
}
BROKEN = "!"  # stands after a mark of `always` that did not hold

_seen: set[str] | None = None


@contextmanager
def collected() -> Iterator[set[str]]:
    """The marks passed inside, as `mark:NAME`, and what else is noted.

    One inside another: the inner one alone sees.
    """
    global _seen  # noqa: PLW0603  # one process runs one world at a time
    outer, _seen = _seen, set()
    try:
        yield _seen
    finally:
        _seen = outer


def note(what: str) -> None:
    """Something that was seen, in words of its own."""
    if _seen is not None:
        _seen.add(what)


def reachable(name: str) -> None:
    """The run came here. The name stands in `MARKS`."""
    _mark(name)


def sometimes(name: str, holds: bool = True) -> None:
    """In some run this holds."""
    if holds:
        _mark(name)


def always(name: str, holds: bool) -> None:
    """Whenever a run comes here, this holds; if not, `broken` finds it."""
    _mark(name, "" if holds else BROKEN)


def broken(seen: Collection[str]) -> list[str]:
    """The marks of `always` that did not hold, in alphabetical order."""
    return sorted(one for one in seen if one.startswith("mark:") and one.endswith(BROKEN))


def _mark(name: str, how: str = "") -> None:
    if _seen is not None:
        assert name in MARKS
        _seen.add(f"mark:{name}{how}")
