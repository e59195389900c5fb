"""What faults decided in a run, and the same said as `exactly` in a scenario's words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sim.faults import Delivery, Exactly, Fault, Mtu, Spell
from sim.link import Direction
from virtualtap.units import Instant

_LISTS = ("lose", "repeat", "late", "flip", "cut")


@dataclass(slots=True)
class Decided:
    """What one fault made of the frames of one way, by their number, where it was not plain."""

    link: str
    toward: str
    began: Instant  # -1: the link has had it from the start
    fault: Fault | Exactly
    lose: list[int] = field(default_factory=list)
    repeat: list[int] = field(default_factory=list)
    late: list[list[Any]] = field(default_factory=list)
    flip: list[list[int]] = field(default_factory=list)
    cut: list[list[int]] = field(default_factory=list)

    def words(self) -> dict[str, Any]:
        """The fault as a scenario has it; one without luck stays what it is."""
        if isinstance(self.fault, Mtu):
            return {"fault": Mtu.name, "most": self.fault.most, "toward": self.toward}
        said = {key: list(getattr(self, key)) for key in _LISTS if getattr(self, key)}
        return {"fault": Exactly.name, "toward": self.toward, **said}

    @property
    def is_plain(self) -> bool:
        """Whether all that it saw arrived as it was, whatever may come."""
        return not isinstance(self.fault, Mtu) and not any(getattr(self, key) for key in _LISTS)


class Decisions:
    """Told by the links of one run what their faults decide: `Order(…, recorder=…)`."""

    def __init__(self) -> None:
        self._of: dict[Spell, Decided] = {}

    def decided(
        self, way: Direction, spell: Spell, frame: bytes, become: Sequence[Delivery]
    ) -> None:
        """Called by the links."""
        found = self._of.get(spell)
        if found is None:
            toward = way.target.node.name
            found = self._of[spell] = Decided(way.link.name, toward, spell.began, spell.fault)
        number = spell.seen
        if not become:
            found.lose.append(number)
            return
        late, data = become[0]
        if len(become) > 1:
            found.repeat.append(number)
        if late:
            found.late.append([number, f"{late}ns"])
        if len(data) < len(frame):
            found.cut.append([number, len(data)])
        was = frame[: len(data)]
        if data != was:
            wrong = int.from_bytes(data) ^ int.from_bytes(was)
            found.flip.append([number, len(was) * 8 - wrong.bit_length()])

    def all(self) -> list[Decided]:
        """One for each fault and way that saw a frame, in the order in which they first did."""
        return list(self._of.values())

    def recorded(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The scenario (as TOML has it) with what was decided in place of all that left it to luck.

        Its run is the same, frame by frame. What `content` holds is not changed.
        """
        timeline = [one for one in content.get("timeline", []) if not _is_left_to_luck(one)]
        begun = [one for one in self.all() if one.began >= 0]
        timeline += [
            {"at": f"{one.began}ns", "begin": {"link": _literally(one.link), **one.words()}}
            for one in begun
            if not one.is_plain and not isinstance(one.fault, Mtu)  # which `timeline` still has
        ]
        bare = [
            {key: value for key, value in rule.items() if key != "faults"}
            for rule in content.get("links", [])
        ]
        links = [rule for rule in bare if set(rule) != {"match"}]  # which would say nothing
        first: dict[str, list[dict[str, Any]]] = {}
        for one in self.all():
            if one.began < 0 and not one.is_plain:
                first.setdefault(one.link, []).append(one.words())
        links += [{"match": _literally(name), "faults": said} for name, said in first.items()]
        return {**content, "timeline": timeline, "links": links}


def _is_left_to_luck(entry: Mapping[str, Any]) -> bool:
    """Whether a fault begins here, or ends, that is recorded; one without luck is not."""
    words = entry.get("begin", entry.get("end"))
    return words is not None and words.get("fault") != Mtu.name


def _literally(name: str) -> str:
    """The pattern that only this name fits."""
    return re.sub(r"([*?[])", r"[\1]", name)
