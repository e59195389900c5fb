"""How platforms hand packets to a tunnel."""

import pytest

from sim.network import Network
from sim.node import Medium
from sim.nodes.host import L3Host
from sim.nodes.platform import PLATFORMS
from tests import builders as b
from tests.sim.networks import Listener, datagram
from virtualtap.wire.address import ip

ALL = list(PLATFORMS)


def a_host(platform: str) -> tuple[Network, L3Host, Listener]:
    network = Network()
    host = network.add(L3Host("h1", b.OUR_IP, 24, (b.OUR_IP6,)))
    host.platform = PLATFORMS[platform]
    tunnel = network.add(Listener("tunnel", Medium.IP))
    network.connect(host.uplink, tunnel.port)
    return network, host, tunnel


@pytest.mark.parametrize(
    ("platform", "mtu"), [("ios", 1500), ("android", 1500), ("wireguard", 1420)]
)
def test_no_packet_is_longer_than_the_interface_takes(platform: str, mtu: int):
    network, host, tunnel = a_host(platform)
    fits, too_long = (datagram(b.OUR_IP, b.PEER, bytes(size - 28)) for size in (mtu, mtu + 1))
    for packet in (fits, too_long):
        network.call_at(3, host.stack.transmit, packet)
    network.run(10)
    assert (tunnel.heard, host.fates.dropped) == ([(3, fits)], {"too-big": 1})
    assert network.ledger() == []


@pytest.mark.parametrize("platform", ALL)
@pytest.mark.parametrize(
    ("ours", "to"),
    [
        (b.OUR_IP, "255.255.255.255"),
        (b.OUR_IP, "10.0.0.255"),
        (b.OUR_IP, "224.0.0.251"),
        (b.OUR_IP6, "ff02::fb"),
        (b.OUR_IP6, "ff01::1"),
    ],
)
def test_no_tunnel_gets_broadcast_or_link_local_multicast(platform: str, ours: bytes, to: str):
    network, host, tunnel = a_host(platform)
    network.call_at(0, host.stack.transmit, datagram(ours, ip(to)))
    network.run(10)
    assert (tunnel.heard, host.fates.dropped) == ([], {"not-tunneled": 1})


@pytest.mark.parametrize(
    ("ours", "to"),
    [
        (b.OUR_IP, "239.1.2.3"),
        (b.OUR_IP6, "ff05::2"),
        (b.OUR_IP6, "fd00::9"),
        (b.OUR_IP, "8.8.8.8"),
    ],
)
def test_other_groups_and_hosts_are_routed_into_it(ours: bytes, to: str):
    network, host, tunnel = a_host("ios")
    packet = datagram(ours, ip(to))
    network.call_at(0, host.stack.transmit, packet)
    network.run(10)
    assert tunnel.frames() == [packet]


@pytest.mark.parametrize(("platform", "reads"), [("ios", 1), ("android", 300), ("wireguard", 3)])
def test_what_waits_is_read_in_the_platforms_batches(platform: str, reads: int):
    network, host, tunnel = a_host(platform)
    for _ in range(300):
        network.call_at(5, host.stack.transmit, datagram(b.OUR_IP, b.PEER))
    network.run(10)
    assert (len(tunnel.heard), host.reads) == (300, reads)


def test_a_crashed_host_forgets_what_was_not_read():
    network, host, tunnel = a_host("ios")
    network.call_at(5, host.stack.transmit, datagram(b.OUR_IP, b.PEER))
    network.call_at(5, lambda _: network.crash(host), None)
    network.run(10)
    network.restart(host)
    network.call_at(15, host.stack.transmit, datagram(b.OUR_IP, b.PEER))
    network.run(20)
    assert (len(tunnel.heard), network.ledger()) == (1, [])
