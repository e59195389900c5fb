"""Wrong engines for neighbour discovery: answers, questions, validity, states. RFC 4861 7."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.frames6 import rebuilt, said
from sim.conformance.mutants import mutant
from sim.conformance.script import US6
from virtualtap.config import TapConfig
from virtualtap.reachability import Reachability
from virtualtap.tap import VirtualTap
from virtualtap.wire import checksum, ndp
from virtualtap.wire.address import ALL_NODES6, is_multicast6
from virtualtap.wire.ethernet import HEADER_LEN
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import NeighborMessage

_BODY = HEADER_LEN + 40  # where ICMPv6 begins
_OPTIONS = {134: 16, 135: 24, 136: 24, 137: 40}  # where the options of each type begin


def reachability(tap: VirtualTap) -> Reachability:
    """The part of the tap that knows the states."""
    return tap._ndp._reachability


def put(owner: object, name: str, wrong: object) -> None:
    """Let the owner have another method than its own."""
    setattr(owner, name, wrong)


def reread(tap: VirtualTap, change: Callable[[bytes], bytes | None]) -> VirtualTap:
    """The tap takes every neighbour message for what `change` makes of it; None: nothing."""
    for handler in (tap._ndp, tap._routers):

        def receive(frame: bytes, before: Any = handler.receive) -> bytes | None:
            changed = change(frame)
            packet: bytes | None = None if changed is None else before(changed)
            return packet

        put(handler, "receive", receive)
    return tap


def ignoring(config: TapConfig, refused: Callable[[bytes, Ipv6], bool]) -> VirtualTap:
    """A tap deaf to some neighbour messages, by frame and packet."""

    def change(frame: bytes) -> bytes | None:
        return None if refused(frame, Ipv6.parse(frame[HEADER_LEN:])) else frame

    return reread(VirtualTap(config), change)


def _summed(frame: bytes) -> bytes:
    return rebuilt(frame, Ipv6.parse(frame[HEADER_LEN:]).payload)


# validity


@mutant
def accepts_any_hop_limit(config: TapConfig) -> VirtualTap:
    return reread(VirtualTap(config), lambda frame: frame[:21] + b"\xff" + frame[22:])


@mutant
def accepts_any_checksum(config: TapConfig) -> VirtualTap:
    return reread(VirtualTap(config), _summed)


@mutant
def accepts_any_code(config: TapConfig) -> VirtualTap:
    def change(frame: bytes) -> bytes:
        is_right = checksum.transport_is_right(
            frame[22:38], frame[38:54], ndp.PROTOCOL, Ipv6.parse(frame[HEADER_LEN:]).payload
        )
        return _summed(frame[: _BODY + 1] + b"\0" + frame[_BODY + 2 :]) if is_right else frame

    return reread(VirtualTap(config), change)


@mutant
def reads_beyond_short_messages(config: TapConfig) -> VirtualTap:
    """What is missing is taken from a message that came before: here, from one that fits."""

    def change(frame: bytes) -> bytes:
        packet = Ipv6.parse(frame[HEADER_LEN:])
        least = _OPTIONS.get(packet.payload[0], 8)
        if len(packet.payload) >= least:
            return frame
        kind, ours, far = packet.payload[0], US6, bytes.fromhex("20010db8")
        rest = {
            134: bytes(least - len(packet.payload)),
            135: ours[len(packet.payload) - least :] + b"\x01\x01" + frame[6:12],
            136: packet.source[len(packet.payload) - 24 :] + b"\x02\x01" + frame[6:12],
            137: (far + bytes(11) + b"\x09")[len(packet.payload) - least :],
        }[kind]
        body = packet.payload + rest
        length = len(body).to_bytes(2)
        return rebuilt(frame[:18] + length + frame[20:_BODY] + body, body)

    return reread(VirtualTap(config), change)


def _lenient(config: TapConfig, wrong: bytes) -> VirtualTap:
    """An option whose length is `wrong` is as long as its code asks for."""

    def change(frame: bytes) -> bytes:
        body = Ipv6.parse(frame[HEADER_LEN:]).payload
        at = _OPTIONS.get(body[0], len(body))
        while at + 8 <= len(body):
            if body[at + 1 : at + 2] == wrong:
                return rebuilt(frame, body[: at + 1] + b"\x01" + body[at + 2 :])
            at += 8
        return frame

    return reread(VirtualTap(config), change)


@mutant
def accepts_options_of_no_length(config: TapConfig) -> VirtualTap:
    return _lenient(config, b"\0")


@mutant
def accepts_options_beyond_the_end(config: TapConfig) -> VirtualTap:
    return _lenient(config, b"\x09")


@mutant
def accepts_any_probe_and_answer(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    put(tap._ndp, "_is_valid", lambda packet, message: ndp.is_whole(packet))
    return tap


@mutant
def learns_the_source_of_an_advertisement(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def change(frame: bytes) -> bytes:
        if frame[_BODY] == ndp.ADVERTISEMENT:
            reachability(tap).heard(frame[22:38], frame[6:12])
        return frame

    return reread(tap, change)


# answers


@mutant
def never_answers_a_solicitation(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    put(tap._ndp, "_answer", lambda *_: None)
    return tap


@mutant
def answers_for_any_target(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def change(frame: bytes) -> bytes:
        body = Ipv6.parse(frame[HEADER_LEN:]).payload
        if body[0] == ndp.SOLICITATION:
            target, source = body[8:24], frame[22:38]
            if target not in config.our_ip6:
                tap._ndp._answer(target, source if any(source) else ALL_NODES6, frame[6:12], 0)
        return frame

    return reread(tap, change)


@mutant
def ignores_solicitations_at_its_address(config: TapConfig) -> VirtualTap:
    return ignoring(
        config,
        lambda frame, packet: frame[_BODY] == 135 and not is_multicast6(packet.destination),
    )


@mutant
def ignores_solicitors_off_its_prefix(config: TapConfig) -> VirtualTap:
    return ignoring(
        config,
        lambda frame, packet: (
            frame[_BODY] == 135
            and any(packet.source)
            and packet.source[:8] not in {ip[:8] for ip in config.our_ip6}
        ),
    )


@mutant
def answers_for_its_first_address_only(config: TapConfig) -> VirtualTap:
    return ignoring(
        config,
        lambda frame, packet: frame[_BODY] == 135 and packet.payload[8:24] in config.our_ip6[1:],
    )


@mutant
def answers_at_the_frames_source(config: TapConfig) -> VirtualTap:
    def change(frame: bytes) -> bytes:
        packet = Ipv6.parse(frame[HEADER_LEN:])
        if packet.payload[0] != ndp.SOLICITATION or not any(packet.source):
            return frame
        message = NeighborMessage.parse(packet.payload)
        message = replace(message, options=((ndp.SOURCE_MAC, frame[6:12]),))
        return said(message, packet.source, packet.destination, frame[6:12], frame[:6])

    return reread(VirtualTap(config), change)


@mutant
def needs_the_option_to_answer(config: TapConfig) -> VirtualTap:
    return ignoring(
        config,
        lambda frame, packet: (
            frame[_BODY] == 135 and any(packet.source) and len(packet.payload) == 24
        ),
    )


@mutant
def never_tells_probers(config: TapConfig) -> VirtualTap:
    return ignoring(config, lambda frame, packet: not any(packet.source))


@mutant
def answers_without_override(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    answer = tap._ndp._answer
    put(
        tap._ndp,
        "_answer",
        lambda target, to, mac, flags: answer(target, to, mac, flags & ~ndp.OVERRIDE),
    )
    return tap


@mutant
def always_claims_to_be_solicited(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    answer = tap._ndp._answer
    put(
        tap._ndp,
        "_answer",
        lambda target, to, mac, flags: answer(target, to, mac, flags | ndp.SOLICITED),
    )
    return tap


@mutant
def chokes_on_unknown_options(config: TapConfig) -> VirtualTap:
    def refused(frame: bytes, packet: Ipv6) -> bool:
        body, at = packet.payload, _OPTIONS.get(packet.payload[0], 8)
        return any(body[at::8][:1] == code or code in body[at::8] for code in (b"\xc8", b"\x0e"))

    return ignoring(config, refused)


@mutant
def chokes_on_reserved_bits(config: TapConfig) -> VirtualTap:
    return ignoring(config, lambda frame, packet: frame[_BODY] == 135 and any(packet.payload[4:8]))


@mutant
def takes_macs_out_of_long_options(config: TapConfig) -> VirtualTap:
    def change(frame: bytes) -> bytes:
        packet = Ipv6.parse(frame[HEADER_LEN:])
        if packet.payload[24:26] != b"\x01\x02":
            return frame
        message = replace(
            NeighborMessage.parse(packet.payload), options=((1, packet.payload[26:32]),)
        )
        return said(message, packet.source, packet.destination, frame[6:12], frame[:6])

    return reread(VirtualTap(config), change)


@mutant
def believes_any_mac_of_a_neighbor(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    put(tap._ndp, "_is_usable", lambda mac: True)
    return tap


@mutant
def chokes_on_padding_of_messages(config: TapConfig) -> VirtualTap:
    return ignoring(config, lambda frame, packet: len(frame) > _BODY + len(packet.payload))


@mutant
def wants_groups_in_group_frames(config: TapConfig) -> VirtualTap:
    return ignoring(
        config, lambda frame, packet: is_multicast6(packet.destination) and not frame[0] & 1
    )


@mutant
def answers_at_any_address(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)
    put(tap._ndp, "_is_for_us", lambda destination: True)
    return tap


@mutant
def loses_its_address_to_any_claim(config: TapConfig) -> VirtualTap:
    tap = VirtualTap(config)

    def change(frame: bytes) -> bytes:
        target = frame[_BODY + 8 : _BODY + 24]
        if frame[_BODY] == ndp.ADVERTISEMENT and target in config.our_ip6:
            tap._core.interface6.addresses[target].duplicate = True
        return frame

    return reread(tap, change)
