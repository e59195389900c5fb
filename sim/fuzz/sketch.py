"""A world while it is drawn: its map with the names on it, and the words said of it so far."""

from collections.abc import Mapping
from typing import Any

from sim.build import planned
from sim.fuzz.text import to_toml
from sim.nodes.interface import Addresses
from sim.rng import Stream
from topologies import Graph

WORK_MAX = 60  # payloads that all of a world's traffic may say, more or less
Words = dict[str, Any]


class Sketch:
    """What has been drawn of a world. Times are milliseconds.

    Words of one link, server, session or tap are gathered in one entry each.
    """

    def __init__(self, name: str, seed: int) -> None:
        self.head: Words = {"name": name, "seed": seed}
        self.until = 0
        self.has_ipv6 = False
        self.graph: Graph
        self.shape = ""
        self.kinds: dict[str, str] = {}
        self.carried: list[str] = []  # sessions that have a transport
        self._timeline: list[tuple[int, Words]] = []
        self._entries: dict[str, dict[str, Words]] = {}  # by table and `match`
        self._traffic: list[Words] = []
        self._addresses: dict[str, Addresses] = {}

    def place(self, graph: Graph) -> None:
        """The map is known: all endpoints are on it."""
        self.graph = graph
        self.kinds = {name: words["kind"] for name, words in graph.nodes(data=True)}

    def named(self, *kinds: str) -> list[str]:
        """The nodes of these kinds, in the order of the map."""
        return [name for name, kind in self.kinds.items() if kind in kinds]

    def links(self, *kinds: str) -> list[str]:
        """All links as `a--b`; with `kinds` those that have an end of one of them."""
        return [
            f"{one}--{other}"
            for one, other in self.graph.edges()
            if not kinds or self.kinds[one] in kinds or self.kinds[other] in kinds
        ]

    def sessions(self) -> list[tuple[str, str]]:
        """Each tap that is a client of a hub, with the hub."""
        return [
            (tap, near)
            for tap in self.named("tap")
            for near in self.graph[tap]
            if self.kinds[near] == "hub"
        ]

    def behind(self, tap: str) -> list[str]:
        """The host of a tap, as a list of one."""
        return [near for near in self.graph[tap] if self.kinds[near] == "host"]

    def addresses(self) -> Mapping[str, Addresses]:
        """What each endpoint will be called."""
        if not self._addresses:
            self._addresses = planned(self.graph, ipv6=self.has_ipv6)
        return self._addresses

    def entry(self, table: str, match: str) -> Words:
        """The entry of a list of tables that is about `match`; a new one where there is none."""
        return self._entries.setdefault(table, {}).setdefault(match, {"match": match})

    def last_entry(self, table: str, match: str) -> Words:
        """The same, behind all others so far: of all that match, the last one wins."""
        words = self.entry(table, match)
        self._entries[table][match] = self._entries[table].pop(match)
        return words

    def entries(self, table: str) -> list[Words]:
        """All of a list of tables so far."""
        return list(self._entries.get(table, {}).values())

    def conversations(self) -> list[Words]:
        """All that was said so far."""
        return self._traffic

    def say(self, words: Words) -> None:
        """One more conversation."""
        self._traffic.append(words)

    def happen(self, at: int, **words: Any) -> None:
        """One more happening; what is due after the end is left out."""
        if at < self.until:
            self._timeline.append((at, words))

    def moment(self, luck: Stream) -> int:
        """When something may happen: not in the last eighth."""
        return luck.below(max(1, self.until * 7 // 8))

    def later(self, at: int, luck: Stream) -> int:
        """Some time after `at`: soon, or whenever."""
        left = max(1, self.until - at)
        return at + 1 + luck.below(max(1, left // 8) if luck.chance(0.5) else left)

    def content(self) -> Words:
        """All of the scenario, as `tomllib` would give it."""
        made = dict(self.head)
        for table, entries in self._entries.items():
            made[table] = [words for words in entries.values() if len(words) > 1]
        made["traffic"] = self._traffic
        in_order = sorted(self._timeline, key=lambda one: one[0])
        made["timeline"] = [{"at": ms(at), **words} for at, words in in_order]
        return {key: value for key, value in made.items() if value not in ([], {})}

    def text(self) -> str:
        """The scenario, as TOML."""
        return to_toml(self.content())


def ms(milliseconds: int) -> str:
    """As a scenario writes it."""
    return f"{milliseconds}ms"
