"""The hub's MAC table: lazy ageing, moves at once. Hub.c:StorePacket."""

from virtualtap.units import MS, SECOND, Duration, Instant
from virtualtap.wire.address import Mac

MAX_MAC_TABLES = 65_536  # Cedar.h
MAC_TABLE_EXPIRE_TIME: Duration = 600 * SECOND  # Cedar.h
OLD_MAC_ADDRESS_ENTRY_FLUSH_INTERVAL: Duration = 1000 * MS  # Hub.h

Key = tuple[Mac, int]  # MAC, VLAN id


class MacTable:
    """(MAC, VLAN id) → session. A lookup never asks for the age: a silent owner keeps its place.

    What is too old goes only when an unknown source shows up, and at most once a second.
    """

    def __init__(self) -> None:
        self._entries: dict[Key, list[int]] = {}  # [session, updated]
        self._flushed: Instant | None = None

    def lookup(self, key: Key) -> int | None:
        """The session of this address, however long ago it was heard."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def learn(self, key: Key, session: int, now: Instant) -> bool:
        """The address was heard on this session. False: the table is full, and the frame goes."""
        entry = self._entries.get(key)
        if entry is not None:
            entry[0], entry[1] = session, now
            return True
        if self._flushed is None or now - self._flushed >= OLD_MAC_ADDRESS_ENTRY_FLUSH_INTERVAL:
            self._flushed = now
            limit = now - MAC_TABLE_EXPIRE_TIME
            for old in [key for key, (_, updated) in self._entries.items() if updated <= limit]:
                del self._entries[old]
        if len(self._entries) >= MAX_MAC_TABLES:
            return False
        self._entries[key] = [session, now]
        return True

    def purge(self, session: int) -> None:
        """The session ended: its addresses are forgotten at once. Hub.c:HubPaFree."""
        for key in [key for key, (owner, _) in self._entries.items() if owner == session]:
            del self._entries[key]

    def items(self) -> list[tuple[Key, int]]:
        """Every address and its session."""
        return [(key, entry[0]) for key, entry in self._entries.items()]

    def __len__(self) -> int:
        return len(self._entries)
