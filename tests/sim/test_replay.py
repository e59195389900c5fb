"""A capture said again: other addresses, the same timing, and what was wrong stays wrong."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.actions.replaying import Replay, payload_is_right, readdressed
from sim.actions.traffic import Timing, flow_key
from sim.network import Network
from sim.nodes.host import L3Host
from sim.nodes.stack import IpStack
from sim.observers import Kind
from tests import builders as b
from tests import strategies as some
from tests.sim.networks import datagram, echo, two_hosts
from virtualtap.units import MS, SECOND
from virtualtap.wire import checksum
from virtualtap.wire.address import ip
from virtualtap.wire.ipv4 import ICMP, TCP, UDP, Ipv4
from virtualtap.wire.ipv6 import ICMPV6, Ipv6

MINE, YOURS, MINE6, YOURS6 = b.OUR_IP, b.PEER, b.OUR_IP6, b.PEER6


def stacks() -> tuple[IpStack, IpStack]:
    _, me, you, _ = two_hosts()
    return me.stack, you.stack


PORTS = b"\x30\x39\x00\x35"


def udp4(source: bytes, to: bytes) -> bytes:
    return datagram(source, to, b"a query and more")


def tcp(source: bytes, to: bytes) -> bytes:
    segment = PORTS + bytes(8) + b"\x50\x18\x10\x00" + bytes(4) + b"GET / and an odd"
    value = checksum.transport(source, to, TCP, segment)
    segment = segment[:16] + value.to_bytes(2) + segment[18:]
    if len(to) == 16:
        return Ipv6(source, to, TCP, segment).to_bytes()
    return Ipv4(source, to, TCP, segment, options=b"\1\1\1\0").to_bytes()


def options4(source: bytes, to: bytes) -> bytes:
    packet = Ipv4.parse(udp4(source, to))
    packet.options = b"\x94\x04\0\0"
    return packet.to_bytes()


MAKERS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "udp": udp4,
    "udp behind options": options4,
    "tcp": tcp,
    "icmp": echo,
    "another protocol": lambda source, to: Ipv4(source, to, 253, b"x" * 9).to_bytes(),
    "a later fragment": lambda source, to: Ipv4(
        source, to, UDP, b"x" * 24, fragment=7, identification=9
    ).to_bytes(),
}
MAKERS6 = {"udp": udp4, "tcp": tcp, "icmpv6": echo}


@pytest.mark.parametrize("what", MAKERS)
@given(source=some.exactly(4), to=some.exactly(3).map(lambda rest: b"\x0b" + rest))
def test_readdressing_equals_a_full_recomputation(what: str, source: bytes, to: bytes):
    make = MAKERS[what]
    assert readdressed(make(source, to), *stacks()) == make(MINE, YOURS)


@pytest.mark.parametrize("what", MAKERS6)
@given(source=some.exactly(16), to=some.exactly(15).map(lambda rest: b"\x20" + rest))
def test_readdressing_ipv6_equals_a_full_recomputation(what: str, source: bytes, to: bytes):
    make = MAKERS6[what]
    assert readdressed(make(source, to), *stacks()) == make(MINE6, YOURS6)


@pytest.mark.parametrize("what", ["udp", "tcp", "icmp"])
@given(error=st.integers(1, 0xFFFE), source=some.exactly(4))
def test_a_wrong_checksum_stays_wrong(what: str, error: int, source: bytes):
    packet = bytearray(MAKERS[what](source, b.FAR))
    at = {"udp": 26, "tcp": 24 + 16, "icmp": 22}[what]
    value = (int.from_bytes(packet[at : at + 2]) + error) % 0xFFFF
    packet[at : at + 2] = (value or 0xFFFF).to_bytes(2)
    assert not payload_is_right(bytes(packet))
    changed = readdressed(bytes(packet), *stacks())
    assert not payload_is_right(changed)
    assert checksum.is_right(changed[: (changed[0] & 15) * 4])


@given(error=st.integers(1, 0xFFFE))
def test_a_wrong_header_checksum_stays_wrong(error: int):
    packet = bytearray(udp4(b.NOBODY, b.FAR))
    value = (int.from_bytes(packet[10:12]) + error) % 0xFFFF
    packet[10:12] = value.to_bytes(2)
    assert not checksum.is_right(readdressed(bytes(packet), *stacks())[:20])


@pytest.mark.parametrize("addresses", [(MINE, YOURS, 4), (MINE6, YOURS6, 6)], ids=["v4", "v6"])
def test_a_udp_checksum_of_zero_is_written_as_ones(addresses: tuple[bytes, bytes, int]):
    mine, yours, family = addresses
    far, at = (b.FAR, 26) if family == 4 else (b.FAR6, 46)
    payload = datagram(mine, yours, b"\0\0")[at : at + 2]  # it makes the sum 0
    changed = readdressed(datagram(b.NOBODY if family == 4 else b.NOBODY6, far, payload), *stacks())
    assert changed == datagram(mine, yours, payload)
    assert changed[at : at + 2] == b"\xff\xff"


def test_a_udp_checksum_that_is_none_stays_none():
    packet = udp4(b.NOBODY, b.FAR)
    bare = packet[:26] + b"\0\0" + packet[28:]
    assert readdressed(bare, *stacks())[26:28] == b"\0\0"


@pytest.mark.parametrize("to", [ip("224.0.0.251"), ip("255.255.255.255"), ip("ff02::fb")])
def test_packets_to_groups_keep_their_destination(to: bytes):
    source = b.NOBODY if len(to) == 4 else b.NOBODY6
    mine = MINE if len(to) == 4 else MINE6
    assert readdressed(udp4(source, to), *stacks()) == udp4(mine, to)


def test_a_packet_of_a_family_the_ends_do_not_speak_keeps_its_addresses():
    network = Network()
    bare = [network.add(L3Host(name, address)) for name, address in (("a", MINE), ("c", YOURS))]
    packet = udp4(b.NOBODY6, b.FAR6)
    assert readdressed(packet, bare[0].stack, bare[1].stack) == packet


@pytest.mark.parametrize("what", [*MAKERS, "udp without a checksum"])
def test_a_replayed_packet_arrives_and_is_counted(what: str):
    network, me, you, watch = two_hosts()
    make = MAKERS.get(what, udp4)
    packet = make(b.NOBODY, b.FAR)
    if what == "udp without a checksum":
        packet = packet[:26] + b"\0\0" + packet[28:]
    Replay(network, 0, (me, you), Timing(1, 0, SECOND), [(5, packet)]).start()
    network.run(SECOND)
    if what == "icmp":  # a request is for the echo service, and its reply for nobody
        assert (len(watch.of(Kind.SENT)), network.drops()) == (2, {"no-listener": 1})
    else:
        assert (network.tally.delivered, network.tally.delivered_bytes) == (1, len(packet))
        assert network.drops() == {}
    assert network.ledger() == []


def test_a_replay_keeps_the_timing_and_stops():
    network, me, you, watch = two_hosts()
    packets = [(at * MS, udp4(b.NOBODY, b.FAR)) for at in (0, 7, 8, 30)]
    replay = Replay(network, 4, (me, you), Timing(1, 10 * MS, 40 * MS), packets)
    replay.start()
    network.run(1 * SECOND)
    assert [m.at for m in watch.moments if m.kind is Kind.SENT] == [10 * MS, 17 * MS, 18 * MS]
    assert (replay.flow.kind, replay.flow.match) == ("replay", (flow_key(udp4(MINE, YOURS)),))
    assert (network.tally.offered, network.tally.delivered) == (3, 3)


def test_a_replayed_packet_with_a_wrong_checksum_is_refused():
    network, me, you, _ = two_hosts()
    packet = tcp(b.NOBODY, b.FAR)[:-1] + b"!"
    Replay(network, 0, (me, you), Timing(1, 0, SECOND), [(5, packet)]).start()
    network.run(SECOND)
    assert (network.tally.delivered, network.drops()) == (0, {"checksum": 1})


# judging and telling apart


@pytest.mark.parametrize("what", MAKERS)
def test_a_right_payload_is_right(what: str):
    assert payload_is_right(MAKERS[what](MINE, YOURS))


@pytest.mark.parametrize("what", MAKERS6)
def test_a_right_ipv6_payload_is_right_and_a_wrong_one_wrong(what: str):
    packet = MAKERS6[what](MINE6, YOURS6)
    assert payload_is_right(packet)
    assert not payload_is_right(packet[:-1] + b"!")


@given(some.ipv4s | some.ipv6s)
def test_no_packet_breaks_the_judge(packet: Ipv4 | Ipv6):
    assert payload_is_right(packet.to_bytes()) in (True, False)


def test_a_conversation_is_told_by_addresses_protocol_and_ports_or_identifier():
    keys = {
        flow_key(datagram(MINE, YOURS, port=9)),
        flow_key(datagram(MINE, YOURS, port=10)),
        flow_key(datagram(YOURS, MINE, port=9)),
        flow_key(datagram(MINE6, YOURS6, port=9)),
        flow_key(echo(MINE, YOURS)),
        flow_key(echo(MINE6, YOURS6)),
        flow_key(Ipv4(MINE, YOURS, 253, b"").to_bytes()),
    }
    assert len(keys) == 7
    assert flow_key(datagram(MINE, YOURS, b"one")) == flow_key(datagram(MINE, YOURS, b"other"))
    assert flow_key(options4(MINE, YOURS)) == flow_key(udp4(MINE, YOURS))
    assert flow_key(echo(MINE, YOURS))[8:9] == bytes([ICMP])
    assert flow_key(echo(MINE6, YOURS6))[32:33] == bytes([ICMPV6])
