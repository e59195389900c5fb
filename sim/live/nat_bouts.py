"""SecureNAT as a host of its hub: its DHCP, its ARP, its ICMP. Virtual.c."""

from sim.live.bout import STEP, Bout, Say, without_polls
from sim.live.limit_bouts import station
from virtualtap.units import MS, SECOND, Instant
from virtualtap.wire import arp as arp_wire
from virtualtap.wire import dhcp, icmp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, NO_MAC, Ip, Mac, ip
from virtualtap.wire.arp import Arp
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import ARP, IPV4
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import ICMP, TCP, UDP, Ipv4
from virtualtap.wire.udp import Udp

NAT = ip("192.168.30.1")
ANYBODY: Mac = b"\xff\xff\xff\xff\xff\xfe"  # stands for SecureNAT's MAC until that is known
FAR = ip("198.51.100.9")
# Younger, 5.01 asks for a host once and not again. It seems to take 100 s off the time since its
# start, as an unsigned number; this is inferred from what it does, before and after.
_OLD = 100 * SECOND
_YOUNG = "in the first 95 s after its start 5.01 gives up at once (inferred: an unsigned underflow)"


def at(last: int) -> Ip:
    """An address of SecureNAT's subnet."""
    return ip(f"192.168.30.{last}")


def compared(frame: bytes) -> bytes | None:
    """Without what is the product's own counter, and no beacon."""
    if is_beacon(frame):
        return None
    if frame[12:14] == IPV4:
        frame = frame[:18] + b"\0\0" + frame[20:24] + b"\0\0" + frame[26:]
    return without_polls(frame)


def is_beacon(frame: bytes) -> bool:
    """Whether it is what SecureNAT says to all every 5 seconds."""
    if frame[12:14] == ARP:
        return frame[:6] == BROADCAST and frame[20:22] == b"\0\x02" and frame[32:38] == BROADCAST
    return frame[12:14] == IPV4 and frame[23] == UDP and frame[34:38] == b"\0\x07\0\x07"


def bouts() -> list[Bout]:
    """One hub with SecureNAT and one local bridge for each."""
    scripts = {
        "SecureNAT's DHCP": _dhcp(),
        "SecureNAT's ARP": _arp(),
        "SecureNAT looks for a host": _asks(),
        "SecureNAT remembers a host": _remembers(),
        "SecureNAT's ICMP": _icmp(),
    }
    return [
        Bout(
            title=title,
            ports="A",
            script=script,
            nat=True,
            plain=compared,
            causes={"a server of a few seconds": _YOUNG},
            by_time=True,
        )
        for title, script in scripts.items()
    ]


def request(
    host: int, kind: int, *, source: Ip = ANY4, to: Mac = BROADCAST, **more: object
) -> bytes:
    """A DHCP message of host 1, 2, …; `wants`, `server`, `name`, `client` are its options."""
    options: list[tuple[int, bytes]] = [(dhcp.KIND, bytes((kind,)))]
    names = {
        "wants": dhcp.REQUESTED_IP,
        "server": dhcp.SERVER_ID,
        "name": dhcp.HOST_NAME,
        "client": dhcp.CLIENT_ID,
    }
    fields = {}
    for name, value in more.items():
        if name in names:
            assert isinstance(value, bytes)
            options.append((names[name], value))
        else:
            fields[name] = value
    options.append((dhcp.PARAMETERS, bytes((1, 3, 6))))
    message = Dhcp(dhcp.TO_SERVER, 0x10000 + host, station(host), tuple(options), **fields)  # type: ignore[arg-type]  # of Dhcp
    target = LIMITED_BROADCAST if to == BROADCAST else NAT
    body = Udp(68, 67, message.to_bytes()).between(source, target)
    return to + station(host) + IPV4 + Ipv4(source, target, UDP, body).to_bytes()


def answer(host: int, address: Ip) -> bytes:
    """Host so-and-so says to SecureNAT, by broadcast, that it has the address."""
    message = Arp(arp_wire.REPLY, station(host), address, NO_MAC, NAT)
    return BROADCAST + station(host) + ARP + message.to_bytes()


