"""Several hosts behind one tap on a SoftEther hub: each reaches the others, and the LAN each."""

import pytest

from sim.network import Network
from sim.node import Medium, Node, Port
from sim.nodes.host import L3Host
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.station import Station
from sim.nodes.virtual_tap import VirtualTapNode
from tests.sim.networks import addresses, datagram, echo
from virtualtap import SECOND, Serving, TapConfig, ip, random_mac
from virtualtap.wire.address import LIMITED_BROADCAST

OUR_IP, PHONES = ip("10.0.0.20"), tuple(ip(f"10.0.0.{n}") for n in (21, 22, 23))
BOX = ip("10.0.0.1")
EVERYONE = datagram(PHONES[0], LIMITED_BROADCAST)


class Tether(Node):
    """What forwards behind the tap: up to whose address it is, and all else down; never back."""

    def __init__(self, name: str, hosts: tuple[bytes, ...]) -> None:
        super().__init__(name)
        self.down = self.add_port("down", Medium.IP)
        self.doors = {host: self.add_port(host.hex(), Medium.IP) for host in hosts}

    def receive(self, port: Port, data: bytes) -> None:
        source, to = data[12:16], data[16:20]
        if port is not self.down:
            doors = [self.down]
        elif to in self.doors:
            doors = [self.doors[to]]
        else:
            doors = [door for host, door in self.doors.items() if host != source]
        self.fates.forwarded += bool(doors)
        self.fates.copies += len(doors)
        for door in doors:
            door.send(data)


def a_tethered_lan(macs: str) -> tuple[Network, list[L3Host], Station, VirtualTapNode]:
    """Three phones, what tethers them, one tap, a hub, and a station."""
    network = Network()
    tether = network.add(Tether("tether", PHONES))
    phones = [network.add(L3Host(f"p{i}", each)) for i, each in enumerate(PHONES)]
    for phone in phones:
        network.connect(phone.uplink, tether.doors[phone.stack.ip])
    config = TapConfig(our_mac=random_mac(1), our_ip=OUR_IP, hosts=PHONES, host_macs=macs)
    tap = network.add(VirtualTapNode("tap", config))
    hub, box = network.add(SoftEtherServer("hub")), network.add(Station("box", addresses(1)))
    network.connect(tether.down, tap.host)
    network.connect(tap.lan, hub.session())
    network.connect(box.port, hub.session())
    return network, phones, box, tap


def heard(node: L3Host | Station, identifier: int) -> list[bytes]:
    """What answers to an echo of this identifier come to."""
    got: list[bytes] = []
    node.stack.bind_echo(identifier, lambda packet: bool(got.append(packet)) or True)
    return got


@pytest.mark.parametrize("macs", ["shared", "own"])
def test_hosts_and_a_station_all_reach_one_another(macs):
    network, phones, box, _ = a_tethered_lan(macs)
    everybody = [*phones, box]
    answers = [heard(node, 7) for node in everybody]
    for one in everybody:
        for other in everybody:
            if one is not other:
                network.call_at(0, one.stack.transmit, echo(one.stack.ip, other.stack.ip))
    network.run(2 * SECOND)
    assert [len(each) for each in answers] == [3, 3, 3, 3]
    assert network.ledger() == []


def test_the_hub_learns_a_mac_for_each_host_where_each_has_one():
    network, phones, _, tap = a_tethered_lan("own")
    for phone in phones:
        network.call_at(0, phone.stack.transmit, echo(phone.stack.ip, BOX))
    network.run(2 * SECOND)
    macs = {tap.tap.hosts()[host] for host in PHONES}
    (hub,) = [node for node in network.nodes.values() if isinstance(node, SoftEtherServer)]
    assert len(macs) == 3
    assert macs <= set(hub.table())


@pytest.mark.parametrize("macs", ["shared", "own"])
def test_a_broadcast_of_one_host_reaches_its_siblings_and_the_station_once(macs):
    network, phones, box, _ = a_tethered_lan(macs)
    got: dict[str, int] = {}
    for node in (*phones, box):

        def count(packet: bytes, name: str = node.name) -> bool:
            got[name] = got.get(name, 0) + 1
            return True

        node.stack.bind_udp(9, count)
    network.call_at(0, phones[0].stack.transmit, EVERYONE)
    network.run(1 * SECOND)
    assert got == {"p1": 1, "p2": 1, "box": 1}
    assert network.ledger() == []


def test_a_tap_that_serves_leads_a_station_out():
    network = Network()
    far = network.add(L3Host("far", ip("192.0.2.9"), 24))
    serve = TapConfig(our_mac=random_mac(1), our_ip=ip("10.0.0.254"), serve=Serving())
    tap = network.add(VirtualTapNode("tap", serve))
    box = network.add(Station("box", addresses(1, gateway=254)))
    network.connect(far.uplink, tap.host)
    network.connect(tap.lan, box.port)
    answers = heard(box, 7)
    network.call_at(0, box.stack.transmit, echo(box.stack.ip, far.stack.ip))
    network.run(1 * SECOND)
    assert (len(answers), network.ledger()) == (1, [])
