"""What may happen to a translator, as Hypothesis strategies: honest, odd and hostile. RFC 791."""

from collections.abc import Callable

from hypothesis import strategies as st

from sim.conformance import frames as f
from sim.conformance import frames6 as f6
from sim.conformance.packets import in_snap, mss, segment, tagged, tcp4, tcp6
from sim.conformance.script import (
    GATEWAY,
    GATEWAY_MAC,
    NOBODY,
    NOBODY6,
    OTHER,
    OTHER_MAC,
    OUR_MAC,
    PEER,
    PEER6,
    PEER_MAC,
    US,
    US6,
)
from virtualtap.units import MS, SECOND
from virtualtap.units import US as MICROSECOND
from virtualtap.wire import ipv4, ndp
from virtualtap.wire.address import (
    ANY4,
    ANY6,
    BROADCAST,
    NO_MAC,
    Ip,
    ip,
    multicast_mac4,
    multicast_mac6,
)
from virtualtap.wire.ethernet import ARP, IPV6
from virtualtap.wire.icmp import ECHO_REQUEST, Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.udp import Udp

FAR, FAR6 = ip("192.0.2.9"), ip("2001:db8::9")
GROUP, GROUP6 = ip("224.0.0.251"), ip("ff02::fb")
WIDE_GROUP = ip("239.255.3.4")  # 23 bits of it are in its MAC
ALL = ip("255.255.255.255"), ip("10.0.0.255")

_to4 = st.sampled_from((PEER, PEER, OTHER, NOBODY, FAR, GROUP, WIDE_GROUP, *ALL, US))
_to6 = st.sampled_from((PEER6, PEER6, NOBODY6, FAR6, GROUP6, US6))
_bodies = st.binary(max_size=64) | st.sampled_from((1460, 1480, 2000)).map(bytes)
_fields = st.fixed_dictionaries(
    {},
    optional={
        "ttl": st.integers(0, 255),
        "identification": st.integers(0, 0xFFFF),
        "tos": st.integers(0, 255),
        "options": st.sampled_from((b"\x94\x04\0\0", b"\x01" * 8)),
        "fragment": st.sampled_from((ipv4.DONT_FRAGMENT, 0)),
    },
)


_fields6 = st.fixed_dictionaries(
    {},
    optional={
        "hop_limit": st.integers(0, 255),
        "traffic_class": st.integers(0, 255),
        "flow_label": st.integers(0, 0xFFFFF),
    },
)


def _packet6(source: Ip, to: Ip, body: bytes, fields: dict[str, int]) -> bytes:
    return Ipv6(source, to, f.EXPERIMENT, body, **fields).to_bytes()


def _packet4(source: Ip, to: Ip, body: bytes, fields: dict[str, int]) -> bytes:
    return f.packet(to, source=source, payload=body, **fields)


def _transports(source: Ip, to: Ip) -> tuple[bytes, ...]:
    """UDP, an echo request and a SYN, with right checksums."""
    syn = segment(mss(9000), ends=(source, to))
    datagram = Udp(40000, 7, b"hello").between(source, to)
    if len(to) == 16:
        return tcp6(syn, source, to), Ipv6(source, to, 17, datagram).to_bytes()
    echo = Icmp(ECHO_REQUEST, 0, 1, b"hello").summed()
    inside = ((17, datagram), (1, echo))
    return tcp4(syn, source, to), *(Ipv4(source, to, *each).to_bytes() for each in inside)


