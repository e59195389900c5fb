"""The DNS server that the cases play, and the host that asks it: RFC 1035 4."""

from dataclasses import replace
from typing import Any

from sim.conformance.frames import arp_request, frame, solicitation
from sim.conformance.script import PEER, PEER6, US, US6, Script
from virtualtap.units import Instant
from virtualtap.wire import dns, udp
from virtualtap.wire.address import Ip, ip
from virtualtap.wire.dns import Dns, Question, Record
from virtualtap.wire.ethernet import HEADER_LEN
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.udp import Udp

SERVER, SERVER6, PORT = PEER, PEER6, 40000
RD, RA = dns.RECURSION_DESIRED, dns.RECURSION_AVAILABLE
ADDRESS = ip("192.0.2.7")
DAY = 86_400


def start(tap: Script, **changes: Any) -> Script:
    """A tap with a cache, which knows where the server is."""
    tap.start(**{"dns_cache": True, **changes})
    return at(tap, 0)


def at(tap: Script, instant: Instant) -> Script:
    """Let time pass; the server says again where it is."""
    tap.at(instant).lan(arp_request(by=SERVER)).lan(solicitation(by=SERVER6))
    return tap.forget()


def asking(of: str = "www.example", kind: int = dns.A, **fields: Any) -> Dns:
    """One question, and nothing beside it."""
    return Dns(**{"id": 7, "flags": RD, "questions": (Question(dns.name(of), kind),), **fields})


def query(message: Dns | None = None, *, port: int = PORT, to: Ip = SERVER) -> bytes:
    """The packet in which the host asks."""
    body = (message or asking()).to_bytes()
    return packet(US if len(to) == 4 else US6, to, port, dns.PORT, body)


def record(about: str = "www.example", ttl: int = 300, **fields: Any) -> Record:
    """An address of that name."""
    return replace(Record(dns.name(about), dns.A, dns.INTERNET, ttl, ADDRESS), **fields)


def soa(ttl: int = 300, minimum: int = 300) -> Record:
    """Who is responsible for names of `example`, and how long a denial holds."""
    numbers = b"".join(number.to_bytes(4) for number in (1, 2, 3, 4, minimum))
    return Record(dns.name("example"), dns.SOA, dns.INTERNET, ttl, b"\0\0" + numbers)


def answer(to: Dns, *answers: Record, code: int = 0, **fields: Any) -> Dns:
    """What a recursive server says; without records, the address for five minutes."""
    flags = dns.IS_ANSWER | RA | to.flags & RD | code
    if not answers and not code and "authorities" not in fields:
        answers = (record(),)
    said = Dns(to.id, flags, to.questions, answers)
    return replace(said, **fields)


def reply(message: Dns | bytes, *, to: Ip = US, by: Ip | None = None, port: int = PORT) -> bytes:
    """The packet in which the server answers."""
    body = message if isinstance(message, bytes) else message.to_bytes()
    source = by or (SERVER if len(to) == 4 else SERVER6)
    return packet(source, to, dns.PORT, port, body)


def packet(source: Ip, to: Ip, source_port: int, port: int, body: bytes) -> bytes:
    """A datagram in its packet, of the family of its addresses."""
    datagram = Udp(source_port, port, body).between(source, to)
    made = Ipv4 if len(to) == 4 else Ipv6
    return made(source, to, udp.PROTOCOL, datagram).to_bytes()


def passes(tap: Script, asked: bytes) -> None:
    """The question leaves, as it is; by which MAC is another family's."""
    sent = tap.host(asked).expect_host().frames()
    assert [each[HEADER_LEN:] for each in sent] == [asked], f"the question left {len(sent)} times"


def told(tap: Script, said: bytes) -> Script:
    """The answer comes to the host, as it is."""
    return tap.lan(frame(said)).expect_host(said)


def learned(tap: Script, *answers: Record, code: int = 0, **fields: Any) -> Dns:
    """The host asks for www.example, and is answered so."""
    said = answer(asking(), *answers, code=code, **fields)
    passes(tap, query())
    told(tap, reply(said))
    return said


def answered(tap: Script, asked: bytes | None = None) -> bytes:
    """The packet that answers a question which does not leave."""
    tap.host(query() if asked is None else asked).expect()
    packets = tap.packets()
    assert len(packets) == 1, f"expected one answer to the host, saw {len(packets)} packets"
    return packets[0]


def read(said: bytes) -> Dns:
    """The message in a packet of either family."""
    inside = Ipv6.parse(said) if said[0] >> 4 == 6 else Ipv4.parse(said)
    return Dns.parse(Udp.parse(inside.payload).payload)
