"""A law that a run is held against: what a judge may know, and how it says what broke it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import ClassVar

from sim.actions.traffic import Flow
from sim.actions.troubles import FAULTS
from sim.build import Built
from sim.nodes.virtual_tap import VirtualTapNode
from sim.observers import Kind, Observer
from sim.results import Failure
from sim.scenario import Scenario
from sim.words import attacks
from virtualtap.errors import UsageError, WireError
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire import ethernet
from virtualtap.wire.ethernet import HEADER_LEN

# what `exactly` may let happen, and the fault that does the same by chance
_DECIDED = ("repeat", "duplication"), ("flip", "bit-flip"), ("cut", "truncation")
_TAGS_MAX = 2  # IEEE 802.1ad has two
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Scene:
    """What a judge may know of the run it watches."""

    scenario: Scenario
    built: Built
    flows: Sequence[Flow]

    def faults(self) -> set[str]:
        """The names of all faults that the scenario ever begins."""
        said = [words for links in self.scenario.links for words in links.faults]
        said += [one.begin for one in self.scenario.timeline if one.begin is not None]
        found = {str(words.get("fault")) for words in said}
        found |= {other for name in found if name in FAULTS for other in FAULTS[name].like}
        return found | {name for words in said for key, name in _DECIDED if words.get(key)}

    def attackers(self) -> set[str]:
        """The names of the endpoints that the scenario ever lets lie."""
        said = [getattr(one, key) for one in self.scenario.timeline for key in attacks.KEYS]
        patterns = [getattr(words, "from_", "") or words.node for words in said if words]
        return {
            name
            for name in self.built.endpoints
            if any(fnmatchcase(name, pattern) for pattern in patterns)
        }

    def shortest(self, span: Duration) -> Duration:
        """How long it takes until so much has passed by the fastest clock of the scenario."""
        return span * _MILLION // (_MILLION + max(self._skews()))

    def longest(self, span: Duration) -> Duration:
        """How long it takes until so much has passed by the slowest clock of the scenario."""
        return -(-span * _MILLION // (_MILLION + min(self._skews())))

    def _skews(self) -> list[int]:
        """In millionths; the right clock is one of them."""
        return [0, *(one.skew.ppm for one in self.scenario.timeline if one.skew is not None)]

    def taps(self) -> list[VirtualTapNode]:
        """All of them."""
        nodes = self.built.network.nodes.values()
        return [node for node in nodes if isinstance(node, VirtualTapNode)]


class Invariant(Observer):
    """One law. It sees what happens at `where`, ports and nodes, of these `kinds`.

    `look` is called between two things that happen, and at the end.
    """

    name: ClassVar[str]
    rests: ClassVar[bool] = False  # whether it cannot break while nothing happens: no `look` then
    kinds: ClassVar[Collection[Kind]] = tuple(Kind)
    where: Collection[str] = ()

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.failure: Failure | None = None

    @staticmethod
    def holds(scene: Scene) -> bool:
        """Whether the law holds where this happens, so that it is judged unasked."""
        return True

    def look(self, now: Instant) -> None:
        """Judge what stands in tables and books."""

    def broken(self, at: Instant, what: str, law: str) -> None:
        """This is the first time, or not."""
        if self.failure is None:
            self.failure = Failure(f"invariants.{self.name}", what, law, at / SECOND)


def unwrapped(frame: bytes) -> bytes:
    """The frame without VLAN tags and SNAP: IEEE 802.1Q, RFC 1042. The very same if it has none."""
    try:
        for _ in range(_TAGS_MAX):
            if frame[12:14] != ethernet.VLAN:
                break
            _, frame = ethernet.untagged(frame)
        if len(frame) >= HEADER_LEN and int.from_bytes(frame[12:14]) <= ethernet.LENGTH_MAX:
            return ethernet.from_snap(frame) or frame
    except WireError:
        pass  # nobody takes it
    return frame


def chosen(scene: Scene, known: Mapping[str, type[Invariant]]) -> list[Invariant]:
    """What the scenario asks for, or else every law that holds there. UsageError: a wrong name."""
    names = scene.scenario.invariants
    if names is None:
        return [law(scene) for law in known.values() if law.holds(scene)]
    for name in names:
        if name not in known:
            close = get_close_matches(name[:64], known, 1)
            hint = f"did you mean `{close[0]}`? " if close else ""
            raise UsageError(
                f"`invariants`: there is no `{name:.60}`", f"{hint}there are {', '.join(known)}"
            )
    return [known[name](scene) for name in dict.fromkeys(names)]
