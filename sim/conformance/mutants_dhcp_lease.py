"""Wrong DHCP clients: what they hear, and what they make of it."""

from dataclasses import replace

from sim.conformance.mutants import mutant
from sim.conformance.wrong_clients import (
    client,
    deaf_to,
    hearing,
    payload,
    reading,
    receiving,
    reframed,
    said,
)
from virtualtap.config import TapConfig
from virtualtap.errors import WireError
from virtualtap.handlers.dhcp import DhcpHandler, Happening, State
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import LIMITED_BROADCAST, Ip, Route, is_unicast4
from virtualtap.wire.dhcp import Dhcp

_SERVER, _AN_HOUR = b"\n\0\0\1", b"\0\0\x0e\x10"


@mutant
def dhcp_takes_every_offer(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: DhcpHandler) -> Dhcp:
        if message.kind == dhcp.OFFER and ours.state is State.REQUESTING:
            ours.state = State.SELECTING
        return message

    return hearing(config, wrong)


@mutant
def dhcp_is_called_as_offered(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: DhcpHandler) -> Dhcp:
        if message.kind == dhcp.OFFER:
            ours._core.rename(message.your_ip)
        return message

    return hearing(config, wrong)


@mutant
def dhcp_takes_any_xid(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, ours: replace(message, xid=max(0, ours._xid)))


@mutant
def dhcp_takes_any_hardware(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, ours: replace(message, client_mac=config.our_mac))


@mutant
def dhcp_takes_questions_for_answers(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, ours: replace(message, operation=dhcp.TO_CLIENT))


@mutant
def dhcp_guesses_the_server(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: DhcpHandler) -> Dhcp:
        return said(message, option_54=message.value(dhcp.SERVER_ID) or _SERVER)

    return hearing(config, wrong)


@mutant
def dhcp_guesses_the_duration(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: DhcpHandler) -> Dhcp:
        return said(message, option_51=message.value(dhcp.LEASE_TIME) or _AN_HOUR)

    return hearing(config, wrong)


@mutant
def dhcp_takes_any_address(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: DhcpHandler) -> Dhcp:
        good = is_unicast4(message.your_ip) and message.your_ip[3] != 255
        return message if good else replace(message, your_ip=b"\n\0\0\x32")

    return hearing(config, wrong)


@mutant
def dhcp_hears_only_broadcasts(config: TapConfig) -> VirtualTap:
    return receiving(
        config, lambda frame, ours: frame if frame[30:34] == LIMITED_BROADCAST else None
    )


@mutant
def dhcp_demands_a_checksum(config: TapConfig) -> VirtualTap:
    return receiving(config, lambda frame, ours: frame if any(frame[40:42]) else None)


@mutant
def dhcp_looks_at_no_checksum(config: TapConfig) -> VirtualTap:
    return receiving(config, lambda frame, ours: reframed(frame, payload(frame)))


@mutant
def dhcp_hears_no_long_message(config: TapConfig) -> VirtualTap:
    return reading(config, lambda data, ours: data if len(data) <= 340 else None)


@mutant
def dhcp_hears_no_ack(config: TapConfig) -> VirtualTap:
    return deaf_to(config, Happening.ACK)


@mutant
def dhcp_hears_no_offer(config: TapConfig) -> VirtualTap:
    return deaf_to(config, Happening.OFFER)


@mutant
def dhcp_hears_no_nak(config: TapConfig) -> VirtualTap:
    return deaf_to(config, Happening.NAK)


@mutant
def dhcp_takes_any_server(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: DhcpHandler) -> Dhcp:
        asked = ours.state is not State.SELECTING and any(ours._server)
        return said(message, option_54=ours._server) if asked else message

    return hearing(config, wrong)


@mutant
def dhcp_takes_any_granted_address(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: DhcpHandler) -> Dhcp:
        if message.kind == dhcp.ACK:
            ours._wanted = message.your_ip
        return message

    return hearing(config, wrong)


@mutant
def dhcp_takes_an_ack_for_an_offer(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: DhcpHandler) -> Dhcp:
        early = message.kind == dhcp.ACK and ours.state is State.SELECTING
        return said(message, option_53=b"\2") if early else message

    return hearing(config, wrong)


@mutant
def dhcp_listens_in_peace(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: DhcpHandler) -> Dhcp:
        if ours.state is State.BOUND:
            ours.state, ours._xid, ours._wanted = State.REBINDING, message.xid, message.your_ip
        return message

    return hearing(config, wrong)


@mutant
def dhcp_forgets_refusals(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: DhcpHandler) -> Dhcp:
        ours._refusals = 0
        return message

    return hearing(config, wrong)


@mutant
def dhcp_leaves_port_68_to_the_host(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)

    def wrong(frame: bytes) -> None:
        if ours.lease is None:
            ours.receive(frame)
        else:
            tap._core.packets.append(frame[14:])

    tap._ipv4._udp = {dhcp.CLIENT_PORT: wrong}
    return tap


@mutant
def dhcp_counts_from_the_answer(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: DhcpHandler) -> Dhcp:
        ours._asked_at = ours._core.now
        return message

    return hearing(config, wrong)


