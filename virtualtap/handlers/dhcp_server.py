"""Lends addresses to Ethernet peers, and says how to use them. RFC 2131 4.3, RFC 2132, RFC 6842."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from virtualtap.core import Core
from virtualtap.errors import WireError
from virtualtap.events import AddressConflict, LeaseGranted, LeaseReturned
from virtualtap.loans import Loan, Loans, State
from virtualtap.serving import Serving
from virtualtap.stats import DropReason
from virtualtap.units import SECOND
from virtualtap.wire import checksum, dhcp, ipv4, udp
from virtualtap.wire.address import (
    ANY4,
    BROADCAST,
    LIMITED_BROADCAST,
    Ip,
    Mac,
    Route,
    is_unicast4,
    network_mask,
)
from virtualtap.wire.dhcp import Dhcp, Options
from virtualtap.wire.ethernet import HEADER_LEN
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

Ask: TypeAlias = Callable[[Ip, Ip], None]  # (who is asked for, in whose name)

_SIZE_LEAST = 576  # of a datagram that every client takes: RFC 2131 2
_HEADERS_LEN = ipv4.HEADER_LEN + udp.HEADER_LEN + dhcp.HEADER_LEN + 1  # and the end mark


class DhcpServerHandler:
    """The server of one link: no relay, no BOOTP; whom it does not know it lets be (4.3.2).

    A new address is asked for by ARP before it is offered (2.2). As many are looked into at once
    as ARP may ask for at once; whoever comes then is not heard, and tries again.
    """

    def __init__(self, core: Core, serve: Serving, pool: tuple[Ip, Ip], ask: Ask) -> None:
        self._core = core
        self._serve = serve
        self._ask = ask
        our_ip = core.config.our_ip
        assert our_ip is not None
        self._server: Ip = serve.server_ip or our_ip
        self.loans = Loans(serve.leases_max, pool, self._may_lend)
        self._known = self._parameters(our_ip)
        self._on = {
            dhcp.DISCOVER: self._discovered,
            dhcp.REQUEST: self._requested,
            dhcp.DECLINE: self._declined,
            dhcp.RELEASE: self._released,
            dhcp.INFORM: self._informed,
        }

    def receive(self, frame: bytes) -> None:
        """A datagram to our port 67 in its frame; always handled inside."""
        core = self._core
        packet = Ipv4.parse(frame[HEADER_LEN:])
        datagram = Udp.parse(packet.payload)
        if datagram.checksum and not checksum.transport_is_right(
            packet.source, packet.destination, udp.PROTOCOL, packet.payload
        ):
            raise WireError("DHCP needs a right UDP checksum, or none")
        message = Dhcp.parse(datagram.payload)
        handle = self._on.get(message.kind)
        if message.operation != dhcp.TO_SERVER or not core.may_be_at(message.client_mac):
            core.drop(DropReason.MALFORMED)
        elif handle is None or message.relay_ip != ANY4:
            core.drop(DropReason.UNSUPPORTED)
        else:
            handle(message)

    def _discovered(self, message: Dhcp) -> None:
        """RFC 2131 4.3.1: what the client has or had, what it wishes for, or another."""
        core, client = self._core, _client(message)
        ip, loan = self.loans.of(client)
        if loan is not None and loan.state is State.PROBED:
            loan.question = message  # it asks again: the answer is underway
            return
        if loan is not None and loan.until > core.now:
            if loan.state is State.OFFERED:
                loan.until = core.now + self._serve.offer_time
            self._offer(ip, message)
            return
        if self.loans.probed() >= core.config.arp_burst_max:
            core.drop(DropReason.NO_LEASE)
            return
        found = self.loans.choose(client, _wish(message), core.now)
        if found is None:
            core.drop(DropReason.NO_LEASE)
            return
        until = core.now + self._serve.offer_time
        self.loans.put(found, Loan(State.PROBED, client, message.client_mac, until, message))
        turn = core.pace.turn(core.now)
        if turn > core.now:
            core.timers.set(("loan", found), turn, partial(self._probe, found))
        else:
            self._probe(found)

    def _probe(self, ip: Ip) -> None:
        """Does anybody have it? What was heard before does not count."""
        core = self._core
        core.forget(ip)
        core.pace.note(ip, core.now)
        self._ask(ip, self._server)
        core.timers.set(("loan", ip), core.now + self._serve.probe_wait, partial(self._probed, ip))

    def _probed(self, ip: Ip) -> None:
        core, loan = self._core, self.loans.at(ip)
        owner = core.neighbors.lookup(ip, core.now)
        if owner is None or owner == loan.mac:
            question, loan.question = loan.question, None
            loan.state, loan.until = State.OFFERED, core.now + self._serve.offer_time
            assert question is not None
            self._offer(ip, question)
            return
        core.events.append(AddressConflict(ip, owner))
        self._rest(ip)
        assert loan.question is not None
        self._discovered(loan.question)

    def _offer(self, ip: Ip, message: Dhcp) -> None:
        self._reply(dhcp.OFFER, message, ip, self._lease_options(self._seconds(message)))

    def _requested(self, message: Dhcp) -> None:
        """RFC 2131 4.3.2, table 4: what is asked for, and by whom, tells the client's state."""
        core = self._core
        server = message.value(dhcp.SERVER_ID)
        ip, loan = self.loans.of(_client(message))
        if server is not None and server != self._server:
            if loan is not None and loan.state in (State.PROBED, State.OFFERED):
                self._forget(ip)  # it took another server's offer
            core.drop(DropReason.NOT_FOR_US)
            return
        named = message.client_ip  # zero unless it renews: RFC 2131 4.3.6, table 4
        wanted = _wish(message) or named
        if wanted == ANY4 or (named != ANY4 and (server is not None or named != wanted)):
            core.drop(DropReason.MALFORMED)
        elif loan is not None and wanted == ip and loan.state is not State.PROBED:
            self._grant(ip, loan, message)
        elif server is None and core.interface.on_link(wanted) and loan is None:
            core.drop(DropReason.NO_LEASE)  # 4.3.2: "MUST remain silent"
        else:
            self._reply(dhcp.NAK, message, ANY4, ())

    def _grant(self, ip: Ip, loan: Loan, message: Dhcp) -> None:
        core, seconds = self._core, self._seconds(message)
        loan.state, loan.mac = State.BOUND, message.client_mac
        loan.until = core.now + seconds * SECOND
        core.events.append(LeaseGranted(ip, loan.mac, loan.until))
        self._reply(dhcp.ACK, message, ip, self._lease_options(seconds))

    def _declined(self, message: Dhcp) -> None:
        """RFC 2131 4.3.3: somebody else has it."""
        ip, loan = self.loans.of(_client(message))
        if loan is None or _wish(message) != ip:
            self._core.drop(DropReason.NO_LEASE)
            return
        self._rest(ip)
        self._core.events.append(LeaseReturned(ip))

    def _released(self, message: Dhcp) -> None:
        """RFC 2131 4.3.4: the client may have it again."""
        ip, loan = self.loans.of(_client(message))
        if loan is None or loan.state is not State.BOUND or message.client_ip != ip:
            self._core.drop(DropReason.NO_LEASE)
            return
        loan.until = self._core.now
        self._core.events.append(LeaseReturned(ip))

    def _informed(self, message: Dhcp) -> None:
        """RFC 2131 4.3.5: it has an address, and asks for the rest."""
        ip = message.client_ip
        if is_unicast4(ip) and self._core.interface.on_link(ip) and self._may_lend(ip):
            self._reply(dhcp.ACK, message, ANY4, ())
        else:
            self._core.drop(DropReason.NOT_FOR_US)

    def _rest(self, ip: Ip) -> None:
        """Nobody gets it for a while."""
        until = self._core.now + self._serve.decline_time
        self._core.timers.cancel(("loan", ip))
        self.loans.put(ip, Loan(State.DECLINED, b"", BROADCAST, until))

    def _forget(self, ip: Ip) -> None:
        self._core.timers.cancel(("loan", ip))
        self.loans.forget(ip)

    def _seconds(self, message: Dhcp) -> int:
        """For how long: as the client wishes, but no longer than we lend."""
        most = self._serve.lease_time // SECOND
        return max(1, min(most, message.number(dhcp.LEASE_TIME) or most))

    def _lease_options(self, seconds: int) -> Options:
        """RFC 2131 4.4.5: half of the time, and seven eighths."""
        times = (seconds, seconds // 2, seconds * 7 // 8)
        codes = (dhcp.LEASE_TIME, dhcp.RENEWAL_TIME, dhcp.REBINDING_TIME)
        return tuple((code, time.to_bytes(4)) for code, time in zip(codes, times, strict=True))

    def _parameters(self, our_ip: Ip) -> Options:
        """RFC 2132 3.3: the mask before the router; RFC 3442: before both the classless routes."""
        serve, config = self._serve, self._core.config
        mask = network_mask(config.prefix_length).to_bytes(4)
        known = [(dhcp.MASK, mask)]
        if serve.routes:
            # RFC 3442: who reads these does not read the router
            routes = (*(Route(*route) for route in serve.routes), Route(ANY4, 0, our_ip))
            known.append((dhcp.ROUTES, dhcp.route_bytes(routes)))
        known.append((dhcp.ROUTER, our_ip))
        if serve.dns:
            known.append((dhcp.DNS, b"".join(serve.dns)))
        return (*known, (dhcp.MTU, config.mtu.to_bytes(2)))

    def _reply(self, kind: int, asked: Dhcp, ip: Ip, lease: Options) -> None:
        """RFC 2131 4.3.1, table 3; what the client did not ask for is left out."""
        options = ((dhcp.KIND, bytes((kind,))), (dhcp.SERVER_ID, self._server), *lease)
        client_id = asked.value(dhcp.CLIENT_ID)
        named = () if client_id is None else ((dhcp.CLIENT_ID, client_id),)  # RFC 6842 3
        if kind != dhcp.NAK:
            options += self._wanted(asked, dhcp.options_len((*options, *named)))
        options += named
        message = Dhcp(dhcp.TO_CLIENT, asked.xid, asked.client_mac, options, flags=asked.flags)
        message.your_ip = ip
        if kind == dhcp.ACK:
            message.client_ip = asked.client_ip
        self._send(message, *self._way(kind, asked, ip))

    def _wanted(self, asked: Dhcp, used: int) -> Options:
        """What the client asks for and has room for: what comes later is left out. RFC 2132 9.10.

        `used` bytes of options are there already; who names no size takes 576 bytes (RFC 2131 2).
        """
        codes = asked.value(dhcp.PARAMETERS)
        size = max(_SIZE_LEAST, asked.number(dhcp.SIZE_MAX, 2) or 0)
        room = min(size, self._core.config.mtu) - _HEADERS_LEN - used
        chosen = []
        for one in self._known:
            length = dhcp.options_len((one,))
            if (codes is None or one[0] in codes) and length <= room:
                chosen.append(one)
                room -= length
        return tuple(chosen)

    def _way(self, kind: int, asked: Dhcp, ip: Ip) -> tuple[Mac, Ip]:
        """RFC 2131 4.1: to the client as it is called, or to all where it cannot hear that."""
        if kind == dhcp.NAK:
            return BROADCAST, LIMITED_BROADCAST
        if kind == dhcp.ACK and asked.client_ip != ANY4:
            return asked.client_mac, asked.client_ip
        if asked.flags & dhcp.BROADCAST_FLAG:
            return BROADCAST, LIMITED_BROADCAST
        return asked.client_mac, ip

    def _send(self, message: Dhcp, mac: Mac, to: Ip) -> None:
        core = self._core
        datagram = Udp(dhcp.SERVER_PORT, dhcp.CLIENT_PORT, message.to_bytes())
        body = datagram.between(self._server, to)
        packet = Ipv4(self._server, to, udp.PROTOCOL, body).to_bytes()
        if not core.send(core.frame(mac, packet)):
            core.drop(DropReason.OUTBOX_FULL)

    def _may_lend(self, ip: Ip) -> bool:
        """No address of ours, none that means a network or all of it."""
        interface = self._core.interface
        kept = (interface.ip, interface.directed, interface.old_broadcast)
        return ip not in kept and ip not in interface.hosts


def _client(message: Dhcp) -> bytes:
    """Who asks: by its identifier, or else its hardware address. RFC 2131 4.2."""
    named = message.value(dhcp.CLIENT_ID)
    if named and len(named) > 255:
        raise WireError(f"a client identifier has at most 255 bytes, got {len(named)}")
    return named or b"\1" + message.client_mac


def _wish(message: Dhcp) -> Ip | None:
    """The address that the client would like."""
    number = message.number(dhcp.REQUESTED_IP)
    return None if number is None else number.to_bytes(4)
