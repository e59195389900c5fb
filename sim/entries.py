"""How much a network keeps: the entries of every table, by what they are, at one instant."""

from collections import Counter
from collections.abc import Mapping

from sim.network import Network
from sim.node import Node
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.virtual_tap import VirtualTapNode
from virtualtap.tap import VirtualTap

FIELDS = (
    *("hub_macs", "hub_addresses", "nat_neighbors", "nat_sessions", "leases"),
    *("tap_neighbors", "scheduled"),
)


def entries(network: Network) -> Mapping[str, int]:
    """By `FIELDS`: of all hubs, SecureNATs, taps of ours, and what is yet to happen."""
    found = Counter(scheduled=network.scheduled())
    for node in network.nodes.values():
        found.update(_kept(node))
    return {name: found[name] for name in FIELDS}


def _kept(node: Node) -> dict[str, int]:
    if isinstance(node, SoftEtherServer):
        return _of_server(node)
    if isinstance(node, VirtualTapNode) and isinstance(node.tap, VirtualTap):
        return {"tap_neighbors": len(node.tap.neighbors())}
    return {}


def _of_server(server: SoftEtherServer) -> dict[str, int]:
    hubs = server.hubs.values()
    nats = [place.nat for place in server.nats.values() if place.nat is not None]
    return {
        "hub_macs": sum(len(hub.macs) for hub in hubs),
        "hub_addresses": sum(len(hub.ips) for hub in hubs),
        "nat_neighbors": sum(len(nat.arp) for nat in nats),
        "nat_sessions": sum(len(nat.nat) + len(nat.tcp) + len(nat.kernel) for nat in nats),
        "leases": sum(len(nat.dhcp.leases()) for nat in nats),
    }
