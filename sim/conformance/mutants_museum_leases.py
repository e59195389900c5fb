"""The bugs of the museum: neighbor discovery and leases. RFC 4861, RFC 4862, RFC 2131."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.frames6 import said as framed
from sim.conformance.museum import bug
from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_ethernet import sends
from sim.conformance.mutants_ndp import put, reachability, reread
from sim.conformance.mutants_ndp_addresses import saying as saying6
from sim.conformance.wrong_clients import client, deaf_to, hearing, said, saying
from virtualtap.config import TapConfig
from virtualtap.handlers.dhcp import DhcpHandler, Happening
from virtualtap.handlers.dhcp_server import DhcpServerHandler
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire import dhcp, ndp
from virtualtap.wire.address import (
    ANY6,
    BROADCAST,
    Ip,
    is_link_local6,
    is_multicast6,
    solicited_node,
)
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import HEADER_LEN, IPV6
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import Message, NeighborMessage

_TYPE = HEADER_LEN + 40


def soliciting(config: TapConfig, target: Callable[[Ip, Ip], Ip]) -> VirtualTap:
    """A tap whose questions have another target: (the right one, who asks)."""

    def change(message: Message, source: Ip) -> Message:
        is_question = isinstance(message, NeighborMessage) and message.type == ndp.SOLICITATION
        if not is_question or source == ANY6:
            return message
        assert isinstance(message, NeighborMessage)
        return replace(message, target=target(message.target, source))

    return saying6(config, change)


@bug("target_is_the_neighbor")
def solicits_the_group(config: TapConfig) -> VirtualTap:
    return soliciting(config, lambda target, _: solicited_node(target))


@bug("solicitation_is_not_for_ourselves")
def solicits_itself(config: TapConfig) -> VirtualTap:
    return soliciting(config, lambda _, source: source)


@bug("group_is_not_answered_for")
def answers_for_its_group(config: TapConfig) -> VirtualTap:
    def change(frame: bytes) -> bytes:
        packet = Ipv6.parse(frame[HEADER_LEN:])
        if frame[_TYPE] != ndp.SOLICITATION or not is_multicast6(packet.payload[8:24]):
            return frame
        message = replace(NeighborMessage.parse(packet.payload), target=config.our_ip6[0])
        return framed(message, packet.source, packet.destination, frame[6:12], frame[:6])

    return reread(VirtualTap(config), change)


@bug("link_local_peer_is_asked_for")
def asks_for_the_router_instead(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def wrong(right: Callable[[Ip], Ip | None], to: Ip) -> Ip | None:
        return config.gateway_ip6 if is_link_local6(to) else right(to)

    swap(tap._ipv6, "_next_hop", wrong)
    return tap


@bug("address_is_there_at_once")
def always_detects(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, dad=True))


@bug("no_probe_where_none_is_wanted")
def probes_once_anyway(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def probe() -> None:
        for ip in () if config.dad else config.our_ip6:
            message = NeighborMessage(ndp.SOLICITATION, 0, ip)
            reachability(tap).say(message, ANY6, solicited_node(ip))

    tap._core.starts.append(probe)
    return tap


class _Luckless:
    """Every draw is the least."""

    def below(self, _: int) -> int:
        return 0


@bug("first_probe_is_delayed")
def probes_without_a_delay(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    put(tap._core, "rand", _Luckless())
    return tap


@bug("configured_address_is_probed")
def trusts_its_configuration(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, dad=False))


@bug("several_packets_wait")
def holds_one_packet_of_ipv6(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    neighbors = tap._core.neighbors

    def wrong(right: Callable[..., Any], ip: Ip, *args: Any) -> Any:
        is_full = len(ip) == 16 and neighbors.first_held(ip) is not None
        return (False, 1) if is_full else right(ip, *args)

    swap(neighbors, "hold", wrong)
    return tap


@bug("ipv6_is_not_broadcast")
def broadcasts_ipv6(config: TapConfig) -> VirtualTap:
    return sends(config, lambda data: BROADCAST + data[6:] if data[12:14] == IPV6 else data)


# leases


@bug("odd_times_are_not_believed")
def subtracts_more_than_there_is(config: TapConfig) -> VirtualTap:
    def change(message: Dhcp, _: DhcpHandler) -> Dhcp:
        lease, renewal = (message.number(code) for code in (dhcp.LEASE_TIME, dhcp.RENEWAL_TIME))
        if lease is not None and renewal is not None and renewal > lease:
            raise OverflowError("a duration below zero")
        return message

    return hearing(config, change)


@bug("nothing_is_asked_before_t1")
def renews_every_minute(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, _: said(message, option_58=(60).to_bytes(4)))


@bug("everyone_is_asked_at_t2")
def asks_its_server_to_the_end(config: TapConfig) -> VirtualTap:
    return deaf_to(config, Happening.T2)


@bug("renewal_is_repeated_at_half")
def renews_in_quick_succession(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)
    put(ours, "_keep_asking", lambda: ours._later(tap._core.now + 4 * SECOND, ours._ask))
    return tap


@bug("request_bears_the_offers_id")
def requests_by_another_id(config: TapConfig) -> VirtualTap:
    def change(message: Dhcp, _: DhcpHandler) -> Dhcp:
        return replace(message, xid=message.xid ^ 1) if message.kind == dhcp.REQUEST else message

    return saying(config, change)


@bug("no_broadcast_is_asked_for")
def asks_for_broadcasts(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, _: replace(message, flags=dhcp.BROADCAST_FLAG))


def lending(config: TapConfig, flags: Callable[[int], int]) -> VirtualTap:
    """A server that reads other flags than its clients set."""
    tap = VirtualTap(config)
    receive: Any = tap._ipv4._udp.get(dhcp.SERVER_PORT)
    if receive is not None:
        server: DhcpServerHandler = receive.__self__
        for kind, right in server._on.items():
            server._on[kind] = _with_flags(right, flags)
    return tap


def _with_flags(right: Callable[[Dhcp], None], flags: Callable[[int], int]) -> Callable[..., None]:
    return lambda message: right(replace(message, flags=flags(message.flags)))


@bug("flag_is_the_highest_bit")
def reads_the_flag_at_the_wrong_end(config: TapConfig) -> VirtualTap:
    return lending(config, lambda flags: (flags & 1) << 15)


@bug("broadcast_is_sent_when_asked_for")
def sends_no_broadcasts(config: TapConfig) -> VirtualTap:
    return lending(config, lambda _: 0)
