"""Messages that must be discarded, each for one reason: RFC 4861 6.1.2, 7.1.1, 7.1.2, 8.1."""

from sim.conformance.frames import packet6, wrapped
from sim.conformance.frames6 import (
    FAR6,
    ROUTER6,
    O,
    S,
    dad,
    expect_unknown,
    na,
    ns,
    of_length,
    our_na,
    our_ns,
    overlong,
    ra,
    redirect,
    rs,
    spoiled,
    without_length,
)
from sim.conformance.registry import clause
from sim.conformance.script import (
    GATEWAY6,
    GATEWAY_MAC,
    OTHER_MAC,
    PEER6,
    PEER_MAC,
    US6,
    Script,
)
from virtualtap.wire.address import ALL_NODES6, ip, solicited_node

GROUP = solicited_node(US6)


def ignored_solicitation(tap: Script, wrong: bytes) -> None:
    """Neither answered nor believed; a right one is, afterwards."""
    tap.lan(wrong).expect()
    expect_unknown(tap)
    tap.lan(ns()).expect(wrapped(packet6()), our_na())


def ignored_answer(tap: Script, wrong: bytes) -> None:
    """What waits goes on waiting, until a right answer comes."""
    tap.host(packet6()).expect(our_ns())
    tap.lan(wrong).expect()
    tap.lan(na()).expect(wrapped(packet6()))


def ignored_router(tap: Script, wrong: bytes) -> None:
    """There is no way out by this router."""
    tap.start(gateway_ip6=None).lan(wrong).forget()
    tap.host(packet6(FAR6)).expect()


def ignored_redirect(tap: Script, wrong: bytes) -> None:
    """Packets go where they went before."""
    tap.host(packet6(FAR6)).expect(our_ns(GATEWAY6))
    tap.lan(na(of=GATEWAY6, says=GATEWAY_MAC)).expect(wrapped(packet6(FAR6), GATEWAY_MAC))
    tap.lan(wrong).expect()
    tap.host(packet6(FAR6)).expect(wrapped(packet6(FAR6), GATEWAY_MAC))


# solicitations


@clause(
    "RFC 4861, 7.1.1", "a solicitation whose hop limit is not 255 came from afar", "v6LC.2.1.7.D"
)
def solicitation_from_afar(tap: Script) -> None:
    ignored_solicitation(tap, spoiled(ns(), hop_limit=254))


@clause("RFC 4861, 7.1.1", "a solicitation with a wrong checksum is discarded", "v6LC.2.1.7.E")
def solicitation_with_wrong_checksum(tap: Script) -> None:
    ignored_solicitation(tap, spoiled(ns(), checksum=1))


@clause("RFC 4861, 7.1.1", "a solicitation whose code is not 0 is discarded", "v6LC.2.1.7.F")
def solicitation_with_code(tap: Script) -> None:
    ignored_solicitation(tap, spoiled(ns(), code=1))


@clause("RFC 4861, 7.1.1", "a solicitation below 24 bytes is discarded", "v6LC.2.1.7.G")
def solicitation_too_short(tap: Script) -> None:
    ignored_solicitation(tap, of_length(ns(), 20))


@clause(
    "RFC 4861, 7.1.1", "a solicitation with an option of no length is discarded", "v6LC.2.1.7.H"
)
def solicitation_with_empty_option(tap: Script) -> None:
    ignored_solicitation(tap, without_length(ns(), 24))


@clause("RFC 4861, 4.6", "a solicitation whose option ends beyond the packet is discarded")
def solicitation_with_overlong_option(tap: Script) -> None:
    ignored_solicitation(tap, overlong(ns(), 24))


@clause("RFC 4861, 7.1.1", "a solicitation for a group is discarded", "v6LC.2.1.7.A")
def solicitation_for_a_group(tap: Script) -> None:
    ignored_solicitation(tap, ns(GROUP, to=US6))


@clause("RFC 4861, 7.1.1", "a probe to an address is discarded", "v6LC.2.1.7.B", "v6LC.3.1.3")
def probe_to_an_address(tap: Script) -> None:
    ignored_solicitation(tap, dad(at=PEER_MAC, to=US6))


@clause("RFC 4861, 7.1.1", "a probe to another group than its target's is discarded")
def probe_to_another_group(tap: Script) -> None:
    ignored_solicitation(tap, dad(at=PEER_MAC, to=ALL_NODES6))


@clause("RFC 4861, 7.1.1", "a probe that says a MAC is discarded", "v6LC.2.1.7.C")
def probe_with_mac(tap: Script) -> None:
    ignored_solicitation(tap, dad(at=PEER_MAC, options=((1, PEER_MAC),)))


@clause("RFC 4291, 2.7", "a solicitation from a group is discarded")
def solicitation_from_a_group(tap: Script) -> None:
    ignored_solicitation(tap, ns(by=GROUP))


# advertisements


@clause("RFC 4861, 7.1.2", "an answer whose hop limit is not 255 came from afar", "v6LC.2.1.15.B")
def answer_from_afar(tap: Script) -> None:
    ignored_answer(tap, spoiled(na(), hop_limit=254))


@clause("RFC 4861, 7.1.2", "an answer with a wrong checksum is discarded", "v6LC.2.1.15.C")
def answer_with_wrong_checksum(tap: Script) -> None:
    ignored_answer(tap, spoiled(na(), checksum=1))


@clause("RFC 4861, 7.1.2", "an answer whose code is not 0 is discarded", "v6LC.2.1.15.D")
def answer_with_code(tap: Script) -> None:
    ignored_answer(tap, spoiled(na(), code=1))


