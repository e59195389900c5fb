"""Wrong DHCP servers: who gets which address, what the answers say, and where they go."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.conformance.frames import patched
from sim.conformance.mutants_arp import swap
from sim.conformance.mutants_gateway import served, serving
from virtualtap.handlers import dhcp_server
from virtualtap.handlers.dhcp_server import DhcpServerHandler
from virtualtap.loans import Loan, State
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, Ip, Mac, ip
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import HEADER_LEN


def lending(name: str, change: Callable[[DhcpServerHandler, VirtualTap], object]) -> None:
    """A mutant only where the tap lends addresses."""

    def wrong(tap: VirtualTap) -> None:
        receive: Any = tap._ipv4._udp.get(dhcp.SERVER_PORT)
        if receive is not None:
            change(receive.__self__, tap)

    serving(name, wrong)


def says(name: str, change: Callable[[Dhcp], Dhcp]) -> None:
    """Its answers say something else."""
    lending(
        name,
        lambda server, _: swap(
            server, "_send", lambda right, said, mac, to: right(change(said), mac, to)
        ),
    )


def without(*codes: int) -> Callable[[Dhcp], Dhcp]:
    """The message without these options."""
    return lambda said: replace(
        said, options=tuple(one for one in said.options if one[0] not in codes)
    )


def with_value(code: int, value: bytes) -> Callable[[Dhcp], Dhcp]:
    """The message with another value where it has the option."""
    return lambda said: replace(
        said, options=tuple((each, value if each == code else old) for each, old in said.options)
    )


def handles(name: str, kind: int, wrong: Callable[..., Any]) -> None:
    """It takes one kind of message otherwise; `wrong` gets server, right way, message."""

    def change(server: DhcpServerHandler, _: VirtualTap) -> None:
        right = server._on[kind]
        server._on[kind] = lambda message: wrong(server, right, message)

    lending(name, change)


def hears(name: str, change: Callable[[Dhcp], Dhcp]) -> None:
    """It reads every message otherwise."""

    def wrong(server: DhcpServerHandler, _: VirtualTap) -> None:
        for kind, right in server._on.items():
            server._on[kind] = _after(right, change)

    lending(name, wrong)


def _after(right: Callable[[Dhcp], None], change: Callable[[Dhcp], Dhcp]) -> Callable[..., None]:
    return lambda message: right(change(message))


def _no_wish(said: Dhcp) -> Dhcp:
    return without(dhcp.REQUESTED_IP)(said) if said.kind == dhcp.DISCOVER else said


# who gets which address


def _does_not_ask(server: DhcpServerHandler, _: VirtualTap) -> None:
    server._ask = lambda *_: None


def _does_not_listen(server: DhcpServerHandler, tap: VirtualTap) -> None:
    def wrong(right: Callable[[Ip], None], at: Ip) -> None:
        tap._core.forget(at)
        right(at)

    swap(server, "_probed", wrong)


def _believes_nobody(server: DhcpServerHandler, _: VirtualTap) -> None:
    def wrong(right: Callable[[Ip], None], at: Ip) -> None:
        server.loans.at(at).mac = BROADCAST
        right(at)

    swap(server, "_probed", wrong)


def _forgets_clients(server: DhcpServerHandler, _: VirtualTap) -> None:
    def wrong(right: Callable[..., Any], client: bytes) -> tuple[Ip, Loan | None]:
        found: tuple[Ip, Loan | None] = right(client)
        return found if found[1] is not None and found[1].until > server._core.now else (b"", None)

    swap(server.loans, "of", wrong)


def _forgets_offers(server: DhcpServerHandler, _: VirtualTap) -> None:
    swap(server.loans, "choose", lambda right, client, wish, now: right(client, wish, 1 << 62))


def _lends_twice(server: DhcpServerHandler, _: VirtualTap) -> None:
    swap(server.loans, "choose", lambda right, client, wish, now: wish or right(client, wish, now))


def _lends_to_ever_new(server: DhcpServerHandler, _: VirtualTap) -> None:
    handle = server._on[dhcp.DISCOVER]

    def wrong(message: Dhcp) -> None:
        server.loans._clients.pop(b"\1" + message.client_mac, None)
        handle(message)

    server._on[dhcp.DISCOVER] = wrong


def _never_lends_again(server: DhcpServerHandler, _: VirtualTap) -> None:
    swap(server.loans, "choose", lambda right, client, wish, now: right(client, wish, -1))


def _lends_its_own(server: DhcpServerHandler, _: VirtualTap) -> None:
    server.loans._may_lend = lambda _: True


def _keeps_offers(server: DhcpServerHandler, _: VirtualTap) -> None:
    swap(server, "_forget", lambda *_: None)


def _rests_nobody(server: DhcpServerHandler, _: VirtualTap) -> None:
    swap(server, "_rest", lambda right, at: server.loans.forget(at))


lending("lender_does_not_ask", _does_not_ask)
lending("lender_does_not_listen", _does_not_listen)
lending("lender_believes_nobody", _believes_nobody)
lending("lender_forgets_clients", _forgets_clients)
lending("lender_forgets_offers", _forgets_offers)
lending("lender_lends_twice", _lends_twice)
lending("lender_lends_to_ever_new_clients", _lends_to_ever_new)
lending("lender_never_lends_again", _never_lends_again)
lending("lender_lends_its_own_address", _lends_its_own)
lending("lender_keeps_refused_offers", _keeps_offers)
lending("lender_lets_nothing_rest", _rests_nobody)
hears("lender_fulfils_no_wish", _no_wish)
served("lender_has_no_pool", pool=None, server_ip=None)
served("lender_has_another_pool", pool=(ip("10.0.0.99"), ip("10.0.0.120")))
served("lender_has_no_limit", leases_max=256)
served("lender_keeps_offers_for_ever", offer_time=1 << 60)
served("lender_has_no_address_of_its_own", server_ip=None)


# what is asked of it


def _answers_all(server: DhcpServerHandler, right: Callable[..., None], message: Dhcp) -> None:
    address, loan = server.loans.of(dhcp_server._client(message))
    if loan is not None:
        server._grant(address, loan, message)
    else:
        right(message)


def _refuses_unknown(server: DhcpServerHandler, right: Callable[..., None], message: Dhcp) -> None:
    if server.loans.of(dhcp_server._client(message))[1] is None:
        server._reply(dhcp.NAK, message, ANY4, ())
    else:
        right(message)


def _is_every_server(server: DhcpServerHandler, right: Callable[..., None], message: Dhcp) -> None:
    own = server._server
    right(with_value(dhcp.SERVER_ID, own)(message))


def _refuses_nobody(server: DhcpServerHandler, right: Callable[..., None], message: Dhcp) -> None:
    swap(server, "_reply", lambda r, kind, *rest: None if kind == dhcp.NAK else r(kind, *rest))
    right(message)


def _frees_anothers(server: DhcpServerHandler, right: Callable[..., None], message: Dhcp) -> None:
    wanted = dhcp_server._wish(message) or message.client_ip
    if wanted in server.loans._loans:
        server.loans.forget(wanted)


def _does_not_prolong(server: DhcpServerHandler, right: Callable[..., None], said: Dhcp) -> None:
    loan = server.loans.of(dhcp_server._client(said))[1]
    until = None if loan is None or loan.state is not State.BOUND else loan.until
    right(said)
    if loan is not None and until is not None:
        loan.until = until


def _is_not(*_: object) -> None:
    return None


handles("lender_grants_what_it_likes", dhcp.REQUEST, _answers_all)
handles("lender_refuses_the_unknown", dhcp.REQUEST, _refuses_unknown)
handles("lender_takes_itself_for_every_server", dhcp.REQUEST, _is_every_server)
handles("lender_refuses_nobody", dhcp.REQUEST, _refuses_nobody)
handles("lender_does_not_prolong", dhcp.REQUEST, _does_not_prolong)
handles("lender_takes_nothing_back", dhcp.RELEASE, _is_not)
handles("lender_takes_anothers_back", dhcp.RELEASE, _frees_anothers)
handles("lender_hears_no_refusal", dhcp.DECLINE, _is_not)
handles("lender_lets_anyone_refuse", dhcp.DECLINE, _frees_anothers)
handles("lender_tells_nothing", dhcp.INFORM, _is_not)
handles("lender_lends_to_who_only_asks", dhcp.INFORM, lambda s, _, m: s._offer(m.client_ip, m))


# what it hears


def _reads(change: Callable[[bytes], bytes]) -> Callable[[DhcpServerHandler, VirtualTap], None]:
    def wrong(server: DhcpServerHandler, tap: VirtualTap) -> None:
        udp: Any = tap._ipv4._udp
        udp[dhcp.SERVER_PORT] = lambda frame: server.receive(change(frame))

    return wrong


_UDP, _DHCP = HEADER_LEN + 20, HEADER_LEN + 28


def _unsummed(at: int, value: bytes) -> Callable[[bytes], bytes]:
    """The datagram with other bytes there, and no checksum to tell."""
    return lambda frame: patched(patched(frame, _DHCP + at, value), _UDP + 6, b"\0\0")


def _repaired(frame: bytes) -> bytes:
    """A hardware address that is a group becomes one that is not."""
    return _unsummed(28, b"\2")(frame) if frame[_DHCP + 28] & 1 else frame


def _gives_up_too(server: DhcpServerHandler, tap: VirtualTap) -> None:
    swap(tap._ipv4, "receive", lambda right, frame: right(frame) or _ours(frame))
    tap._receivers[b"\x08\0"] = tap._ipv4.receive


def _ours(frame: bytes) -> bytes | None:
    return frame[HEADER_LEN:] if frame[_UDP + 2 : _UDP + 4] == b"\0\x43" else None


def _keeps_all(server: DhcpServerHandler, tap: VirtualTap) -> None:
    swap(tap._ipv4, "_is_transit", lambda *_: False)


lending("lender_answers_servers", _reads(_unsummed(0, b"\1")))
lending("lender_does_not_sum", _reads(lambda frame: patched(frame, _UDP + 6, b"\0\0")))
lending("lender_answers_relays", _reads(_unsummed(24, ANY4)))
lending("lender_answers_groups", _reads(_repaired))
lending("lender_passes_what_is_its_own", _gives_up_too)
lending("lender_keeps_what_is_not_its_own", _keeps_all)


# what its answers say


def _reverses(said: Dhcp) -> Dhcp:
    return replace(said, options=said.options[::-1])


def _adds(server: DhcpServerHandler, _: VirtualTap) -> None:
    def wrong(right: Callable[..., None], kind: int, asked: Dhcp, *rest: object) -> None:
        right(kind, without(dhcp.PARAMETERS)(asked), *rest)

    swap(server, "_reply", wrong)


def _adds_to_refusals(server: DhcpServerHandler, _: VirtualTap) -> None:
    def wrong(right: Callable[..., None], said: Dhcp, mac: Mac, to: Ip) -> None:
        extra = server._known if said.kind == dhcp.NAK else ()
        right(replace(said, options=(*said.options, *extra)), mac, to)

    swap(server, "_send", wrong)


def _lends_for(seconds: Callable[[int], int]) -> Callable[[DhcpServerHandler, VirtualTap], None]:
    return lambda server, _: swap(server, "_seconds", lambda right, said: seconds(right(said)))


def _goes(
    condition: Callable[[Dhcp], bool], mac: Mac | None, to: Ip | None
) -> Callable[[DhcpServerHandler, VirtualTap], None]:
    """Some answers go elsewhere; None: to the client, as it was or will be called."""

    def change(server: DhcpServerHandler, _: VirtualTap) -> None:
        def wrong(right: Callable[..., None], said: Dhcp, *way: bytes) -> None:
            if condition(said):
                own = said.your_ip if any(said.your_ip) else b"\x0a\0\0\x33"
                way = (mac or said.client_mac, to or own)
            right(said, *way)

        swap(server, "_send", wrong)

    return change


def _named(server: DhcpServerHandler, _: VirtualTap) -> None:
    for kind, right in server._on.items():
        server._on[kind] = _after(right, without(dhcp.CLIENT_ID))


def _longest(server: DhcpServerHandler, _: VirtualTap) -> None:
    swap(server, "_seconds", lambda right, said: said.number(dhcp.LEASE_TIME) or right(said))


lending("lender_knows_no_identifiers", _named)
lending("lender_lends_for_an_hour", _lends_for(lambda _: 3600))
lending("lender_lends_for_ever", _longest)
lending("lender_says_what_nobody_asked", _adds)
lending("lender_refuses_with_many_words", _adds_to_refusals)
lending("lender_offers_to_all", _goes(lambda m: m.kind == dhcp.OFFER, BROADCAST, LIMITED_BROADCAST))
lending("lender_grants_to_all", _goes(lambda m: m.kind == dhcp.ACK, BROADCAST, LIMITED_BROADCAST))
lending("lender_refuses_to_one", _goes(lambda m: m.kind == dhcp.NAK, None, None))
lending("lender_ignores_the_flag", _goes(lambda m: m.flags != 0, None, None))
says("lender_reverses_its_options", _reverses)
says("lender_names_no_server", without(dhcp.SERVER_ID))
says("lender_names_no_router", without(dhcp.ROUTER))
says("lender_names_no_dns", without(dhcp.DNS))
says("lender_names_no_mtu", without(dhcp.MTU))
says("lender_names_no_routes", without(dhcp.ROUTES))
says("lender_names_no_times", without(dhcp.RENEWAL_TIME))
says("lender_rebinds_early", with_value(dhcp.REBINDING_TIME, (1800).to_bytes(4)))
says("lender_forgets_who_asked", without(dhcp.CLIENT_ID))
says("lender_speaks_of_something_else", lambda said: replace(said, xid=said.xid + 1))
says("lender_fills_in_the_old_address", lambda said: replace(said, client_ip=said.your_ip))


def _sends_from_our_mac(server: DhcpServerHandler, tap: VirtualTap) -> None:
    tap._core.macs.generated.clear()


lending("lender_sends_from_the_routers_mac", _sends_from_our_mac)
served("lender_waits_for_nobody", probe_wait=SECOND // 1000)
served("lender_waits_too_long", probe_wait=6 * SECOND)
