"""Manners of the Linux kernel, as measured: ARP with the states of RFC 4861, NDP, RFC 7527."""

from sim.conformance.frames import (
    arp_reply,
    arp_request,
    our_reply,
    our_request,
    packet,
    patched,
    wrapped,
)
from sim.conformance.frames6 import (
    LINK_LOCAL,
    O,
    S,
    bare_na,
    dad,
    na,
    ns,
    our_na,
    our_probe,
)
from sim.conformance.packets import in_snap
from sim.conformance.registry import clause
from sim.conformance.script import (
    NOBODY,
    OTHER,
    OTHER_MAC,
    OUR_MAC,
    PEER,
    PEER6,
    PEER_MAC,
    US,
    US6,
    Script,
)
from virtualtap.units import MS, SECOND
from virtualtap.wire import ndp
from virtualtap.wire.address import ALL_NODES6, ANY4, BROADCAST, NO_MAC, ip, mac
from virtualtap.wire.ipv6 import Ipv6

LINUX = ("linux",)
ARP, STATES, NDP = "virtualtap, linux: arp.c", "virtualtap, linux: neighbour.c", "RFC 4861, 7.2.4"
GROUP_MAC = mac("01:00:00:00:00:aa")
OFF_SUBNET = ip("192.168.7.7")
OUR_BROADCAST = ip("10.0.0.255")
HARDWARE = 14
AFTER_DAD = 3 * SECOND


def question(to: bytes = PEER_MAC) -> bytes:
    """We ask PEER whether it is still there."""
    return arp_request(PEER, by=US, at=OUR_MAC, to=to)


def knowing(tap: Script) -> Script:
    """PEER has asked for us: its MAC is known and not confirmed."""
    return tap.at(0).lan(arp_request()).given(our_reply())


def expect_doubted(tap: Script, at: bytes = PEER_MAC) -> None:
    """A packet goes to `at` at once, and 5 s later its owner is asked there."""
    tap.host(packet(PEER)).expect(wrapped(packet(PEER), at))
    tap.at(tap.now + 5 * SECOND - 1).expect()
    tap.at(tap.now + 1).expect(question(at))
    tap.lan(arp_reply(at=at)).expect()


def expect_sure(tap: Script, at: bytes = PEER_MAC) -> None:
    """A packet goes to `at` at once, and nobody is asked within 10 s."""
    tap.host(packet(PEER)).expect(wrapped(packet(PEER), at))
    tap.at(tap.now + 10 * SECOND).expect()


def expect_unknown(tap: Script) -> None:
    tap.host(packet(PEER)).expect(our_request(PEER))


# who gets an entry


@clause(ARP, "who asks for us gets an entry, to be doubted when it is used", profiles=LINUX)
def asker_is_known_and_doubted(tap: Script) -> None:
    expect_doubted(knowing(tap))


@clause(ARP, "an unasked reply makes no entry (arp_accept 0)", profiles=LINUX)
def unasked_reply_makes_no_entry(tap: Script) -> None:
    tap.lan(arp_reply()).lan(arp_reply(to=BROADCAST)).expect()
    expect_unknown(tap)


@clause(ARP, "who asks from off the subnet gets an entry", profiles=LINUX)
def asker_off_the_subnet_gets_an_entry(tap: Script) -> None:
    knowing(tap.start(neighbors_max=1, gateway_ip=None))
    tap.lan(arp_request(by=OFF_SUBNET, at=OTHER_MAC)).given(our_reply(OTHER_MAC, OFF_SUBNET))
    expect_unknown(tap)


@clause(ARP, "a sender with our broadcast address is answered, and gets no entry", profiles=LINUX)
def our_broadcast_address_is_answered(tap: Script) -> None:
    knowing(tap.start(neighbors_max=1, gateway_ip=None))
    tap.lan(arp_request(by=OUR_BROADCAST, at=OTHER_MAC))
    tap.expect(our_reply(OTHER_MAC, OUR_BROADCAST))
    tap.host(packet(PEER)).expect(wrapped(packet(PEER)))


