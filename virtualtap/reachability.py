"""Whether an IPv6 neighbour still answers, as a table. RFC 4861 7.3 and appendix C."""

from enum import StrEnum
from functools import partial

from virtualtap.core import Ask, Core
from virtualtap.neighbors import State
from virtualtap.units import Duration
from virtualtap.wire import ndp
from virtualtap.wire.address import Ip, Mac, is_link_local6, multicast_mac6, solicited_node
from virtualtap.wire.ndp import Message, NeighborMessage


class Happening(StrEnum):
    """What can change a state."""

    SENT = "a packet is sent to it"
    HEARD = "it says where it is, in a message that is no advertisement"
    MOVED = "it says so, and the MAC is another one"
    CONFIRMED = "a solicited advertisement that may be believed"
    ADVERTISED = "an unsolicited advertisement with nothing new"
    REPLACED = "an unsolicited advertisement that overrides the MAC"
    CONTRADICTED = "an advertisement of another MAC that may not override"
    TIMED_OUT = "the time of this state is over"
    EXHAUSTED = "the last solicitation was not answered"


_ABSENT, _INCOMPLETE = State.ABSENT, State.INCOMPLETE
_REACHABLE, _STALE, _DELAY, _PROBE = State.REACHABLE, State.STALE, State.DELAY, State.PROBE
_ALL_THE_SAME = {state: state for state in (_REACHABLE, _STALE, _DELAY, _PROBE)}
_ROWS: dict[Happening, dict[State, State]] = {
    Happening.SENT: {
        **_ALL_THE_SAME,
        _ABSENT: _INCOMPLETE,
        _INCOMPLETE: _INCOMPLETE,
        _STALE: _DELAY,
    },
    Happening.HEARD: {**_ALL_THE_SAME, _ABSENT: _STALE, _INCOMPLETE: _STALE},
    Happening.MOVED: dict.fromkeys(_ALL_THE_SAME, _STALE),
    Happening.CONFIRMED: {
        **dict.fromkeys(_ALL_THE_SAME, _REACHABLE),
        _ABSENT: _ABSENT,
        _INCOMPLETE: _REACHABLE,
    },
    Happening.ADVERTISED: {**_ALL_THE_SAME, _ABSENT: _ABSENT, _INCOMPLETE: _STALE},
    Happening.REPLACED: dict.fromkeys(_ALL_THE_SAME, _STALE),
    Happening.CONTRADICTED: {**_ALL_THE_SAME, _REACHABLE: _STALE},
    Happening.TIMED_OUT: {
        _INCOMPLETE: _INCOMPLETE,
        _REACHABLE: _STALE,
        _STALE: _ABSENT,
        _DELAY: _PROBE,
        _PROBE: _PROBE,
    },
    Happening.EXHAUSTED: {_INCOMPLETE: _ABSENT, _PROBE: _ABSENT},
}
NEXT: dict[tuple[State, Happening], State] = {
    (state, happening): then for happening, row in _ROWS.items() for state, then in row.items()
}


