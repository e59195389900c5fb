"""Wrong listeners to the host's own DHCP client: what they change, and what they learn."""

from dataclasses import replace

from sim.conformance.dhcp_host import HOST_MAC
from sim.conformance.mutants import mutant
from sim.conformance.wrong_clients import payload, reframed, said
from sim.conformance.wrong_listeners import (
    HEADER,
    asking,
    changed,
    coming,
    hearing,
    leaving,
    listener,
    taking,
)
from virtualtap.config import TapConfig
from virtualtap.handlers.host_lease import HostLeaseHandler
from virtualtap.lease import Lease
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import Ip
from virtualtap.wire.dhcp import Dhcp

_SERVER = b"\n\0\0\1"


@mutant
def host_lease_is_never_learned(config: TapConfig) -> VirtualTap:
    return listener(config, learn_ip=False)[0]


@mutant
def host_lease_is_always_learned(config: TapConfig) -> VirtualTap:
    can = not (config.dhcp or config.slaac or config.our_ip or config.gateway_ip)
    return listener(config, learn_ip=can)[0]


@mutant
def host_lease_leaves_the_host_s_mac(config: TapConfig) -> VirtualTap:
    return leaving(config, lambda sent, leaves: sent)


@mutant
def host_lease_answers_by_our_mac(config: TapConfig) -> VirtualTap:
    def wrong(_: bytes, heard: bytes | None) -> bytes | None:
        change = lambda message: replace(message, client_mac=config.our_mac)  # noqa: E731  # a mutant
        return None if heard is None else changed(heard, change)

    return coming(config, wrong)


@mutant
def host_lease_answers_only_to_our_address(config: TapConfig) -> VirtualTap:
    tap, ours = listener(config)
    came = ours.came

    def wrong(packet: bytes) -> bytes | None:
        known = ours.lease is None or packet[16:20] in (ours.lease.ip, b"\xff" * 4)
        return came(packet) if known else None

    ours.came = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def host_lease_asks_for_broadcasts(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp) -> Dhcp:
        return replace(message, flags=dhcp.BROADCAST_FLAG)

    return leaving(config, lambda sent, leaves: changed(leaves, wrong))


@mutant
def host_lease_hears_only_unicast(config: TapConfig) -> VirtualTap:
    return coming(config, lambda came, heard: None if came[16] == 255 else heard)


@mutant
def host_lease_sums_anew(config: TapConfig) -> VirtualTap:
    def wrong(_: bytes, leaves: bytes) -> bytes:
        frame = HEADER + leaves
        return reframed(frame, payload(frame))[len(HEADER) :] if any(leaves[26:28]) else leaves

    return leaving(config, wrong)


@mutant
def host_lease_makes_a_checksum(config: TapConfig) -> VirtualTap:
    def wrong(_: bytes, leaves: bytes) -> bytes:
        frame = HEADER + leaves
        return leaves if any(leaves[26:28]) else reframed(frame, payload(frame))[len(HEADER) :]

    return leaving(config, wrong)


@mutant
def host_lease_pays_no_checksum(config: TapConfig) -> VirtualTap:
    return leaving(config, lambda sent, leaves: leaves[:26] + sent[26:28] + leaves[28:])


@mutant
def host_lease_gives_everything_to_the_host(config: TapConfig) -> VirtualTap:
    def wrong(came: bytes, _: bytes | None) -> bytes:
        return changed(came, lambda message: replace(message, client_mac=HOST_MAC))

    return coming(config, wrong)


@mutant
def host_lease_looks_at_no_port(config: TapConfig) -> VirtualTap:
    def wrong(sent: bytes, _: bytes) -> bytes:
        return changed(sent, lambda message: replace(message, client_mac=config.our_mac))

    return leaving(config, wrong)


@mutant
def host_lease_reads_no_mask(config: TapConfig) -> VirtualTap:
    return taking(config, lambda lease: replace(lease, prefix_length=24))