def _dhcp() -> list[Say]:
    discover, ask, inform = dhcp.DISCOVER, dhcp.REQUEST, dhcp.INFORM
    other = ip("192.168.30.99")
    said = [
        ("DISCOVER", request(1, discover)),
        ("REQUEST of what was offered", request(1, ask, wants=at(10), server=NAT)),
        ("DISCOVER of a second host", request(2, discover)),
        ("its REQUEST", request(2, ask, wants=at(11), server=NAT)),
        ("renewal, its MAC not known", request(1, ask, source=at(10), client_ip=at(10))),
        ("it answers ARP", answer(1, at(10))),
        ("renewal, its MAC known", request(1, ask, source=at(10), client_ip=at(10))),
        ("a wish out of the range", request(3, ask, wants=at(250))),
        ("a wish of another subnet", request(3, ask, wants=ip("10.9.9.9"))),
        ("a wish that another has", request(3, ask, wants=at(10))),
        ("a wish that is free, without an offer", request(3, ask, wants=at(50))),
        ("another server, a free address", request(4, ask, wants=at(60), server=other)),
        ("another server, another subnet", request(4, ask, wants=ip("10.9.9.9"), server=other)),
        ("DISCOVER with a wish", request(5, discover, wants=at(90))),
        ("DISCOVER of another with that wish", request(6, discover, wants=at(90))),
        ("another client identifier", request(1, discover, client=b"\x01other!")),
        ("a host called securenat-x", request(7, discover, name=b"securenat-x")),
        ("the broadcast flag", request(8, discover, flags=dhcp.BROADCAST_FLAG)),
        ("a relay's address", request(8, discover, relay_ip=ip("10.1.1.1"))),
        ("INFORM", request(1, inform, source=at(10), client_ip=at(10))),
        ("REQUEST without any address", request(9, ask)),
        ("RELEASE", request(1, dhcp.RELEASE, source=at(10), client_ip=at(10), server=NAT)),
        ("what was released is not free", request(10, discover, wants=at(10))),
        ("DECLINE", request(3, dhcp.DECLINE, wants=at(50), server=NAT)),
        ("what was declined is offered", request(3, discover)),
        ("a message of 43 bytes", _short(43)),
    ]
    script = [Say(n * STEP, "A", frame, text) for n, (text, frame) in enumerate(said)]
    late = script[-1].at + 6 * SECOND
    return [*script, Say(late, "A", request(6, discover, wants=at(90)), "6 s later it is free")]


def _short(length: int) -> bytes:
    body = Udp(68, 67, bytes((1, 1, 6)).ljust(length, b"\0")).between(ANY4, LIMITED_BROADCAST)
    return BROADCAST + station(1) + IPV4 + Ipv4(ANY4, LIMITED_BROADCAST, UDP, body).to_bytes()


def _question(sender: Ip, target: Ip, *, source: Mac | None = None, to: Mac = BROADCAST) -> bytes:
    message = Arp(arp_wire.REQUEST, station(1), sender, NO_MAC, target).to_bytes()
    return to + (source or station(1)) + ARP + message


def _arp() -> list[Say]:
    said = [
        ("who has the host", _question(at(20), NAT)),
        ("a probe", _question(ANY4, NAT)),
        ("a sender of another subnet", _question(ip("10.0.0.1"), NAT)),
        ("a sender that is not the source", _question(at(20), NAT, source=station(2))),
        ("another target", _question(at(20), at(21))),
        ("a target outside", _question(at(20), FAR)),
        ("padded", _question(at(20), NAT).ljust(60, b"\0")),
        ("a reply", answer(1, at(20))),
        ("an announcement", _question(at(20), at(20))),
        ("an announcement of its own address", _question(NAT, NAT)),
    ]
    return [Say(n * STEP, "A", frame, text) for n, (text, frame) in enumerate(said)]


