"""What an ordinary client's session may bring to a hub, and what happens when it moves."""

from collections.abc import Iterable

from sim.live.bout import STEP, Bout, Say
from sim.live.hub_bouts import ONE, TWO, UNKNOWN, arp, ipv4, ipv6, plain
from virtualtap.units import MS, SECOND
from virtualtap.wire.address import BROADCAST, mac

_BPDU = bytes.fromhex("424203000000008000001122334455000000008000") + bytes(6) + bytes(14)
_NOBODY = "0.0.0.0"  # noqa: S104  # an address in a packet
_DHCP = bytes((0, 68, 0, 67, 1, 8, 0, 0)) + bytes(256)


def station(number: int) -> bytes:
    """A MAC of its own."""
    return mac(f"02:00:5e:20:00:{number:02x}")


def _steps(port: str, frames: Iterable[tuple[str, bytes]]) -> list[Say]:
    return _in_turn((port, text, frame) for text, frame in frames)


def _in_turn(said: Iterable[tuple[str, str, bytes]]) -> list[Say]:
    return [Say(n * STEP, port, frame, text) for n, (port, text, frame) in enumerate(said)]


def _udp(source: str, target: str = "10.0.0.99", payload: bytes = b"") -> bytes:
    data = payload or bytes((0x12, 0x34, 0x12, 0x35, 0, 12, 0, 0)) + b"data"
    return BROADCAST + ONE + b"\x08\0" + ipv4(source, target, data, protocol=17)


def _arps(addresses: Iterable[str], what: str = "ARP from") -> list[tuple[str, bytes]]:
    return [(f"{what} {address}", arp(ONE, address)) for address in addresses]


def macs() -> list[Bout]:
    """Three MACs for each session, a VLAN of one MAC counting as another."""
    six = [(f"MAC {n}", plain(UNKNOWN, station(n))) for n in range(1, 7)]
    again = [(f"{text} again", frame) for text, frame in six]
    tags = [(f"VLAN {n}", plain(UNKNOWN, head=bytes((0x81, 0, 0, n, 0x88, 0xB5)))) for n in (5, 6)]
    more = [(f"VLAN {n}", plain(UNKNOWN, head=bytes((0x81, 0, 0, n, 0x88, 0xB5)))) for n in (7, 8)]
    bpdu = mac("01:80:c2:00:00:00") + ONE + len(_BPDU).to_bytes(2) + _BPDU
    moved = [
        *(("a", f"MAC {n} of session a", plain(UNKNOWN, station(n))) for n in (1, 2, 3)),
        ("b", "MAC 9 of session b", plain(UNKNOWN, station(9))),
        ("a", "a fourth MAC of a, which is b's", plain(UNKNOWN, station(9))),
        ("a", "a fifth MAC of a, which is nobody's", plain(UNKNOWN, station(5))),
        ("b", "b takes MAC 2 of a", plain(UNKNOWN, station(2))),
        ("b", "b takes MAC 9 back", plain(UNKNOWN, station(9))),
        ("a", "a has a place again", plain(UNKNOWN, station(5))),
        ("a", "and no second one", plain(UNKNOWN, station(6))),
        ("C", "to MAC 2, which is b's", plain(station(2), TWO)),
        ("C", "to MAC 3, which is a's", plain(station(3), TWO)),
        ("C", "to MAC 6, which nobody has", plain(station(6), TWO)),
    ]
    return [
        _bout("The MACs of a session", "aB", _steps("a", six + again)),
        _bout(
            "The VLANs and the bridge of a session",
            "aB",
            _steps("a", [("untagged", plain(UNKNOWN)), *tags, *more, ("a BPDU, full", bpdu)]),
        ),
        _bout("A BPDU takes a place", "aB", _steps("a", [("a BPDU", bpdu), *six[:4]])),
        _bout("A full session takes over MACs", "abC", _in_turn(moved)),
    ]