@mutant
def host_lease_reads_no_router(config: TapConfig) -> VirtualTap:
    return taking(config, lambda lease: replace(lease, gateway=_SERVER))


@mutant
def host_lease_reads_no_routes(config: TapConfig) -> VirtualTap:
    return taking(config, lambda lease: replace(lease, routes=()))


@mutant
def host_lease_reads_no_mtu(config: TapConfig) -> VirtualTap:
    return taking(config, lambda lease: replace(lease, mtu=config.mtu))


@mutant
def host_lease_takes_an_offer(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: HostLeaseHandler) -> Dhcp:
        if message.kind == dhcp.OFFER and ours._asked is not None:
            ours._asked = replace(ours._asked, kind=dhcp.REQUEST, wanted=message.your_ip)
            return said(message, option_53=b"\5")
        return message

    return hearing(config, wrong)


@mutant
def host_lease_looks_at_no_question(config: TapConfig) -> VirtualTap:
    return asking(config, kind=dhcp.REQUEST)


@mutant
def host_lease_needs_no_question(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: HostLeaseHandler) -> Dhcp:
        if ours._asked is None and message.kind == dhcp.ACK:
            ours._core.rename(message.your_ip)
        return message

    return hearing(config, wrong)


@mutant
def host_lease_takes_any_xid(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: HostLeaseHandler) -> Dhcp:
        return message if ours._asked is None else replace(message, xid=ours._asked.xid)

    return hearing(config, wrong)


@mutant
def host_lease_takes_any_hardware(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, ours: replace(message, client_mac=config.our_mac))


@mutant
def host_lease_takes_any_server(config: TapConfig) -> VirtualTap:
    return asking(config, server=None)


@mutant
def host_lease_takes_any_address(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: HostLeaseHandler) -> Dhcp:
        if ours._asked is not None and message.kind == dhcp.ACK:
            ours._asked = replace(ours._asked, wanted=message.your_ip)
        return message

    return hearing(config, wrong)


@mutant
def host_lease_looks_at_no_checksum(config: TapConfig) -> VirtualTap:
    tap, ours = listener(config)
    heard = ours.heard

    def wrong(packet: bytes) -> None:
        frame = HEADER + packet
        heard(reframed(frame, payload(frame))[len(HEADER) :])

    ours.heard = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def host_lease_guesses_the_duration(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: HostLeaseHandler) -> Dhcp:
        granted = message.value(dhcp.LEASE_TIME) or (3600).to_bytes(4)
        return said(message, option_51=granted)

    return hearing(config, wrong)


@mutant
def host_lease_drops_what_it_does_not_learn(config: TapConfig) -> VirtualTap:
    def wrong(came: bytes, heard: bytes | None) -> bytes | None:
        message = Dhcp.parse(payload(HEADER + came))
        endless = message.kind == dhcp.ACK and message.value(dhcp.LEASE_TIME) is None
        return came if endless else heard

    return coming(config, wrong)


@mutant
def host_lease_takes_questions_for_answers(config: TapConfig) -> VirtualTap:
    return hearing(config, lambda message, ours: replace(message, operation=dhcp.TO_CLIENT))


@mutant
def host_lease_needs_a_named_server(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: HostLeaseHandler) -> Dhcp:
        nameless = ours._asked is not None and ours._asked.server is None and ours.lease is None
        return replace(message, xid=0) if nameless else message

    return hearing(config, wrong)


@mutant
def host_lease_counts_from_the_answer(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: HostLeaseHandler) -> Dhcp:
        if ours._asked is not None:
            ours._asked.at = ours._core.now
        return message

    return hearing(config, wrong)


@mutant
def host_lease_never_ends(config: TapConfig) -> VirtualTap:
    return taking(config, lambda lease: replace(lease, expires_at=None))


