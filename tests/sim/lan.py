"""A switch with two stations, a host behind a tap and a gateway, for those who attack them."""

from sim.observers import Kind
from sim.run import built
from tests.sim.networks import Record
from tests.sim.scenarios import order
from virtualtap.units import SECOND

LAN = """\
name = "lan"
until = "3s"
ipv6 = true
capture = "none"
topology = { name = "drawn", nodes = { sw1 = "switch", s1 = "station", s2 = "station", \
tap1 = "tap", h1 = "host", gw1 = "gateway" }, links = [["s1", "sw1"], ["s2", "sw1"], \
["tap1", "sw1"], ["h1", "tap1"], ["gw1", "sw1"]] }
"""  # s1 is 10.0.0.1, s2 10.0.0.2, h1 10.0.0.3, gw1 10.0.0.4, and so are their MACs
PINGS = "".join(
    f'[[traffic]]\nkind = "ping"\nfrom = "{ends[0]}"\nto = "{ends[1]}"\nfamily = {family}\n'
    for ends in (("h1", "gw1"), ("s2", "gw1"), ("s1", "h1"))
    for family in (4, 6)
)
LONG = LAN.replace("3s", "9s")  # a lease is probed for some seconds
LEASING = '[[taps]]\nmatch = "tap1"\ndhcp = true\n'
FRAME = "ffffffffffff 0200000000aa 88b5 01".replace(" ", "")
S1, S2, TAP1, GW1 = (b"\x02\0\0\0\0" + bytes((number,)) for number in (1, 2, 3, 4))
IP1, IP2, IP3, IP4 = (bytes((10, 0, 0, number)) for number in (1, 2, 3, 4))
SIX1, SIX2, SIX3, SIX4 = (b"\xfd" + bytes(14) + bytes((number,)) for number in (1, 2, 3, 4))


def at(instant, words):
    return f'[[timeline]]\nat = "{instant}"\n{words}\n'


def watched(text, until=3 * SECOND):
    """The network of a scenario after some time, and every moment."""
    stage, record = built(order(text)), Record()
    stage.network.observers.append(record)
    stage.network.run(until)
    return stage, record


def sent(text, where="s1.eth0", until=3 * SECOND):
    """(when, what) that port sends."""
    _, record = watched(text, until)
    return [(m.at, m.data) for m in record.moments if (m.kind, m.where) == (Kind.SENT, where)]