@st.composite
def _damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Bytes that were right once: cut, lengthened, or with one byte changed."""
    data = draw(whole)
    at, byte = draw(st.integers(0, len(data) - 1)), draw(st.binary(min_size=1, max_size=1))
    changed = (data[:at], data + bytes(at), data[:at] + byte + data[at + 1 :], data[at:])
    return draw(st.sampled_from(changed))


_ours4 = st.builds(_packet4, st.just(US) | st.just(PEER), _to4, _bodies, _fields)
_ours6 = st.builds(_packet6, st.just(US6), _to6, _bodies, _fields6)
_honest = _ours4 | _ours6 | st.sampled_from((*_transports(US, PEER), *_transports(US6, PEER6)))
packets = (
    _honest
    | _honest.map(lambda data: data + b"behind")
    | _damaged(_honest)
    | st.binary(max_size=60)
)

_macs = st.sampled_from((PEER_MAC, OTHER_MAC, GATEWAY_MAC))
_strange_macs = st.sampled_from((OUR_MAC, BROADCAST, NO_MAC, b"\x01\x00\x5e\0\0\1"))
_who = st.sampled_from(
    (PEER, PEER, PEER, OTHER, OTHER, GATEWAY, NOBODY, US, ANY4, ip("172.31.5.7"))
)
_who6 = st.sampled_from((PEER6, NOBODY6, US6, ANY6, ip("fe80::1")))
_arp = st.builds(
    lambda by, at, asks: f.arp_request(asks, by=by, at=at),
    _who,
    _macs | _strange_macs,
    st.just(US) | _to4,
) | st.builds(lambda of, at: f.arp_reply(of, at=at), _who, _macs | _strange_macs)
_neighbors = (
    st.builds(lambda by, at: f6.ns(by=by, at=at, says=at), _who6, _macs)
    | st.builds(
        lambda flags, of, at: f6.na(flags << 29, of=of, says=at, at=at),
        st.integers(0, 7),
        _who6,
        _macs,
    )
    | st.builds(
        lambda life, says: f6.ra(life, says=says, options=(f6.prefix(),)),
        st.sampled_from((0, 1, 1800)),
        st.none() | _macs,
    )
    | st.builds(f6.redirect)
)
control = _arp | _neighbors
_theirs = (
    st.builds(
        _packet4,
        st.sampled_from((PEER, FAR, OTHER)),
        st.sampled_from((US, US, NOBODY, GROUP, *ALL)),
        _bodies,
        _fields,
    )
    | st.builds(
        _packet6,
        st.sampled_from((PEER6, FAR6)),
        st.sampled_from((US6, US6, NOBODY6, GROUP6)),
        _bodies,
        _fields6,
    )
    | st.sampled_from((*_transports(PEER, US), *_transports(PEER6, US6)))
)
_link_to = st.sampled_from(
    (
        OUR_MAC,
        OUR_MAC,
        OUR_MAC,
        BROADCAST,
        OTHER_MAC,
        NO_MAC,
        multicast_mac4(GROUP),
        multicast_mac6(GROUP6),
    )
)
_dressed: st.SearchStrategy[Callable[[bytes], bytes]] = st.sampled_from(
    (
        bytes,
        bytes,
        f.padded,
        lambda data: data + b"trailer",
        in_snap,
        lambda data: tagged(data, 0, 5),
        lambda data: tagged(data, 7),
        lambda data: tagged(data, 0)[:16],
    )
)
data = st.builds(
    lambda inside, to, source, dress: dress(f.frame(inside, to=to, source=source)),
    _theirs,
    _link_to,
    _macs | _strange_macs,
    _dressed,
)
_right = control | data
_cut = st.integers(0, 40).flatmap(lambda end: _right.map(lambda whole: whole[:end]))
noise = _cut | _damaged(_right) | st.binary(max_size=60)

waits = st.sampled_from((0, 1, MICROSECOND, MS, 500 * MS, SECOND, 10 * SECOND, 301 * SECOND))


def in_pieces(length: int, number: int) -> tuple[bytes, list[bytes]]:
    """A packet for us with so much payload, and its fragments; `number` is its identification."""
    body = bytes(at % 251 for at in range(length))
    whole = f.packet(US, source=PEER, payload=body, identification=number & 0xFFFF)
    return whole, ipv4.fragments(whole, 276)


def answer(question: bytes) -> bytes | None:
    """What an honest neighbor says to a frame that asks for it, by ARP or neighbor solicitation."""
    if question[12:14] == ARP and question[20:22] == b"\0\1":
        return f.arp_reply(question[38:42])
    if question[12:14] == IPV6 and question[54:55] == bytes((ndp.SOLICITATION,)):
        return f6.na(of=question[62:78])
    return None
