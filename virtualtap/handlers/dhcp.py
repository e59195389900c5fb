"""The DHCP client: asks for an address, keeps it, gives it back. RFC 2131 3, 4.4, RFC 2132."""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import TypeAlias

from virtualtap.core import Core
from virtualtap.errors import WireError
from virtualtap.events import LeaseBound, LeaseLost, LeaseRenewed
from virtualtap.lease import Lease, granted
from virtualtap.stats import DropReason
from virtualtap.timers import Action
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import dhcp, udp
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, Ip, Mac
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import HEADER_LEN, IPV4
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

Send: TypeAlias = Callable[[bytes], bytes | None]  # a packet: its frame, or None while it waits
Take: TypeAlias = Callable[[Ip, Callable[[], None]], None]  # an address; calls back once it is ours


class State(StrEnum):
    """Of the client. RFC 2131 4.4, figure 5; CHECKING is a last look before the address is used."""

    INIT = "init"
    SELECTING = "selecting"
    REQUESTING = "requesting"
    REBOOTING = "rebooting"
    CHECKING = "checking"
    BOUND = "bound"
    RENEWING = "renewing"
    REBINDING = "rebinding"
    RELEASED = "released"


class Happening(StrEnum):
    """What moves the client from state to state."""

    BEGIN = "begin"
    REMEMBER = "remember"  # begin with an address that we had before
    OFFER = "offer"
    ACK = "ack"
    NAK = "nak"
    SILENCE = "silence"  # asked often enough
    FREE = "free"
    TAKEN = "taken"
    T1 = "t1"
    T2 = "t2"
    EXPIRY = "expiry"
    RELEASE = "release"


TRANSITIONS = {
    (State.INIT, Happening.BEGIN): State.SELECTING,
    (State.INIT, Happening.REMEMBER): State.REBOOTING,
    (State.SELECTING, Happening.OFFER): State.REQUESTING,
    (State.REQUESTING, Happening.ACK): State.CHECKING,
    (State.REQUESTING, Happening.NAK): State.INIT,
    (State.REQUESTING, Happening.SILENCE): State.INIT,
    (State.REBOOTING, Happening.ACK): State.CHECKING,
    (State.REBOOTING, Happening.NAK): State.INIT,
    (State.REBOOTING, Happening.SILENCE): State.INIT,
    (State.CHECKING, Happening.FREE): State.BOUND,
    (State.CHECKING, Happening.TAKEN): State.INIT,
    (State.BOUND, Happening.T1): State.RENEWING,
    (State.BOUND, Happening.TAKEN): State.INIT,
    (State.RENEWING, Happening.ACK): State.BOUND,
    (State.RENEWING, Happening.NAK): State.INIT,
    (State.RENEWING, Happening.TAKEN): State.INIT,
    (State.RENEWING, Happening.T2): State.REBINDING,
    (State.REBINDING, Happening.ACK): State.BOUND,
    (State.REBINDING, Happening.NAK): State.INIT,
    (State.REBINDING, Happening.TAKEN): State.INIT,
    (State.REBINDING, Happening.EXPIRY): State.INIT,
    **{(state, Happening.RELEASE): State.RELEASED for state in State},
}
_ANSWERS = {dhcp.OFFER: Happening.OFFER, dhcp.ACK: Happening.ACK, dhcp.NAK: Happening.NAK}
_ONE_SERVER = (State.REQUESTING, State.RENEWING)  # only who was asked may answer
_NOT_FOR_EVER = (State.REQUESTING, State.REBOOTING)
_IN_USE = (State.RENEWING, State.REBINDING)  # the address is ours while we ask
_TIMER = "dhcp"
_SECS_MAX = 0xFFFF
# RFC 3442: the classless routes before the router
_WANTED = bytes(
    (
        *(dhcp.MASK, dhcp.ROUTES, dhcp.ROUTER, dhcp.DNS, dhcp.MTU),
        *(dhcp.LEASE_TIME, dhcp.RENEWAL_TIME, dhcp.REBINDING_TIME),
    )
)


