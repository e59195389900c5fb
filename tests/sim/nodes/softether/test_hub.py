"""A virtual hub: what comes out of which session, fact by fact."""

import pytest

from sim.actions import timeline
from sim.network import Network
from sim.nodes.softether.server import SoftEtherServer
from sim.observers import Kind
from tests import builders as b
from tests.sim.networks import Listener, Record, around, echo, station_mac
from virtualtap.units import SECOND
from virtualtap.wire.address import BROADCAST, NO_MAC, mac

ONE, TWO, THREE, UNKNOWN = (station_mac(i) for i in (1, 2, 3, 9))


def sent(to: bytes, source: bytes = ONE, length: int = 60, head: bytes = b"\x88\xb5") -> bytes:
    return (to + source + head).ljust(length, b"x")


def heard(
    *said: tuple[int, int, bytes], count: int = 3, server: SoftEtherServer | None = None
) -> tuple[SoftEtherServer, list[list[int]]]:
    """Frames as (at, listener from 1, bytes), and when each listener heard one."""
    server = server or SoftEtherServer("hub")
    network, listeners = around(server, count)
    for at, who, frame in said:
        listeners[who - 1].say_at(at, frame)
    network.run(max(at for at, _, _ in said) + 1)
    assert network.ledger() == []
    return server, [one.times() for one in listeners]


def out_of_the_hub(frame: bytes) -> list[bytes]:
    network, (one, two) = around(SoftEtherServer("hub"), 2)
    one.say_at(0, frame)
    network.run(1)
    assert (one.heard, network.ledger()) == ([], [])
    return two.frames()


FORWARDED = {
    "unknown unicast": sent(UNKNOWN),
    "broadcast": sent(BROADCAST),
    "multicast, as nothing is snooped": sent(mac("01:00:5e:00:00:fb")),
    "spanning tree": sent(mac("01:80:c2:00:00:00")),
    "PAUSE": sent(mac("01:80:c2:00:00:01")),
    "LLDP": sent(mac("01:80:c2:00:00:0e")),
    "a multicast source": sent(BROADCAST, mac("01:00:5e:00:00:01")),
    "a destination of zeros": sent(NO_MAC),
    "a runt of 14 bytes, not padded": sent(BROADCAST, length=14),
    "a runt of 33 bytes": sent(BROADCAST, length=33),
    "1514 bytes": sent(BROADCAST, length=1514),
    "1600 bytes": sent(BROADCAST, length=1600),
    "a tag, intact": sent(BROADCAST, head=b"\x81\x00\x00\x05\x88\xb5"),
    "two tags": sent(BROADCAST, head=b"\x88\xa8\x00\x05\x81\x00\x00\x06"),
    "an unpadded ARP of 42 bytes": b.arp_request(),
    "a padded ARP": b.padded(b.arp_request()),
    "an ARP whose sender is not the source": b.arp_request(to=BROADCAST)[:22] + TWO + bytes(14),
    "LLC": sent(BROADCAST, head=b"\x00\x10\x06\x06"),
}
DROPPED = {
    "a broadcast source": (sent(UNKNOWN, BROADCAST), "malformed"),
    "a source of zeros": (sent(UNKNOWN, NO_MAC), "malformed"),
    "a frame to its own source": (sent(ONE, ONE), "malformed"),
    "13 bytes": (sent(BROADCAST)[:13], "malformed"),
    "1601 bytes": (sent(BROADCAST, length=1601), "session-too-long"),
    "an ARP cut to 30 bytes": (b.arp_request()[:30], "malformed"),
    "an IPv4 packet of 19 bytes": (b.frame(b.packet()[:19], BROADCAST), "malformed"),
}


@pytest.mark.parametrize("what", FORWARDED)
def test_it_forwards_unchanged(what: str):
    assert out_of_the_hub(FORWARDED[what]) == [FORWARDED[what]]


@pytest.mark.parametrize("what", DROPPED)
def test_it_drops(what: str):
    frame, why = DROPPED[what]
    server, times = heard((0, 1, frame))
    assert (times, server.fates.dropped) == ([[], [], []], {why: 1})


def test_it_cuts_what_trails_an_ip_packet():
    whole = b.frame(echo(b.PEER, b.OUR_IP, b""), BROADCAST)
    assert out_of_the_hub(whole.ljust(84, b"\0")) == [whole]


def test_a_flood_goes_to_all_other_sessions_in_the_order_of_their_creation():
    network, listeners = around(SoftEtherServer("hub"), 12)
    watch = Record()
    network.observers.append(watch)
    listeners[4].say_at(0, sent(BROADCAST))
    network.run(1)
    ports = [m.where for m in watch.moments if m.kind is Kind.SENT and m.where != "x5.p"]
    assert ports == [f"hub.s{i}" for i in range(1, 13) if i != 5]


def test_who_was_heard_from_gets_his_frames_alone():
    server, times = heard((0, 1, sent(BROADCAST, ONE)), (5, 2, sent(ONE, TWO)))
    assert times == [[5], [0], [0]]
    assert (server.fates.forwarded, server.fates.copies) == (2, 3)


def test_a_frame_for_the_session_it_came_from_is_dropped():
    server, times = heard((0, 1, sent(BROADCAST, ONE)), (5, 1, sent(ONE, TWO)))
    assert (times, server.fates.dropped) == ([[], [0], [0]], {"same-session": 1})


def test_an_entry_600_seconds_old_still_forwards():
    _, times = heard(
        (0, 1, sent(UNKNOWN, ONE)), (0, 2, sent(UNKNOWN, TWO)), (6000 * SECOND, 2, sent(ONE, TWO))
    )
    assert times == [[0, 6000 * SECOND], [0], [0, 0]]