class Reachability:
    """The states of all IPv6 neighbours, their timers, and the packets on their way to them.

    With `ask` those of IPv4, where the profile says so: ARP asks, and `told` hears it.
    """

    def __init__(self, core: Core, ask: Ask | None = None) -> None:
        self._core = core
        self._ask = ask or self.solicit
        self._next = NEXT

    def say(self, message: Message, source: Ip, to: Ip, mac: Mac | None = None) -> bool:
        """Put a message of ours into the outbox, for a group or at a MAC. RFC 2464 7."""
        core = self._core
        packet = ndp.packet(message, source, to)
        return core.send(core.frame(mac or multicast_mac6(to), packet))

    def solicit(self, ip: Ip, wanted: Ip) -> None:
        """Ask for `ip`: in its group, or where it was last. RFC 4861 7.2.2, 7.3.3."""
        core = self._core
        source = core.interface6.source(ip, wanted, core.now)
        if source is None:
            return  # none of our addresses may be used yet
        options = ((ndp.SOURCE_MAC, core.macs.of(source)),)
        message = NeighborMessage(ndp.SOLICITATION, 0, ip, options)
        mac = core.neighbors.mac(ip)
        if self.say(message, source, solicited_node(ip) if mac is None else ip, mac):
            core.stats.requests_sent += 1

    def deliver(self, next_hop: Ip, source: Ip, packet: bytes) -> bytes | None:
        """The frame for a packet to a neighbour, or None while it waits. RFC 4861 7.2.2, 7.3.3."""
        core = self._core
        frame = core.wrap(next_hop, packet)
        if frame is None:
            core.hold(next_hop, source, packet, self.solicit)
        else:
            self.used(next_hop, source)
        return frame

    def used(self, ip: Ip, source: Ip) -> None:
        """Something is sent to `ip`, at the MAC that is known. RFC 4861 7.3.3."""
        if self._core.neighbors.state(ip) is State.STALE:
            self._becomes(ip, Happening.SENT, State.STALE, source)

    def told(self, ip: Ip, mac: Mac, *, confirmed: bool) -> None:
        """ARP says that `ip` is at `mac`; `confirmed`: by a reply sent to us alone."""
        if confirmed:
            self.advertised(ip, mac, solicited=True, override=True)
        else:
            self.heard(ip, mac)

    def heard(self, ip: Ip, mac: Mac) -> None:
        """`ip` says that it is at `mac`, unasked: at best STALE. RFC 4861 7.2.3, 6.3.4, 8.3."""
        known = self._core.neighbors.lookup(ip, self._core.now)
        self._learn(ip, mac, Happening.HEARD if known in (None, mac) else Happening.MOVED)

    def advertised(self, ip: Ip, mac: Mac | None, *, solicited: bool, override: bool) -> bool:
        """An advertisement of one who has an entry; False where it is ignored. RFC 4861 7.2.5."""
        core = self._core
        known = core.neighbors.lookup(ip, core.now)
        if known is None and mac is None:
            return False
        changed = known is not None and mac not in (None, known)
        if changed and not override:
            self._becomes(ip, Happening.CONTRADICTED, core.neighbors.state(ip))
            return False
        happening = Happening.REPLACED if changed else Happening.ADVERTISED
        self._learn(ip, mac or known or b"", Happening.CONFIRMED if solicited else happening)
        return True

    def _learn(self, ip: Ip, mac: Mac, happening: Happening) -> None:
        """Write the MAC down, let what waited go, and take the step that this makes."""
        core = self._core
        before, waiting = core.neighbors.state(ip), core.neighbors.first_held(ip)
        if core.neighbors.lookup(ip, core.now) is None:
            # or what was known is too old
            before = State.ABSENT if before is State.ABSENT else State.INCOMPLETE
        elif before is State.INCOMPLETE:
            before = State.REACHABLE  # configured, and not doubted so far
        core.learn(ip, mac)
        if core.neighbors.state(ip) is State.ABSENT:
            return  # the table has no room
        self._becomes(ip, happening, before)
        if waiting is not None:
            self.used(ip, waiting[12:16] if len(ip) == 4 else waiting[8:24])

    def _becomes(
        self, ip: Ip, happening: Happening, before: State, source: Ip = b"", tries: int = 0
    ) -> None:
        """One step of the table, and the timer of the state that it leads to."""
        core = self._core
        state = self._next[before, happening]
        core.outward.clear()  # packets that go by them are not seen here
        if state is State.ABSENT:
            core.neighbors.forget(ip)
            return
        core.neighbors.enter(ip, state)
        if state is before and happening not in (Happening.CONFIRMED, Happening.TIMED_OUT):
            return
        match state:
            case State.REACHABLE:
                deadline = core.now + self._reachable_time(ip)
                deadline = min(deadline, core.neighbors.expires(ip))  # too old is not reachable
            case State.DELAY:
                deadline = core.now + core.config.ndp_delay
            case State.PROBE:
                deadline = core.now + core.interval(ip)
            case _:
                deadline = core.neighbors.expires(ip)
        core.timers.set(ip, deadline, partial(self._time_is_over, ip, source, tries))

    def _reachable_time(self, ip: Ip) -> Duration:
        """From half to one and a half times the base. RFC 4861 6.3.2."""
        core = self._core
        v6 = len(ip) == 16
        base = core.interface6.reachable_base if v6 else core.config.ndp_reachable_time
        return base // 2 + core.rand.below(base + 1)

    def _time_is_over(self, ip: Ip, source: Ip, tries: int) -> None:
        """RFC 4861 7.3.3: doubt, then delay, then probes to the MAC; then nobody."""
        core = self._core
        state, expires = core.neighbors.state(ip), core.neighbors.expires(ip)
        if state is State.STALE and expires > core.now:  # heard of again
            core.timers.set(ip, expires, partial(self._time_is_over, ip, source, tries))
            return
        if state in (State.DELAY, State.PROBE) and expires <= core.now:
            core.forget(ip)  # where it was is too old to be asked
            return
        if state is State.PROBE and tries >= core.config.ndp_unicast_retries_max:
            self._becomes(ip, Happening.EXHAUSTED, state)
            core.failed(ip)
            return
        if state in (State.DELAY, State.PROBE):
            self._ask(ip, self._doubting(ip, source))
        self._becomes(ip, Happening.TIMED_OUT, state, source, tries + 1)

    def _doubting(self, ip: Ip, source: Ip) -> Ip:
        """In whose name `ip` is doubted: of `source`, or as the profile says. RFC 4861 7.2.2."""
        core = self._core
        if len(ip) == 16 and core.manners.doubts_link_locally:
            return next(filter(is_link_local6, core.interface6.owned(core.now)), source)
        return source