class DhcpHandler:
    """RFC 2131 4.4, one client for the tap's own MAC.

    The broadcast flag stays clear: the tap takes what is sent to its MAC before it has an address
    (RFC 2131 4.1), and SecureNAT ignores the flag (Virtual.c:VirtualDhcpServer). Another server's
    answer to what we asked of ours is ignored, also its NAK, which SecureNAT sends. Refusals in
    a row are answered ever more slowly, so that two quarrelling servers make no storm. Of several
    offers the first that can be used is taken: RFC 2131 4.4.1 leaves the choice to the client.
    """

    def __init__(self, core: Core, send: Send, take: Take, stop: Action) -> None:
        self._core = core
        self._send = send
        self._take = take
        self._stop = stop  # the taking, or what follows it
        self.state = State.INIT
        self.lease: Lease | None = None  # what is in use
        self._asked: Lease | None = None  # what was offered, and what an answer granted
        self._asked_at: Instant = 0
        self._wanted: Ip = core.config.our_ip or ANY4
        self._server: Ip = ANY4
        self._server_mac: Mac = BROADCAST  # the way its last answer came
        self._xid = -1
        self._began: Instant = 0
        self._secs = 0
        self._tries = 0
        self._refusals = 0
        self._enter: dict[State, Callable[[Happening], None]] = {
            State.INIT: self._restart,
            State.SELECTING: self._ask_anew,
            State.REBOOTING: self._ask_anew,
            State.REQUESTING: self._ask_again,
            State.CHECKING: self._check,
            State.BOUND: self._use,
            State.RENEWING: self._ask_anew,
            State.REBINDING: self._ask_again,
            State.RELEASED: self._give_back,
        }
        if core.config.dhcp:
            core.starts.append(self._start)

    def receive(self, frame: bytes) -> None:
        """A datagram for port 68, in its frame: the answer to what we asked, or not for us."""
        core = self._core
        packet = Ipv4.parse(frame[HEADER_LEN:])
        datagram = udp.received(packet.source, packet.destination, packet.payload)
        if datagram is None:
            raise WireError("DHCP needs a right UDP checksum, or none")
        message = Dhcp.parse(datagram.payload)
        if not self._is_answer(message) or not self._hear(message, frame[6:12]):
            core.drop(DropReason.NOT_FOR_US)

    def release(self) -> None:
        """Give the address back, if there is one, and be silent from now on. RFC 2131 4.4.6."""
        self._happen(Happening.RELEASE)

    def lose(self) -> None:
        """Somebody else uses our address: decline it, and begin anew. RFC 2131 3.1.5."""
        self._happen(Happening.TAKEN)

    def _start(self) -> None:
        """RFC 2131 4.4.1: wait from one to ten seconds, so that not all begin at once."""
        longest = self._core.config.dhcp_delay_max
        least = min(1 * SECOND, longest)
        wait = least + self._core.rand.below(longest - least + 1)
        happening = Happening.REMEMBER if any(self._wanted) else Happening.BEGIN
        self._after(wait, happening)

    def _happen(self, happening: Happening) -> None:
        """Enter what the table says."""
        self.state = TRANSITIONS[self.state, happening]
        self._core.timers.cancel(_TIMER)
        self._enter[self.state](happening)

    def _after(self, wait: Duration, happening: Happening) -> None:
        if wait:
            self._later(self._core.now + wait, partial(self._happen, happening))
        else:
            self._happen(happening)

    def _later(self, at: Instant, action: Action) -> None:
        self._core.timers.set(_TIMER, max(at, self._core.now), action)

    def _is_answer(self, message: Dhcp) -> bool:
        ours = message.client_mac == self._core.config.our_mac
        return ours and message.operation == dhcp.TO_CLIENT and message.xid == self._xid

    def _hear(self, message: Dhcp, mac: Mac) -> bool:
        """Whether an answer to us means anything in this state, from this server."""
        happening = _ANSWERS.get(message.kind)
        if happening is None or (self.state, happening) not in TRANSITIONS:
            return False
        if happening is Happening.NAK:
            servers = message.addresses(dhcp.SERVER_ID)
            if not servers or (self.state in _ONE_SERVER and servers[0] != self._server):
                return False
            self._happen(happening)
            return True
        lease = granted(message, self._asked_at, self._core.config)
        if self.state in _ONE_SERVER and lease.server != self._server:
            return False
        if happening is Happening.ACK and lease.ip != self._wanted:
            return False
        if lease.is_over(self._core.now):
            return False
        self._asked, self._wanted = lease, lease.ip
        self._server, self._server_mac = lease.server, mac
        self._happen(happening)
        return True

    def _restart(self, happening: Happening) -> None:
        """INIT again: after a refusal ever more slowly, after a conflict in ten seconds."""
        core, wait = self._core, 0
        if happening is Happening.TAKEN:
            self._say(dhcp.DECLINE)
            wait = core.config.dhcp_decline_wait
        elif happening is Happening.NAK:
            wait = self._back_off(self._refusals - 1) if self._refusals else 0
            self._refusals += 1
        self._drop_lease()
        self._after(wait, Happening.BEGIN)

    def _ask_anew(self, happening: Happening) -> None:
        """A new transaction. RFC 2131 4.1: an id that others do not use."""
        self._xid = self._core.rand.below(1 << 32)
        self._began = self._core.now
        self._ask_again(happening)

    def _ask_again(self, _: Happening) -> None:
        """The next question of the same transaction."""
        self._tries = 0
        self._ask()

    def _ask(self) -> None:
        """Say what the state demands, and once more if nobody answers in time."""
        core, config = self._core, self._core.config
        if self._tries >= config.dhcp_requests_max and self.state in _NOT_FOR_EVER:
            self._happen(Happening.SILENCE)
            return
        self._asked_at = core.now
        if self.state is not State.REQUESTING:  # RFC 2131 3.1.3: as in the DISCOVER
            self._secs = min((core.now - self._began) // SECOND, _SECS_MAX)
        self._say(dhcp.DISCOVER if self.state is State.SELECTING else dhcp.REQUEST)
        self._tries += 1
        if self.state in _IN_USE:
            self._keep_asking()
        else:
            self._later(core.now + self._back_off(self._tries - 1), self._ask)

    def _keep_asking(self) -> None:
        """RFC 2131 4.4.5: again after half of what remains, at least a minute."""
        core, lease = self._core, self.lease
        assert lease is not None
        end, happening = lease.rebinds_at, Happening.T2
        if self.state is State.REBINDING:
            end, happening = lease.expires_at, Happening.EXPIRY
        assert end is not None
        again = core.now + max((end - core.now) // 2, core.config.dhcp_renew_interval)
        if again < end:
            self._later(again, self._ask)
        else:
            self._later(end, partial(self._happen, happening))

    def _back_off(self, tries: int) -> Duration:
        """RFC 2131 4.1: 4, 8, 16, 32, 64 seconds, each a second more or less."""
        config = self._core.config
        wait = min(config.dhcp_interval << min(tries, 16), config.dhcp_interval_max)
        return wait - 1 * SECOND + self._core.rand.below(2 * SECOND + 1)

    def _check(self, _: Happening) -> None:
        """RFC 2131 3.1.5: one last look whether somebody else uses the address."""
        self._take(self._wanted, self._found_free)

    def _found_free(self) -> None:
        self._happen(Happening.FREE)

    def _use(self, happening: Happening) -> None:
        """BOUND: the lease decides who we are, until T1."""
        core, lease = self._core, self._spread()
        self.lease, self._refusals = lease, 0
        core.readdress(lease.ip, lease.prefix_length, lease.gateway, lease.routes, lease.mtu)
        if happening is Happening.FREE:
            core.events.append(LeaseBound(lease.ip, lease.gateway, lease.expires_at))
        else:
            core.events.append(LeaseRenewed(lease.ip, lease.expires_at))
        if lease.renews_at is not None:
            self._later(lease.renews_at, partial(self._happen, Happening.T1))

    def _spread(self) -> Lease:
        """RFC 2131 4.4.5: T1 and T2 a little earlier or later, so that clients are not in step."""
        lease, most = self._asked, self._core.config.dhcp_fuzz
        assert lease is not None
        renews_at, rebinds_at, expires_at = lease.renews_at, lease.rebinds_at, lease.expires_at
        if renews_at is None or rebinds_at is None or expires_at is None:
            return lease
        room = min(most, (rebinds_at - renews_at) // 4, (expires_at - rebinds_at) // 4)
        first, second = (self._core.rand.below(2 * room + 1) - room for _ in range(2))
        return replace(lease, renews_at=renews_at + first, rebinds_at=rebinds_at + second)

    def _give_back(self, _: Happening) -> None:
        if self.lease is not None:
            self._say(dhcp.RELEASE)
        self._stop()
        self._drop_lease()

    def _drop_lease(self) -> None:
        core, lease = self._core, self.lease
        if lease is not None:
            self.lease = None
            core.readdress(None, core.config.prefix_length, None, (), core.config.mtu)
            core.events.append(LeaseLost(lease.ip))

    def _say(self, kind: int) -> None:
        """Send one message of the state's addresses: RFC 2131 4.4, tables 4 and 5."""
        core = self._core
        bound = kind == dhcp.RELEASE or (kind == dhcp.REQUEST and self.state in _IN_USE)
        source = self._wanted if bound else ANY4
        direct = bound and self.state is not State.REBINDING
        destination = self._server if direct else LIMITED_BROADCAST
        if kind in (dhcp.DECLINE, dhcp.RELEASE):
            self._xid, self._secs = core.rand.below(1 << 32), 0
        message = Dhcp(
            dhcp.TO_SERVER,
            self._xid,
            core.config.our_mac,
            self._options(kind),
            secs=self._secs,
            client_ip=source,
        )
        datagram = Udp(dhcp.CLIENT_PORT, dhcp.SERVER_PORT, message.to_bytes())
        body = datagram.between(source, destination)
        packet = Ipv4(source, destination, udp.PROTOCOL, body).to_bytes()
        if direct and kind == dhcp.REQUEST:
            frame = self._send(packet)
        else:
            to = self._server_mac if direct else BROADCAST
            frame = to + core.config.our_mac + IPV4 + packet
        if frame is not None and not core.send(frame):
            core.drop(DropReason.OUTBOX_FULL)

    def _options(self, kind: int) -> dhcp.Options:
        config, state = self._core.config, self.state
        options = [(dhcp.KIND, bytes((kind,))), (dhcp.CLIENT_ID, b"\1" + config.our_mac)]
        if kind == dhcp.DECLINE or state in (State.REQUESTING, State.REBOOTING):
            options.append((dhcp.REQUESTED_IP, self._wanted))
        if kind in (dhcp.DECLINE, dhcp.RELEASE) or state is State.REQUESTING:
            options.append((dhcp.SERVER_ID, self._server))
        if kind in (dhcp.DISCOVER, dhcp.REQUEST):
            options.append((dhcp.SIZE_MAX, config.mtu.to_bytes(2)))
            options.append((dhcp.PARAMETERS, _WANTED))
        return tuple(options)