@clause("RFC 4861, 7.1.2", "an answer below 24 bytes is discarded", "v6LC.2.1.15.E")
def answer_too_short(tap: Script) -> None:
    ignored_answer(tap, of_length(na(), 16))


@clause("RFC 4861, 7.1.2", "an answer with an option of no length is discarded", "v6LC.2.1.15.G")
def answer_with_empty_option(tap: Script) -> None:
    ignored_answer(tap, without_length(na(options=((14, b"nonce!"),)), 32))


@clause("RFC 4861, 4.6", "an answer whose option ends beyond the packet is discarded")
def answer_with_overlong_option(tap: Script) -> None:
    ignored_answer(tap, overlong(na(options=((14, b"nonce!"),)), 32))


@clause(
    "RFC 4861, 7.1.2", "an answer to all that claims to be solicited is discarded", "v6LC.2.1.15.A"
)
def solicited_answer_to_all(tap: Script) -> None:
    ignored_answer(tap, na(S | O, to=ALL_NODES6))


@clause("RFC 4861, 7.1.2", "an answer about a group is discarded", "v6LC.2.1.15.F")
def answer_about_a_group(tap: Script) -> None:
    ignored_answer(tap, na(of=solicited_node(PEER6), by=PEER6))


# router advertisements


@clause("RFC 4861, 6.1.2", "a router with a global address only is not heard", "v6LC.2.2.12.A")
def router_with_global_source(tap: Script) -> None:
    ignored_router(tap, ra(by=ip("fd00::11")))


@clause("RFC 4861, 6.1.2", "a router whose hop limit is not 255 is not heard", "v6LC.2.2.12.B")
def router_from_afar(tap: Script) -> None:
    ignored_router(tap, spoiled(ra(), hop_limit=254))


@clause("RFC 4861, 6.1.2", "a router with a wrong checksum is not heard", "v6LC.2.2.12.C")
def router_with_wrong_checksum(tap: Script) -> None:
    ignored_router(tap, spoiled(ra(), checksum=1))


@clause("RFC 4861, 6.1.2", "a router whose code is not 0 is not heard", "v6LC.2.2.12.D")
def router_with_code(tap: Script) -> None:
    ignored_router(tap, spoiled(ra(), code=1))


@clause("RFC 4861, 6.1.2", "a router that says less than 16 bytes is not heard", "v6LC.2.2.12.E")
def router_too_short(tap: Script) -> None:
    ignored_router(tap, of_length(ra(), 14))


@clause("RFC 4861, 6.1.2", "a router with an option of no length is not heard", "v6LC.2.2.12.F")
def router_with_empty_option(tap: Script) -> None:
    ignored_router(tap, without_length(ra(), 16))


@clause("RFC 4861, 6.2.6", "one who asks for routers is not answered by a host", "v6LC.2.2.3.A")
def router_solicitation_is_for_routers(tap: Script) -> None:
    tap.lan(rs()).expect()
    expect_unknown(tap)


# redirects


@clause("RFC 4861, 8.1", "a redirect from a global address is discarded", "v6LC.2.3.3.A")
def redirect_with_global_source(tap: Script) -> None:
    tap.start(gateway_ip6=ip("fd00::1"))
    tap.host(packet6(FAR6)).expect(our_ns(ip("fd00::1")))
    tap.lan(na(of=ip("fd00::1"), says=GATEWAY_MAC)).expect(wrapped(packet6(FAR6), GATEWAY_MAC))
    tap.lan(redirect(by=ip("fd00::1"))).expect()
    tap.host(packet6(FAR6)).expect(wrapped(packet6(FAR6), GATEWAY_MAC))


@clause("RFC 4861, 8.1", "a redirect whose hop limit is not 255 came from afar", "v6LC.2.3.3.C")
def redirect_from_afar(tap: Script) -> None:
    ignored_redirect(tap, spoiled(redirect(), hop_limit=254))


@clause("RFC 4861, 8.1", "a redirect with a wrong checksum is discarded", "v6LC.2.3.3.D")
def redirect_with_wrong_checksum(tap: Script) -> None:
    ignored_redirect(tap, spoiled(redirect(), checksum=1))


@clause("RFC 4861, 8.1", "a redirect whose code is not 0 is discarded", "v6LC.2.3.3.E")
def redirect_with_code(tap: Script) -> None:
    ignored_redirect(tap, spoiled(redirect(), code=1))


@clause("RFC 4861, 8.1", "a redirect below 40 bytes is discarded", "v6LC.2.3.3.H")
def redirect_too_short(tap: Script) -> None:
    ignored_redirect(tap, of_length(redirect(), 32))


@clause("RFC 4861, 8.1", "a redirect for a group is discarded", "v6LC.2.3.3.F")
def redirect_for_a_group(tap: Script) -> None:
    group = ip("ff0e::9")
    ignored_redirect(tap, redirect(group, target=group))
    tap.host(packet6(group)).expect(wrapped(packet6(group), b"\x33\x33" + group[12:]))


@clause(
    "RFC 4861, 8.1",
    "a redirect to a router without link-local address is discarded",
    "v6LC.2.3.3.G",
)
def redirect_to_a_global_router(tap: Script) -> None:
    ignored_redirect(tap, redirect(target=ip("fd00::11")))


@clause("RFC 4861, 8.1", "a redirect with an option of no length is discarded", "v6LC.2.3.3.I")
def redirect_with_empty_option(tap: Script) -> None:
    ignored_redirect(tap, without_length(redirect(), 40))


@clause("RFC 4861, 8.1", "only the first hop of a destination may redirect it", "v6LC.2.3.3.B")
def redirect_from_another(tap: Script) -> None:
    ignored_redirect(tap, redirect(by=ROUTER6, at=OTHER_MAC))
