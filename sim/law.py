"""A law that a run is held against: what a judge may know, and how it says what broke it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar

from sim.build import Built
from sim.nodes.virtual_tap import VirtualTapNode
from sim.observers import Observer
from sim.results import Failure
from sim.scenario import Scenario
from sim.traffic import Flow
from virtualtap.errors import UsageError
from virtualtap.units import SECOND, Instant


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
        return {str(words.get("fault")) for words in said}

    def taps(self) -> list[VirtualTapNode]:
        """All of them."""
        nodes = self.built.network.nodes.values()
        return [node for node in nodes if isinstance(node, VirtualTapNode)]


class Invariant(Observer):
    """One law. It sees what happens at `where`, ports and nodes.

    `look` is called between two things that happen, and at the end.
    """

    name: ClassVar[str]
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
