"""What wakes a phone that is left alone: frames, timers and keep-alives, counted by the hour."""

from collections.abc import Iterable
from dataclasses import dataclass

from sim.observers import Kind, Moment, Observer
from sim.probes import Place
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire.ethernet import ARP, IPV4, IPV6

REST: Duration = 1 * SECOND  # after so long without anything a phone is at rest
_HOUR = 3600 * SECOND
_DHCP = (b"\x00\x43", b"\x00\x44")
_IGMP, _UDP, _ICMPV6, _HOP_BY_HOP = 2, 17, 58, 0
_NDP = range(133, 138)


@dataclass(slots=True)
class Alone:
    """One phone: when something happened last, when the user did it, and what else did."""

    stirred_at: Instant = -REST
    used_at: Instant = -REST
    wakeups: int = 0
    frames: int = 0
    timers: int = 0

    def use(self, at: Instant) -> None:
        """The user's packet goes, or one comes for him."""
        self.stirred_at = self.used_at = at

    def stir(self, at: Instant) -> None:
        """Something happens that the user did not do; a wake-up, if the phone was at rest."""
        if at - self.stirred_at >= REST:
            self.wakeups += 1
        self.stirred_at = at


class Rest(Observer):
    """Phones are hosts behind taps. What follows a user's packet within a second is his doing."""

    def __init__(self, places: Iterable[Place]) -> None:
        behind = [place for place in places if place.speaks != place.lan]
        self.phones = {place.name: Alone() for place in behind}
        self._macs = {place.lan: place.mac for place in behind}
        self._by_lan = {place.lan: self.phones[place.name] for place in behind}
        self._by_host = {place.speaks: self.phones[place.name] for place in behind}

    def see(self, moment: Moment) -> None:
        at, kind, where, data, _ = moment
        phone = self._by_lan.get(where)
        if phone is None:
            if kind is Kind.SENT and where in self._by_host:
                self._by_host[where].use(at)
        elif kind in (Kind.SENT, Kind.ARRIVED):
            ours = kind is Kind.SENT or data[:6] == self._macs[where]
            if ours and carries_user(data):
                if kind is Kind.ARRIVED:
                    phone.use(at)
            elif at - phone.used_at >= REST:
                phone.frames += 1
                phone.stir(at)

    def timer(self, name: str, at: Instant) -> None:
        """A timer of the tap of `name` is due, as the tap reports it."""
        phone = self.phones[name]
        if at - phone.used_at >= REST:
            phone.timers += 1
            phone.stir(at)

    def keep_alive(self, name: str, at: Instant) -> None:
        """A keep-alive of the session of `name` goes or comes, as the transport reports it."""
        phone = self.phones[name]
        if at - phone.used_at >= REST:
            phone.stir(at)

    def hourly(self, what: str, now: Instant) -> float | None:
        """`wakeups`, `frames` or `timers` of a phone in an hour, on average; None without one."""
        if not self.phones or not now:
            return None
        counts: list[int] = [getattr(phone, what) for phone in self.phones.values()]
        return sum(counts) * _HOUR / now / len(counts)


def carries_user(frame: bytes) -> bool:
    """Whether a frame carries a packet of the user's: no ARP, DHCP, IGMP, MLD or NDP."""
    kind = frame[12:14]
    if kind == ARP:
        return False
    if kind == IPV4:
        protocol = frame[23:24]
        return protocol != bytes([_IGMP]) and not (protocol == bytes([_UDP]) and _is_dhcp(frame))
    if kind == IPV6 and len(frame) > 54:
        is_ndp = frame[20] == _ICMPV6 and frame[54] in _NDP
        return not is_ndp and frame[20] != _HOP_BY_HOP  # MLD comes with a router alert
    return True


def _is_dhcp(frame: bytes) -> bool:
    at = 14 + 4 * (frame[14] & 0xF)
    return frame[at : at + 2] in _DHCP and frame[at + 2 : at + 4] in _DHCP
