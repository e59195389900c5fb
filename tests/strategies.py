"""Hypothesis strategies: one for each wire type, and for the frames and packets made of them."""

from hypothesis import strategies as st

from tests import builders as b
from virtualtap.wire import arp as arp_wire
from virtualtap.wire import ndp as ndp_wire
from virtualtap.wire.address import BROADCAST, NO_MAC, Route, network_mask
from virtualtap.wire.arp import Arp
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.dns import Dns, Question
from virtualtap.wire.dns import Record as DnsRecord
from virtualtap.wire.ethernet import ARP, IPV4, IPV6, VLAN, Ethernet
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.igmp import Igmp, IgmpQuery, IgmpReport, Record
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.mld import Mld, MldQuery, MldReport
from virtualtap.wire.ndp import (
    NeighborMessage,
    Prefix,
    Redirect,
    RouterAdvertisement,
    RouterSolicitation,
)
from virtualtap.wire.udp import Udp

BYTE, WORD, LONG = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)


def exactly(length: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=length, max_size=length)


# addresses: mostly those of the small LAN, so that things meet
macs = st.sampled_from((b.OUR_MAC, b.PEER_MAC, b.GATEWAY_MAC, BROADCAST, NO_MAC)) | exactly(6)
ip4s = st.sampled_from(
    (b.OUR_IP, b.PEER, b.GATEWAY, b.FAR, b.HUB_POLL, bytes(4), b"\xff" * 4)
) | exactly(4)
ip6s = st.sampled_from((b.OUR_IP6, b.PEER6, b.GATEWAY6, b.FAR6, bytes(16))) | exactly(16)
payloads = st.binary(max_size=64)

arps = st.builds(
    Arp, st.sampled_from((arp_wire.REQUEST, arp_wire.REPLY)) | WORD, macs, ip4s, macs, ip4s
)
ethernets = st.builds(
    Ethernet, macs, macs, st.sampled_from((IPV4, ARP, IPV6, VLAN)) | exactly(2), payloads
)
icmps = st.builds(Icmp, BYTE, BYTE, LONG, payloads, WORD)

_some4, _some6 = (st.lists(each, max_size=3).map(tuple) for each in (ip4s, ip6s))
_auxiliary = st.integers(0, 2).flatmap(lambda words: exactly(4 * words))
igmps = st.builds(Igmp, st.sampled_from((0x11, 0x12, 0x16, 0x17)) | BYTE, ip4s, BYTE, WORD)
igmp_queries = st.builds(IgmpQuery, ip4s, _some4, BYTE, BYTE, BYTE, WORD)
igmp_reports = st.builds(
    IgmpReport,
    st.lists(st.builds(Record, BYTE, ip4s, _some4, _auxiliary), max_size=3).map(tuple),
    *(WORD, WORD),
)
mlds = st.builds(Mld, st.sampled_from((130, 131, 132)) | BYTE, ip6s, WORD, BYTE, WORD, WORD)
mld_queries = st.builds(MldQuery, ip6s, _some6, WORD, BYTE, BYTE, WORD)
mld_reports = st.builds(
    MldReport,
    st.lists(st.builds(Record, BYTE, ip6s, _some6, _auxiliary), max_size=3).map(tuple),
    *(WORD, WORD),
)

