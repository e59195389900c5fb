"""The neighbour table by itself."""

from tests.builders import GATEWAY, GATEWAY_MAC, NOBODY, OUR_IP, PEER, PEER_MAC
from virtualtap.neighbors import Neighbors


def table(entries=4, packets=2, most_bytes=100, never_evicted=()) -> Neighbors:
    return Neighbors(entries, packets, most_bytes, frozenset(never_evicted))


def test_a_neighbor_is_known_until_its_lifetime_ends():
    neighbors = table()
    neighbors.learn(PEER, PEER_MAC, expires=10)
    assert neighbors.lookup(PEER, 9) == PEER_MAC
    assert neighbors.lookup(PEER, 10) is None
    assert neighbors.known(9) == {PEER: PEER_MAC}
    assert neighbors.known(10) == {}


def test_one_that_waits_has_an_entry_but_no_mac():
    neighbors = table()
    neighbors.hold(PEER, b"packet", now=0)
    assert neighbors.knows(PEER)
    assert neighbors.lookup(PEER, 0) is None
    assert neighbors.known(0) == {}


def test_only_the_first_that_waits_asks():
    neighbors = table()
    assert neighbors.hold(PEER, b"one", now=0) == (True, 0)
    assert neighbors.hold(PEER, b"two", now=0) == (False, 0)


def test_one_whose_lifetime_ended_is_asked_for_again():
    neighbors = table()
    neighbors.learn(PEER, PEER_MAC, expires=10)
    assert neighbors.hold(PEER, b"one", now=10) == (True, 0)
    assert neighbors.learn(PEER, PEER_MAC, expires=20) == [b"one"]


def test_the_oldest_packet_is_pushed_out_by_one_too_many():
    neighbors = table(packets=2)
    for packet in (b"one", b"two"):
        neighbors.hold(PEER, packet, now=0)
    assert neighbors.hold(PEER, b"three", now=0) == (False, 1)
    assert neighbors.learn(PEER, PEER_MAC, expires=9) == [b"two", b"three"]


def test_all_that_wait_share_one_limit_of_bytes():
    neighbors = table(packets=9, most_bytes=100)
    neighbors.hold(PEER, bytes(60), now=0)
    neighbors.hold(NOBODY, bytes(30), now=0)
    assert neighbors.hold(NOBODY, bytes(40), now=0) == (False, 1)
    assert neighbors.holding() == 2
    assert neighbors.hold(NOBODY, bytes(41), now=0) == (False, 2)
    assert neighbors.holding() == 1


def test_what_is_let_go_makes_room_for_other_bytes():
    neighbors = table(packets=9, most_bytes=100)
    neighbors.hold(PEER, bytes(100), now=0)
    assert neighbors.forget(PEER) == [bytes(100)]
    assert neighbors.hold(NOBODY, bytes(100), now=0) == (True, 0)
    assert neighbors.learn(NOBODY, PEER_MAC, expires=9) == [bytes(100)]
    assert neighbors.hold(PEER, bytes(100), now=0) == (True, 0)


def test_forgetting_one_who_is_not_there_gives_nothing():
    assert table().forget(PEER) == []


def test_a_full_table_lets_the_longest_unheard_of_go():
    neighbors = table(entries=2)
    neighbors.learn(PEER, PEER_MAC, expires=9)
    neighbors.learn(NOBODY, PEER_MAC, expires=9)
    neighbors.learn(PEER, PEER_MAC, expires=9)  # heard of again
    assert neighbors.make_room(OUR_IP) == (True, NOBODY)
    assert neighbors.known(0) == {PEER: PEER_MAC}


def test_who_has_an_entry_needs_no_room():
    neighbors = table(entries=1)
    neighbors.learn(PEER, PEER_MAC, expires=9)
    assert neighbors.make_room(PEER) == (True, None)


def test_the_gateway_and_those_that_wait_do_not_go():
    neighbors = table(entries=2, never_evicted=(GATEWAY,))
    neighbors.learn(GATEWAY, GATEWAY_MAC, expires=9)
    neighbors.hold(NOBODY, b"packet", now=0)
    assert neighbors.make_room(PEER) == (False, None)
    assert len(neighbors) == 2


def test_a_router_is_one_until_it_says_otherwise():
    neighbors = table()
    assert not neighbors.is_router(PEER, says=True), "nobody is known"
    neighbors.learn(PEER, PEER_MAC, expires=9)
    assert not neighbors.is_router(PEER, says=True)
    assert neighbors.is_router(PEER)
    assert neighbors.is_router(PEER, says=False)
    assert not neighbors.is_router(PEER)


def test_of_nobody_there_is_no_mac_and_no_lifetime():
    assert (table().mac(NOBODY), table().expires(NOBODY)) == (None, 0)