@mutant
def dhcp_counts_from_the_first_lease(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)
    use = ours._use

    def wrong(happening: Happening) -> None:
        ours._asked = ours.lease or ours._asked
        use(happening)

    ours._enter[State.BOUND] = wrong
    return tap


@mutant
def dhcp_is_true_to_its_server(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: DhcpHandler) -> Dhcp | None:
        other = message.value(dhcp.SERVER_ID) != ours._server
        return None if other and ours.state is State.REBINDING else message

    return hearing(config, wrong)


@mutant
def dhcp_reads_no_t1(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, ours: said(message, option_58=None))


@mutant
def dhcp_reads_no_t2(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, ours: said(message, option_59=None))


@mutant
def dhcp_believes_any_times(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)
    hear, use = ours._hear, ours._use
    heard: list[Dhcp] = []

    def wrong_hear(message: Dhcp, mac: bytes) -> bool:
        heard.append(message)
        return hear(message, mac)

    def wrong(happening: Happening) -> None:
        lease, at = ours._asked, ours._asked_at
        assert lease is not None
        t1, t2 = heard[-1].number(dhcp.RENEWAL_TIME), heard[-1].number(dhcp.REBINDING_TIME)
        renews_at = lease.renews_at if t1 is None else at + t1 * SECOND
        rebinds_at = lease.rebinds_at if t2 is None else at + t2 * SECOND
        ours._asked = replace(lease, renews_at=renews_at, rebinds_at=rebinds_at)
        use(happening)

    ours._hear = wrong_hear  # type: ignore[method-assign]  # a mutant
    ours._enter[State.BOUND] = wrong
    return tap


def _lasting(message: Dhcp, this: bytes, instead: bytes) -> Dhcp:
    value = message.value(dhcp.LEASE_TIME)
    return said(message, option_51=instead) if value == this else message


@mutant
def dhcp_believes_in_136_years(config: TapConfig) -> VirtualTap:
    return hearing(
        config, lambda message, ours: _lasting(message, b"\xff" * 4, b"\xff\xff\xff\xfe")
    )


@mutant
def dhcp_takes_nothing_for_an_hour(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, ours: _lasting(message, bytes(4), _AN_HOUR))


@mutant
def dhcp_reads_no_mask(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, ours: said(message, option_1=None))


@mutant
def dhcp_reads_no_router(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, ours: said(message, option_3=None))


@mutant
def dhcp_prefers_the_last_router(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: DhcpHandler) -> Dhcp:
        return said(message, option_3=(message.value(dhcp.ROUTER) or b"")[-4:] or None)

    return hearing(config, wrong)


@mutant
def dhcp_guesses_the_router(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: DhcpHandler) -> Dhcp:
        return said(message, option_3=message.value(dhcp.ROUTER) or _SERVER)

    return hearing(config, wrong)


@mutant
def dhcp_reads_no_routes(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, ours: said(message, option_121=None))


def _readdressed(config: TapConfig, change: dict[str, object]) -> VirtualTap:
    """A tap whose every new address comes with something wrong."""
    tap, ours = client(config)
    readdress = tap._core.readdress

    def wrong(
        ip: Ip | None, prefix_length: int, gateway: Ip | None, routes: tuple[Route, ...], mtu: int
    ) -> None:
        readdress(ip, prefix_length, gateway, routes, mtu)
        interface = tap._core.interface
        if "gateway" in change:
            interface.gateway = _SERVER
        if "mtu" in change and heard:
            interface.mtu = heard[-1].number(dhcp.MTU, 2) or mtu
        if "table" in change:
            interface._table = tuple(sorted(interface._table, key=lambda row: row[1]))

    heard: list[Dhcp] = []
    hear = ours._hear

    def wrong_hear(message: Dhcp, mac: bytes) -> bool:
        heard.append(message)
        return hear(message, mac)

    ours._hear = wrong_hear  # type: ignore[method-assign]  # a mutant
    tap._core.readdress = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def dhcp_uses_router_and_routes(config: TapConfig) -> VirtualTap:
    return _readdressed(config, {"gateway": True})


@mutant
def dhcp_believes_any_mtu(config: TapConfig) -> VirtualTap:
    return _readdressed(config, {"mtu": True})


@mutant
def dhcp_takes_the_shortest_route(config: TapConfig) -> VirtualTap:
    return _readdressed(config, {"table": True})


@mutant
def dhcp_reads_no_mtu(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, ours: said(message, option_26=None))


def _on_link_by_server(message: Dhcp, _: DhcpHandler) -> Dhcp:
    value = message.value(dhcp.ROUTES)
    if value is None or value[-4:] != bytes(4):
        return message
    return said(message, option_121=value[:-4] + _SERVER)


@mutant
def dhcp_knows_no_route_on_link(config: TapConfig) -> VirtualTap:
    return hearing(config, _on_link_by_server)


@mutant
def dhcp_passes_over_broken_options(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: DhcpHandler) -> Dhcp:
        try:
            dhcp.routes(message.value(dhcp.ROUTES) or b"\0" * 5)
            message.prefix_length()
        except WireError:
            return said(message, option_121=None, option_1=None)
        return message

    return hearing(config, wrong)


@mutant
def dhcp_probes_for_what_it_gave_back(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)
    ours._stop = lambda: None
    return tap