@mutant
def host_lease_always_ends(config: TapConfig) -> VirtualTap:
    def wrong(lease: Lease) -> Lease:
        end = (1 << 32) * SECOND if lease.expires_at is None else lease.expires_at
        return replace(lease, expires_at=end)

    return taking(config, wrong)


@mutant
def host_lease_is_not_renewed(config: TapConfig) -> VirtualTap:
    tap, ours = listener(config)
    take = ours._take

    def wrong(lease: Lease) -> None:
        take(lease if ours.lease is None else ours.lease)

    ours._take = wrong  # type: ignore[method-assign]  # a mutant
    return tap


def _deaf(config: TapConfig, *kinds: int) -> VirtualTap:
    """Some messages of either side tell nothing."""
    tap, ours = listener(config)
    sent, heard, lose = ours.sent, ours.heard, ours.lose
    listens = [True]

    def wrong_heard(packet: bytes) -> None:
        if Dhcp.parse(payload(HEADER + packet)).kind not in kinds:
            heard(packet)

    def wrong_sent(packet: bytes) -> bytes:
        listens[0] = Dhcp.parse(payload(HEADER + packet)).kind not in kinds
        return sent(packet)

    def wrong_lose() -> None:
        if listens[0]:
            lose()

    ours.heard, ours.sent, ours.lose = wrong_heard, wrong_sent, wrong_lose  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def host_lease_hears_no_nak(config: TapConfig) -> VirtualTap:
    return _deaf(config, dhcp.NAK)


@mutant
def host_lease_hears_no_release(config: TapConfig) -> VirtualTap:
    return _deaf(config, dhcp.RELEASE)


@mutant
def host_lease_hears_no_decline(config: TapConfig) -> VirtualTap:
    return _deaf(config, dhcp.DECLINE)


@mutant
def host_lease_hears_any_nak(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, ours: HostLeaseHandler) -> Dhcp:
        if message.kind == dhcp.NAK:
            ours.lose()
        return message

    return hearing(config, wrong)


@mutant
def host_lease_takes_any_farewell_for_ours(config: TapConfig) -> VirtualTap:
    tap, ours = listener(config)
    sent, has = ours.sent, ours._has
    farewell = [False]

    def wrong_sent(packet: bytes) -> bytes:
        farewell[0] = True
        out = sent(packet)
        farewell[0] = False
        return out

    def wrong(ip: Ip) -> bool:
        return ours.lease is not None if farewell[0] else has(ip)

    ours.sent, ours._has = wrong_sent, wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def host_lease_is_lost_before_the_farewell(config: TapConfig) -> VirtualTap:
    tap, ours = listener(config)
    sent = ours.sent

    def wrong(packet: bytes) -> bytes:
        out = sent(packet)
        if Dhcp.parse(payload(HEADER + packet)).kind == dhcp.RELEASE:
            ours.lose()
        return out

    ours.sent = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def host_lease_outlives_a_conflict(config: TapConfig) -> VirtualTap:
    return listener(config, defend="always" if config.learn_ip else config.defend)[0]


@mutant
def host_lease_is_what_the_host_says(config: TapConfig) -> VirtualTap:
    tap, _ = listener(config)
    send = tap._ipv4.send

    def wrong(packet: bytes) -> bytes | None:
        if config.learn_ip and any(packet[12:16]) and tap._interface.ip is None:
            tap._core.rename(packet[12:16])
        return send(packet)

    tap._ipv4.send = wrong  # type: ignore[method-assign]  # a mutant
    return tap


@mutant
def host_lease_is_what_the_lan_says(config: TapConfig) -> VirtualTap:
    tap, _ = listener(config)
    receive = tap._ipv4.receive

    def wrong(frame: bytes) -> bytes | None:
        if config.learn_ip and tap._interface.ip is None and frame[23] != 17:
            tap._core.rename(frame[30:34])
        return receive(frame)

    tap._receivers[b"\x08\0"] = wrong
    return tap
