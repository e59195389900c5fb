"""A small LAN for what befalls links, places and clocks, and the shortest ways to let it happen."""

from sim.actions import enact
from sim.build import Built
from sim.run import built
from sim.scenario import decode
from tests.sim.scenarios import order

LAN = """\
name = "lan"
until = "40s"
topology = { name = "drawn", nodes = { hub1 = "hub", hub2 = "hub", sw = "switch", tap1 = "tap", \
h1 = "host", s1 = "station", s2 = "station", gw = "gateway" }, links = [["h1", "tap1"], \
["tap1", "hub1"], ["s1", "hub1"], ["s2", "sw"], ["gw", "hub2"], ["hub1", "hub2"], ["hub1", "sw"]] }

"""
TRANSPORT = '[[links]]\nmatch = "tap1--*"\ntransport = {}\n'.replace("tap1--*", "tap1--hub1")
PINGS = """
[[traffic]]
kind = "ping"
from = "h1"
to = "s2"

[[traffic]]
kind = "ping"
from = "s2"
to = "s1"
"""


def at(when: str, line: str) -> str:
    return f'\n[[timeline]]\nat = "{when}"\n{line}\n'


def network(text: str) -> Built:
    return built(order(text))


def enacted(line: str, text: str = LAN) -> list:
    text += at("5ms", line)
    return [what for _, what in enact.happenings(decode(text), network(text))]
