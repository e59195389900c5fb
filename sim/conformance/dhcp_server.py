"""The DHCP server that the cases play: reads what a client asks, and answers right or wrong."""

from dataclasses import dataclass, replace
from typing import Any

from sim.conformance.frames import arp_reply, arp_request
from sim.conformance.script import GATEWAY, GATEWAY_MAC, OUR_MAC, PEER, PEER_MAC, Script
from sim.conformance.verdicts import Unsupported
from virtualtap.units import SECOND, Instant
from virtualtap.wire import dhcp, udp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, Ip, Mac, ip
from virtualtap.wire.dhcp import Dhcp, Options
from virtualtap.wire.ethernet import HEADER_LEN, IPV4
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

SERVER, SERVER_MAC, LEASED = GATEWAY, GATEWAY_MAC, ip("10.0.0.50")
FIRST_BY = 10 * SECOND  # RFC 2131 4.4.1
HOUR = 3600  # what the server grants, in seconds


@dataclass(frozen=True, slots=True)
class Question:
    """One message of the client, layer by layer."""

    at: Instant
    to: Mac
    source: Mac
    packet: Ipv4
    datagram: Udp
    message: Dhcp

    def value(self, code: int) -> bytes | None:
        """What one of its options says."""
        return self.message.value(code)


def start(tap: Script, **changes: Any) -> Script:
    """A tap with nothing but a DHCP client."""
    alone = {"our_ip": None, "gateway_ip": None, "our_ip6": (), "gateway_ip6": None}
    exact = {"dhcp": True, "dhcp_fuzz": 0}  # what is spread by luck has cases of its own
    return tap.start(**{**alone, **exact, **changes})


def question(tap: Script, kind: int) -> Question:
    """The one message that came out, of this kind."""
    frames = tap.frames()
    assert len(frames) == 1, f"expected one DHCP message, saw {len(frames)} frames"
    frame = frames[0]
    assert frame[12:14] == IPV4, f"expected DHCP, saw type {frame[12:14].hex()}"
    packet = Ipv4.parse(frame[HEADER_LEN:])
    datagram = Udp.parse(packet.payload)
    message = Dhcp.parse(datagram.payload)
    assert message.kind == kind, f"expected a message of kind {kind}, saw {message.kind}"
    return Question(tap.now, frame[:6], frame[6:12], packet, datagram, message)


def discover(tap: Script, **changes: Any) -> Question:
    """Start, and wait for the first DISCOVER."""
    start(tap, **changes).until_sent(FIRST_BY)
    return question(tap, dhcp.DISCOVER)


def request(tap: Script, **changes: Any) -> Question:
    """As far as the REQUEST for what was offered."""
    tap.lan(reply(discover(tap, **changes), dhcp.OFFER))
    return question(tap, dhcp.REQUEST)


def bind(tap: Script, options: dict[int, bytes | None] | None = None, **changes: Any) -> Question:
    """As far as a lease: the REQUEST that brought it."""
    asked = request(tap, **changes)
    tap.lan(reply(asked, dhcp.ACK, options)).expect()
    return asked


def reply(
    asked: Question, kind: int, options: dict[int, bytes | None] | None = None, **fields: Any
) -> bytes:
    """The server's answer in a frame; `options` replaces, adds or (None) leaves out."""
    return in_frame(message(asked, kind, options, **fields).to_bytes())


def message(
    asked: Question, kind: int, options: dict[int, bytes | None] | None = None, **fields: Any
) -> Dhcp:
    """The server's answer: an hour of 10.0.0.50/24 with itself as the router."""
    usual: dict[int, bytes | None] = {dhcp.KIND: bytes((kind,)), dhcp.SERVER_ID: SERVER}
    if kind != dhcp.NAK:
        usual |= {dhcp.LEASE_TIME: seconds(HOUR), dhcp.MASK: ip("255.255.255.0")}
        usual |= {dhcp.ROUTER: SERVER}
    said = {**usual, **(options or {})}
    chosen: Options = tuple((code, value) for code, value in said.items() if value is not None)
    your_ip = ANY4 if kind == dhcp.NAK else LEASED
    plain = Dhcp(dhcp.TO_CLIENT, asked.message.xid, OUR_MAC, chosen, your_ip=your_ip)
    return replace(plain, **fields)


def in_frame(
    payload: bytes,
    *,
    to: Mac = BROADCAST,
    mac: Mac = SERVER_MAC,
    source: Ip = SERVER,
    destination: Ip = LIMITED_BROADCAST,
    wrong_by: int = 0,
    checksum: bool = True,
) -> bytes:
    """A datagram from port 67 to port 68; `wrong_by` is added to its checksum."""
    datagram = Udp(dhcp.SERVER_PORT, dhcp.CLIENT_PORT, payload)
    body = datagram.between(source, destination)
    value = (int.from_bytes(body[6:8]) + wrong_by) & 0xFFFF if checksum else 0
    body = body[:6] + value.to_bytes(2) + body[8:]
    return to + mac + IPV4 + Ipv4(source, destination, udp.PROTOCOL, body).to_bytes()


def seconds(count: int) -> bytes:
    """A duration as an option carries it."""
    return count.to_bytes(4)


def owns(tap: Script, address: Ip = LEASED) -> None:
    """The tap is called `address`: it answers for it."""
    tap.lan(arp_request(address, by=PEER, at=PEER_MAC))
    tap.expect(arp_reply(address, at=OUR_MAC, to=PEER_MAC, to_ip=PEER))


def owns_nothing(tap: Script, address: Ip = LEASED) -> None:
    """The tap is not called `address`: it is silent."""
    tap.lan(arp_request(address, by=PEER, at=PEER_MAC)).expect()


def introduce_server(tap: Script) -> None:
    """The server is known by its MAC."""
    tap.lan(arp_request(LEASED, by=SERVER, at=SERVER_MAC))
    tap.expect(arp_reply(LEASED, at=OUR_MAC, to=SERVER_MAC, to_ip=SERVER))


def renewal(tap: Script, t1: Instant) -> Question:
    """Let time pass until `t1`, when the tap asks its server for more."""
    tap.at(t1 - 1).expect()
    introduce_server(tap)
    tap.at(t1)
    return question(tap, dhcp.REQUEST)


def give_back(tap: Script) -> Script:
    """Have no lease any more, and want none."""
    verb = getattr(tap.tap, "release", None)
    if verb is None:
        raise Unsupported("it offers no way to release a lease")
    verb(tap.now)
    return tap.at(tap.now)


def release(tap: Script) -> Question:
    """Give the lease back: the farewell."""
    return question(give_back(tap), dhcp.RELEASE)