@clause(ARP, "who asks for a group or a loopback address tells nothing", profiles=LINUX)
def odd_targets_tell_nothing(tap: Script) -> None:
    knowing(tap)
    for target in (ip("224.0.0.1"), ip("127.0.0.1")):
        tap.lan(arp_request(target, at=OTHER_MAC)).expect()
    tap.host(packet(PEER)).expect(wrapped(packet(PEER)))


@clause(ARP, "who asks for a broadcast address tells where it is", profiles=LINUX)
def broadcast_targets_tell(tap: Script) -> None:
    knowing(tap)
    for target, at in ((ip("255.255.255.255"), OTHER_MAC), (OUR_BROADCAST, PEER_MAC)):
        tap.lan(arp_request(target, at=at)).expect()
        tap.host(packet(PEER)).expect(wrapped(packet(PEER), at))


# which messages are heard


@clause(ARP, "a sender's MAC is believed, be it a group, zero or ours", profiles=LINUX)
def any_sender_mac_is_believed(tap: Script) -> None:
    for at in (BROADCAST, GROUP_MAC, NO_MAC, OUR_MAC):
        tap.lan(arp_request(at=at, link_source=PEER_MAC)).expect(our_reply(at))
        tap.host(packet(PEER)).expect(wrapped(packet(PEER), at))


@clause(ARP, "a frame from a group or from our own MAC is heard", profiles=LINUX)
def any_link_source_is_heard(tap: Script) -> None:
    for source in (BROADCAST, GROUP_MAC, OUR_MAC):
        tap.lan(arp_request(link_source=source)).expect(our_reply())


@clause(ARP, "a request of hardware type 6 is answered with one of type 1", profiles=LINUX)
def ieee_hardware_is_answered(tap: Script) -> None:
    tap.lan(patched(arp_request(), HARDWARE, b"\0\6")).expect(our_reply())


@clause("virtualtap, linux: eth.c", "ARP in the form of RFC 1042 is not heard", profiles=LINUX)
def snap_is_not_heard(tap: Script) -> None:
    tap.lan(in_snap(arp_request())).expect()


@clause(ARP, "who has our address is not met, and nothing is given up", profiles=LINUX)
def conflict_is_ignored(tap: Script) -> None:
    for message in (arp_request(US, by=US), arp_reply(US, to=BROADCAST), arp_request(by=US)):
        tap.lan(message).lan(message).expect()
    tap.lan(arp_request(by=OTHER, at=OTHER_MAC)).expect(our_reply(OTHER_MAC, OTHER))


@clause(ARP, "a probe for our address is answered and makes no entry", profiles=LINUX)
def probe_makes_no_entry(tap: Script) -> None:
    tap.lan(arp_request(by=ANY4)).expect(our_reply(PEER_MAC, ANY4))
    expect_unknown(tap)


# the states


@clause(STATES, "a reply to us alone confirms", profiles=LINUX)
def unicast_reply_confirms(tap: Script) -> None:
    tap.at(0).host(packet(PEER)).given(our_request(PEER))
    tap.lan(arp_reply()).expect(wrapped(packet(PEER)))
    expect_sure(tap)


@clause(STATES, "a reply to everyone, or a request, is used and confirms nothing", profiles=LINUX)
def other_answers_confirm_nothing(tap: Script) -> None:
    for answer in (arp_reply(to=BROADCAST), arp_request(PEER), arp_reply(to=BROADCAST, to_ip=PEER)):
        tap.start().at(tap.now).host(packet(PEER)).given(our_request(PEER))
        tap.lan(answer).expect(wrapped(packet(PEER)))
        tap.at(tap.now + 5 * SECOND).expect(question())


