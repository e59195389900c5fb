"""Defects of the engine: what it asks, answers, believes, holds and cuts."""

from collections.abc import Callable
from typing import Any

from sim.fuzz.defects import plants
from virtualtap.core import Ask, Core
from virtualtap.handlers.arp import ArpHandler
from virtualtap.handlers.claim import ClaimHandler
from virtualtap.handlers.ipv4 import Ipv4Handler
from virtualtap.reachability import Reachability
from virtualtap.stats import DropReason
from virtualtap.units import Duration
from virtualtap.wire import arp, ipv4, ndp
from virtualtap.wire.address import ANY4, BROADCAST, Ip, Mac, solicited_node
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP
from virtualtap.wire.ndp import NeighborMessage

# what is asked, and what waits


@plants(Core, "hold", law="nothing-vanishes", thread="smoltcp-rs/smoltcp#597")
def loses_the_first_packet(
    right: Callable[..., None], core: Core, next_hop: Ip, source: Ip, packet: bytes, ask: Ask
) -> None:
    """The packet for which a MAC is asked is gone when the answer comes."""
    if core.neighbors.knows(next_hop):
        right(core, next_hop, source, packet, ask)
    else:
        core.seek(next_hop, source, ask)


@plants(Ipv4Handler, "_to_neighbor", law="mapped-right", thread="azonenberg/antikernel-ipcores#4")
def broadcasts_the_first_packet(
    right: Callable[..., bytes | None], handler: Ipv4Handler, destination: Ip, packet: bytes
) -> bytes | None:
    """Until the answer comes, what is for one neighbor goes to everyone."""
    core, next_hop = handler._core, handler._next_hop(destination)
    known = next_hop is None or core.neighbors.lookup(next_hop, core.now) is not None
    if known or not core.config.handle_arp_internally:
        return right(handler, destination, packet)
    assert next_hop is not None
    core.seek(next_hop, packet[12:16], handler._ask)
    return handler._to(BROADCAST, packet, known=False)


@plants(Core, "hold", law="asks-patiently", thread="OpenFastPath/ofp#181")
def asks_for_every_packet(
    right: Callable[..., None], core: Core, next_hop: Ip, source: Ip, packet: bytes, ask: Ask
) -> None:
    """Each packet that waits asks again, at once."""
    is_asked = core.neighbors.knows(next_hop)
    right(core, next_hop, source, packet, ask)
    if is_asked:
        ask(next_hop, source)


@plants(Core, "_ask_now", law="nothing-vanishes", thread="smoltcp-rs/smoltcp#319")
def never_asks_again(
    _: Callable[..., None],
    core: Core,
    ip: Ip,
    source: Ip,
    ask: Ask,
    tries: int,
    interval: Duration,
) -> None:
    """A question that nobody answers is the last: what waits for it waits for ever."""
    ask(ip, source)


@plants(Core, "_give_up", law="ledger", thread="zephyrproject-rtos/zephyr#8019")
def forgets_what_waited(_: Callable[..., None], core: Core, ip: Ip) -> None:
    """When nobody answers, what waited is neither sent nor counted as dropped."""
    core.timers.cancel(ip)
    core.neighbors.forget(ip)
    core.failed(ip)


# what is believed and answered


@plants(ArpHandler, "_merge", law="sent-where-told")
def merges_the_target(
    right: Callable[..., None], handler: ArpHandler, message: Arp, *, to_us_alone: bool
) -> None:
    """Whoever is asked for, if known, is taken to be where the question comes from."""
    right(handler, message, to_us_alone=to_us_alone)
    core, ip = handler._core, message.target_ip
    if core.neighbors.knows(ip) and not core.interface.owns(ip):
        core.learn(ip, message.sender_mac)


@plants(Core, "learn", law="poison-heals")
def believes_for_ever(
    right: Callable[..., None], core: Core, ip: Ip, mac: Mac, *, forever: bool = False
) -> None:
    """No entry grows old: what was poisoned once stays so."""
    right(core, ip, mac, forever=True)


@plants(ArpHandler, "_merge", law="claims-its-own", thread="LekKit/RVVM#223")
def answers_every_question(
    right: Callable[..., None], handler: ArpHandler, message: Arp, *, to_us_alone: bool
) -> None:
    """Whoever is asked for, be it by one who looks whether an address is free: it is at our MAC."""
    right(handler, message, to_us_alone=to_us_alone)
    is_ours = handler._core.interface.owns(message.target_ip)
    if message.operation == arp.REQUEST and message.target_ip != message.sender_ip and not is_ours:
        handler._answer(message)


@plants(ArpHandler, "receive", law="asked-is-answered", thread="OpenVPN/tap-windows6#140")
def answers_broadcasts_only(
    right: Callable[..., bytes | None], handler: ArpHandler, frame: bytes
) -> bytes | None:
    """A question sent to our MAC alone is not answered."""
    if frame[:6] != BROADCAST and frame[20:22] == b"\0\1":
        return None
    return right(handler, frame)


@plants(ArpHandler, "_refusal", law="exception", thread="inet-framework/inet")
def raises_on_a_probe(
    right: Callable[..., DropReason | None], handler: ArpHandler, message: Arp
) -> DropReason | None:
    """An ARP message that is no question of somebody's, but a probe or an announcement, raises."""
    if message.sender_ip in (ANY4, message.target_ip):
        raise ValueError("nobody asks, or for nobody else")
    return right(handler, message)


@plants(ClaimHandler, "_send", law="no-foreign-source")
def announces_the_third_host_under_no_mac(
    right: Callable[..., None], claim: ClaimHandler, sender: Ip, asks: Ip
) -> None:
    """The third host behind a tap is claimed under a MAC that is nobody's."""
    core = claim._core
    if asks not in list(core.interface.hosts)[2:3]:
        right(claim, sender, asks)
        return
    mac = core.macs.of(asks)[:5] + b"\x55"
    core.send(BROADCAST + mac + ARP + arp.request(mac, sender, asks))


@plants(Reachability, "say", law="well-formed", thread="containers/podman#23561")
def solicits_itself(
    right: Callable[..., bool],
    states: Reachability,
    message: ndp.Message,
    source: Ip,
    to: Ip,
    mac: Mac | None = None,
) -> bool:
    """A solicitation goes to the neighbor's group, and asks for our own address."""
    if isinstance(message, NeighborMessage) and to == solicited_node(message.target):
        message = NeighborMessage(message.type, message.flags, source, message.options)
    return right(states, message, source, to, mac)


# where packets go, and what becomes of them


@plants(ipv4, "trimmed", law="well-formed", thread="OpenFastPath/ofp#166")
def hands_padding_up(_: Callable[[bytes], bytes], data: bytes) -> bytes:
    """What pads a frame is given to the host behind the packet."""
    return data


@plants(ipv4, "fragments", law="fits-the-mtu", thread="freifunk-gluon/gluon#435")
def cuts_too_late(right: Callable[[bytes, int], list[bytes]], packet: bytes, mtu: int) -> Any:
    """The pieces of a long packet are cut as if their headers needed no room."""
    return right(packet, mtu + ipv4.HEADER_LEN + 4)
