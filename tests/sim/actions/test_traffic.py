"""What hosts say: right checksums, no payload twice, and receivers that notice every wrong bit."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.actions.traffic import (
    DatagramStream,
    Ping,
    Sink,
    Timing,
    flow_key,
)
from sim.network import Network
from sim.nodes.host import L3Host
from sim.observers import Kind
from sim.rng import stream
from tests import builders as b
from tests.sim.networks import datagram, echo, two_hosts
from virtualtap.units import MS, SECOND
from virtualtap.wire import checksum
from virtualtap.wire.ipv4 import UDP, Ipv4

dpkt = pytest.importorskip("dpkt")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the ciphers that scapy imports
    pytest.importorskip("scapy")
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import IPv6

MINE, YOURS = b.OUR_IP, b.PEER
HEADERS = {4: 28, 6: 48}  # IP and UDP, or IP and ICMP
FAMILIES = pytest.mark.parametrize("family", [4, 6])


def said(
    timing: Timing, number: int = 0, until: int = 10 * SECOND, seed: int = 0, **choices: object
) -> tuple[list[tuple[int, bytes]], Network]:
    """When `me` said which packets, all of them delivered."""
    network, me, you, watch = two_hosts(seed)
    choices.setdefault("size", 100)
    DatagramStream(network, number, (me, you), timing, **choices).start()
    network.run(until)
    assert (network.drops(), network.ledger()) == ({}, [])
    return [(m.at, m.data) for m in watch.moments if m.kind is Kind.SENT], network


def as_scapy_writes(packet: bytes) -> bytes:
    layer = (IPv6 if packet[0] >> 4 == 6 else IP)(packet)
    for part in layer.iterpayloads():
        for name in ("chksum", "cksum"):
            part.fields.pop(name, None)
    return bytes(layer)


def as_dpkt_writes(packet: bytes) -> bytes:
    parsed = (dpkt.ip6.IP6 if packet[0] >> 4 == 6 else dpkt.ip.IP)(packet)
    if packet[0] >> 4 == 4:
        parsed.sum = 0
    parsed.data.sum = 0
    written = bytes(parsed)
    if packet[0] >> 4 == 6 and written[46:48] == b"\0\0":  # dpkt forgets RFC 8200 8.1 there
        return written[:46] + b"\xff\xff" + written[48:]
    return written


# datagrams

EVERY = Timing(1 * MS, 0, 40 * MS)


@FAMILIES
@given(
    number=st.integers(0, 2**32 - 1),
    size=st.integers(16, 1400),
    start=st.integers(0, 2**40),
    port=st.integers(1, 65_535),
)
def test_scapy_and_dpkt_agree_with_the_checksums_of_every_datagram(
    family: int, number: int, size: int, start: int, port: int
):
    timing = Timing(1 * MS, start, start + 6 * MS)
    sent, network = said(timing, number, 2**41, size=size, family=family, port=port)
    assert (len(sent), network.tally.delivered) == (6, 6)
    for _, packet in sent:
        assert len(packet) == HEADERS[family] + size
        assert as_scapy_writes(packet) == packet == as_dpkt_writes(packet)


@FAMILIES
def test_no_udp_checksum_is_ever_zero(family: int):
    network, me, you, _ = two_hosts()
    talk = DatagramStream(network, 5, (me, you), EVERY, size=16, family=family)
    at = HEADERS[family] - 2
    found = {talk._make(sequence, 7)[at : at + 2] for sequence in range(70_000)}
    assert b"\0\0" not in found
    assert len(found) == 0xFFFF  # every other one occurs, 0xFFFF in the place of 0 too


@FAMILIES
def test_no_payload_is_said_twice(family: int):
    network, me, you, watch = two_hosts()
    for number in range(4):
        ends = (me, you) if number % 2 else (you, me)
        timing = Timing(1 * MS, number % 2, 50 * MS, 3)
        DatagramStream(network, number, ends, timing, size=16, family=family).start()
    network.run(1 * SECOND)
    payloads = [packet[HEADERS[family] :] for packet in watch.of(Kind.SENT)]
    assert len(set(payloads)) == len(payloads) == 4 * 50 * 3


def test_identifications_count_up_and_wrap():
    sent, _ = said(EVERY)
    numbers = [int.from_bytes(packet[4:6]) for _, packet in sent]
    assert numbers == list(range(numbers[0], numbers[0] + 40))


def test_a_payload_says_flow_number_and_time():
    sent, _ = said(Timing(3 * MS, 5 * MS, 12 * MS), number=77)
    stamps = [(packet[28:32], packet[32:36], packet[36:44]) for _, packet in sent]
    assert stamps == [
        ((77).to_bytes(4), i.to_bytes(4), (5 * MS + i * 3 * MS).to_bytes(8)) for i in range(3)
    ]


def test_a_stream_speaks_from_start_until_before_stop():
    sent, network = said(Timing(10 * MS, 5 * MS, 35 * MS))
    assert [at for at, _ in sent] == [5 * MS, 15 * MS, 25 * MS]
    tally = network.tally
    assert (tally.offered, tally.offered_bytes) == (3, 300)
    assert (tally.delivered, tally.delivered_bytes) == (3, 300)


def test_a_burst_is_said_at_once_each_time():
    sent, _ = said(Timing(10 * MS, 0, 20 * MS, 5))
    assert [at for at, _ in sent] == [0] * 5 + [10 * MS] * 5


def test_gaps_of_a_poisson_process_are_those_of_its_luck():
    sent, _ = said(Timing(1 * MS, 0, 100 * MS), luck=stream(3, "traffic/0"))
    times = [at for at, _ in sent]
    luck, expected = stream(3, "traffic/0"), [0]
    while (following := expected[-1] + luck.exponential_ns(1 * MS)) < 100 * MS:
        expected.append(following)
    assert times == expected
    assert 70 < len(times) < 130


@pytest.mark.parametrize(
    ("choices", "kind"),
    [({}, "stream"), ({"luck": stream(0, "x")}, "poisson"), ({"burst": 2}, "burst")],
)
def test_a_flow_says_what_it_is(choices: dict[str, object], kind: str):
    network, me, you, watch = two_hosts()
    timing = Timing(1 * MS, 0, 5 * MS, choices.pop("burst", 1))
    talk = DatagramStream(network, 3, (me, you), timing, size=50, **choices)
    talk.start()
    network.run(1)
    flow = talk.flow
    assert (flow.name, flow.kind, flow.source, flow.destination) == ("3", kind, "me", "you")
    assert flow.match == (flow_key(watch.of(Kind.SENT)[0]),)


# receivers


def a_receiver(family: int, before: int, size: int = 40) -> tuple[Network, L3Host, bytes]:
    """`you`, after so many datagrams of the flow, and the next one."""
    network, me, you, _ = two_hosts()
    network.observers.clear()
    talk = DatagramStream(network, 9, (me, you), EVERY, size=size, family=family)
    for sequence in range(before):
        you.stack.receive(talk._make(sequence, sequence))
    return network, you, talk._make(before, 12345)


def takes(network: Network, you: L3Host, packet: bytes) -> bool:
    before, refused = network.tally.delivered, sum(you.fates.dropped.values())
    you.stack.receive(packet)
    delivered = network.tally.delivered - before
    assert delivered + sum(you.fates.dropped.values()) - refused == 1
    return delivered == 1


def flipped(packet: bytes, bit: int) -> bytes:
    changed = bytearray(packet)
    changed[bit >> 3] ^= 0x80 >> (bit & 7)
    return bytes(changed)


UNSUMMED6 = set(range(4, 32)) | set(range(56, 64))  # traffic class, flow label, hop limit


@FAMILIES
@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("size", [16, 41])
def test_every_flipped_bit_is_noticed(family: int, before: int, size: int):
    network, you, packet = a_receiver(family, before, size)
    bits = set(range(len(packet) * 8)) - (UNSUMMED6 if family == 6 else set())
    missed = [bit for bit in bits if takes(network, you, flipped(packet, bit))]
    assert missed == []
    assert takes(network, you, packet)


@FAMILIES
@given(size=st.integers(16, 1400), before=st.integers(0, 2), data=st.data())
def test_any_flipped_bit_of_any_datagram_is_noticed(
    family: int, size: int, before: int, data: st.DataObject
):
    network, you, packet = a_receiver(family, before, size)
    bit = data.draw(st.integers(64 if family == 6 else 0, len(packet) * 8 - 1))
    assert not takes(network, you, flipped(packet, bit))
    assert takes(network, you, packet)


@FAMILIES
@pytest.mark.parametrize("before", [0, 1])
def test_a_datagram_cut_anywhere_is_noticed(family: int, before: int):
    network, you, packet = a_receiver(family, before)
    assert not any(takes(network, you, packet[:length]) for length in range(len(packet)))


@FAMILIES
@pytest.mark.parametrize("before", [0, 1])
def test_a_datagram_without_a_checksum_is_refused(family: int, before: int):
    network, you, packet = a_receiver(family, before)
    at = HEADERS[family] - 2
    assert not takes(network, you, packet[:at] + b"\0\0" + packet[at + 2 :])


@FAMILIES
def test_a_zero_where_ones_belong_is_refused_and_not_counted(family: int):
    """A sum of zero goes out as 0xFFFF (RFC 768); as 0x0000 it would say: none."""
    network, me, you, _ = two_hosts()
    talk = DatagramStream(network, 5, (me, you), EVERY, size=16, family=family)
    at = HEADERS[family] - 2
    packet = next(
        made
        for sequence in range(70_000)
        if (made := talk._make(sequence, 7))[at : at + 2] == b"\xff\xff"
    )
    none = packet[:at] + b"\0\0" + packet[at + 2 :]
    assert [takes(network, you, one) for one in (none, packet, none)] == [False, True, False]
    assert (network.tally.delivered, network.tally.delivered_bytes) == (1, 16)


@pytest.mark.parametrize("length", [24, 26])
def test_a_datagram_that_claims_another_length_is_refused(length: int):
    body = b"\4\0\0\x09" + length.to_bytes(2) + b"\0\0" + bytes(17)  # 25 bytes
    value = checksum.transport(MINE, YOURS, UDP, body)
    packet = Ipv4(MINE, YOURS, UDP, body[:6] + value.to_bytes(2) + body[8:]).to_bytes()
    assert not Sink(Network()).receive(packet)


def test_a_receiver_tells_flows_of_one_port_apart():
    network, me, you, _ = two_hosts()
    for number in range(3):
        timing = Timing(1 * MS, number, 20 * MS)
        DatagramStream(network, number, (me, you), timing, size=30 + number).start()
    network.run(1 * SECOND)
    assert (network.tally.delivered, network.drops()) == (60, {})


def test_what_a_receiver_remembers_is_bounded():
    sink = Sink(Network())
    for number in range(5000):
        payload = number.to_bytes(4) + bytes(20)
        assert sink.receive(datagram(MINE, YOURS, payload))
    assert len(sink._known) <= 4096


def test_short_datagrams_are_checked_without_being_remembered():
    sink = Sink(Network())
    packet = datagram(MINE, YOURS, b"short")
    assert sink.receive(packet)
    assert not sink.receive(packet[:-1] + b"!")
    assert sink._known == {}


# ping


@FAMILIES
def test_a_ping_goes_there_and_comes_back(family: int):
    network, me, you, watch = two_hosts()
    ping = Ping(network, 3, (me, you), Timing(10 * MS, 0, 30 * MS), size=56, family=family)
    ping.start()
    network.run(1 * SECOND)
    requests, replies = watch.of(Kind.SENT, "me.uplink"), watch.of(Kind.SENT, "you.uplink")
    assert (len(requests), len(replies)) == (3, 3)
    for packet in (*requests, *replies):
        assert as_scapy_writes(packet) == packet
    assert [p[HEADERS[family] :] for p in requests] == [p[HEADERS[family] :] for p in replies]
    assert len({packet[HEADERS[family] :] for packet in requests}) == 3
    assert {flow_key(packet) for packet in (*requests, *replies)} == set(ping.flow.match)
    tally = network.tally  # a request and a reply each: given to a stack, handed to a receiver
    assert (tally.offered, tally.delivered) == (6, 6)
    assert (tally.offered_bytes, tally.delivered_bytes) == (6 * 56, 6 * 56)
    assert (network.drops(), network.ledger()) == ({}, [])


def test_pings_of_one_pair_know_their_own_replies():
    network, me, you, _ = two_hosts()
    for number in range(3):
        Ping(network, number, (me, you), Timing(10 * MS, 0, 15 * MS)).start()
    network.run(1 * SECOND)
    assert (network.tally.delivered, network.drops()) == (12, {})


def test_a_reply_nobody_waits_for_is_refused():
    network, me, *_ = two_hosts()
    network.call_at(0, me.stack.transmit, echo(MINE, YOURS))
    network.run(1 * SECOND)
    assert me.fates.dropped == {"no-listener": 1}