@clause(STATES, "three questions at its MAC, a second apart; then it is unknown", profiles=LINUX)
def silent_neighbor_is_given_up(tap: Script) -> None:
    knowing(tap).host(packet(PEER)).expect(wrapped(packet(PEER)))
    for second in (5, 6, 7):
        tap.at(second * SECOND - 1).expect()
        tap.at(second * SECOND).expect(question())
    tap.at(8 * SECOND - 1).host(packet(PEER)).expect(wrapped(packet(PEER)))
    tap.at(8 * SECOND).expect()
    expect_unknown(tap)


@clause(STATES, "one who answers is sure again", profiles=LINUX)
def answer_makes_sure_again(tap: Script) -> None:
    expect_doubted(knowing(tap))
    expect_sure(tap)


@clause(STATES, "one who was sure is doubted a while later, if it is used", profiles=LINUX)
def sure_neighbor_is_doubted_later(tap: Script) -> None:
    tap.at(0).host(packet(PEER)).given(our_request(PEER))
    tap.lan(arp_reply()).given(wrapped(packet(PEER)))
    tap.at(46 * SECOND).expect()
    expect_doubted(tap)


@clause(STATES, "one to whom nothing is sent stays known for hours, unasked", profiles=LINUX)
def unused_neighbor_stays(tap: Script) -> None:
    knowing(tap).at(5 * 3600 * SECOND).expect()
    expect_doubted(tap)


@clause(STATES, "one who was sure and moves is used there, and doubted", profiles=LINUX)
def moving_makes_doubtful(tap: Script) -> None:
    tap.at(0).host(packet(PEER)).given(our_request(PEER))
    tap.lan(arp_reply()).given(wrapped(packet(PEER)))
    tap.lan(arp_request(PEER, at=OTHER_MAC)).expect()
    expect_doubted(tap, OTHER_MAC)


@clause(STATES, "a hundred and one packets wait (unres_qlen)", profiles=LINUX)
def hundred_and_one_packets_wait(tap: Script) -> None:
    many = [packet(PEER, identification=number) for number in range(102)]
    for each in many:
        tap.host(each)
    tap.expect(our_request(PEER))
    tap.lan(arp_reply()).expect(*map(wrapped, many[1:]))


@clause(STATES, "each neighbour is asked for at once, however many there are", profiles=LINUX)
def all_are_asked_for_at_once(tap: Script) -> None:
    many = [bytes((10, 0, 0, last)) for last in range(100, 200)]
    tap.at(0)
    for neighbor in many:
        tap.host(packet(neighbor))
    tap.at(500 * MS).expect(*map(our_request, many))


@clause(STATES, "nobody answers: three requests, a second apart", profiles=LINUX)
def unanswered_request_is_sent_thrice(tap: Script) -> None:
    tap.at(0).host(packet(NOBODY))
    for second in range(3):
        tap.at(second * SECOND).expect(our_request(NOBODY)).at((second + 1) * SECOND - 1).expect()
    tap.at(60 * SECOND).expect()


# NDP


@clause(NDP, "at our address one is answered in short: solicited, no MAC", profiles=LINUX)
def unicast_question_is_answered_in_short(tap: Script) -> None:
    tap.lan(ns(to=US6)).expect(bare_na())


@clause(NDP, "one who asks in our group is answered in full", profiles=LINUX)
def group_question_is_answered_in_full(tap: Script) -> None:
    tap.lan(ns()).expect(our_na())
    tap.lan(ns(to=ALL_NODES6)).expect(our_na())


@clause("RFC 4861, 7.3.3", "an answer is a packet sent: 5 s later one is asked", profiles=LINUX)
def answer_is_use(tap: Script) -> None:
    tap.at(0).lan(ns()).expect(our_na())
    tap.at(5 * SECOND - 1).expect().at(5 * SECOND).expect(our_probe())
    tap.lan(na(S)).at(15 * SECOND).expect()


