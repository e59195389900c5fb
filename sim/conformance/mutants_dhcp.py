"""Wrong DHCP clients: what they say, and when."""

from dataclasses import replace

from sim.conformance.mutants import mutant
from sim.conformance.wrong_clients import (
    client,
    deaf_to,
    payload,
    reframed,
    said,
    saying,
    sending,
)
from virtualtap.config import TapConfig
from virtualtap.handlers.dhcp import DhcpHandler, Happening, State
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import HEADER_LEN, IPV4

# one-line wrong engines: each is made wrong in the way its name says
FAST = 1


@mutant
def dhcp_begins_at_once(config: TapConfig) -> VirtualTap:
    return client(config, dhcp_delay_max=0)[0]


@mutant
def dhcp_begins_late(config: TapConfig) -> VirtualTap:
    return client(config, dhcp_delay_max=1000 * SECOND)[0]


@mutant
def dhcp_has_no_luck(config: TapConfig) -> VirtualTap:
    return client(config, random_seed=0)[0]


@mutant
def dhcp_speaks_from_its_wish(config: TapConfig) -> VirtualTap:
    return sending(config, lambda frame, ours: reframed(frame, payload(frame), source=b"\n\0\0\2"))


@mutant
def dhcp_speaks_to_a_subnet(config: TapConfig) -> VirtualTap:
    return sending(
        config, lambda frame, ours: reframed(frame, payload(frame), destination=b"\n\0\0\xff")
    )


@mutant
def dhcp_speaks_from_port_67(config: TapConfig) -> VirtualTap:
    return sending(config, lambda frame, ours: frame[:34] + b"\0\x43" + frame[36:])


@mutant
def dhcp_spares_the_udp_checksum(config: TapConfig) -> VirtualTap:
    return sending(config, lambda frame, ours: frame[:40] + b"\0\0" + frame[42:])


@mutant
def dhcp_names_a_next_server(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: replace(message, next_server=b"\n\0\0\1"))


@mutant
def dhcp_sets_reserved_flags(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: replace(message, flags=1))


@mutant
def dhcp_sets_the_broadcast_flag(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: replace(message, flags=dhcp.BROADCAST_FLAG))


@mutant
def dhcp_shows_another_mac(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: replace(message, client_mac=b"\2\0\0\0\0\x09"))


@mutant
def dhcp_sends_short_messages(config: TapConfig) -> VirtualTap:
    return sending(config, lambda frame, ours: reframed(frame, payload(frame).rstrip(b"\0")))


@mutant
def dhcp_forgets_the_end_mark(config: TapConfig) -> VirtualTap:
    def without(frame: bytes, _: DhcpHandler) -> bytes:
        data = payload(frame)
        end = len(data.rstrip(b"\0")) - 1
        return reframed(frame, data[:end] + b"\0" + data[end + 1 :])

    return sending(config, without)


@mutant
def dhcp_is_nameless(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: said(message, option_61=None))


@mutant
def dhcp_wants_nothing(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: said(message, option_55=None))


@mutant
def dhcp_wants_the_router_first(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: said(message, option_55=b"\1\3\x79"))


@mutant
def dhcp_takes_576_bytes(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: said(message, option_57=b"\2\x40"))


@mutant
def dhcp_repeats_steadily(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)
    ours._back_off = lambda tries: 4 * SECOND  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def dhcp_hurries_not(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: replace(message, secs=0))


@mutant
def dhcp_counts_on_in_its_request(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: DhcpHandler) -> Dhcp:
        return replace(message, secs=message.secs + (message.kind == dhcp.REQUEST))

    return saying(config, wrong)


@mutant
def dhcp_changes_its_xid(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)
    ask = ours._ask

    def wrong() -> None:
        ours._xid = ours._core.rand.below(1 << 32)
        ask()

    ours._ask = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def dhcp_keeps_its_xid_for_ever(config: TapConfig) -> VirtualTap:
    tap, _ = client(config)
    below, kept = tap._core.rand.below, [tap._core.rand.below(1 << 32)]
    tap._core.rand = type(
        "Same",
        (),
        {"below": staticmethod(lambda n: kept[0] if n == 1 << 32 else below(n))},
    )()
    return tap


@mutant
def dhcp_requests_from_the_server_alone(config: TapConfig) -> VirtualTap:
    def wrong(frame: bytes, ours: DhcpHandler) -> bytes:
        if ours.state is State.REQUESTING:
            return reframed(frame, payload(frame), destination=ours._server)
        return frame

    return sending(config, wrong)


@mutant
def dhcp_forgets_the_server_in_its_request(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: said(message, option_54=None))


@mutant
def dhcp_forgets_the_address_in_its_request(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: said(message, option_50=None))


@mutant
def dhcp_never_gives_up(config: TapConfig) -> VirtualTap:
    return client(config, dhcp_requests_max=1000)[0]


