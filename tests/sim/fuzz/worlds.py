"""A world of twenty nodes with much in it, and an engine made wrong: to be shrunk, explained."""

from pathlib import Path

from sim.fuzz.judge import Task, judge
from sim.run import Order, graph_of
from topologies import GraphError
from virtualtap.errors import UsageError
from virtualtap.tap import VirtualTap

CROWD = """\
name = "crowd"
seed = 7
until = "2s"
topology = { name = "cascade", hubs = 3 }
sites = { taps = 2, stations = 1, gateways = 2 }

[[servers]]
match = "hub2"
options = { NoArpPolling = true }

[[taps]]
match = "tap*"
arp_interval = "200ms"

[[links]]
match = "hub1--hub2"
delay = "7ms"
faults = [{ fault = "loss", probability = 0.05 }, { fault = "jitter", most = "3ms" }]

[[traffic]]
kind = "ping"
from = "h*"
to = "s1"
every = "300ms"
stagger = "11ms"

[[traffic]]
kind = "poisson"
from = "s*"
to = "h2"
every = "200ms"
start = "100ms"

[[traffic]]
kind = "burst"
from = "h3"
to = "gateway"
every = "700ms"
count = 3

[[timeline]]
at = "400ms"
crash = "tap5"

[[timeline]]
at = "600ms"
restart = "tap5"

[[timeline]]
at = "900ms"
down = "hub2--hub3"

[[timeline]]
at = "1200ms"
up = "hub2--hub3"
"""
SIGNATURE = "no-foreign-source/tap"
_OTHERS = b"\x02\xbb\x00\x00\x00\x01"


def spoil(monkeypatch, neighbors=2):
    """From now on a tap that knows so many neighbors says ARP with another's MAC as source."""
    right = VirtualTap.take_frames

    def wrong(tap):
        frames = right(tap)
        if len(tap.neighbors()) < neighbors:
            return frames
        return [one[:6] + _OTHERS + one[12:] if len(one) == 42 else one for one in frames]

    monkeypatch.setattr(VirtualTap, "take_frames", wrong)


def fails(text):
    return judge(Task(seed=0, text=text)).signature == SIGNATURE


def is_scenario(text):
    """Whether it can be read, and its topology built."""
    try:
        order = Order(text=text, folder=Path())
        graph_of(order, order.scenario())
    except (UsageError, GraphError):
        return False
    return True
