"""What is tested, and where the tester's ports are. RFC 2544 6, RFC 2889 4."""

from dataclasses import dataclass

MEDIUM = "10Mbit"  # the slowest Ethernet of RFC 2544's appendix B: the fewest frames in 60 s
BUFFER = 65_536  # bytes that may wait for a link


@dataclass(frozen=True, slots=True)
class Device:
    """A device under test: frames go in at `sender` and come out at `receivers`.

    The first receiver is the one that is spoken to; the last one monitors, too.
    """

    name: str
    site: str  # what all are connected to
    sender: str
    receivers: tuple[str, ...]
    nodes: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    is_bridge: bool = True  # it has a table of others' addresses

    def topology(self) -> str:
        """The lines of a scenario that build it: every link has the same rate and buffer."""
        nodes = ", ".join(f'{name} = "{kind}"' for name, kind in self.nodes)
        links = ", ".join(f'["{one}", "{other}"]' for one, other in self.links)
        return (
            f'topology = {{ name = "drawn", nodes = {{ {nodes} }}, links = [{links}] }}\n\n'
            f'[[links]]\nmatch = "{self.site}--*"\nrate = "{MEDIUM}"\nqueue = {BUFFER}\n'
        )

    def port(self, name: str) -> str:
        """Of one of the tester's, as moments call it."""
        kind = dict(self.nodes)[name]
        return f"{name}.{'uplink' if kind == 'host' else 'eth0'}"


def _bridge(kind: str, site: str) -> Device:
    stations = ("s1", "s2", "s3")
    return Device(
        kind,
        site,
        sender="s1",
        receivers=("s2", "s3"),
        nodes=((site, kind), *((name, "station") for name in stations)),
        links=tuple((name, site) for name in stations),
    )


DEVICES = {
    "hub": _bridge("hub", "hub1"),
    "switch": _bridge("switch", "sw1"),
    "tap": Device(
        "tap",
        "hub1",
        sender="h1",
        receivers=("s1", "s2"),
        nodes=(
            *(("hub1", "hub"), ("tap1", "tap"), ("h1", "host")),
            *(("s1", "station"), ("s2", "station")),
        ),
        links=(("h1", "tap1"), ("tap1", "hub1"), ("s1", "hub1"), ("s2", "hub1")),
        is_bridge=False,
    ),
}
