"""VirtualTap and SoftEther's own in-process client at the same work, on one hub. Facts 3, 6.4."""

import json
from pathlib import Path

from sim.build import build
from sim.network import Network
from sim.node import Medium, Port
from sim.nodes.softether.ipc import IpcClient
from sim.nodes.softether.policy import Kind
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Terms
from sim.nodes.virtual_tap import VirtualTapNode
from sim.run import Order, perform
from tests import builders as b
from tests.sim.networks import Listener, datagram
from topologies import check, load
from virtualtap import TapConfig, VirtualTap, ip, mac
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import multicast_mac4
from virtualtap.wire.arp import Arp, reply
from virtualtap.wire.ethernet import ARP, IPV4

MAKERS = {"tap": VirtualTap, "ipc": IpcClient}
WHO = {"tap": ip("10.0.0.1"), "ipc": ip("10.0.0.3")}
MACS = {"tap": mac("02:00:5e:00:00:01"), "ipc": mac("ca:00:5e:00:00:03")}
NEW_MAC = mac("02:00:5e:00:00:fd")
SSDP = ip("239.255.255.250")


class Lan(Listener):
    """Peer and gateway of the LAN: it answers requests at its present MAC, from `since` on."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.mac, self.since = b.GATEWAY_MAC, 0

    def receive(self, port: Port, data: bytes) -> None:
        super().receive(port, data)
        if data[12:14] == ARP and self.network.now >= self.since:
            request = Arp.parse(data[14:])
            answer = reply(self.mac, request.target_ip, request)
            self.say(request.sender_mac + self.mac + ARP + answer)

    def packets_of(self, who: str, to: bytes | None = None) -> list[bytes]:
        """What one of the two has brought here, perhaps only to one MAC."""
        return [
            frame
            for frame in self.frames()
            if frame[12:14] == IPV4 and frame[6:12] == MACS[who] and to in (None, frame[:6])
        ]


def side_by_side() -> tuple[Network, dict[str, Listener], Lan]:
    """A hub with a tap, an in-process client, and a LAN; the hosts behind the first two."""
    network = Network()
    server = network.add(SoftEtherServer("vpn"))
    lan = network.add(Lan("lan"))
    network.connect(lan.port, server.session(Terms(kind=Kind.BRIDGE)))
    hosts = {}
    for who, kind in (("tap", Kind.CLIENT), ("ipc", Kind.IPC)):
        config = TapConfig(our_mac=MACS[who], our_ip=WHO[who], gateway_ip=b.GATEWAY)
        node = network.add(VirtualTapNode(who, config, MAKERS[who]))
        hosts[who] = network.add(Listener(f"host-{who}", Medium.IP))
        network.connect(hosts[who].port, node.host)
        network.connect(node.lan, server.session(Terms(kind=kind, bridge=False)))
    return network, hosts, lan


def test_what_waits_for_a_late_answer_the_tap_keeps_and_the_client_loses():
    network, hosts, lan = side_by_side()
    lan.since = 1500 * MS
    for who, host in hosts.items():
        host.say_at(0, *[datagram(WHO[who], b.PEER)] * 8)
    network.run(5 * SECOND)
    assert {who: len(lan.packets_of(who)) for who in hosts} == {"tap": 8, "ipc": 0}
    assert network.drops() == {"unresolved": 8}
    assert network.ledger() == []


def test_a_gateway_with_another_mac_the_tap_finds_and_the_client_never():
    network, hosts, lan = side_by_side()
    for who, host in hosts.items():
        for i in range(120):
            host.say_at(i * 10 * SECOND, datagram(WHO[who], b.FAR))

    def move(_: None) -> None:
        lan.mac = NEW_MAC  # and it announces nothing

    network.call_at(5 * SECOND, move, None)
    network.run(1200 * SECOND)
    found = {who: len(lan.packets_of(who, NEW_MAC)) for who in hosts}
    assert found == {"tap": 90, "ipc": 0}
    assert {who: len(lan.packets_of(who)) for who in hosts} == {"tap": 120, "ipc": 120}


def test_a_search_of_ssdp_the_tap_delivers_and_the_client_does_not():
    network, hosts, lan = side_by_side()
    groups = (SSDP, ip("224.0.0.251"))
    for at, group in enumerate(groups):
        packet = datagram(b.PEER, group)
        lan.say_at(at, multicast_mac4(group) + lan.mac + IPV4 + packet)
    network.run(1 * SECOND)
    heard = {who: [frame[16:20] for frame in host.frames()] for who, host in hosts.items()}
    assert heard == {"tap": [*groups], "ipc": [groups[1]]}


def test_a_packet_over_1500_bytes_the_tap_cuts_in_two_and_the_client_swallows():
    network, hosts, lan = side_by_side()
    for who, host in hosts.items():
        host.say_at(0, datagram(WHO[who], b.PEER, bytes(1972)))
    network.run(1 * SECOND)
    sizes = {who: [len(frame) - 14 for frame in lan.packets_of(who)] for who in hosts}
    assert sizes == {"tap": [1500, 520], "ipc": []}
    assert network.drops() == {"too-big": 1}
    assert all(host.heard == [] for host in hosts.values())  # nobody is told


def test_the_example_shows_both_and_holds():
    path = Path(__file__).parents[4] / "examples" / "side-by-side.toml"
    order = Order(text=path.read_text(encoding="utf-8"), folder=path.parent, capture="none")
    run, _ = perform(order, None)
    assert (run.verdict, json.loads(json.dumps(run.failed))) == ("pass", [])


def test_in_a_topology_an_ipc_is_driven_as_a_tap_is_but_inside_the_server():
    graph = load("server", clients=1, bridges=0, ipcs=2)
    check(graph)
    built = build(graph, 0)
    node = built.network.nodes["ipc2"]
    assert isinstance(node, VirtualTapNode)
    assert isinstance(node.tap, IpcClient)
    assert node.config.our_mac[:1] == b"\xca"
    assert [place.name for place in built.places] == ["h1", "h2", "h3"]
    server = built.bridges["server"]
    assert isinstance(server, SoftEtherServer)
    assert [one.kind for one in server.hub.sessions] == [Kind.CLIENT, Kind.IPC, Kind.IPC]
    link = built.links["server--ipc2"]
    assert (link.rate, link.delay) == (None, 0)
