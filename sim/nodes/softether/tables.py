"""Who is believed behind which session: the hub's MAC and IP tables. Hub.c:StorePacket.

Both age lazily: a lookup never asks for the age, and what is too old goes only when something new
is to be stored.
"""

from typing import TYPE_CHECKING

from sim.nodes.softether.constants import (
    IP_LIMIT_WHEN_NO_ROUTING_V6,
    IP_MIN_LIMIT_COUNT,
    IP_MIN_LIMIT_COUNT_V6,
    IP_TABLE_EXCLUSIVE_TIME,
    MAC_MIN_LIMIT_COUNT,
    MAC_TABLE_EXCLUSIVE_TIME,
    OLD_MAC_ADDRESS_ENTRY_FLUSH_INTERVAL,
    Constants,
)
from sim.nodes.softether.policy import Policy
from sim.reasons import Reason
from virtualtap.units import Instant
from virtualtap.wire.address import Ip, Mac

if TYPE_CHECKING:
    from sim.nodes.softether.session import Session

Key = tuple[Mac, int]  # MAC, VLAN id


class MacEntry:
    """Where a MAC was heard last."""

    __slots__ = ("session", "updated")

    def __init__(self, session: "Session", now: Instant) -> None:
        self.session, self.updated = session, now


class MacTable:
    """(MAC, VLAN id) → session."""

    def __init__(self, constants: Constants) -> None:
        self._constants = constants
        self._entries: dict[Key, MacEntry] = {}
        self._counts: dict[int, int] = {}  # by session number
        self._flushed: Instant | None = None

    def lookup(self, key: Key) -> "Session | None":
        """The session of this address, however long ago it was heard."""
        entry = self._entries.get(key)
        return None if entry is None else entry.session

    def learn(self, key: Key, session: "Session", now: Instant) -> str | None:
        """The address was heard on this session. A reason where the frame is to be dropped."""
        entry = self._entries.get(key)
        if entry is None:
            return self._add(key, session, now)
        if entry.session is not session:
            if session.checks_mac and entry.updated + MAC_TABLE_EXCLUSIVE_TIME >= now:
                return Reason.MAC_CONFLICT  # the first owner keeps it
            self._count(entry.session, -1)
            self._count(session, 1)  # no limit is asked: a full session may take over
            entry.session = session
        entry.updated = now
        return None

    def purge(self, session: "Session") -> None:
        """The session ended: its addresses are forgotten at once. Hub.c:HubPaFree."""
        for key in [key for key, entry in self._entries.items() if entry.session is session]:
            self._remove(key)

    def items(self) -> "list[tuple[Key, Session]]":
        """Every address and its session."""
        return [(key, entry.session) for key, entry in self._entries.items()]

    def __len__(self) -> int:
        return len(self._entries)

    def _add(self, key: Key, session: "Session", now: Instant) -> str | None:
        if self._flushed is None or now - self._flushed >= OLD_MAC_ADDRESS_ENTRY_FLUSH_INTERVAL:
            self._flushed = now
            limit = now - self._constants.MAC_TABLE_EXPIRE_TIME
            for old in [key for key, one in self._entries.items() if one.updated <= limit]:
                self._remove(old)
        if len(self._entries) >= self._constants.MAX_MAC_TABLES:
            return Reason.MAC_TABLE_FULL
        if session.most_macs and self._counts.get(session.number, 0) >= session.most_macs:
            return Reason.MAC_LIMIT
        self._entries[key] = MacEntry(session, now)
        self._count(session, 1)
        return None

    def _remove(self, key: Key) -> None:
        self._count(self._entries.pop(key).session, -1)

    def _count(self, session: "Session", change: int) -> None:
        self._counts[session.number] = self._counts.get(session.number, 0) + change


class IpEntry:
    """Where an address was heard last: `mac` is where the hub asks whether it is still there."""

    __slots__ = ("dhcp", "mac", "session", "updated")

    def __init__(self, session: "Session", mac: Mac, now: Instant, *, dhcp: bool = False) -> None:
        self.session, self.mac, self.updated, self.dhcp = session, mac, now, dhcp


