"""The states of a neighbour, transition by transition: RFC 4861 7.2.5, 7.3.3, appendix C."""

from sim.conformance.frames import packet6, wrapped
from sim.conformance.frames6 import (
    O,
    S,
    expect_reachable,
    expect_stale,
    expect_unknown,
    make_delay,
    make_probe,
    make_reachable,
    make_stale,
    na,
    ns,
    our_na,
    our_ns,
    our_probe,
)
from sim.conformance.registry import clause
from sim.conformance.script import OTHER_MAC, PEER6, PEER_MAC, Script
from virtualtap.units import SECOND
from virtualtap.wire.address import ALL_NODES6

# no entry


@clause("RFC 4861, 7.2.5", "an answer of one nobody asked for makes no entry", "v6LC.2.1.16")
def unknown_solicited_answer(tap: Script) -> None:
    tap.lan(na(S | O)).expect()
    expect_unknown(tap)


@clause("RFC 4861, 7.2.5", "an announcement of a stranger makes no entry", "v6LC.2.1.16")
def unknown_announcement(tap: Script) -> None:
    tap.lan(na(O, to=ALL_NODES6)).expect()
    expect_unknown(tap)


# INCOMPLETE


@clause("RFC 4861, 7.2.5", "INCOMPLETE: a solicited answer confirms", "v6LC.2.1.17")
def incomplete_solicited(tap: Script) -> None:
    make_reachable(tap)
    expect_reachable(tap)


@clause("RFC 4861, 7.2.5", "INCOMPLETE: the override flag does not matter", "v6LC.2.1.17")
def incomplete_without_override(tap: Script) -> None:
    tap.host(packet6()).expect(our_ns())
    tap.lan(na(S)).expect(wrapped(packet6()))
    expect_reachable(tap)


@clause("RFC 4861, 7.2.5", "INCOMPLETE: an unsolicited answer is used, but confirms nothing")
def incomplete_unsolicited(tap: Script) -> None:
    tap.host(packet6()).expect(our_ns())
    tap.lan(na(O)).expect(wrapped(packet6()))
    tap.at(5 * SECOND).expect(our_probe())


@clause("RFC 4861, 7.2.5", "INCOMPLETE: an answer that says no MAC is no answer", "v6LC.2.1.17")
def incomplete_without_mac(tap: Script) -> None:
    tap.host(packet6()).expect(our_ns())
    tap.lan(na(S | O, says=None)).expect()
    tap.at(SECOND).expect(our_ns())


@clause("RFC 4861, 7.2.3", "INCOMPLETE: one who asks us is used, but not confirmed", "v6LC.2.1.9")
def incomplete_asked(tap: Script) -> None:
    tap.host(packet6()).expect(our_ns())
    tap.lan(ns()).expect(wrapped(packet6()), our_na())
    tap.at(5 * SECOND).expect(our_probe())


# REACHABLE


@clause("RFC 4861, 6.3.2", "REACHABLE: nobody is doubted before half of 30 s", "v6LC.2.1.6.A")
def reachable_lasts_fifteen_seconds(tap: Script) -> None:
    make_reachable(tap)
    tap.at(9 * SECOND)
    tap.host(packet6()).expect(wrapped(packet6()))
    tap.at(15 * SECOND - 1).expect()


@clause("RFC 4861, 6.3.2", "REACHABLE: one not heard of for 45 s is STALE", "v6LC.2.1.6.A")
def reachable_ends_after_forty_five_seconds(tap: Script) -> None:
    make_reachable(tap)
    tap.at(45 * SECOND).expect()
    expect_stale(tap)


@clause("RFC 4861, 7.2.5", "REACHABLE: a solicited answer begins its time anew", "v6LC.2.1.18")
def reachable_confirmed(tap: Script) -> None:
    make_reachable(tap)
    for second in range(14, 57, 14):
        tap.at(second * SECOND).lan(na(S)).expect()
    expect_reachable(tap)


@clause("RFC 4861, 7.2.5", "REACHABLE: an unsolicited answer does not begin its time anew")
def reachable_announced(tap: Script) -> None:
    make_reachable(tap)
    for second in range(14, 57, 14):
        tap.at(second * SECOND).lan(na(O)).expect()
    expect_stale(tap)


