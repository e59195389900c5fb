"""Wrong engines of the ARP family: who is asked, answered, learned, held."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.frames import patched
from sim.conformance.mutants import mutant
from virtualtap.config import TapConfig
from virtualtap.core import Core
from virtualtap.handlers.arp import ArpHandler
from virtualtap.tap import VirtualTap
from virtualtap.wire import arp
from virtualtap.wire.address import ANY4, BROADCAST, Ip, Mac
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4

LINK_SOURCE, HARDWARE, PROTOCOL, HARDWARE_LEN, PROTOCOL_LEN = 6, 14, 16, 18, 19
OPERATION, SENDER_MAC, SENDER_IP, TARGET_MAC, TARGET_IP = 20, 22, 28, 32, 38


def handler(tap: VirtualTap) -> ArpHandler:
    """The handler of ARP inside a tap."""
    found: ArpHandler = handler_of(tap, ARP)
    return found


def handler_of(tap: VirtualTap, ethertype: bytes) -> Any:
    """The object whose method receives frames of this type."""
    receive: Any = tap._receivers[ethertype]
    return receive.__self__


def swap(owner: object, name: str, wrong: Callable[..., Any]) -> None:
    """Put another method in the place of the owner's own; its first argument is the right one."""
    right = getattr(owner, name)
    setattr(owner, name, lambda *args, **kwargs: wrong(right, *args, **kwargs))


def hears(config: TapConfig, change: Callable[[bytes], bytes | None]) -> VirtualTap:
    """A tap whose ARP handler gets each frame changed, or not at all."""
    tap = VirtualTap(config)
    right = tap._receivers[ARP]

    def wrong(frame: bytes) -> bytes | None:
        changed = change(frame)
        return None if changed is None else right(changed)

    tap._receivers[ARP] = wrong
    return tap


def with_core(config: TapConfig, change: Callable[[Core], None]) -> VirtualTap:
    tap = VirtualTap(config)
    change(tap._core)
    return tap


def only_if(condition: Callable[[bytes], bool]) -> Callable[[TapConfig], VirtualTap]:
    """A tap whose ARP handler hears only what fulfils a condition."""
    return lambda config: hears(config, lambda frame: frame if condition(frame) else None)


def reads(at: int, as_if: bytes) -> Callable[[TapConfig], VirtualTap]:
    """A tap that does not look at a field: it reads what would be right there."""
    return lambda config: hears(config, lambda frame: patched(frame, at, as_if))


def named(name: str, make: Callable[[TapConfig], VirtualTap]) -> None:
    make.__name__ = name
    mutant(make)


# what is heard
named("arp_does_not_look_at_the_hardware_type", reads(HARDWARE, b"\0\1"))
named("arp_does_not_look_at_the_protocol_type", reads(PROTOCOL, b"\x08\0"))
named("arp_does_not_look_at_the_hardware_length", reads(HARDWARE_LEN, b"\x06"))
named("arp_does_not_look_at_the_protocol_length", reads(PROTOCOL_LEN, b"\x04"))
named("arp_ignores_unicast", only_if(lambda frame: frame[:6] == BROADCAST))
named("arp_ignores_padded", only_if(lambda frame: len(frame) != 60))
named("arp_ignores_all_but_42_bytes", only_if(lambda frame: len(frame) == 42))
named("arp_ignores_probes", only_if(lambda frame: frame[SENDER_IP:TARGET_MAC] != ANY4))
named("arp_ignores_requests", only_if(lambda frame: frame[20:22] != b"\0\1"))
named("arp_ignores_replies", only_if(lambda frame: frame[20:22] != b"\0\2"))
named("arp_wants_a_target_mac_of_zero", only_if(lambda f: f[20:22] == b"\0\2" or not any(f[32:38])))
named("arp_wants_an_honest_source", only_if(lambda frame: frame[6:12] == frame[22:28]))