@mutant
def dhcp_does_not_look_before_it_binds(config: TapConfig) -> VirtualTap:
    return client(config, claim="silently")[0]


@mutant
def dhcp_declines_in_silence(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: None if message.kind == dhcp.DECLINE else message)


@mutant
def dhcp_declines_with_wishes(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: DhcpHandler) -> Dhcp:
        return said(message, option_55=b"\1\3") if message.kind == dhcp.DECLINE else message

    return saying(config, wrong)


@mutant
def dhcp_begins_at_once_after_a_decline(config: TapConfig) -> VirtualTap:
    return client(config, dhcp_decline_wait=FAST)[0]


@mutant
def dhcp_does_not_mind_a_conflict(config: TapConfig) -> VirtualTap:
    return deaf_to(config, Happening.TAKEN)


@mutant
def dhcp_never_renews(config: TapConfig) -> VirtualTap:
    return deaf_to(config, Happening.T1)


@mutant
def dhcp_never_rebinds(config: TapConfig) -> VirtualTap:
    return deaf_to(config, Happening.T2)


@mutant
def dhcp_keeps_what_is_over(config: TapConfig) -> VirtualTap:
    return deaf_to(config, Happening.EXPIRY)


@mutant
def dhcp_gives_up_where_others_defend(config: TapConfig) -> VirtualTap:
    return client(config, defend="always")[0]


@mutant
def dhcp_renews_by_broadcast(config: TapConfig) -> VirtualTap:
    def wrong(frame: bytes, ours: DhcpHandler) -> bytes:
        if ours.state is State.RENEWING:
            return BROADCAST + reframed(frame, payload(frame), destination=LIMITED_BROADCAST)[6:]
        return frame

    return sending(config, wrong)


@mutant
def dhcp_renews_without_arp(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)
    ours._send = lambda packet: BROADCAST + config.our_mac + IPV4 + packet
    return tap


@mutant
def dhcp_renews_without_its_address(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: replace(message, client_ip=ANY4))


@mutant
def dhcp_always_names_the_server(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: said(message, option_54=b"\n\0\0\1"))


@mutant
def dhcp_always_names_the_address(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: said(message, option_50=b"\n\0\0\x32"))


@mutant
def dhcp_renews_every_four_seconds(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)
    wrong = lambda: ours._later(tap._core.now + 4 * SECOND, ours._ask)  # noqa: E731  # a mutant
    ours._keep_asking = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def dhcp_renews_without_a_minute_s_rest(config: TapConfig) -> VirtualTap:
    return client(config, dhcp_renew_interval=FAST)[0]


@mutant
def dhcp_rebinds_with_the_server_alone(config: TapConfig) -> VirtualTap:
    def wrong(frame: bytes, ours: DhcpHandler) -> bytes:
        if ours.state is State.REBINDING:
            return reframed(frame, payload(frame), destination=ours._server)
        return frame

    return sending(config, wrong)


@mutant
def dhcp_rebinds_from_nobody(config: TapConfig) -> VirtualTap:
    def wrong(frame: bytes, ours: DhcpHandler) -> bytes:
        if ours.state is State.REBINDING:
            return reframed(frame, payload(frame), source=ANY4)
        return frame

    return sending(config, wrong)


@mutant
def dhcp_forgets_what_it_had(config: TapConfig) -> VirtualTap:
    return client(config, our_ip=None if config.dhcp else config.our_ip)[0]


@mutant
def dhcp_uses_what_it_had(config: TapConfig) -> VirtualTap:
    tap, _ = client(config)
    if config.dhcp:
        tap._core.rename(config.our_ip)
    return tap


@mutant
def dhcp_reboots_with_its_address(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: DhcpHandler) -> Dhcp:
        rebooting = ours.state is State.REBOOTING
        return replace(message, client_ip=ours._wanted) if rebooting else message

    return saying(config, wrong)


@mutant
def dhcp_leaves_in_silence(config: TapConfig) -> VirtualTap:
    return saying(config, lambda message, ours: None if message.kind == dhcp.RELEASE else message)


@mutant
def dhcp_leaves_aloud(config: TapConfig) -> VirtualTap:
    def wrong(frame: bytes, _: DhcpHandler) -> bytes:
        bye = Dhcp.parse(payload(frame)).kind == dhcp.RELEASE
        return BROADCAST + frame[6:HEADER_LEN] + frame[HEADER_LEN:] if bye else frame

    return sending(config, wrong)


@mutant
def dhcp_leaves_with_wishes(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: DhcpHandler) -> Dhcp:
        return said(message, option_55=b"\1\3") if message.kind == dhcp.RELEASE else message

    return saying(config, wrong)


@mutant
def dhcp_stays_after_it_left(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)
    ours._drop_lease = lambda: None  # type: ignore[method-assign]  # a mutant
    return tap