@clause("RFC 4861, 7.2.3", "REACHABLE: one who asks us from its MAC stays so", "v6LC.2.1.10")
def reachable_asks(tap: Script) -> None:
    make_reachable(tap)
    tap.lan(ns()).expect(our_na())
    expect_reachable(tap)


@clause("RFC 4861, 7.2.3", "REACHABLE: one who asks from another MAC is STALE there", "v6LC.2.1.10")
def reachable_asks_from_elsewhere(tap: Script) -> None:
    make_reachable(tap)
    tap.lan(ns(says=OTHER_MAC)).expect(our_na(mac=OTHER_MAC))
    expect_stale(tap, OTHER_MAC)


@clause("RFC 4861, 7.2.5", "REACHABLE: a solicited override moves it, confirmed", "v6LC.2.1.18")
def reachable_solicited_override(tap: Script) -> None:
    make_reachable(tap)
    tap.lan(na(S | O, says=OTHER_MAC)).expect()
    expect_reachable(tap, OTHER_MAC)


@clause("RFC 4861, 7.2.5", "REACHABLE: an unsolicited override moves it, STALE", "v6LC.2.1.18")
def reachable_unsolicited_override(tap: Script) -> None:
    make_reachable(tap)
    tap.lan(na(O, says=OTHER_MAC, to=ALL_NODES6)).expect()
    expect_stale(tap, OTHER_MAC)


@clause("RFC 4861, 7.2.5", "REACHABLE: another MAC that may not override makes the old one STALE")
def reachable_contradicted(tap: Script) -> None:
    make_reachable(tap)
    tap.lan(na(S, says=OTHER_MAC)).expect()
    expect_stale(tap)


@clause("RFC 4861, 7.2.5", "REACHABLE: so does an unsolicited one")
def reachable_contradicted_unsolicited(tap: Script) -> None:
    make_reachable(tap)
    tap.lan(na(0, says=OTHER_MAC)).expect()
    expect_stale(tap)


# STALE


@clause("RFC 4861, 7.3.3", "STALE: one to whom nothing is sent is not asked", "v6LC.2.1.6.B")
def stale_unused(tap: Script) -> None:
    make_stale(tap)
    tap.at(120 * SECOND).expect()


@clause("RFC 4861, 7.3.3", "STALE: the first packet goes at once, and 5 s later comes the question")
def stale_used(tap: Script) -> None:
    make_stale(tap)
    expect_stale(tap)


@clause("RFC 4861, 7.2.5", "STALE: a solicited answer confirms", "v6LC.2.1.19")
def stale_solicited(tap: Script) -> None:
    make_stale(tap)
    tap.lan(na(S)).expect()
    expect_reachable(tap)


@clause("RFC 4861, 7.2.5", "STALE: a solicited answer that says no MAC confirms", "v6LC.2.1.19")
def stale_solicited_without_mac(tap: Script) -> None:
    make_stale(tap)
    tap.lan(na(S, says=None)).expect()
    expect_reachable(tap)


@clause("RFC 4861, 7.2.5", "STALE: an unsolicited answer confirms nothing", "v6LC.2.1.19")
def stale_unsolicited(tap: Script) -> None:
    make_stale(tap)
    tap.lan(na(O)).expect()
    expect_stale(tap)


@clause("RFC 4861, 7.2.5", "STALE: a solicited override moves it, confirmed", "v6LC.2.1.19")
def stale_solicited_override(tap: Script) -> None:
    make_stale(tap)
    tap.lan(na(S | O, says=OTHER_MAC)).expect()
    expect_reachable(tap, OTHER_MAC)


@clause("RFC 4861, 7.2.5", "STALE: an unsolicited override moves it", "v6LC.2.1.19")
def stale_unsolicited_override(tap: Script) -> None:
    make_stale(tap)
    tap.lan(na(O, says=OTHER_MAC)).expect()
    expect_stale(tap, OTHER_MAC)


@clause("RFC 4861, 7.2.5", "STALE: another MAC that may not override is ignored", "v6LC.2.1.19")
def stale_contradicted(tap: Script) -> None:
    make_stale(tap)
    tap.lan(na(S, says=OTHER_MAC)).expect()
    expect_stale(tap)


@clause("RFC 4861, 7.2.3", "STALE: one who asks from another MAC is there", "v6LC.2.1.11")
def stale_asks_from_elsewhere(tap: Script) -> None:
    make_stale(tap)
    tap.lan(ns(says=OTHER_MAC)).expect(our_na(mac=OTHER_MAC))
    expect_stale(tap, OTHER_MAC)


