"""What a run saw: steps of the engine's state tables, marks, drops. RFC 4861 appendix C, 2131 4.4.

While it is collected, engines are made of the parts below, which note each step and leave the rest
to those they inherit from. An engine made outside pays nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from sim import marks
from sim.fuzz.transitions import DISCARDED, REACHABLE
from sim.reasons import Reason
from sim.results import Run
from sim.rng import stream
from virtualtap import tap
from virtualtap.core import Ask, Core
from virtualtap.handlers import dhcp
from virtualtap.handlers.arp import ArpHandler
from virtualtap.handlers.dhcp import DhcpHandler
from virtualtap.neighbors import State
from virtualtap.reachability import Happening, Reachability
from virtualtap.stats import DropReason
from virtualtap.units import Duration
from virtualtap.wire import arp
from virtualtap.wire.address import Ip, Mac
from virtualtap.wire.arp import Arp
from virtualtap.wire.dhcp import ACK, NAK, OFFER, Dhcp

_ONE = 1 << 32  # a string that one row alone has seen weighs so much
_LEAST, _MOST = 10, 90  # percent: no feature is in or out of all worlds
_SPREAD = 10  # percent, more or less
_ANSWERS = {OFFER: "offer", ACK: "ack", NAK: "nak"}


@contextmanager
def collected() -> Iterator[set[str]]:
    """All that is seen of the engines made inside, and the marks passed, as short strings.

    `nud:STALE+sent>DELAY/linux` (IPv6), `nud4:…` (IPv4 where the profile doubts), `arp:…` (where it
    does not), `dhcp:SELECTING+offer>REQUESTING`, `mark:…`.
    """
    parts = {name: getattr(tap, name) for name in _PARTS}
    with marks.collected() as seen:
        for name, noting in _PARTS.items():
            setattr(tap, name, noting)
        try:
            yield seen
        finally:
            for name, part in parts.items():
                setattr(tap, name, part)


def of_run(run: Run) -> set[str]:
    """What else its result tells: `drop:…`, by reason."""
    return {f"drop:{why}" for why, count in run.summary["dropped"].items() if count}


def missing(seen: Collection[str]) -> dict[str, list[str]]:
    """What a campaign that saw all this has never seen: transitions, marks, drop reasons."""
    expected = {
        "transitions": REACHABLE,
        "marks": [f"mark:{name}" for name in marks.MARKS],
        "drops": [f"drop:{why.value}" for why in (*Reason, *DropReason)],
    }
    return {what: sorted(set(names).difference(seen)) for what, names in expected.items()}


class Told(Protocol):
    """What a row says of its world: `sim.fuzz.judge.Row`."""

    @property
    def seed(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def seen(self) -> Sequence[str]: ...


def features_of(fingerprint: str) -> tuple[str, ...]:
    """The features that a fingerprint names: `ring12+dhcp+loss:7f3a` → dhcp, loss."""
    return tuple(fingerprint.partition(":")[0].split("+")[1:])


def steer(campaign_seed: int, rows: Sequence[Told]) -> dict[str, int]:
    """Feature → percent for the next round: more of what went along with what was rarely seen.

    Each string weighs one in all, shared among the rows that saw it. A feature keeps its share of
    the rows, times the square of what its rows weigh beside the usual, more or less some luck. In
    integers, whatever the order of the rows.
    """
    counts = Counter(one for row in rows for one in row.seen)
    weights: Counter[str] = Counter()
    times: Counter[str] = Counter()
    total = 0
    for row in rows:
        weight = sum(_ONE // counts[one] for one in row.seen)
        total += weight
        for feature in features_of(row.fingerprint):
            weights[feature] += weight
            times[feature] += 1
    luck = stream(campaign_seed, f"steer/{min((row.seed for row in rows), default=0)}")
    found = {}
    for feature in sorted(weights):
        usual = total * times[feature]
        ratio = 100 * len(rows) * weights[feature] // usual if usual else 100
        share = 100 * times[feature] // len(rows) * ratio**2 // 100**2
        bent = share - _SPREAD + luck.below(2 * _SPREAD + 1)
        found[feature] = min(max(bent, _LEAST), _MOST)
    return found


class _Core(Core):
    """Notes when an entry comes and goes, and of IPv4 without doubt what it becomes."""

    heard = ""  # the ARP message that is being merged, or what else tells of a neighbour
    ending = "forgotten"  # what it means that `forget` is called
    _parting = ""

    def named(self, ip: Ip) -> str:
        """The state of `ip`: its own, or where there are none whether it is asked for or known."""
        if self.doubts(ip):
            return self.neighbors.state(ip).name
        if not self.neighbors.knows(ip):
            return "UNKNOWN"
        return "ASKED" if self.neighbors.mac(ip) is None else "KNOWN"

    def doubts(self, ip: Ip) -> bool:
        """Whether neighbours of this family have the states of RFC 4861."""
        return len(ip) == 16 or self.manners.doubts_ipv4

    def step(self, ip: Ip, before: str, what: str, after: str) -> None:
        """Note it."""
        family = "arp" if not self.doubts(ip) else "nud" if len(ip) == 16 else "nud4"
        marks.note(f"{family}:{before}+{what}>{after}/{self.config.profile}")

    def hold(self, next_hop: Ip, source: Ip, packet: bytes, ask: Ask) -> None:
        with self._sending(next_hop):
            super().hold(next_hop, source, packet, ask)

    def seek(self, next_hop: Ip, source: Ip, ask: Ask) -> None:
        with self._sending(next_hop):
            super().seek(next_hop, source, ask)

    def learn(self, ip: Ip, mac: Mac, *, forever: bool = False) -> None:
        before, had = self.named(ip), self.neighbors.lookup(ip, self.now)
        super().learn(ip, mac, forever=forever)
        what = "configured" if forever else self.heard or "sent"
        if self.neighbors.lookup(ip, self.now) == mac and (forever or not self.doubts(ip)):
            moved = "-moved" if had not in (None, mac) else ""
            self.step(ip, before, what + moved, self.named(ip))

    def readdress(self, ip: Ip | None, *network: object) -> None:
        with self._parts("readdressed", *self.neighbors.addresses()):
            super().readdress(ip, *network)  # type: ignore[arg-type]  # as they came

    def rename(self, ip: Ip | None) -> None:
        with self._parts("renamed", *self.neighbors.addresses()):
            super().rename(ip)

    def forget(self, ip: Ip) -> None:
        with self._parts(self.ending, ip):
            super().forget(ip)

    def _ask_now(self, ip: Ip, source: Ip, ask: Ask, tries: int, interval: Duration) -> None:
        most = self.config.arp_retries_max if len(ip) == 4 else self.config.ndp_retries_max
        if tries + 1 < most:
            self.step(ip, self.named(ip), "timed_out", self.named(ip))
        super()._ask_now(ip, source, ask, tries, interval)

    def _give_up(self, ip: Ip) -> None:
        with self._parts("exhausted", ip):
            super()._give_up(ip)

    def _expire(self, ip: Ip) -> None:
        with self._parts("timed_out", ip):
            super()._expire(ip)

    def _make_room(self, ip: Ip) -> bool:
        if self.neighbors.knows(ip) or len(self.neighbors) < self.config.neighbors_max:
            return super()._make_room(ip)
        with self._parts("evicted", *self.neighbors.addresses()):
            return super()._make_room(ip)

    @contextmanager
    def _sending(self, ip: Ip) -> Iterator[None]:
        before = self.named(ip)
        yield
        after = self.named(ip)
        if after in ("ASKED", "INCOMPLETE"):
            self.step(ip, before, "sent", after)

    @contextmanager
    def _parts(self, why: str, *ips: Ip) -> Iterator[None]:
        """Those that had an entry and have none any longer: for the outermost reason."""
        outer, self._parting = self._parting, self._parting or why
        before = {} if outer else {ip: self.named(ip) for ip in ips if self.neighbors.knows(ip)}
        yield
        self._parting = outer
        for ip, state in before.items():
            if not self.neighbors.knows(ip):
                self.step(ip, state, why, self.named(ip))


class _ArpHandler(ArpHandler):
    """Says what an ARP message is to us, and notes what is told and not believed."""

    def locate(self, ip: Ip, mac: Mac) -> None:
        with self._hearing("packet"):
            super().locate(ip, mac)

    def _merge(self, message: Arp, *, to_us_alone: bool) -> None:
        core, ip = self._core, message.sender_ip
        what = "announced" if message.sender_ip == message.target_ip else "overheard"
        if self._interface.owns(message.target_ip):
            what = "asked" if message.operation == arp.REQUEST else "replied"
        with self._hearing(what):
            super()._merge(message, to_us_alone=to_us_alone)
        assert isinstance(core, _Core)
        if not (what in core.manners.adds or core.neighbors.knows(ip) or core.doubts(ip)):
            core.step(ip, "UNKNOWN", what, "UNKNOWN")

    @contextmanager
    def _hearing(self, what: str) -> Iterator[None]:
        core = self._core
        assert isinstance(core, _Core)
        core.heard = what
        yield
        core.heard = ""


class _Reachability(Reachability):
    """Notes each step of the table."""

    def used(self, ip: Ip, source: Ip) -> None:
        state = self._core.neighbors.state(ip)
        if state in (State.REACHABLE, State.DELAY, State.PROBE):
            self._note(ip, Happening.SENT, state, state)
        super().used(ip, source)

    def _time_is_over(self, ip: Ip, source: Ip, tries: int) -> None:
        core = self._core
        assert isinstance(core, _Core)
        core.ending = "timed_out"
        super()._time_is_over(ip, source, tries)
        core.ending = "forgotten"

    def _becomes(
        self, ip: Ip, happening: Happening, before: State, source: Ip = b"", tries: int = 0
    ) -> None:
        self._note(ip, happening, before, self._next[before, happening])
        super()._becomes(ip, happening, before, source, tries)

    def _note(self, ip: Ip, happening: Happening, before: State, after: State) -> None:
        core = self._core
        assert isinstance(core, _Core)
        core.step(ip, before.name, happening.name.lower(), after.name)


class _DhcpHandler(DhcpHandler):
    """Notes each step, and the messages that RFC 2131, figure 5, discards."""

    def _happen(self, happening: dhcp.Happening) -> None:
        before, after = self.state, dhcp.TRANSITIONS[self.state, happening]
        marks.note(f"dhcp:{before.name}+{happening.value}>{after.name}")
        super()._happen(happening)

    def _hear(self, message: Dhcp, mac: Mac) -> bool:
        before = self.state
        means = super()._hear(message, mac)
        if not means and (before, what := _ANSWERS.get(message.kind, "")) in DISCARDED:
            marks.note(f"dhcp:{before.name}+{what}>{before.name}")
        return means


_PARTS: dict[str, type] = {
    "Core": _Core,
    "ArpHandler": _ArpHandler,
    "Reachability": _Reachability,
    "DhcpHandler": _DhcpHandler,
}
