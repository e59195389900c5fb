"""Routers that speak to somebody else: RFC 8200 3, RFC 2464 7, RFC 4291 2.7."""

from sim.conformance.frames import packet6, wrapped
from sim.conformance.frames6 import FAR6, ROUTER_MAC, O, R, S, na, our_ns, prefix, ra, redirect
from sim.conformance.registry import clause
from sim.conformance.script import GATEWAY6, GATEWAY_MAC, NOBODY6, OUR_MAC, US6, Script
from virtualtap.wire.address import BROADCAST, Ip, Mac, ip, solicited_node


def expect_unheard(tap: Script, to: Ip, mac: Mac | None = None) -> None:
    """What a router says to `to` does not reach the host, and makes it no router."""
    tap.start(gateway_ip6=None).lan(ra(to=to, mac=mac, options=(prefix(),)))
    tap.expect().expect_host()
    tap.host(packet6(FAR6)).expect()


@clause("RFC 8200, 3", "a router that speaks to another address is not heard")
def router_that_speaks_to_another_is_not_heard(tap: Script) -> None:
    expect_unheard(tap, NOBODY6, OUR_MAC)


@clause("RFC 8200, 3", "nor one that speaks to another's link-local address")
def router_that_speaks_to_another_on_the_link_is_not_heard(tap: Script) -> None:
    expect_unheard(tap, ip("fe80::99"), OUR_MAC)


@clause("RFC 2464, 7", "what is for our address does not come in a frame for all")
def router_that_speaks_to_us_in_a_broadcast_is_not_heard(tap: Script) -> None:
    expect_unheard(tap, US6, BROADCAST)


@clause("RFC 4291, 2.7.1", "another's solicited-node group is not ours to hear a router in")
def router_that_speaks_to_anothers_group_is_not_heard(tap: Script) -> None:
    expect_unheard(tap, solicited_node(NOBODY6))


@clause("RFC 4291, 2.7", "a group of scope 1 stays inside a host: no router speaks to it")
def router_that_speaks_to_a_hosts_own_group_is_not_heard(tap: Script) -> None:
    expect_unheard(tap, ip("ff01::1"))


@clause("RFC 4861, 4.2", "a router that speaks to our address alone is heard")
def router_that_speaks_to_us_is_heard(tap: Script) -> None:
    tap.start(gateway_ip6=None).lan(ra(to=US6, mac=OUR_MAC)).expect().forget()
    tap.host(packet6(FAR6)).expect(wrapped(packet6(FAR6), ROUTER_MAC))


@clause("RFC 8200, 3", "a redirect to another address is not followed")
def redirect_to_another_is_not_followed(tap: Script) -> None:
    tap.host(packet6(FAR6)).given(our_ns(GATEWAY6))
    tap.lan(na(S | O | R, of=GATEWAY6, says=GATEWAY_MAC))
    tap.given(wrapped(packet6(FAR6), GATEWAY_MAC))
    tap.lan(redirect(to=NOBODY6)).expect().expect_host()
    tap.host(packet6(FAR6)).expect(wrapped(packet6(FAR6), GATEWAY_MAC))