def ips() -> list[Bout]:
    """Four IPv4 addresses for each session; and which addresses do not count."""
    inside = [f"10.0.0.{n}" for n in range(1, 7)]
    full = [
        *_arps(inside),
        *_arps(inside, "again ARP from"),
        ("UDP from 10.0.0.1, known", _udp("10.0.0.1")),
        ("UDP from 10.0.0.5, a fifth", _udp("10.0.0.5")),
        ("UDP from 8.8.8.8", _udp("8.8.8.8")),
        ("an ARP probe", arp(ONE, _NOBODY)),
        ("DHCP from 0.0.0.0", _udp(_NOBODY, "255.255.255.255", _DHCP)),
        ("DHCP from a fifth address", _udp("10.0.0.6", "255.255.255.255", _DHCP)),
        ("UDP from 255.255.255.255", _udp("255.255.255.255")),
        ("no IP at all", plain(UNKNOWN)),
        ("another MAC, a fifth address", arp(TWO, "10.0.0.5")),
        ("the other MAC is known", plain(UNKNOWN, TWO)),
    ]
    public = [f"203.0.113.{n}" for n in range(1, 7)]
    mixed = [*_arps(public), *_arps(inside), *_arps(public[:1], "full, ARP from")]
    six = [f"fe80::{n}" for n in range(1, 8)] + [f"fd00::{n}" for n in range(1, 7)]
    packets = [
        (f"IPv6 from {source}", BROADCAST + ONE + b"\x86\xdd" + ipv6(source, "ff02::1", b"x" * 8))
        for source in [*six, "2001:db8::1"]
    ]
    shared = [
        *(("a", text, frame) for text, frame in _arps(inside[:4])),
        ("b", "session b has 10.0.0.9", arp(TWO, "10.0.0.9")),
        ("a", "a, full, says it has 10.0.0.9", arp(ONE, "10.0.0.9")),
        ("b", "b takes 10.0.0.1", arp(TWO, "10.0.0.1")),
        ("b", "b takes 10.0.0.9 back", arp(TWO, "10.0.0.9")),
        ("a", "a has a place again", arp(ONE, "10.0.0.5")),
        ("a", "and no second one", arp(ONE, "10.0.0.6")),
        ("C", "the bridge takes 10.0.0.2", arp(UNKNOWN, "10.0.0.2")),
        ("a", "a takes it back at once", arp(ONE, "10.0.0.2")),
    ]
    return [
        _bout("The IPv4 addresses of a session", "aB", _steps("a", full)),
        _bout("Public addresses first", "aB", _steps("a", mixed)),
        _bout("The IPv6 addresses of a session", "aB", _steps("a", packets)),
        _bout("A full session takes over addresses", "abC", _in_turn(shared)),
        _bout("Addresses expire", "abC", _expiry()),
    ]


def _expiry() -> list[Say]:
    four = [Say(n * STEP, "a", arp(ONE, f"10.0.0.{n}"), f"address {n}") for n in (1, 2, 3, 4)]
    later = [
        (58_000, "a", ONE, 5, "a fifth after 58 s"),
        (63_000, "a", ONE, 5, "a fifth after 63 s: expired ones still count"),
        (64_000, "b", TWO, 9, "another session's new address: expired ones go"),
        (65_000, "a", ONE, 5, "a fifth now"),
        (65_100, "a", ONE, 6, "a sixth"),
        (65_200, "a", ONE, 7, "a seventh"),
        (65_300, "a", ONE, 8, "an eighth"),
        (65_400, "a", ONE, 10, "a ninth, one too many"),
    ]
    return four + [
        Say(at * MS, port, arp(source, f"10.0.0.{last}"), text)
        for at, port, source, last, text in later
    ]


def moves() -> list[Bout]:
    """A MAC that is heard behind another session: at once for clients, after 13 s for bridges."""
    flaps = [
        Say(n * STEP, "ab"[n % 2], plain(UNKNOWN), f"session {'ab'[n % 2]} has it")
        for n in range(6)
    ]
    flaps.append(Say(6 * STEP, "C", plain(ONE, TWO), "to it: where it was last"))
    return [
        _bout("A MAC moves between sessions", "abC", flaps),
        _bout("A MAC moves from a session to a bridge", "aBc", _lock("a", "B", "c")),
        _bout("A MAC moves from a bridge to a bridge", "ABc", _lock("A", "B", "c")),
        _bout(
            "A MAC moves from a bridge to a session",
            "AbC",
            [
                Say(0, "A", plain(UNKNOWN), "the bridge has it"),
                Say(STEP, "b", plain(UNKNOWN), "the session takes it at once"),
                Say(2 * STEP, "C", plain(ONE, TWO), "to it: the session's"),
                Say(3 * STEP, "A", plain(UNKNOWN), "the bridge is locked out"),
            ],
        ),
    ]


def _lock(first: str, second: str, witness: str) -> list[Say]:
    tries = (500, 3_000, 6_000, 9_000, 12_000, 12_700, 12_900, 13_200, 13_400)
    return [
        Say(0, first, plain(UNKNOWN), f"{first} has it"),
        *(
            Say(at * MS, second, plain(UNKNOWN), f"{second} says so {at / 1000:g} s later")
            for at in tries
        ),
        Say(14 * SECOND, witness, plain(ONE, TWO), "to it: where it is now"),
        Say(14 * SECOND + STEP, first, plain(UNKNOWN), f"{first} again"),
    ]


def bursts() -> list[Bout]:
    """More than a session's loop moves in one turn: nothing is lost, nothing passes another."""

    def numbered(count: int) -> list[bytes]:
        return [plain(TWO, length=60, head=b"\x88\xb5" + n.to_bytes(2)) for n in range(count)]

    def script(first: str, second: str, count: int) -> list[Say]:
        frames = numbered(count)
        return [
            Say(0, second, plain(UNKNOWN, TWO), "who the other is"),
            Say(STEP, first, frames[0], f"{count} frames at once"),
            *(Say(STEP + n, first, frame) for n, frame in enumerate(frames[1:], 1)),
            Say(STEP + 2 * SECOND, first, plain(UNKNOWN), "one more, later"),
        ]

    return [
        _bout("A burst from a session to a bridge", "aB", script("a", "B", 200)),
        _bout("A burst from a bridge to a session", "Ab", script("A", "b", 500)),
        _bout("A burst from a session to a session", "ab", script("a", "b", 300)),
    ]


def _bout(title: str, ports: str, script: list[Say]) -> Bout:
    return Bout(title=title, ports=ports, script=script)
