"""One bout: frames for the ports of one hub, the same for the model and for the real server."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sim.live.fidelity import Row
from virtualtap.units import MS, Duration, Instant

STEP: Duration = 100 * MS  # between two stimuli: the real one needs about 1 ms


class Say(NamedTuple):
    """A frame for a port, by its letter, so long after the beginning.

    `text` begins a row of the table; without one it belongs to the row before. An empty frame
    only looks what comes by itself.
    """

    at: Duration
    port: str
    frame: bytes
    text: str = ""


class Heard(NamedTuple):
    """A frame that came out of a port, so long after the beginning."""

    at: Instant
    port: str
    frame: bytes


@dataclass(frozen=True, slots=True)
class Played:
    """What was said, at the times at which it really was, and what was heard."""

    said: Sequence[Say]
    heard: Sequence[Heard]


def without_polls(frame: bytes) -> bytes | None:
    """The frame, unless the hub itself asks by it whether somebody is still there."""
    return None if frame[6:8] == b"\x00\xae" else frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Bout:
    """A hub with its ports, and a script.

    `ports` has a letter each: a capital is a local bridge's TAP, a small one a session of an
    ordinary client. `plain` gives what of a frame is compared; None: not to be looked at.
    `causes` explains differences by the beginning of a stimulus.
    """

    title: str
    ports: str
    script: Sequence[Say]
    polls: bool = False
    nat: bool = False
    threshold: int = 0  # BroadcastStormDetectionThreshold
    plain: Callable[[bytes], bytes | None] = without_polls
    causes: dict[str, str] = field(default_factory=dict)
    by_time: bool = False  # when something comes matters, beyond its order

    @property
    def bridges(self) -> str:
        """The local bridges among the ports."""
        return "".join(letter for letter in self.ports if letter.isupper())

    @property
    def clients(self) -> str:
        """The sessions among the ports."""
        return "".join(letter for letter in self.ports if letter.islower())

    @property
    def lasts(self) -> Duration:
        """From the beginning to the last frame."""
        return max(say.at for say in self.script)

    def rows(self, model: Played, real: Played) -> list[Row]:
        """One for each stimulus: the same frames out of the same ports in the same order.

        Where all is the same from beginning to end, a busy machine may have been late.
        """
        if not self.by_time and self._between(model, 0, None) == self._between(real, 0, None):
            real = Played(real.said, model.heard)
        found = []
        starts = [i for i, say in enumerate(self.script) if say.text]
        for i, first in enumerate(starts):
            end = starts[i + 1] if i + 1 < len(starts) else len(self.script)
            begin = real.said[first].at
            until = real.said[end].at if end < len(self.script) else None
            said = [say.frame for say in real.said[first:end]]
            outcomes = [self._between(played, begin, until) for played in (model, real)]
            text = self.script[first].text
            cause = next((why for start, why in self.causes.items() if text.startswith(start)), "")
            same = outcomes[0] == outcomes[1]
            tell = (self._tell(outcome, said) for outcome in outcomes)
            found.append(Row(text, next(tell), next(tell), same, "" if same else cause))
        return found

    def _between(
        self, played: Played, begin: Instant, until: Instant | None
    ) -> dict[str, list[bytes]]:
        """What came out of each port from one instant to another."""
        out: dict[str, list[bytes]] = {port: [] for port in self.ports}
        for heard in played.heard:
            if begin <= heard.at and (until is None or heard.at < until):
                frame = self.plain(heard.frame)
                if frame is not None:
                    out[heard.port].append(frame)
        return out

    def _tell(self, outcome: dict[str, list[bytes]], said: list[bytes]) -> str:
        words = [
            f"{port}: {', '.join(_word(frame, said) for frame in frames)}"
            if len(frames) < 5
            else f"{port}: {len(frames)} frames"
            for port, frames in outcome.items()
            if frames
        ]
        return "; ".join(words) or "nothing"


def _word(frame: bytes, said: list[bytes]) -> str:
    if frame in said:
        return "as it is"
    if any(one.startswith(frame) for one in said):
        return f"cut to {len(frame)}"
    return f"{_kind(frame)} of {len(frame)} bytes"


def _kind(frame: bytes) -> str:
    """A word for what a server says of its own."""
    kind = frame[12:14]
    if kind == b"\x08\x06":
        return "ARP reply" if frame[21] == 2 else "ARP request"
    if kind == b"\x08\x00" and frame[23] == 17 and frame[34:36] == b"\0\x43":
        at = frame.find(b"\x63\x82\x53\x63") + 6
        return {2: "OFFER", 5: "ACK", 6: "NAK"}.get(frame[at], "DHCP") + " " + _dotted(frame[58:62])
    if kind == b"\x08\x00" and frame[23] == 1:
        return {0: "echo reply", 11: "time exceeded"}.get(frame[34], "ICMP")
    return "IPv4" if kind == b"\x08\x00" else "frame"


def _dotted(address: bytes) -> str:
    return ".".join(str(byte) for byte in address)