# DELAY


@clause("RFC 4861, 7.3.3", "DELAY: packets go on, and nobody is asked before 5 s", "v6LC.2.1.6.B")
def delay_goes_on(tap: Script) -> None:
    make_delay(tap)
    tap.at(5 * SECOND - 1).host(packet6()).expect(wrapped(packet6()))


@clause("RFC 4861, 7.2.5", "DELAY: a solicited answer confirms, and no question follows")
def delay_solicited(tap: Script) -> None:
    make_delay(tap)
    tap.at(SECOND).lan(na(S)).expect()
    tap.at(12 * SECOND).expect()


@clause("RFC 4861, 7.2.5", "DELAY: an unsolicited answer does not spare the question")
def delay_unsolicited(tap: Script) -> None:
    make_delay(tap)
    tap.at(SECOND).lan(na(O)).expect()
    tap.at(5 * SECOND).expect(our_probe())


@clause("RFC 4861, 7.2.3", "DELAY: one who asks from another MAC is STALE there")
def delay_asks_from_elsewhere(tap: Script) -> None:
    make_delay(tap)
    tap.lan(ns(says=OTHER_MAC)).expect(our_na(mac=OTHER_MAC))
    tap.at(20 * SECOND).expect()
    expect_stale(tap, OTHER_MAC)


# PROBE


@clause("RFC 4861, 7.3.3", "PROBE: three questions a second apart, at its MAC", "v6LC.2.1.6.C")
def probe_three_times(tap: Script) -> None:
    make_probe(tap)
    for second in (6, 7):
        tap.at(second * SECOND - 1).expect()
        tap.at(second * SECOND).expect(our_probe())
    tap.at(60 * SECOND).expect()


@clause(
    "RFC 4861, 7.3.3", "PROBE: one who does not answer is forgotten, and asked for in its group"
)
def probe_unanswered(tap: Script) -> None:
    make_probe(tap)
    tap.at(8 * SECOND).forget()
    expect_unknown(tap)


@clause("RFC 4861, 7.3.3", "PROBE: packets go on while it is asked", "v6LC.2.1.6.C")
def probe_goes_on(tap: Script) -> None:
    make_probe(tap)
    tap.host(packet6()).expect(wrapped(packet6()))


@clause("RFC 4861, 7.2.5", "PROBE: a solicited answer confirms", "v6LC.2.1.20")
def probe_solicited(tap: Script) -> None:
    make_probe(tap)
    tap.lan(na(S)).expect()
    expect_reachable(tap)


@clause("RFC 4861, 7.2.5", "PROBE: an unsolicited answer does not end the questions", "v6LC.2.1.20")
def probe_unsolicited(tap: Script) -> None:
    make_probe(tap)
    tap.lan(na(O)).expect()
    tap.at(6 * SECOND).expect(our_probe())


@clause("RFC 4861, 7.2.5", "PROBE: an unsolicited override moves it and ends the questions")
def probe_unsolicited_override(tap: Script) -> None:
    make_probe(tap)
    tap.lan(na(O, says=OTHER_MAC)).expect()
    tap.at(20 * SECOND).expect()
    expect_stale(tap, OTHER_MAC)


@clause("RFC 4861, 7.2.5", "PROBE: another MAC that may not override is ignored", "v6LC.2.1.20")
def probe_contradicted(tap: Script) -> None:
    make_probe(tap)
    tap.lan(na(S, says=OTHER_MAC)).expect()
    tap.at(6 * SECOND).expect(our_probe())


@clause(
    "RFC 4861, 7.2.3", "PROBE: one who asks us is answered and goes on being asked", "v6LC.2.1.12"
)
def probe_asks(tap: Script) -> None:
    make_probe(tap)
    tap.lan(ns()).expect(our_na())
    tap.at(6 * SECOND).expect(our_probe())


@clause("RFC 4861, 7.3.1", "a packet of it is no proof that it hears us")
def packets_of_it_confirm_nothing(tap: Script) -> None:
    make_delay(tap)
    sent = packet6(b"\xfd" + bytes(14) + b"\x02", source=PEER6)
    tap.lan(wrapped(sent)[6:12] + PEER_MAC + b"\x86\xdd" + sent).expect_host(sent)
    tap.at(5 * SECOND).expect(our_probe())
