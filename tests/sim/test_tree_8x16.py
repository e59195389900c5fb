"""`tree-8x16`, the work that ns-3 does too: its exact counts, and every checksum on the way."""

from pathlib import Path

import pytest

from sim.build import Built
from sim.observers import Kind, Moment, Observer
from sim.run import Order, built
from virtualtap.units import SECOND
from virtualtap.wire import checksum
from virtualtap.wire.ethernet import IPV4

EXAMPLES = Path(__file__).parents[2] / "examples"
CROSSINGS, DELIVERED = 124_740, 25_344


class Judge(Observer):
    """Every datagram that stations send, and every frame at the end of every link."""

    def __init__(self, senders: frozenset[str]) -> None:
        self._senders = senders
        self.crossings = self.datagrams = 0
        self.wrong: list[Moment] = []
        self.said: list[bytes] = []

    def see(self, moment: Moment) -> None:
        _, kind, where, frame, _ = moment
        if kind is Kind.SENT:
            if where in self._senders and frame[12:14] == IPV4:
                self.said.append(frame[42:])
            return
        self.crossings += kind is Kind.ARRIVED
        if kind is not Kind.ARRIVED or frame[12:14] != IPV4:
            return
        self.datagrams += 1
        packet = frame[14:]
        right = (
            packet[0] == 0x45
            and packet[9] == 17
            and int.from_bytes(packet[2:4]) == len(packet)
            and int.from_bytes(packet[24:26]) == len(packet) - 20
            and packet[26:28] != b"\0\0"
            and checksum.is_right(packet[:20])
            and checksum.transport_is_right(packet[12:16], packet[16:20], 17, packet[20:])
        )
        if not right:
            self.wrong.append(moment)


def the_tree() -> Built:
    path = EXAMPLES / "tree-8x16.toml"
    return built(Order(text=path.read_text(encoding="utf-8"), folder=EXAMPLES))


def counts(tree: Built) -> tuple[object, ...]:
    network = tree.network
    directions = [
        (way.sent, way.arrived, way.lost) for link in network.links for way in link.directions
    ]
    fates = [node.fates for node in network.nodes.values()]
    tally = network.tally
    return (
        network.crossings(),
        tally.delivered,
        tally.delivered_bytes,
        network.drops(),
        network.events(),
        directions,
        fates,
    )


@pytest.mark.slow
def test_the_counts_are_exact_and_every_datagram_is_right_wherever_it_is_seen():
    watched, bare = the_tree(), the_tree()
    judge = Judge(frozenset(place.speaks for place in watched.places))
    watched.network.observers.append(judge)
    for tree in (watched, bare):
        tree.network.run(1 * SECOND)
        assert tree.network.ledger() == []
    assert (watched.network.crossings(), judge.crossings) == (CROSSINGS, CROSSINGS)
    assert watched.network.tally.delivered == DELIVERED
    assert watched.network.tally.delivered_bytes == DELIVERED * 1000
    assert judge.wrong == []
    assert judge.datagrams > 100_000
    assert len(set(judge.said)) == len(judge.said) >= DELIVERED
    assert counts(watched) == counts(bare)
