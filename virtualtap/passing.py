"""Lets a handler see what passes between the host and its servers: what it cannot read passes."""

from typing import Protocol

from virtualtap.errors import WireError


class Watcher(Protocol):
    """A handler of what passes between the host and its servers."""

    def sent(self, packet: bytes) -> bytes | None: ...
    def came(self, packet: bytes) -> bytes | None: ...
    def heard(self, packet: bytes) -> None: ...


class Passing:
    """A service that lets a watcher see what passes: what is wrong is its receiver's to refuse."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def sent(self, packet: bytes) -> bytes | None:
        try:
            return self._watcher.sent(packet)
        except WireError:
            return packet

    def came(self, packet: bytes) -> bytes | None:
        theirs = None
        try:
            theirs = self._watcher.came(packet)
            self._watcher.heard(packet)
        except WireError:
            pass  # the host has it as it is
        return theirs
