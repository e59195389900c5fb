"""Makes an IPv4 address ours and keeps it: probes, announces, defends, gives up. RFC 5227."""

from collections.abc import Callable
from functools import partial

from virtualtap.core import Core
from virtualtap.events import AddressClaimed, AddressConflict, AddressLost
from virtualtap.stats import DropReason
from virtualtap.units import SECOND, Instant
from virtualtap.wire import arp
from virtualtap.wire.address import ANY4, BROADCAST, Ip, Mac
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP

# RFC 5227 1.1: "fixed constants", meant to be the same on every host, hence not in the config
PROBE_WAIT = 1 * SECOND
PROBE_NUM, PROBE_MIN, PROBE_MAX = 3, 1 * SECOND, 2 * SECOND
ANNOUNCE_WAIT, ANNOUNCE_NUM, ANNOUNCE_INTERVAL = 2 * SECOND, 2, 2 * SECOND
MAX_CONFLICTS, RATE_LIMIT_INTERVAL = 10, 60 * SECOND
DEFEND_INTERVAL = 10 * SECOND

_TIMER = "claim"


class ClaimHandler:
    """One address at a time. It is not used before it is ours: nothing is sent or answered.

    How an address is taken is `claim` in the configuration, how it is kept is `defend`. Whoever
    lost the configured one tries again by probing, ever more patiently; a lease is another's to
    renew: `refused` says what is done instead. `host` is another's address behind the tap; without
    it, it is the tap's own.
    """

    def __init__(self, core: Core, host: Ip | None = None) -> None:
        self._core = core
        self._host = host
        self._timer = _TIMER if host is None else (_TIMER, host)
        self._probed: Ip | None = None  # while nobody may object
        self._taken: Callable[[], None] = self._resume
        self.refused: Callable[[], None] = self._try_again
        self._conflicts = 0
        self._defended_until: Instant = 0
        config = core.config
        self._ours = host or config.our_ip
        if self._ours is None or (config.dhcp and host is None):
            return
        if config.claim == "probed":
            core.starts.append(self._retry)
        elif config.claim == "announced":
            core.starts.append(self.announce)

    def take(self, ip: Ip, taken: Callable[[], None]) -> None:
        """Make `ip` ours as `claim` says; `taken` is called once it is, `refused` if it is not."""
        if self._core.config.claim == "probed":
            self.probe(ip, taken)
            return
        taken()
        if self._core.config.claim == "announced":
            self.announce()

    def probe(self, ip: Ip, taken: Callable[[], None]) -> None:
        """Ask whether anybody has `ip`: `taken` is called if not, `refused` if so. RFC 5227 2.1."""
        self._probed, self._taken = ip, taken
        wait = self._core.rand.below(PROBE_WAIT + 1)
        self._after(wait, partial(self._probe, PROBE_NUM))

    def stop(self) -> None:
        """Ask and say no more of the address that is to be ours, or is no longer."""
        self._core.timers.cancel(self._timer)
        self._probed = None

    def announce(self) -> None:
        """Tell everyone that our address is ours, twice. RFC 5227 2.3."""
        self._announce(ANNOUNCE_NUM)

    def contested(self, message: Arp) -> bool:
        """Whether a valid message of another station claims our address; if so, it is dealt with.

        While we probe, somebody else's probe for the same address claims it too (RFC 5227 2.1.1).
        """
        ours = self._probed or self._current()
        if ours is None or message.sender_mac in self._core.macs.ours:
            return False
        conflicts = self._core.manners.conflicts
        if self._probed is None and conflicts != "heard":
            return conflicts == "ignored" and message.sender_ip == ours
        if message.sender_ip == ours:
            self._conflict(ours, message.sender_mac)
            return True
        is_probe = message.operation == arp.REQUEST and message.sender_ip == ANY4
        if self._probed is not None and is_probe and message.target_ip == ours:
            self._conflict(ours, message.sender_mac)
            return True
        return False

    def _conflict(self, ip: Ip, other: Mac) -> None:
        """RFC 5227 2.1.1 while probing; 2.4 (a), (b), (c) once the address is in use."""
        core = self._core
        core.events.append(AddressConflict(ip, other))
        recent = core.now < self._defended_until
        defend = core.config.defend
        if self._probed is None and defend != "never" and not recent:
            self._defended_until = core.now + DEFEND_INTERVAL
            self._send(ip, ip)
        elif self._probed is not None or defend != "always":
            self._give_up(ip)

    def _give_up(self, ip: Ip) -> None:
        if self._probed is None:
            self._use(None)
            self._core.events.append(AddressLost(ip))
        self.stop()
        self.refused()

    def _try_again(self) -> None:
        """RFC 5227 2.1.1: at once, but after MAX_CONFLICTS only once in RATE_LIMIT_INTERVAL.

        Or later, by luck: two who probe for one address in step would never get it, either of them.
        """
        self._conflicts += 1
        if self._conflicts < MAX_CONFLICTS:
            self._retry()
        else:
            spread = self._core.rand.below(RATE_LIMIT_INTERVAL + 1)
            self._after(RATE_LIMIT_INTERVAL + spread, self._retry)

    def _retry(self) -> None:
        assert self._ours is not None
        self.probe(self._ours, self._resume)

    def _resume(self) -> None:
        self._use(self._ours)

    def _current(self) -> Ip | None:
        """The address that is ours now."""
        interface = self._core.interface
        if self._host is None:
            return interface.ip
        return self._host if interface.owns(self._host) else None

    def _use(self, ip: Ip | None) -> None:
        if self._host is None:
            self._core.rename(ip)
        else:
            self._core.use_host(self._host, is_ours=ip is not None)

    def _probe(self, left: int) -> None:
        assert self._probed is not None
        self._send(ANY4, self._probed)
        if left > 1:
            wait = PROBE_MIN + self._core.rand.below(PROBE_MAX - PROBE_MIN + 1)
            self._after(wait, partial(self._probe, left - 1))
        else:
            self._after(ANNOUNCE_WAIT, self._take)

    def _take(self) -> None:
        ip = self._probed
        assert ip is not None
        self._probed, self._defended_until = None, 0
        self._core.events.append(AddressClaimed(ip))
        self._taken()
        self.announce()

    def _announce(self, left: int) -> None:
        ours = self._current()
        if ours is None:
            return
        self._send(ours, ours)
        if left > 1:
            self._after(ANNOUNCE_INTERVAL, partial(self._announce, left - 1))

    def _send(self, sender: Ip, asks: Ip) -> None:
        core, our_mac = self._core, self._core.macs.of(asks)
        if not core.send(BROADCAST + our_mac + ARP + arp.request(our_mac, sender, asks)):
            core.drop(DropReason.OUTBOX_FULL)

    def _after(self, wait: int, action: Callable[[], None]) -> None:
        self._core.timers.set(self._timer, self._core.now + wait, action)


class HostClaims:
    """The claims of the hosts behind a tap beside its own, each for itself."""

    def __init__(self, core: Core, own: ClaimHandler) -> None:
        self._core = core
        self._own = own
        self._claims = {host: ClaimHandler(core, host) for host in core.interface.hosts}
        core.admitted = self._admitted

    def contested(self, message: Arp) -> bool:
        """As `ClaimHandler.contested`, for whichever of our addresses the message means."""
        for ip in dict.fromkeys((message.sender_ip, message.target_ip)):
            if ip in self._core.interface.hosts and self._claims[ip].contested(message):
                return True
        return self._own.contested(message)

    def _admitted(self, ip: Ip) -> None:
        """One more: its claim begins at once, where those made with the tap have begun."""
        starts = self._core.starts
        is_late = not starts
        self._claims[ip] = ClaimHandler(self._core, ip)
        while is_late and starts:
            starts.pop()()