@mutant
def arp_takes_every_operation_for_a_request(config: TapConfig) -> VirtualTap:
    def change(frame: bytes) -> bytes:
        return frame if frame[20:22] == b"\0\2" else patched(frame, OPERATION, b"\0\1")

    return hears(config, change)


@mutant
def arp_answers_replies(config: TapConfig) -> VirtualTap:
    return hears(config, lambda frame: patched(frame, OPERATION, b"\0\1"))


@mutant
def arp_reads_past_the_end(config: TapConfig) -> VirtualTap:
    right = arp_request_for(config)
    return hears(config, lambda frame: frame + right[len(frame) :])


@mutant
def arp_listens_to_reverse_arp(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    tap._receivers[b"\x80\x35"] = tap._receivers[ARP]
    return tap


@mutant
def arp_believes_the_source_of_the_frame(config: TapConfig) -> VirtualTap:
    return hears(config, lambda frame: patched(frame, SENDER_MAC, frame[6:12]))


@mutant
def arp_does_not_look_at_the_source_of_the_frame(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap, "_receive", lambda right, frame: right(patched(frame, 6, b"\x02\0\0\0\0\x99")))
    return tap


@mutant
def arp_hears_what_is_for_other_macs(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(tap, "_receive", lambda right, frame: right(BROADCAST + frame[6:]))
    return tap


@mutant
def arp_gives_messages_to_the_host(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    receive = tap._receivers[ARP]
    tap._receivers[ARP] = lambda frame: receive(frame) or frame[HEADER_LEN:]
    return tap


@mutant
def arp_refuses_nothing(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(handler(tap), "_refusal", lambda *_: None)
    return tap


@mutant
def arp_believes_groups_and_nobody(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def wrong(right: Callable[[Arp], object], message: Arp) -> object:
        plain = message.sender_mac if message.sender_mac == config.our_mac else b"\2\0\0\0\0\x99"
        return right(replace(message, sender_mac=plain))

    swap(handler(tap), "_refusal", wrong)
    return tap


# what is answered


@mutant
def arp_answers_nobody(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    swap(handler(tap), "_answer", lambda *_: None)
    return tap


@mutant
def arp_answers_for_everybody(config: TapConfig) -> VirtualTap:
    def change(frame: bytes) -> bytes:
        asks = frame[20:22] == b"\0\1" and frame[SENDER_IP:TARGET_MAC] != frame[38:42]
        return patched(frame, TARGET_IP, config.our_ip or ANY4) if asks else frame

    return hears(config, change)


@mutant
def arp_answers_announcements(config: TapConfig) -> VirtualTap:
    def change(frame: bytes) -> bytes:
        asks = frame[20:22] == b"\0\1" and frame[SENDER_IP:TARGET_MAC] == frame[38:42]
        return patched(frame, TARGET_IP, config.our_ip or ANY4) if asks else frame

    return hears(config, change)


@mutant
def arp_answers_without_an_address(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, our_ip=config.our_ip or bytes((10, 0, 0, 2))))


@mutant
def arp_pads_its_answers(config: TapConfig) -> VirtualTap:
    return with_core(config, lambda core: swap(core, "send", lambda r, f: r(f.ljust(60, b"\0"))))


@mutant
def arp_answers_everyone_at_once(config: TapConfig) -> VirtualTap:
    """The answer is broadcast."""
    return with_core(config, lambda core: swap(core, "send", lambda r, f: r(BROADCAST + f[6:])))


@mutant
def arp_answers_once(config: TapConfig) -> VirtualTap:
    tap, answered = VirtualTap(config), list[Ip]()

    def wrong(right: Callable[[Arp], None], request: Arp) -> None:
        if not answered:
            right(request)
            answered.append(request.sender_ip)

    swap(handler(tap), "_answer", wrong)
    return tap


@mutant
def arp_answers_only_its_own_subnet(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def wrong(right: Callable[[Arp], None], request: Arp) -> None:
        if tap._core.interface.on_link(request.sender_ip):
            right(request)

    swap(handler(tap), "_answer", wrong)
    return tap


@mutant
def arp_always_handles_itself(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, handle_arp_internally=True))


# what is learned


@mutant
def arp_learns_from_everything(config: TapConfig) -> VirtualTap:
    return with_core(config, lambda core: swap(core.neighbors, "knows", lambda *_: True))


@mutant
def arp_updates_only_when_spoken_to(config: TapConfig) -> VirtualTap:
    return with_core(config, lambda core: swap(core.neighbors, "knows", lambda *_: False))


@mutant
def arp_adds_nobody(config: TapConfig) -> VirtualTap:
    def wrong(right: Callable[..., None], ip: Ip, mac: Mac, **how: bool) -> None:
        if core.neighbors.knows(ip):
            right(ip, mac, **how)

    tap = VirtualTap(config)
    core = tap._core
    swap(core, "learn", wrong)
    return tap


@mutant
def arp_moves_nobody(config: TapConfig) -> VirtualTap:
    def wrong(right: Callable[..., None], ip: Ip, mac: Mac, **how: bool) -> None:
        right(ip, core.neighbors.lookup(ip, core.now) or mac, **how)

    tap = VirtualTap(config)
    core = tap._core
    swap(core, "learn", wrong)
    return tap


@mutant
def arp_learns_whoever_asks(config: TapConfig) -> VirtualTap:
    """Probers and senders off our subnet too."""
    tap = VirtualTap(config)
    swap(handler(tap), "_may_learn", lambda *_: True)
    return tap


@mutant
def arp_learns_only_on_link(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    on_link = tap._core.interface.on_link
    swap(handler(tap), "_may_learn", lambda right, ip: right(ip) and on_link(ip))
    return tap


@mutant
def arp_learns_from_packets(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    receive = tap._receivers[IPV4]

    def wrong(frame: bytes) -> bytes | None:
        tap._core.learn(frame[26:30], frame[6:12])
        return receive(frame)

    tap._receivers[IPV4] = wrong
    return tap


@mutant
def arp_wants_packets_from_neighbors_only(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    receive = tap._receivers[IPV4]
    knows = tap._core.neighbors.knows
    tap._receivers[IPV4] = lambda frame: receive(frame) if knows(frame[26:30]) else None
    return tap


@mutant
def arp_wants_replies_to_its_mac(config: TapConfig) -> VirtualTap:
    def condition(frame: bytes) -> bool:
        return frame[20:22] != b"\0\2" or frame[TARGET_MAC:TARGET_IP] == config.our_mac

    return only_if(condition)(config)


@mutant
def arp_gives_everyone_the_mac_heard_last(config: TapConfig) -> VirtualTap:
    def wrong(right: Callable[..., None], ip: Ip, mac: Mac, **how: bool) -> None:
        for each in core.neighbors.addresses():
            right(each, mac, **how)
        right(ip, mac, **how)

    tap = VirtualTap(config)
    core = tap._core
    swap(core, "learn", wrong)
    return tap


@mutant
def arp_remembers_old_headers(config: TapConfig) -> VirtualTap:
    """An update does not reach the frames that are kept ready."""

    def change(core: Core) -> None:
        swap(
            core,
            "learn",
            lambda right, *args, **how: (
                old.update(core.outward.known),
                right(*args, **how),
                core.outward.known.update(old),
            ),
        )

    old: dict[Any, Any] = {}
    return with_core(config, change)


@mutant
def arp_moves_a_pinned_gateway(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, learn_gateway_mac=True))


@mutant
def arp_pins_every_gateway(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, learn_gateway_mac=False))


@mutant
def arp_asks_for_a_configured_gateway(config: TapConfig) -> VirtualTap:
    return VirtualTap(replace(config, gateway_mac=None))


def arp_request_for(config: TapConfig) -> bytes:
    """A request for this tap, as bytes that may complete a short one."""
    message = Arp(
        arp.REQUEST, b"\2\0\x5e\0\0\3", bytes((10, 0, 0, 3)), bytes(6), config.our_ip or ANY4
    )
    return BROADCAST + message.sender_mac + ARP + message.to_bytes()
