"""What the tap is called now, and who takes what."""

from tests.builders import FAR, GATEWAY, OUR_IP, OUR_MAC, PEER, config
from virtualtap import TapConfig, ip
from virtualtap.interface import Interface
from virtualtap.wire.address import ANY4, LIMITED_BROADCAST, Route


def test_at_first_it_is_what_the_configuration_says():
    interface = Interface(config())
    assert (interface.ip, interface.gateway, interface.mtu) == (OUR_IP, GATEWAY, 1500)
    assert interface.broadcasts == {LIMITED_BROADCAST, ip("10.0.0.255")}


def test_with_dhcp_there_is_no_address_before_a_lease():
    interface = Interface(TapConfig(our_mac=OUR_MAC, our_ip=OUR_IP, dhcp=True))
    assert (interface.ip, interface.silent, interface.next_hop(PEER)) == (None, True, None)


def test_without_an_address_of_ours_everything_is_on_link():
    interface = Interface(TapConfig(our_mac=OUR_MAC))
    assert interface.on_link(FAR) and interface.next_hop(FAR) == FAR


def test_the_gateway_takes_what_no_route_does():
    interface = Interface(config())
    assert (interface.next_hop(PEER), interface.next_hop(FAR)) == (PEER, GATEWAY)


def test_a_route_inside_our_network_goes_before_it():
    interface = Interface(config())
    interface.assign(OUR_IP, 24, GATEWAY, (Route(ip("10.0.0.128"), 25, PEER),), 1500)
    assert interface.next_hop(ip("10.0.0.200")) == PEER
    assert interface.next_hop(ip("10.0.0.100")) == ip("10.0.0.100")


def test_a_route_without_a_router_is_on_link():
    interface = Interface(config())
    interface.assign(OUR_IP, 24, None, (Route(ip("192.0.2.0"), 24, ANY4),), 1500)
    assert (interface.next_hop(FAR), interface.next_hop(ip("198.51.100.1"))) == (FAR, None)


def test_a_neighbor_is_who_needs_no_router_between():
    interface = Interface(config())
    far_router, on_link = ip("198.51.100.1"), ip("192.0.2.9")
    routes = (Route(ip("203.0.113.0"), 24, far_router), Route(ip("192.0.2.0"), 24, ANY4))
    interface.assign(OUR_IP, 24, GATEWAY, routes, 1500)
    assert all(map(interface.is_neighbor, (PEER, GATEWAY, far_router, on_link)))
    assert not interface.is_neighbor(ip("203.0.113.9"))
