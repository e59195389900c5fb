"""The bugs of the museum: conflicts where there are none, and none where there are. RFC 5227."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.dhcp_server import SERVER
from sim.conformance.frames import patched
from sim.conformance.museum import bug
from sim.conformance.mutants_arp import OPERATION, handler, hears, swap, with_core
from sim.conformance.mutants_arp_conflict import claim_of, is_probe, with_claim
from sim.conformance.mutants_museum import Merge, merging
from sim.conformance.wrong_clients import client
from virtualtap.config import TapConfig
from virtualtap.handlers.dhcp import Happening, State
from virtualtap.tap import VirtualTap
from virtualtap.wire import arp, dhcp
from virtualtap.wire.address import ANY4, BROADCAST, Ip, Mac, is_link_local4
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP

STRANGER: Mac = b"\2\0\0\0\0\x99"
Contested = Callable[[Arp], bool]


def fearing(config: TapConfig, fears: Callable[[Arp, Ip, bool], bool]) -> VirtualTap:
    """A tap that takes more messages for a claim: (message, what is ours, is it probed for)."""
    tap = VirtualTap(config)
    claim = claim_of(tap)

    def wrong(right: Contested, message: Arp) -> bool:
        ours = claim._probed or tap._core.interface.ip
        if ours is not None and fears(message, ours, claim._probed is not None):
            claim._conflict(ours, message.sender_mac)
            return True
        return right(message)

    swap(handler(tap), "_contested", wrong)
    return tap


@bug("claim_is_heard_on_the_link")
def probes_nothing(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, claim="silently") if config.claim == "probed" else config)


@bug("announcement_can_be_had")
def announces_nothing(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, claim="silently") if config.claim == "announced" else config)


@bug("announcement_is_a_request")
def announces_by_a_reply(config: TapConfig) -> VirtualTap:
    def change(frame: bytes) -> bytes:
        announces = frame[12:14] == ARP and frame[28:32] == frame[38:42]
        return patched(frame, OPERATION, b"\0\2") if announces else frame

    return with_core(config, lambda core: swap(core, "send", lambda right, f: right(change(f))))


@bug("probe_has_no_sender")
def probes_in_its_own_name(config: TapConfig) -> VirtualTap:
    return with_claim(config, "_send", lambda right, _, asks: right(asks, asks))


@bug("plain_request_is_no_conflict")
def fears_who_asks(config: TapConfig) -> VirtualTap:
    return fearing(config, lambda message, ours, probing: probing and message.target_ip == ours)


@bug("servers_question_is_no_conflict")
def fears_its_server(config: TapConfig) -> VirtualTap:
    return fearing(config, lambda message, _, __: message.sender_ip == SERVER)


@bug("unicast_request_is_no_probe")
def takes_every_frame_for_a_broadcast(config: TapConfig) -> VirtualTap:
    return hears(config, lambda frame: BROADCAST + frame[6:])


@bug("odd_probes_take_nothing")
def fears_probes_of_what_it_has(config: TapConfig) -> VirtualTap:
    return fearing(config, lambda message, ours, _: is_probe(message) and message.target_ip == ours)


@bug("probes_of_many_take_nothing")
def fears_the_second_prober(config: TapConfig) -> VirtualTap:
    probers: set[Mac] = set()

    def fears(message: Arp, ours: Ip, probing: bool) -> bool:
        if is_probe(message) and not probing:
            probers.add(message.sender_mac)
        return len(probers) > 1 and is_probe(message) and message.target_ip == ours

    return fearing(config, fears)


@bug("lease_is_looked_at_first")
def takes_leases_unseen(config: TapConfig) -> VirtualTap:
    return client(config, claim="silently")[0]


@bug("reply_about_another_is_no_conflict")
def fears_every_answer(config: TapConfig) -> VirtualTap:
    """The target of a reply is compared with the sender of the probe."""
    return fearing(
        config,
        lambda message, _, probing: (
            probing and (message.operation, message.target_ip) == (arp.REPLY, ANY4)
        ),
    )


@bug("reply_about_the_probed_is_a_conflict")
def hears_no_answer(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def wrong(right: Contested, message: Arp) -> bool:
        return message.operation != arp.REPLY and right(message)

    swap(handler(tap), "_contested", wrong)
    return tap


@bug("echo_is_no_conflict")
def does_not_know_its_own_mac(config: TapConfig) -> VirtualTap:
    return hears(
        config,
        lambda frame: patched(frame, 22, STRANGER) if frame[22:28] == config.our_mac else frame,
    )


@bug("declined_client_begins_anew")
def rests_for_ever_once_it_declined(config: TapConfig) -> VirtualTap:
    tap, ours = client(config)
    begin = ours._enter[State.INIT]

    def wrong(happening: Happening) -> None:
        if happening is Happening.TAKEN:
            ours._say(dhcp.DECLINE)
        else:
            begin(happening)

    ours._enter[State.INIT] = wrong
    return tap


def _is_lent(config: TapConfig, ip: Ip) -> bool:
    pool = None if config.serve is None else config.serve.pool
    return pool is not None and pool[0] <= ip <= pool[1]


def answering(config: TapConfig, also: Callable[[Arp], bool]) -> VirtualTap:
    """A tap that answers more requests than are for it."""

    def wrong(tap: VirtualTap, right: Merge, message: Arp) -> None:
        if message.operation == arp.REQUEST and also(message):
            handler(tap)._answer(message)
        right()

    return merging(config, wrong)


@bug("clients_probe_is_not_answered")
def answers_its_clients_probes(config: TapConfig) -> VirtualTap:
    return answering(config, lambda m: is_probe(m) and _is_lent(config, m.target_ip))


@bug("clients_address_is_its_own")
def answers_for_its_clients(config: TapConfig) -> VirtualTap:
    return answering(config, lambda m: not is_probe(m) and _is_lent(config, m.target_ip))


@bug("link_local_probe_is_not_answered")
def answers_for_link_local_addresses(config: TapConfig) -> VirtualTap:
    return answering(config, lambda message: is_link_local4(message.target_ip))


@bug("conflict_is_met")
def sees_no_conflict(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    wrong: Callable[..., Any] = lambda *_: False  # noqa: E731  # a mutant
    swap(handler(tap), "_contested", wrong)
    return tap
