"""A bound is the sum of what those in a core may have to wait for."""

import pytest

from sim.actions.healing import core_of
from sim.laws.bounds import bound, is_mistaken, patience, transit
from sim.laws.law import Scene
from sim.run import built
from sim.scenario import decode
from sim.words.healing import Heal
from tests.sim.scenarios import order
from virtualtap.config import TapConfig
from virtualtap.units import MS, SECOND, US

LAN = """\
name = "bounds"
until = "9s"
topology = { name = "drawn", nodes = { sw1 = "switch", tap1 = "tap", h1 = "host", \
s1 = "station" }, links = [["tap1", "sw1"], ["h1", "tap1"], ["s1", "sw1"]] }
"""
HUBS = """\
name = "bounds"
until = "9s"
topology = { name = "chain", nodes = 2 }
sites = { taps = 1, stations = 0, gateways = 0 }
"""
LOSS = '[[timeline]]\nat = "1s"\nbegin = { link = "*", fault = "loss", probability = 1 }\n'
LIE = '[[timeline]]\nat = "1s"\nspoof = { from = "s1", claims = "h1", to = "all" }\n'


def scene(text):
    return Scene(decode(text), built(order(text)), ())


def bound_of(text, *core):
    of = scene(text)
    return bound(of, core_of(Heal(at="1s", core=core or ("*",)), of.built))


def tap(words):
    return f'[[taps]]\nmatch = "tap*"\n{words}\n'


def test_a_plain_lan_waits_for_its_questions():
    found = bound_of(LAN)
    assert (found.session, found.address) == (0, 0)
    assert found.entry == 4 * SECOND + 2 * 100 * MS  # of the tap: two places take turns
    assert found.total == found.session + found.address + found.entry + found.path


def test_the_path_is_twice_the_way_to_the_farthest():
    of = scene(LAN)
    core = core_of(Heal(at="1s", core=("*",)), of.built)
    link = -(-(1514 + 24) * 8 * SECOND // 10**9) + 5 * US
    assert transit(of, core, 0) == 2 * link
    assert bound_of(LAN).path == 3 * transit(of, core, 0)


def test_what_waits_on_a_link_counts():
    of = scene(LAN)
    core = core_of(Heal(at="1s", core=("*",)), of.built)
    before = transit(of, core, 0)
    next(link for link in of.built.network.links if "sw1" in link.name).directions[0].free_at = 7
    assert transit(of, core, 0) >= before + 2 * 7
    assert transit(of, core, 7) == before


def test_a_tap_that_asks_slowly_is_waited_for():
    assert bound_of(LAN + tap('arp_interval = "3s"')).entry == 12 * SECOND + 200 * MS
    text = LAN.replace("until", "ipv6 = true\nuntil") + tap('ndp_interval = "9s"')
    assert bound_of(text).entry == 36 * SECOND


def test_where_somebody_lied_an_entry_may_live_its_life():
    short = bound_of(LAN + LIE + tap('neighbor_lifetime = "5s"'))
    assert short.entry == 64 * SECOND  # of the station
    assert bound_of(LAN + LIE).entry == 300 * SECOND + 4 * SECOND + 200 * MS
    doubts = bound_of(LAN + LIE + tap('profile = "linux"'))
    assert doubts.entry == 64 * SECOND  # 45 + 5 + 3 s of doubt are less
    slow = bound_of(LAN + LIE + tap('profile = "linux"\nndp_delay = "20s"'))
    assert slow.entry == 45 * SECOND + 20 * SECOND + 3 * SECOND + 4 * SECOND + 200 * MS


def test_where_somebody_lied_an_address_may_be_given_up():
    assert bound_of(LAN + LIE).address == 9 * SECOND + 120 * SECOND


def test_an_address_takes_its_time():
    assert bound_of(LAN + tap('claim = "probed"')).address == 9 * SECOND
    six = LAN.replace("until", "ipv6 = true\nuntil") + tap("dad = true")
    assert bound_of(six).address == 2 * SECOND
    leased = bound_of(LAN + tap("dhcp = true"))
    assert leased.address == (10 + 10 + 2 * 65 + 9 + 120) * SECOND


def test_hubs_try_again_every_ten_seconds():
    assert bound_of(HUBS).session == 10 * SECOND
    assert bound_of(HUBS, "hub1", "tap1", "h1").session == 1 * SECOND
    assert bound_of(LAN).session == 0


def test_a_transport_is_given_up_and_made_anew():
    carried = HUBS + '[[links]]\nmatch = "tap1--hub1"\ntransport = { retry = "20s" }\n'
    assert bound_of(carried).session == (60 + 5 + 20 + 1) * SECOND + 8 * 5 * MS


def test_through_a_gateway_two_entries_are_waited_for():
    two = HUBS.replace("gateways = 0", "gateways = 1")
    assert bound_of(two).entry == 2 * (4 * SECOND + 3 * 100 * MS)


def test_described_servers_have_turns_and_rules():
    described = '[[servers]]\nmatch = "hub*"\n'
    rule = "[[servers.access]]\nPriority = 10\nDelay = 100\nJitter = 50\n"
    plain, turning, late = map(bound_of, (HUBS, HUBS + described, HUBS + described + rule))
    assert turning.path == plain.path + 3 * 2 * 8 * 256 * MS
    assert late.path == turning.path + 3 * 2 * 150 * MS


def test_the_slowest_clock_stretches_it():
    slow = '[[timeline]]\nat = "1s"\nskew = { node = "tap1", ppm = -100000 }\n'
    fast = slow.replace("-", "")
    assert bound_of(LAN + slow) == tuple(-(-10 * term // 9) for term in bound_of(LAN))
    assert bound_of(LAN + fast) == bound_of(LAN)


@pytest.mark.parametrize(
    ("words", "mistaken"),
    [
        ("", False),
        (LIE, True),
        (LOSS, False),
        ('[[links]]\nmatch = "*"\nfaults = [{ fault = "bit-flip", probability = 0.1 }]\n', True),
        (tap("dhcp = true"), True),
    ],
    ids=["nothing", "a lie", "losses", "damage", "leases"],
)
def test_who_may_be_mistaken(words, mistaken):
    assert is_mistaken(scene(LAN + words)) is mistaken


def test_how_long_one_waits_for_an_answer():
    assert patience(None, six=False) == 3 * SECOND
    config = TapConfig(our_mac=b"\2\0\0\0\0\1", profile="rfc826", ndp_interval=2 * SECOND)
    assert patience(config, six=False) == 1 * SECOND
    assert patience(config, six=True) == 6 * SECOND