class IpTable:
    """Address, IPv4 or IPv6 → session and MAC.

    Addresses that are not to be managed are never stored, but limits and DHCPForce hold for them.
    """

    def __init__(self, constants: Constants) -> None:
        self._constants = constants
        self.entries: dict[Ip, IpEntry] = {}
        self._counts: dict[tuple[int, int], int] = {}  # by session number and length of address
        self._next: Instant = 0  # before, nothing expires

    def learn4(
        self, address: Ip, mac: Mac, session: "Session", now: Instant, *, managed: bool
    ) -> str | None:
        """An IPv4 source was heard. A reason where the frame is to be dropped."""
        policy = session.policy
        entry = self.entries.get(address)
        if entry is None:
            if policy.DHCPForce:
                return Reason.DHCP_FORCE
            return self._enter(address, IpEntry(session, mac, now), most_ips(policy), managed)
        if entry.session is not session:
            checks = policy.CheckIP or policy.DHCPForce
            if checks and entry.updated + IP_TABLE_EXCLUSIVE_TIME >= now:
                return Reason.IP_CONFLICT
            if policy.DHCPForce and not entry.dhcp:
                return Reason.DHCP_FORCE
            self._move(entry, 4, session)
        entry.mac, entry.updated = mac, now
        return None

    def learn6(
        self,
        address: Ip,
        mac: Mac,
        session: "Session",
        now: Instant,
        *,
        managed: bool,
        exempt: bool,
    ) -> str | None:
        """An IPv6 source was heard. The entry of another session stays its own.

        `exempt` are those who look for a router or for DHCP: no limit holds for them.
        """
        policy = session.policy
        entry = self.entries.get(address)
        if entry is None:
            most = 0 if exempt else most_ips6(policy)
            return self._enter(address, IpEntry(session, mac, now), most, managed)
        if entry.session is session:
            entry.mac, entry.updated = mac, now
        elif policy.CheckIPv6 and entry.updated + IP_TABLE_EXCLUSIVE_TIME >= now:
            return Reason.IP_CONFLICT
        return None

    def granted(self, address: Ip, mac: Mac, session: "Session", now: Instant) -> None:
        """A DHCP server acknowledged this address to a client of `session`.

        An entry that is there is overwritten: nothing is new, so nothing expires.
        """
        entry = self.entries.get(address)
        if entry is None:
            self._add(address, IpEntry(session, mac, now, dhcp=True))
            return
        self._move(entry, len(address), session)
        entry.mac, entry.updated, entry.dhcp = mac, now, True

    def purge(self, session: "Session") -> None:
        """The session ended: its addresses are forgotten at once. Hub.c:HubPaFree."""
        for address in [ip for ip, entry in self.entries.items() if entry.session is session]:
            self._remove(address)

    def __len__(self) -> int:
        return len(self.entries)

    def _enter(self, address: Ip, entry: IpEntry, most: int, managed: bool) -> str | None:
        """A new address: what is expired still counts until something is stored."""
        if most and self._counts.get((entry.session.number, len(address)), 0) >= most:
            return Reason.IP_LIMIT
        if managed:
            self._add(address, entry)
        return None

    def _add(self, address: Ip, entry: IpEntry) -> None:
        self._expire(entry.updated)
        if len(self.entries) >= self._constants.MAX_IP_TABLES:  # not the oldest: the highest
            self._remove(max(self.entries, key=lambda ip: (len(ip), ip)))
        self.entries[address] = entry
        self._count(entry.session, len(address), 1)

    def _expire(self, now: Instant) -> None:
        if now < self._next:
            return  # what was heard since has only become younger
        plain, leased = (
            self._constants.IP_TABLE_EXPIRE_TIME,
            self._constants.IP_TABLE_EXPIRE_TIME_DHCP,
        )
        self._next = now + min(plain, leased)
        for address, entry in list(self.entries.items()):
            due = entry.updated + (leased if entry.dhcp else plain)
            if due <= now:
                self._remove(address)
            else:
                self._next = min(self._next, due)

    def _move(self, entry: IpEntry, length: int, session: "Session") -> None:
        self._count(entry.session, length, -1)
        self._count(session, length, 1)
        entry.session = session

    def _remove(self, address: Ip) -> None:
        self._count(self.entries.pop(address).session, len(address), -1)

    def _count(self, session: "Session", length: int, change: int) -> None:
        key = session.number, length
        self._counts[key] = self._counts.get(key, 0) + change


def most_macs(policy: Policy) -> int:
    """How many MACs a session may bring; 0: any number. What is below 3 acts as 3."""
    limits = [MAC_MIN_LIMIT_COUNT] if policy.NoBridge else []
    return _most(MAC_MIN_LIMIT_COUNT, limits, policy.MaxMac)


def most_ips(policy: Policy) -> int:
    """How many IPv4 addresses a session may bring; 0: any number. What is below 4 acts as 4."""
    limits = [IP_MIN_LIMIT_COUNT] if policy.NoRouting else []
    return _most(IP_MIN_LIMIT_COUNT, limits, policy.MaxIP)


def most_ips6(policy: Policy) -> int:
    """How many IPv6 addresses a session may bring; 0: any number. What is below 5 acts as 5."""
    limits = [IP_LIMIT_WHEN_NO_ROUTING_V6] if policy.NoRoutingV6 else []
    return _most(IP_MIN_LIMIT_COUNT_V6, limits, policy.MaxIPv6)


def _most(least: int, limits: list[int], given: int) -> int:
    limits = [*limits, given] if given else limits
    return max(least, min(limits)) if limits else 0
