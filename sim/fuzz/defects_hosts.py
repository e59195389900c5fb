"""Defects of endpoints: stations, gateways, hosts."""

from collections.abc import Callable

from sim.fuzz.defects import plants
from sim.nodes import gateway
from sim.nodes.interface import Interface
from virtualtap.wire import arp
from virtualtap.wire.address import BROADCAST, Ip
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4

_LEFT = b"what was in memory before this frame"


@plants(Interface, "_arp", law="claims-its-own", thread="KallistiOS/KallistiOS#200")
def answers_for_the_subnet(
    right: Callable[..., str | None], interface: Interface, frame: bytes
) -> str | None:
    """A station answers for whoever is asked for."""
    why = right(interface, frame)
    message = Arp.parse(frame[HEADER_LEN:])
    if message.operation == arp.REQUEST and message.target_ip != interface.ip:
        answer = arp.reply(interface.mac, message.target_ip, message)
        interface._originate(message.sender_mac + interface.mac + ARP + answer)
    return why


@plants(Interface, "_ask", law="asks-patiently", thread="smoltcp-rs/smoltcp#68")
def asks_twice(right: Callable[..., None], interface: Interface, ip: Ip, tries: int) -> None:
    """A station asks every question twice."""
    right(interface, ip, tries)
    waits = interface._neighbors.knows(ip) and interface._neighbors.mac(ip) is None
    if len(ip) == 4 and waits:
        question = arp.request(interface.mac, interface.ip, ip)
        interface._originate(BROADCAST + interface.mac + ARP + question)


@plants(Interface, "_originate", law="well-formed", thread="CVE-2003-0001")
def pads_with_what_was_there(
    right: Callable[..., None], interface: Interface, frame: bytes
) -> None:
    """Short frames are padded with what stood in memory."""
    right(interface, frame + _LEFT[: max(0, 60 - len(frame))])


@plants(Interface, "_originate", law="taken-once")
def sends_what_waited_twice(right: Callable[..., None], interface: Interface, frame: bytes) -> None:
    """What waited at a station or gateway for an answer is sent twice."""
    right(interface, frame)
    if frame[12:14] == IPV4:
        right(interface, frame)


@plants(gateway, "_one_hop_less", law="well-formed")
def forgets_the_checksum(right: Callable[[bytes], bytes], packet: bytes) -> bytes:
    """A gateway lowers the TTL and leaves the checksum as it was. RFC 1141."""
    changed = right(packet)
    return changed if packet[0] >> 4 == 6 else changed[:10] + packet[10:12] + changed[12:]