def test_an_old_entry_is_gone_once_an_unknown_source_has_shown_up():
    _, times = heard(
        (0, 1, sent(UNKNOWN, ONE)),
        (600 * SECOND, 3, sent(UNKNOWN, THREE)),
        (601 * SECOND, 2, sent(ONE, THREE)),
    )
    assert times[2] == [0, 601 * SECOND]  # flooded: nobody knows where ONE is


def test_being_a_destination_does_not_make_an_entry_young():
    _, times = heard(
        (0, 1, sent(UNKNOWN, ONE)),
        (500 * SECOND, 2, sent(ONE, TWO)),
        (600 * SECOND, 3, sent(UNKNOWN, THREE)),
        (601 * SECOND, 2, sent(ONE, TWO)),
    )
    assert times[2] == [0, 601 * SECOND]


def test_an_address_moves_at_once_and_flaps_with_every_frame():
    _, times = heard(
        *((2 * i, 1 + 2 * (i % 2), sent(UNKNOWN, ONE)) for i in range(4)),
        *((2 * i + 1, 2, sent(ONE, TWO)) for i in range(4)),
    )
    assert [at for at in times[0] if at % 2] == [1, 5]
    assert [at for at in times[2] if at % 2] == [3, 7]


def test_a_full_table_drops_the_frame_of_who_is_new():
    server, times = heard(
        (0, 1, sent(BROADCAST, ONE)),
        (1, 2, sent(BROADCAST, TWO)),
        (2, 3, sent(BROADCAST, THREE)),
        (3, 3, sent(ONE, TWO)),
        server=SoftEtherServer("hub", overrides={"MAX_MAC_TABLES": 2}),
    )
    assert times == [[1, 3], [0], [0, 1]]
    assert server.fates.dropped == {"mac-table-full": 1}


def test_the_same_address_in_another_vlan_is_unknown():
    tagged = b"\x81\x00\x00\x05\x88\xb5"
    _, times = heard(
        (0, 1, sent(BROADCAST, ONE)),
        (1, 2, sent(ONE, TWO, head=tagged)),
        (2, 1, sent(BROADCAST, ONE, head=tagged)),
        (3, 2, sent(ONE, TWO, head=tagged)),
    )
    assert times[2] == [0, 1, 2]


def test_a_multicast_source_is_learned_but_its_frames_are_flooded():
    group = mac("01:00:5e:00:00:01")
    server, times = heard((0, 1, sent(BROADCAST, group)), (1, 2, sent(group, TWO)))
    assert server.table()[group] == "hub.s1"
    assert times == [[1], [0], [0, 1]]


def test_a_spanning_tree_message_teaches_the_bridge_inside():
    bridge = mac("02:00:00:00:0b:b1")
    body = b"\x42\x42\x03" + bytes(19) + bridge + bytes(10)
    frame = mac("01:80:c2:00:00:00") + ONE + (38).to_bytes(2) + body
    server, _ = heard((0, 1, frame))
    assert server.table() == {bridge: "hub.s1"}


def test_a_dropped_frame_does_not_teach_its_source():
    server, _ = heard((0, 1, b.frame(b.packet()[:19], BROADCAST, ONE)))
    assert server.table() == {}


def test_a_restarted_server_knows_nobody():
    server = SoftEtherServer("hub")
    network, (one, two, three) = around(server, 3)
    one.say_at(0, sent(BROADCAST, ONE))
    timeline.arm(network, [(1, timeline.Crash(server)), (2, timeline.Restart(server))])
    two.say_at(3, sent(ONE, TWO))
    network.run(10)
    assert (one.times(), three.times()) == ([3], [0, 3])
    assert server.table() == {TWO: "hub.s2"}


def test_two_cascaded_hubs_are_one_lan():
    network = Network()
    hubs = [network.add(SoftEtherServer(f"hub{i}")) for i in (1, 2)]
    ends = [network.add(Listener(f"x{i}")) for i in (1, 2)]
    for end, hub in zip(ends, hubs, strict=True):
        network.connect(end.port, hub.session())
    network.connect(hubs[0].session(), hubs[1].session(), delay=5)
    ends[0].say_at(0, sent(BROADCAST, ONE))
    ends[1].say_at(10, sent(ONE, TWO))
    network.run(100)
    assert (ends[0].times(), ends[1].times()) == ([15], [5])
    assert hubs[0].table() == {ONE: "hub1.s1", TWO: "hub1.s2"}


def test_what_loops_loops():
    network = Network()
    hubs = [network.add(SoftEtherServer(f"hub{i}")) for i in range(3)]
    end = network.add(Listener("x"))
    network.connect(end.port, hubs[0].session())
    for i in range(3):
        network.connect(hubs[i].session(), hubs[(i + 1) % 3].session(), delay=1000)
    end.say_at(0, sent(BROADCAST, ONE))
    network.run(1_000_000)
    assert network.crossings() > 2000  # two copies go round, one in each direction, for ever
    assert network.ledger() == []


@pytest.mark.parametrize(("back_after", "known"), [(19, True), (21, False)])
def test_a_session_that_is_silent_for_20_seconds_ends_and_its_addresses_with_it(
    back_after: int, known: bool
):
    hub = SoftEtherServer("hub")
    network, (one, _) = around(hub, 2)
    one.say_at(0, sent(BROADCAST))
    link = network.links[0]
    network.call_at(SECOND, link.set_up, False)
    network.call_at((1 + back_after) * SECOND, link.set_up, True)
    network.run(60 * SECOND)
    assert (ONE in hub.table()) is known
