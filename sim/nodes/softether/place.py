"""A place in a hub: where a session ends, now and whenever it begins anew. Session.c, Server.c."""

from collections.abc import Callable
from dataclasses import dataclass

from sim.node import Port
from sim.nodes.softether.hub import Hub
from sim.nodes.softether.inside import Inside, Machine
from sim.nodes.softether.secure_nat import SecureNat
from sim.nodes.softether.session import Session, Terms
from virtualtap.units import Instant


@dataclass(slots=True)
class Place:
    """Who connects to which hub, on what terms, by a port or as a machine that `make` makes."""

    hub: Hub
    terms: Terms
    port: Port | None
    make: Callable[[], Machine] | None = None
    is_hasty: Callable[[], bool] | None = None
    session: Session | None = None  # None: it has ended
    ended: Instant = 0  # if its link went down before
    inside: Inside | None = None
    nat: SecureNat | None = None  # the machine inside, if it is one with a way outside
    outside: Port | None = None

    @property
    def is_cut_off(self) -> bool:
        """Whether nobody can get through to begin a session: its link is down."""
        way = None if self.port is None else self.port.out
        return way is not None and not way.link.up
