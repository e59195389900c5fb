"""Duplicate address detection of our own addresses: RFC 4862 5.4."""

from sim.conformance.frames import frame, packet6, wrapped
from sim.conformance.frames6 import O, S, dad, na, ns, our_na, our_ns, spoiled
from sim.conformance.registry import clause
from sim.conformance.script import OTHER_MAC, PEER6, PEER_MAC, US6, Script
from virtualtap.units import SECOND
from virtualtap.wire.address import ALL_NODES6, ip

AFTER = 2 * SECOND  # one second of luck (5.4.2) and one retransmission timer
SECOND6 = ip("fe80::2")  # another address of ours


def probe(tap: Script) -> None:
    """We have probed and nobody has answered yet."""
    tap.start(dad=True).at(SECOND).expect(dad())


def expect_ours(tap: Script) -> None:
    """The address is answered for."""
    tap.at(max(tap.now, AFTER)).lan(ns()).expect(our_na())


def expect_not_ours(tap: Script) -> None:
    """The address is neither answered for nor used, now and later."""
    tap.at(max(tap.now, AFTER) + 5 * SECOND).expect()
    tap.lan(ns()).expect()
    tap.host(packet6()).expect()
    tap.forget()


@clause(
    "RFC 4862, 5.4.2", "within a second we probe once, from nobody, saying no MAC", "v6LC.3.1.1"
)
def probe_is_sent(tap: Script) -> None:
    tap.start(dad=True).at(SECOND).expect(dad())
    tap.at(30 * SECOND).expect()


@clause("RFC 4862, 5.4", "when nobody objects the address is ours", "v6LC.3.1.1")
def unopposed_address_is_ours(tap: Script) -> None:
    probe(tap)
    expect_ours(tap)


@clause("RFC 4862, 5.4", "what is not asked for is not probed: an address is ours at once")
def without_dad_nothing_is_said(tap: Script) -> None:
    tap.at(5 * SECOND).expect().lan(ns()).expect(our_na())


@clause("RFC 4862, 5.1", "as many probes as configured, a retransmission timer apart")
def probes_as_configured(tap: Script) -> None:
    tap.start(dad=True, dad_transmits=3).at(SECOND).expect(dad())
    tap.at(2 * SECOND).expect(dad()).at(3 * SECOND).expect(dad())
    tap.at(4 * SECOND).lan(ns()).expect(our_na())


@clause("RFC 4862, 5.4", "each of our addresses is probed", "v6LC.3.2.1")
def each_address_is_probed(tap: Script) -> None:
    tap.start(dad=True, our_ip6=(US6,)).at(SECOND).expect(dad())
    tap.start(dad=True, our_ip6=(SECOND6,)).at(2 * SECOND).expect(dad(SECOND6))


@clause(
    "RFC 4862, 5.4.3", "before that, one who asks for the address is not answered", "v6LC.3.1.5.A"
)
def tentative_address_is_not_answered_for(tap: Script) -> None:
    probe(tap)
    tap.lan(ns()).expect()
    expect_ours(tap)


@clause("RFC 4862, 5.4", "before that, what is sent to the address is not for us")
def tentative_address_receives_nothing(tap: Script) -> None:
    probe(tap)
    tap.lan(frame(packet6(US6, source=PEER6))).expect().expect_host()
    expect_ours(tap)


@clause("RFC 4862, 5.4", "before that, nothing is sent from the address")
def tentative_address_sends_nothing(tap: Script) -> None:
    probe(tap)
    tap.host(packet6()).expect()
    tap.forget()
    tap.at(AFTER).host(packet6()).expect(our_ns())
    tap.lan(na()).expect(wrapped(packet6()))


@clause("RFC 4862, 5.4.4", "one who advertises the address has it, and we do not", "v6LC.3.1.2.C")
def advertised_address_is_not_ours(tap: Script) -> None:
    probe(tap)
    tap.lan(na(O, of=US6, says=OTHER_MAC, at=OTHER_MAC, to=ALL_NODES6)).expect()
    expect_not_ours(tap)


@clause("RFC 4862, 5.4.3", "where two probe for one address nobody gets it", "v6LC.3.1.2.A")
def contested_address_is_not_ours(tap: Script) -> None:
    probe(tap)
    tap.lan(dad(at=PEER_MAC)).expect()
    expect_not_ours(tap)


@clause("RFC 4862, 5.4.2", "one who probes before we did gets it: we do not ask any more")
def address_probed_before_ours(tap: Script) -> None:
    tap.start(dad=True).at(0).lan(dad(at=PEER_MAC)).expect()
    tap.at(AFTER).forget()
    expect_not_ours(tap)


@clause("RFC 4862, 5.4.3", "a probe for another address does not matter", "v6LC.3.1.2.B")
def probe_for_another_does_not_matter(tap: Script) -> None:
    probe(tap)
    tap.lan(dad(PEER6, at=PEER_MAC)).expect()
    expect_ours(tap)


@clause("RFC 4862, 5.4.4", "an advertisement of another address does not matter", "v6LC.3.1.2.D")
def advertisement_of_another_does_not_matter(tap: Script) -> None:
    probe(tap)
    tap.lan(na(O, to=ALL_NODES6)).expect()
    expect_ours(tap)


@clause("RFC 4862, 5.4.3", "an invalid probe takes no address", "v6LC.3.1.3")
def invalid_probe_takes_nothing(tap: Script) -> None:
    probe(tap)
    tap.lan(spoiled(dad(at=PEER_MAC), hop_limit=254)).lan(dad(at=PEER_MAC, to=US6)).expect()
    expect_ours(tap)


@clause("RFC 4862, 5.4.4", "an invalid advertisement takes no address", "v6LC.3.1.4")
def invalid_advertisement_takes_nothing(tap: Script) -> None:
    probe(tap)
    wrong = na(S | O, of=US6, says=OTHER_MAC, at=OTHER_MAC, to=ALL_NODES6)
    tap.lan(wrong).lan(spoiled(na(O, of=US6, at=OTHER_MAC, to=ALL_NODES6), checksum=1)).expect()
    expect_ours(tap)


@clause("RFC 4862, 5.4", "an address that is ours stays ours when another advertises it")
def assigned_address_stays_ours(tap: Script) -> None:
    probe(tap)
    tap.at(AFTER).lan(na(O, of=US6, says=OTHER_MAC, at=OTHER_MAC, to=ALL_NODES6)).forget()
    expect_ours(tap)
