"""Which address is lent to whom, as the DHCP server remembers it. RFC 2131 2.2, 4.3.1."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from virtualtap.units import Instant
from virtualtap.wire.address import Ip, Mac
from virtualtap.wire.dhcp import Dhcp


class State(StrEnum):
    """Of an address in the table; what has ended is free, but its last client comes first."""

    PROBED = "probed"  # is anybody there?
    OFFERED = "offered"
    BOUND = "bound"
    DECLINED = "declined"  # somebody has it who never asked


@dataclass(slots=True)
class Loan:
    """One address, and until when; `question` is what waits for an answer while it is probed."""

    state: State
    client: bytes  # empty: nobody's
    mac: Mac
    until: Instant
    question: Dhcp | None = None


class Loans:
    """A bounded table, each address once, each client once. What ended longest ago goes first.

    `pool` is the first address and the last; of these, `may_lend` says which can be lent.
    """

    def __init__(self, most: int, pool: tuple[Ip, Ip], may_lend: Callable[[Ip], bool]) -> None:
        self._most = most
        self._first, self._last = int.from_bytes(pool[0]), int.from_bytes(pool[-1])
        self._may_lend = may_lend
        self._loans: dict[Ip, Loan] = {}
        self._clients: dict[bytes, Ip] = {}

    def of(self, client: bytes) -> tuple[Ip, Loan | None]:
        """What a client has, or had last."""
        ip = self._clients.get(client, b"")
        return ip, self._loans.get(ip)

    def at(self, ip: Ip) -> Loan:
        """The loan of an address that is in the table."""
        return self._loans[ip]

    def choose(self, client: bytes, wanted: Ip | None, now: Instant) -> Ip | None:
        """The address for a client: its last one, its wish, a fresh one, or who ended first's."""
        last, loan = self.of(client)
        if loan is not None:
            return last  # it has ended, and nobody else was given it
        ended = {ip: loan.until for ip, loan in self._loans.items() if loan.until <= now}
        has_room = len(self._loans) < self._most
        if wanted is not None and (wanted in ended or (has_room and self._is_fresh(wanted))):
            return wanted
        fresh = self._fresh() if has_room else None
        return fresh or min(ended, key=ended.__getitem__, default=None)

    def put(self, ip: Ip, loan: Loan) -> None:
        """`ip` is this loan's from now on, and its client has no other."""
        self.forget(ip)
        last = self._clients.get(loan.client)
        if last is not None:
            self.forget(last)
        self._loans[ip] = loan
        if loan.client:
            self._clients[loan.client] = ip

    def forget(self, ip: Ip) -> None:
        """`ip` was never lent."""
        loan = self._loans.pop(ip, None)
        if loan is not None:
            self._clients.pop(loan.client, None)

    def probed(self) -> int:
        """How many addresses are being looked into."""
        return sum(loan.state is State.PROBED for loan in self._loans.values())

    def __len__(self) -> int:
        return len(self._loans)

    def _is_fresh(self, ip: Ip) -> bool:
        in_pool = self._first <= int.from_bytes(ip) <= self._last
        return in_pool and ip not in self._loans and self._may_lend(ip)

    def _fresh(self) -> Ip | None:
        """The first address that is nowhere in the table."""
        pool = (number.to_bytes(4) for number in range(self._first, self._last + 1))
        return next(filter(self._is_fresh, pool), None)
