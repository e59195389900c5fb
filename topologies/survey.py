"""What a source says of a real network, and the graph it becomes: names, places, delays."""

import re
from collections.abc import Mapping
from math import asin, cos, isfinite, radians, sin, sqrt
from statistics import fmean
from typing import TypeAlias

import networkx as nx

from topologies.vocabulary import (
    EDGE_ATTRIBUTES,
    EDGES_MAX,
    HUB,
    NAME_MAX,
    NODES_MAX,
    Graph,
    GraphError,
    check,
    check_name,
    quoted,
)

Place: TypeAlias = tuple[float, float]  # latitude, longitude in degrees

RATE = 1_000_000_000  # bit/s, of a link whose source gives none
PLACELESS_DELAY = 1_000_000  # ns, of a link in a component without any coordinates

_EARTH_KM = 6371.0088  # mean radius
_KM_PER_US = 299_792.458 * 2 / 3 / 1_000_000  # light in fiber
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_DIGITS_MAX = 64


def fiber_delay(km: float) -> int:
    """Nanoseconds that light takes in fiber: two thirds of c, whole microseconds, at least one."""
    return max(1, round(km / _KM_PER_US)) * 1000


def great_circle(one: Place, other: Place) -> float:
    """Kilometers between two places, by the haversine formula."""
    (lat1, lon1), (lat2, lon2) = ((radians(degrees) for degrees in place) for place in (one, other))
    chord = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, chord)))


def place_of(values: Mapping[str, str]) -> Place | None:
    """The place a node's attributes give as decimal text; None unless both numbers are there."""
    if "latitude" not in values or "longitude" not in values:
        return None
    return _number("Latitude", values["latitude"], 90), _number(
        "Longitude", values["longitude"], 180
    )


def rate_of(values: Mapping[str, str]) -> int:
    """The capacity in bit/s that a link's attributes give as decimal text; none or 0: 1 Gbit/s."""
    least, most = EDGE_ATTRIBUTES["rate"]
    raw = _number("LinkSpeedRaw", values.get("linkspeedraw", "0"), most)
    if raw < 0:
        raise GraphError(f"`LinkSpeedRaw` is {quoted(raw)}", "give bit/s, above 0")
    return max(least, round(raw)) if raw else RATE


class Survey:
    """The nodes and links as the source knows them, by its own ids; the limits hold at once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._labels: dict[str, str] = {}
        self._places: dict[str, Place] = {}
        self._links: dict[tuple[str, str], tuple[int, float | None]] = {}
        self._links_told = 0

    def add_node(self, key: str, label: str, place: Place | None) -> None:
        """A node; white space in its label becomes single spaces, and without one its id serves."""
        label = " ".join(label.split()) or key
        check_name(label)
        if len(key) > NAME_MAX:
            raise GraphError(f"the id {quoted(key)} is too long", f"use {NAME_MAX} characters")
        if key in self._labels:
            raise GraphError(f"the id {quoted(key)} is given to two nodes", "make the ids unique")
        if len(self._labels) == NODES_MAX:
            raise GraphError(f"more than {NODES_MAX} nodes", "choose a smaller network")
        self._labels[key] = label
        if place is not None:
            self._places[key] = place

    def add_link(self, one: str, other: str, rate: int = RATE, km: float | None = None) -> None:
        """A link, as long as the great circle unless `km` says it.

        Of parallel links the shortest serves, and of equally long ones the one of highest rate.
        """
        if one == other:
            raise GraphError(
                f"an edge joins the node {quoted(one)} to itself",
                "remove it: a link joins two nodes",
            )
        if self._links_told == EDGES_MAX:
            raise GraphError(f"more than {EDGES_MAX} edges", "choose a smaller network")
        self._links_told += 1
        link = (one, other) if (other, one) not in self._links else (other, one)
        known = self._links.get(link)
        if known is None or (km or 0.0, -rate) < (known[1] or 0.0, -known[0]):
            self._links[link] = (rate, km)

    def graph(self) -> Graph:
        """The graph of hubs; GraphError if an edge names a node that is missing, or by `check`."""
        for key in (key for link in self._links for key in link):
            if key not in self._labels:
                raise GraphError(
                    f"an edge names the node {quoted(key)}, which is not in the file",
                    "add the node or remove the edge",
                )
        names = self._unique_names()
        places = self._estimated_places()
        graph: Graph = nx.Graph(name=self._name)
        for key, name in names.items():
            graph.add_node(name, kind=HUB)
            if key in places:
                graph.add_node(name, latitude=places[key][0], longitude=places[key][1])
        for (one, other), (rate, km) in self._links.items():
            if km is not None:
                delay = fiber_delay(km)
            elif one in places:  # then the other end is placed too: it would have taken this place
                delay = fiber_delay(great_circle(places[one], places[other]))
            else:
                delay = PLACELESS_DELAY
            graph.add_edge(names[one], names[other], delay=delay, rate=rate)
        check(graph)
        return graph

    def _unique_names(self) -> dict[str, str]:
        """Of nodes with one label the first keeps it; the others become `label-2`, `label-3`..."""
        names: dict[str, str] = {}
        taken = set(self._labels.values())  # a number never takes the label of another node
        last: dict[str, int] = {}
        for key, label in self._labels.items():
            number, name = last.get(label, 1), label
            if label in last:
                while name in taken:
                    number += 1
                    name = f"{label}-{number}"
                taken.add(name)
            last[label] = number
            names[key] = name
        return names

    def _estimated_places(self) -> dict[str, Place]:
        """The places told; a node without takes the mean of its neighbors', round after round."""
        neighbors: dict[str, list[str]] = {key: [] for key in self._labels}
        for one, other in self._links:
            neighbors[one].append(other)
            neighbors[other].append(one)
        places = dict(self._places)
        placed = list(places)
        while placed:
            beside = {near: None for key in placed for near in neighbors[key] if near not in places}
            means = {
                key: _mean([places[near] for near in neighbors[key] if near in places])
                for key in beside
            }
            places.update(means)
            placed = list(means)
        return places


def _mean(places: list[Place]) -> Place:
    """Rounded to five decimals (a meter); longitudes are averaged the short way round the globe."""
    first = places[0][1]
    east = first + fmean((longitude - first + 180) % 360 - 180 for _, longitude in places)
    return round(fmean(latitude for latitude, _ in places), 5), round((east + 180) % 360 - 180, 5)


def _number(what: str, text: str, most: int) -> float:
    text = text.strip()
    # stricter than `float`, which takes `nan`, `inf`, `1_0`, other scripts' digits, and any length
    if len(text) <= _DIGITS_MAX and _NUMBER.fullmatch(text):
        value = float(text)
        if isfinite(value) and abs(value) <= most:
            return value
    raise GraphError(
        f"`{what}` is {quoted(text)}", f"give a decimal number between -{most} and {most}"
    )