def _inform(host: int, last: int) -> bytes:
    """What makes SecureNAT answer to an address whose MAC it does not know."""
    return request(host, dhcp.INFORM, source=at(last), client_ip=at(last))


def _asks() -> list[Say]:
    def trial(begin: Instant, host: int, answers_after: int) -> list[Say]:
        return [
            Say(begin, "A", _inform(host, 70 + host), f"host {host} waits for an answer"),
            Say(
                begin + answers_after * MS,
                "A",
                answer(host, at(70 + host)),
                f"host {host} answers ARP after {answers_after / 1000:g} s",
            ),
        ]

    windows = ((500, "0.5 to 1.5"), (1500, "1.5 to 2.5"), (2500, "2.5 to 3.5"), (3500, "3.5 to 5"))
    old = _OLD
    script = [
        Say(0, "A", _inform(9, 79), "a server of a few seconds, a silent host"),
        Say(6 * SECOND, "A", b"", "and afterwards"),
        Say(old, "A", _inform(1, 71), "a silent host: in the first half second"),
    ]
    script += [Say(old + ms * MS, "A", b"", f"from {text} s") for ms, text in windows]
    script += [Say(old + 5 * SECOND, "A", b"", "from 5 to 8 s: it gave up")]
    script += trial(old + 8 * SECOND, 2, 1_500)
    script += trial(old + 11 * SECOND, 3, 4_500)
    script += trial(old + 17 * SECOND, 4, 6_000)
    return script


def _remembers() -> list[Say]:
    script = [Say(0, "A", answer(1, at(20)), "a host says who it is")]
    return script + [
        Say(when * MS, "A", _inform(1, 20), f"an answer to it after {when / 1000:g} s")
        for when in (10_000, 20_000, 27_000, 29_000, 32_000)
    ]


def _icmp() -> list[Say]:
    def ping(to: Ip, *, length: int = 32, ttl: int = 64, options: bytes = b"") -> Ipv4:
        body = Icmp(icmp.ECHO_REQUEST, 0, 0x70001, b"x" * length).summed()
        return Ipv4(at(20), to, ICMP, body, ttl=ttl, options=options)

    wrong = ping(NAT)
    wrong.payload = wrong.payload[:2] + b"\xba\xad" + wrong.payload[4:]
    syn = bytes.fromhex("303900500000000100000000500220000000 0000")
    said = [
        ("who we are", BROADCAST, answer(1, at(20))[14:], ARP),
        ("ping", ANYBODY, ping(NAT).to_bytes(), IPV4),
        ("ping, TTL 1", ANYBODY, ping(NAT, ttl=1).to_bytes(), IPV4),
        ("ping of 1,500 bytes", ANYBODY, ping(NAT, length=1472).to_bytes(), IPV4),
        ("ping, a wrong checksum", ANYBODY, wrong.to_bytes(), IPV4),
        ("ping to everybody's MAC", BROADCAST, ping(NAT).to_bytes(), IPV4),
        ("ping to the subnet's broadcast", BROADCAST, ping(at(255)).to_bytes(), IPV4),
        ("ping of another on the subnet", ANYBODY, ping(at(21)).to_bytes(), IPV4),
        ("ping outside, TTL 1", ANYBODY, ping(FAR, ttl=1).to_bytes(), IPV4),
        ("ping with IP options", ANYBODY, ping(NAT, options=b"\x01" * 4).to_bytes(), IPV4),
        ("UDP to a port", ANYBODY, _udp(5001), IPV4),
        ("TCP's SYN to a port", ANYBODY, Ipv4(at(20), NAT, TCP, syn).to_bytes(), IPV4),
    ]
    return [
        Say(n * 2 * STEP, "A", to + station(1) + kind + packet, text)
        for n, (text, to, packet, kind) in enumerate(said)
    ]


def _udp(port: int) -> bytes:
    return Ipv4(at(20), NAT, UDP, Udp(4000, port, b"hello").between(at(20), NAT)).to_bytes()
