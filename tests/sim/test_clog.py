"""A clogged link keeps what is sent, in its order and within its queue, and loses nothing else."""

from sim.actions.timeline import Clog
from sim.faults import Exactly, Loss, Outcome
from sim.numbering import Numbering
from tests.sim.networks import NANOBYTE, Record, a_wire
from virtualtap.units import MS

FRAMES = [bytes([i]) * 60 for i in range(8)]
OTHER = object()


def test_what_was_on_its_way_arrives_and_what_is_sent_waits_in_its_order():
    network, a, b, link = a_wire(delay=100)
    a.say_at(0, FRAMES[0])
    network.call_at(50, link.clog, OTHER)
    a.say_at(60, *FRAMES[1:3])
    network.run(500)
    assert (b.frames(), link.directions[0].waiting()) == (FRAMES[:1], 2)
    assert network.ledger() == []
    link.unclog(OTHER)
    network.run(1000)
    assert b.heard[1:] == [(600, FRAMES[1]), (600, FRAMES[2])]
    assert network.ledger() == []


def test_what_waited_takes_its_time_on_the_wire():
    network, a, b, link = a_wire(rate=NANOBYTE)
    link.clog(OTHER)
    a.say_at(0, *FRAMES[:3])
    network.run(1000)
    link.unclog(OTHER)
    network.run(2000)
    assert b.times() == [1060, 1120, 1180]


def test_no_more_waits_than_the_queue_takes():
    for rate in (None, NANOBYTE):
        network, a, _, link = a_wire(rate=rate, queue=120, least=60)
        link.clog(OTHER)
        a.say_at(0, *FRAMES[:5])
        network.run(10)
        way = link.directions[0]
        assert (way.waiting(), way.lost) == (3, {"link-queue": 2})
        assert network.ledger() == []


def test_what_is_on_the_wire_when_a_clog_comes_counts_in_the_queue():
    network, a, _, link = a_wire(rate=NANOBYTE, queue=120)
    a.say_at(0, *FRAMES[:3])
    network.call_at(1, link.clog, OTHER)
    a.say_at(2, *FRAMES[3:5])
    network.run(10)
    way = link.directions[0]
    assert (way.waiting(), way.lost) == (0, {"link-queue": 2})


def test_what_waits_is_lost_with_the_link():
    network, a, b, link = a_wire()
    link.clog(OTHER)
    a.say_at(0, *FRAMES[:2])
    network.run(10)
    link.set_up(False)
    link.set_up(True)
    link.unclog(OTHER)
    network.run(20)
    assert (b.frames(), network.drops()) == ([], {"link-down": 2})
    assert network.ledger() == []


def test_faults_befall_a_frame_when_it_is_sent():
    network, a, b, link = a_wire(faults=(Loss(1.0),))
    link.clog(OTHER)
    a.say_at(0, FRAMES[0])
    network.run(5)
    link.faults = (Exactly(((1, Outcome(copies=2, late=7)),)),)
    a.say_at(5, FRAMES[1])
    network.run(10)
    assert link.directions[0].waiting() == 2
    link.faults = ()
    link.unclog(OTHER)
    network.run(100)
    assert b.heard == [(17, FRAMES[1])] * 2
    assert (network.drops(), network.ledger()) == ({"link-loss": 1}, [])


def test_a_frame_that_waits_keeps_its_number():
    network, a, _, link = a_wire(faults=(Exactly(((1, Outcome(flip=0)),)),))
    numbering = Numbering({"b.p": "a.p"})
    seen = Record()
    network.numbering = numbering
    network.observers += [numbering, seen]
    link.clog(OTHER)
    a.say_at(0, *FRAMES[:2])
    network.run(10)
    link.unclog(OTHER)
    numbers = []
    seen.see = lambda moment: numbers.append(numbering.number)
    network.run(20)
    assert numbers == [1, 2]


def test_a_link_is_open_when_the_last_clog_is_gone():
    network, a, b, link = a_wire()
    link.clog(OTHER)
    link.clog("another")
    a.say_at(0, FRAMES[0])
    network.run(5)
    link.unclog(OTHER)
    link.unclog("one that was never there")
    network.run(10)
    assert (b.frames(), link.is_clogged) == ([], True)
    link.unclog("another")
    network.run(20)
    assert (b.frames(), link.is_clogged) == (FRAMES[:1], False)


def test_what_is_opened_for_good_is_not_clogged_again():
    network, a, b, link = a_wire()
    Clog((link,), 0, 10 * MS).happen(network)
    network.call_at(1 * MS, link.clog, OTHER)
    a.say_at(1, FRAMES[0])
    network.run(10)
    assert (link.is_clogged, b.frames()) == (True, [])
    link.open()
    network.run(2 * MS)
    assert (link.is_clogged, b.frames()) == (False, FRAMES[:1])
    assert network.ledger() == []