dhcp_options = st.dictionaries(
    st.sampled_from((1, 3, 50, 51, 53, 54, 58, 59, 121))
    | st.integers(1, 254).filter(lambda code: code != 52),
    exactly(4) | payloads | st.binary(max_size=600),
    max_size=6,
).map(lambda options: tuple(options.items()))
_names = st.binary(max_size=64).map(lambda name: name.rstrip(b"\0"))
dhcps = st.builds(
    Dhcp,
    st.integers(1, 2) | BYTE,
    LONG,
    macs,
    dhcp_options,
    *(WORD, WORD, ip4s, ip4s, ip4s, ip4s, BYTE, _names, _names),
)
_labels = st.binary(min_size=1, max_size=63)
dns_names = st.lists(_labels, max_size=3).map(
    lambda labels: b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
)
_questions = st.builds(Question, dns_names, st.sampled_from((1, 5, 28)) | WORD, st.just(1) | WORD)
_records = st.lists(
    st.builds(
        DnsRecord,
        dns_names,
        st.sampled_from((1, 5, 6, 41)) | WORD,
        st.just(1) | WORD,
        LONG,
        payloads,
    ),
    max_size=3,
).map(tuple)
dnses = st.builds(
    Dns,
    WORD,
    st.sampled_from((0x0100, 0x8180, 0x8183)) | WORD,
    st.lists(_questions, max_size=2).map(tuple),
    *(_records, _records, _records),
)
routes = st.lists(
    st.builds(
        lambda number, length, router: Route(
            (number & network_mask(length)).to_bytes(4), length, router
        ),
        LONG,
        st.integers(0, 32),
        ip4s,
    ),
    min_size=1,
    max_size=5,
).map(tuple)
udps = st.builds(Udp, WORD, WORD, payloads, WORD)
ipv4s = st.builds(
    Ipv4,
    ip4s,
    ip4s,
    BYTE,
    payloads,
    ttl=BYTE,
    identification=WORD,
    fragment=WORD,
    tos=BYTE,
    options=st.integers(0, 10).flatmap(lambda words: exactly(4 * words)),
)
_tcp_options = st.lists(
    st.sampled_from((b"\1", b"\2\4\5\xb4", b"\2\4\2\0", b"\3\3\7", b"\0", b"\4\2")) | exactly(2),
    max_size=8,
).map(lambda options: b"".join(options)[:40])
tcps = st.builds(
    lambda head, options, flags, payload: (
        head[:12]
        + bytes(((20 + len(options) + 3) // 4 << 4, flags))
        + head[14:]
        + options
        + bytes(-len(options) % 4)
        + payload
    ),
    exactly(20),
    _tcp_options,
    st.just(2) | BYTE,
    payloads,
)
ipv6s = st.builds(
    Ipv6,
    ip6s,
    ip6s,
    BYTE,
    payloads,
    hop_limit=BYTE,
    traffic_class=BYTE,
    flow_label=st.integers(0, 0xFFFFF),
)
ndp_options = st.lists(
    st.tuples(st.sampled_from((ndp_wire.SOURCE_MAC, ndp_wire.TARGET_MAC)) | BYTE, macs)
    | st.tuples(BYTE, exactly(14)),
    max_size=3,
).map(tuple)
neighbor_messages = st.builds(
    NeighborMessage,
    st.sampled_from((ndp_wire.SOLICITATION, ndp_wire.ADVERTISEMENT)),
    LONG,
    ip6s,
    ndp_options,
    st.just(0) | BYTE,
    WORD,
)

prefixes = st.builds(
    Prefix, ip6s, st.just(64) | st.integers(0, 128), st.just(0xC0) | BYTE, LONG, LONG, LONG
)
router_options = ndp_options | st.lists(
    prefixes.map(lambda prefix: (ndp_wire.PREFIX, prefix.to_bytes()))
    | LONG.map(lambda mtu: (ndp_wire.MTU, mtu.to_bytes(6))),
    max_size=3,
).map(tuple)
router_solicitations = st.builds(RouterSolicitation, ndp_options, st.just(0) | BYTE, LONG, WORD)
router_advertisements = st.builds(
    RouterAdvertisement,
    WORD,
    router_options,
    *(BYTE, BYTE, LONG, LONG, st.just(0) | BYTE, WORD),
)
redirects = st.builds(Redirect, ip6s, ip6s, ndp_options, st.just(0) | BYTE, LONG, WORD)


@st.composite
def neighbor_frames(draw: st.DrawFn) -> bytes:
    """Neighbour messages with right checksums; whether they are valid otherwise is luck."""
    source, destination = draw(ip6s), draw(ip6s)
    hop_limit = draw(st.just(255) | BYTE)
    link = (draw(macs), draw(macs))
    messages = neighbor_messages | router_solicitations | router_advertisements | redirects
    return b.icmp6_frame(draw(messages), source, destination, link, hop_limit)


def _framed(ethertype: bytes, messages: st.SearchStrategy) -> st.SearchStrategy[bytes]:
    bodies = messages.map(lambda message: message.to_bytes())
    return st.builds(lambda to, source, body: to + source + ethertype + body, macs, macs, bodies)


packets = (
    ipv4s.map(Ipv4.to_bytes)
    | ipv6s.map(Ipv6.to_bytes)
    | st.builds(b.packet, ip4s, st.just(b.OUR_IP), payloads)
    | st.builds(b.packet6, ip6s, st.just(b.OUR_IP6), payloads)
)
frames = (
    _framed(ARP, arps)
    | _framed(IPV4, ipv4s)
    | _framed(IPV6, ipv6s)
    | neighbor_frames()
    | ethernets.map(Ethernet.to_bytes)
    | st.builds(b.arp_request, macs, ip4s, ip4s)
    | st.builds(b.arp_reply, macs, ip4s, macs, ip4s)
)


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Bytes that were right once: cut, lengthened, or with one byte changed."""
    data = draw(whole)
    at = draw(st.integers(0, max(0, len(data) - 1)))
    return draw(
        st.sampled_from(
            (data[:at], data + bytes(at), data[:at] + draw(exactly(1)) + data[at + 1 :], data[at:])
        )
    )


hostile_frames = st.binary(max_size=120) | damaged(frames)
hostile_packets = st.binary(max_size=80) | damaged(packets)

# one happening on either side: (is it a packet of the host?, bytes, nanoseconds since the last)
gaps = st.sampled_from((0, 1, 10**6, 10**9, 3 * 10**9, 301 * 10**9)) | st.integers(0, 10**12)
happenings = st.tuples(st.just(True), packets | hostile_packets, gaps) | st.tuples(
    st.just(False), frames | hostile_frames, gaps
)
