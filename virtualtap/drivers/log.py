"""Events as lines of standard `logging`: the `verbose` of the first design."""

from dataclasses import fields
from logging import DEBUG, INFO, WARNING, Logger, getLogger

from virtualtap.events import (
    AddressConflict,
    AddressLost,
    ArpReceived,
    Event,
    LeaseLost,
    NeighborFailed,
)
from virtualtap.tap import VirtualTap
from virtualtap.wire.address import ip_text, mac_text

_LEVELS: dict[type[Event], int] = {
    ArpReceived: DEBUG,
    **dict.fromkeys((AddressConflict, AddressLost, LeaseLost, NeighborFailed), WARNING),
}
_TEXT = {4: ip_text, 6: mac_text, 16: ip_text}  # by length; a frame is longer than these


class LoggedTap:
    """A tap for any driver, whose events are written as its frames are taken.

    It takes the events itself. The logger is `virtualtap` unless another is given; what went
    wrong is a warning, frames that the caller must answer are debug, all else is info.
    """

    def __init__(self, tap: VirtualTap, logger: Logger | None = None) -> None:
        self._tap, self._logger = tap, logger or getLogger("virtualtap")
        self.ip_to_ethernet, self.ethernet_to_ip = tap.ip_to_ethernet, tap.ethernet_to_ip
        self.poll, self.next_deadline = tap.poll, tap.next_deadline
        self.take_packets = tap.take_packets

    def take_frames(self) -> list[bytes]:
        """As the tap's; and what happened is written."""
        for event in self._tap.take_events():
            self._logger.log(_LEVELS.get(type(event), INFO), "%s", line(event))
        return self._tap.take_frames()


def line(event: Event) -> str:
    """One line: the event's name, then its fields; addresses as text, times in nanoseconds."""
    values = ((field.name, getattr(event, field.name)) for field in fields(event))
    return " ".join((type(event).__name__, *(f"{name}={_word(value)}" for name, value in values)))


def _word(value: object) -> str:
    if isinstance(value, bytes):
        return _TEXT.get(len(value), bytes.hex)(value)
    return "none" if value is None else str(value)
