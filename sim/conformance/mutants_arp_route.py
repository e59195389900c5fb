"""Wrong engines: those that do not learn from whom they ask."""

from collections.abc import Callable

from sim.conformance.mutants import mutant
from virtualtap.config import TapConfig
from virtualtap.handlers.arp import ArpHandler
from virtualtap.interface import Interface
from virtualtap.tap import VirtualTap
from virtualtap.wire.address import Ip
from virtualtap.wire.ethernet import ARP

Knows = Callable[[Interface, Ip], bool]


def _narrow(config: TapConfig, is_neighbor: Knows) -> VirtualTap:
    """Another idea of who is a neighbour."""
    tap = VirtualTap(config)
    arp = getattr(tap._receivers[ARP], "__self__", None)
    assert isinstance(arp, ArpHandler)
    may_learn = arp._may_learn
    wrong = lambda ip: may_learn(ip) and is_neighbor(tap._interface, ip)  # noqa: E731  # a mutant
    arp._may_learn = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def arp_learns_nobody_by_a_route(config: TapConfig) -> VirtualTap:
    def wrong(interface: Interface, ip: Ip) -> bool:
        routers = (interface.gateway, *(route.router for route in interface.routes))
        return interface.on_link(ip) or ip in routers

    return _narrow(config, wrong)


@mutant
def arp_learns_no_router_of_a_route(config: TapConfig) -> VirtualTap:
    return _narrow(config, lambda interface, ip: interface.next_hop(ip) == ip)