@clause("RFC 4861, 7.2.2", "one who is doubted is asked in our link-local name", profiles=LINUX)
def doubt_is_in_our_link_local_name(tap: Script) -> None:
    tap.start(our_ip6=(US6, LINK_LOCAL)).at(0).lan(ns()).given(our_na())
    tap.at(5 * SECOND).expect(our_probe(by=LINK_LOCAL))


@clause(
    "virtualtap, linux: ndisc.c", "a MAC option is believed: a group, zero, ours", profiles=LINUX
)
def any_mac_option_is_believed(tap: Script) -> None:
    for says in (BROADCAST, GROUP_MAC, NO_MAC, OUR_MAC):
        tap.start().lan(ns(says=says)).expect(our_na(mac=says))


@clause("virtualtap, linux: ndisc.c", "a MAC option of a wrong length spoils all", profiles=LINUX)
def long_mac_option_spoils_all(tap: Script) -> None:
    tap.at(0).lan(ns()).given(our_na())
    tap.lan(ns(says=None, options=((ndp.SOURCE_MAC, bytes(14)),))).expect()
    tap.lan(na(says=None, options=((ndp.TARGET_MAC, bytes(14)),))).expect()
    tap.at(5 * SECOND).expect(our_probe())


@clause("RFC 7527, 4.1", "a probe carries a number of luck, another each time", profiles=LINUX)
def probe_carries_a_nonce(tap: Script) -> None:
    tap.start(dad=True, dad_transmits=2).at(AFTER_DAD)
    nonces = [nonce_of(frame) for frame in tap.frames()]
    assert len({*nonces}) == 2, f"{len({*nonces})} numbers in two probes"


@clause("RFC 7527, 4.2", "a probe of ours that a loop brings back takes nothing", profiles=LINUX)
def looped_probe_takes_nothing(tap: Script) -> None:
    (probe,) = probed(tap)
    tap.lan(probe).at(AFTER_DAD).lan(ns()).expect(our_na())


@clause(
    "RFC 4862, 5.4.3", "a probe without our number is another's, of our MAC too", profiles=LINUX
)
def own_probe_without_the_number_is_another_s(tap: Script) -> None:
    for theirs in (dad(), dad(at=PEER_MAC), dad(options=((ndp.NONCE, bytes(6)),))):
        probed(tap.start(dad=True))
        tap.lan(theirs).at(tap.now + AFTER_DAD).lan(ns()).expect()


@clause("RFC 4862, 5.4.4", "an advertisement of what we probe takes it", profiles=LINUX)
def advertisement_takes_what_is_probed(tap: Script) -> None:
    for says in (PEER_MAC, None):
        probed(tap.start(dad=True))
        tap.lan(na(O, of=US6, says=says, to=ALL_NODES6))
        tap.at(tap.now + AFTER_DAD).lan(ns()).expect()


@clause("RFC 4861, 7.1.2", "a solicited answer to everyone takes nothing", profiles=LINUX)
def solicited_answer_to_all_takes_nothing(tap: Script) -> None:
    probed(tap)
    tap.lan(na(S, of=US6, to=ALL_NODES6))
    tap.at(AFTER_DAD).lan(ns(by=PEER6)).expect(our_na())


def probed(tap: Script) -> tuple[bytes, ...]:
    """The one probe that was sent within a second."""
    if tap.now == 0:
        tap.start(dad=True)
    frames = tap.at(tap.now + SECOND).frames()
    assert [nonce_of(frame) is None for frame in frames] == [False], "not one probe with a number"
    return frames


def nonce_of(frame: bytes) -> bytes | None:
    """The number of luck in one of our probes."""
    message = ndp.NeighborMessage.parse(Ipv6.parse(frame[14:]).payload)
    nonce = message.option(ndp.NONCE, ndp.NONCE_LEN)
    assert frame == dad(options=() if nonce is None else ((ndp.NONCE, nonce),)), "no probe of ours"
    return nonce
