"""The host's own DHCP client, which the cases play behind the tap: RFC 2131 4.4."""

from dataclasses import replace
from typing import Any

from sim.conformance.dhcp_server import LEASED, SERVER, Question, in_frame, message, question
from sim.conformance.frames import frame
from sim.conformance.script import OUR_MAC, Script
from virtualtap.wire import dhcp, udp
from virtualtap.wire.address import ANY4, LIMITED_BROADCAST, Ip, Mac, mac
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

HOST_MAC, XID = mac("0a:11:22:33:44:55"), 0x5EED
WANTED = {dhcp.REQUESTED_IP: LEASED}
REQUESTED = {**WANTED, dhcp.SERVER_ID: SERVER}


def start(tap: Script, **changes: Any) -> Script:
    """A tap that knows nothing, and learns."""
    alone = {"our_ip": None, "gateway_ip": None, "our_ip6": (), "gateway_ip6": None}
    return tap.start(**{**alone, "learn_ip": True, **changes})


def says(
    kind: int,
    options: dict[int, bytes] | None = None,
    *,
    source: Ip = ANY4,
    to: Ip = LIMITED_BROADCAST,
    port: int = dhcp.CLIENT_PORT,
    **fields: Any,
) -> bytes:
    """A packet of the host to a DHCP server; `source` is what it is called already."""
    said = {dhcp.KIND: bytes((kind,)), **(options or {})}
    plain = Dhcp(dhcp.TO_SERVER, XID, HOST_MAC, tuple(said.items()), client_ip=source)
    asked = replace(plain, **fields)
    body = Udp(port, dhcp.SERVER_PORT, asked.to_bytes()).between(source, to)
    return Ipv4(source, to, udp.PROTOCOL, body).to_bytes()


def summed(packet: bytes, value: int) -> bytes:
    """The packet with another UDP checksum."""
    return packet[:26] + value.to_bytes(2) + packet[28:]


def asks(
    tap: Script, kind: int = dhcp.REQUEST, options: dict[int, bytes] | None = None, **changes: Any
) -> Question:
    """The host asks, and its question leaves; a REQUEST for what was offered, if nothing else."""
    if options is None:
        options = REQUESTED if kind == dhcp.REQUEST else {}
    tap.host(says(kind, options, **changes))
    return question(tap, kind)


def answer(
    asked: Question,
    kind: int,
    options: dict[int, bytes | None] | None = None,
    *,
    to: Mac | None = None,
    destination: Ip = LEASED,
    **fields: Any,
) -> bytes:
    """The server's answer in a frame, to where the question says that its client is."""
    fields = {"client_mac": asked.message.client_mac, **fields}
    said = message(asked, kind, options, **fields).to_bytes()
    return in_frame(said, to=to or asked.message.client_mac, destination=destination)


def bound(tap: Script, options: dict[int, bytes | None] | None = None, **changes: Any) -> Question:
    """The host has a lease: the REQUEST that brought it."""
    start(tap, **changes)
    tap.lan(answer(asks(tap, dhcp.DISCOVER), dhcp.OFFER))
    asked = asks(tap)
    tap.lan(answer(asked, dhcp.ACK, options)).expect().forget()
    return asked


def heard(tap: Script) -> Dhcp:
    """What the host hears of its server: the one message, its checksum right or absent."""
    packets = tap.packets()
    assert len(packets) == 1, f"expected one message to the host, saw {len(packets)} packets"
    inside = Ipv4.parse(packets[0])
    datagram = udp.received(inside.source, inside.destination, inside.payload)
    assert datagram is not None, "a wrong checksum"
    return Dhcp.parse(datagram.payload)


def to_host(packet: bytes) -> bytes:
    """A packet for us, in its frame."""
    return frame(packet, to=OUR_MAC)
