"""Wrong DHCP servers that say too much, or to those who cannot be there. RFC 2131, RFC 2132."""

from dataclasses import replace
from typing import Any

from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_gateway_dhcp import handles, hears, lending
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, directed_broadcast
from virtualtap.wire.dhcp import Dhcp


def _wanted(name: str, size: bytes) -> None:
    """It takes every client for one that names this size."""

    def wrong(right: Any, asked: Dhcp, used: int) -> Any:
        others = tuple(one for one in asked.options if one[0] != dhcp.SIZE_MAX)
        return right(replace(asked, options=(*others, (dhcp.SIZE_MAX, size))), used)

    lending(name, lambda server, _: swap(server, "_wanted", wrong))


_wanted("dhcp_server_never_counts_bytes", b"\x05\xdc")
_wanted("dhcp_server_always_says_little", b"\x02\x40")


def _informs_everyone(server: Any, right: Any, message: Dhcp) -> None:
    if message.client_ip == directed_broadcast(message.client_ip, 24):
        server._reply(dhcp.ACK, message, ANY4, ())
    else:
        right(message)


def _informs_networks(server: Any, right: Any, message: Dhcp) -> None:
    if message.client_ip[3] == 0:
        server._reply(dhcp.ACK, message, ANY4, ())
    else:
        right(message)


def _informs_itself(server: Any, right: Any, message: Dhcp) -> None:
    if message.client_ip == server._core.interface.ip:
        server._reply(dhcp.ACK, message, ANY4, ())
    else:
        right(message)


handles("dhcp_server_informs_everyone", dhcp.INFORM, _informs_everyone)
handles("dhcp_server_informs_networks", dhcp.INFORM, _informs_networks)
handles("dhcp_server_informs_itself", dhcp.INFORM, _informs_itself)


def _without_name(message: Dhcp) -> Dhcp:
    """An address that the client says it has counts only where it asks for no other."""
    asks = message.kind == dhcp.REQUEST and message.value(dhcp.REQUESTED_IP) is not None
    return replace(message, client_ip=ANY4) if asks else message


hears("dhcp_server_overlooks_ciaddr", _without_name)
