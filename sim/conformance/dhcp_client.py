"""The DHCP client that the cases of the other side play, one of several peers. RFC 2131 4.4."""

from dataclasses import dataclass, replace
from typing import Any

from sim.conformance.cases.gateway import gateway
from sim.conformance.script import PEER_MAC, US, Script
from virtualtap.serving import Serving
from virtualtap.units import SECOND
from virtualtap.wire import dhcp, udp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, Ip, Mac, ip
from virtualtap.wire.dhcp import Dhcp, Options
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

FIRST, LAST = ip("10.0.0.50"), ip("10.0.0.52")
SERVE = Serving(pool=(FIRST, LAST), dns=(ip("10.0.0.53"),))
SERVER = US  # the router's own address where no other is configured
OFFERED_BY = 2 * SECOND  # after a look whether somebody has the address
LAPTOP_MAC, TABLET_MAC, CAMERA_MAC = (b"\x02\x00\x5e\x00\x01" + bytes((n,)) for n in (1, 2, 3))


@dataclass(frozen=True, slots=True)
class Answer:
    """One message of the server, layer by layer."""

    to: Mac
    source: Mac
    packet: Ipv4
    message: Dhcp

    @property
    def ip(self) -> Ip:
        """The address that is lent."""
        return self.message.your_ip


def server(tap: Script, serve: Serving = SERVE, **changes: Any) -> Script:
    """A router that lends three addresses."""
    return gateway(tap, serve, **{"our_ip6": (), **changes}).at(0)


def said(
    kind: int,
    *,
    by: Mac = PEER_MAC,
    options: Options = (),
    source: Ip = ANY4,
    to: Ip = LIMITED_BROADCAST,
    mac: Mac = BROADCAST,
    wrong_by: int = 0,
    **fields: Any,
) -> bytes:
    """What a client says, in its frame; `wrong_by` is added to the checksum of UDP."""
    plain = Dhcp(dhcp.TO_SERVER, 77, by, ((dhcp.KIND, bytes((kind,))), *options))
    message = replace(plain, **{"client_ip": source, **fields})
    body = Udp(dhcp.CLIENT_PORT, dhcp.SERVER_PORT, message.to_bytes()).between(source, to)
    body = body[:6] + ((int.from_bytes(body[6:8]) + wrong_by) & 0xFFFF).to_bytes(2) + body[8:]
    return mac + by + IPV4 + Ipv4(source, to, udp.PROTOCOL, body).to_bytes()


def asks_for(ip: Ip, server: Ip | None = SERVER) -> Options:
    """The options of a request: an address, of one server."""
    of = () if server is None else ((dhcp.SERVER_ID, server),)
    return ((dhcp.REQUESTED_IP, ip), *of)


def answers(tap: Script) -> list[Answer]:
    """What the server said since; ARP is left out."""
    found = []
    for frame in tap.frames():
        if frame[12:14] == ARP:
            continue
        packet = Ipv4.parse(frame[HEADER_LEN:])
        datagram = Udp.parse(packet.payload)
        assert (datagram.source_port, datagram.destination_port) == (67, 68), "expected DHCP"
        message = Dhcp.parse(datagram.payload)
        assert message.operation == dhcp.TO_CLIENT, "expected a reply"
        found.append(Answer(frame[:6], frame[6:12], packet, message))
    return found


def answer(tap: Script, kind: int) -> Answer:
    """The one message that the server said, of this kind."""
    found = answers(tap)
    assert len(found) == 1, f"expected one DHCP message, saw {len(found)}"
    assert found[0].message.kind == kind, f"expected kind {kind}, saw {found[0].message.kind}"
    return found[0]


def offer(tap: Script, *, by: Mac = PEER_MAC, options: Options = (), **fields: Any) -> Answer:
    """A client looks for an address, and gets an offer."""
    tap.lan(said(dhcp.DISCOVER, by=by, options=options, **fields)).at(tap.now + OFFERED_BY)
    return answer(tap, dhcp.OFFER)


def lease(tap: Script, *, by: Mac = PEER_MAC, options: Options = (), **fields: Any) -> Answer:
    """A client looks for an address, takes what is offered, and has it."""
    offered = offer(tap, by=by, options=options, **fields)
    named = tuple(one for one in options if one[0] != dhcp.REQUESTED_IP)
    request = said(dhcp.REQUEST, by=by, options=(*asks_for(offered.ip), *named), **fields)
    return answer(tap.lan(request), dhcp.ACK)


def no_offer(tap: Script, **fields: Any) -> None:
    """A client looks for an address, and nobody answers."""
    tap.lan(said(dhcp.DISCOVER, **fields)).at(tap.now + OFFERED_BY)
    assert not answers(tap), "expected no answer"
