"""What a scenario cannot say of attackers is refused with a hint."""

import pytest

from sim.limits import Limits
from tests.sim.lan import FRAME, LAN, at, sent
from tests.sim.scenarios import done, refused


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ('spoof = { from = "x", claims = "s1", to = "all" }', "no endpoint is named `x`", "there"),
        ('spoof = { from = "s1", claims = "x", to = "all" }', "no endpoint is named `x`", "there"),
        ('spoof = { from = "s1", claims = "s2", to = "x" }', "no endpoint is named `x`", "there"),
        ('spoof = { from = "h1", claims = "s1", to = "all" }', "`h1` speaks only IP", "station"),
        ('spoof = { from = "s1", claims = "s1", to = "all" }', "about `s1` itself", "else"),
        ('flap = { from = "s1", of = "s1" }', "`flap`: it is about `s1` itself", "else"),
        ('storm = { from = "h1", times = 1 }', "`storm`: `h1` speaks only IP", "station"),
        ('repeat-arp = { from = "h1" }', "`repeat-arp`: `h1` speaks only IP", "station"),
        ('rogue = { node = "gw1" }', "`rogue`: `gw1` is a gateway", "name a station"),
        ('duplicate = { node = "gw1", of = "s1" }', "`gw1` is a gateway", "name a station"),
        (
            'spoof = { from = "s1", claims = "s2", to = "all", as = "advertisement" }',
            "there is no advertisement of IPv4", "IPv6 `advertisement`",
        ),
        (
            'spoof = { from = "s1", claims = "s2", to = "all", as = "reply", family = 6 }',
            "there is no reply of IPv6", "IPv4 has `reply`",
        ),
        (
            'spoof = { from = "s1", claims = "s2", to = "all", as = "request", family = 6 }',
            "a solicitation asks one", "name a node in `to`",
        ),
        ('inject = { from = "s1", frames = ["ffff"] }', "shorter than 14 bytes", "destination"),
        ('inject = { from = "s1", frames = ["fff"] }', "matching regex", "two digits a byte"),
        ('inject = { from = "s1", frames = [] }', "length >= 1", "see docs"),
        (f'inject = {{ from = "s1", frames = ["{FRAME}", "{FRAME}"], times = 5001 }}',
         "10002 frames are injected", "at most 10000"),
        ('storm = { from = "s1", times = 10001 }', "`int` <= 10000", "see docs"),
        ('storm = { from = "s1", times = 2, every = "0s" }', "`every` is 0", "`1us`"),
        ('storm = { from = "s1" }', "missing required field `times`", "every, from, times"),
        ('rogue = { node = "s1", stop = "500ms" }', "the `rogue` stops at 500ms", "later"),
        ('rogue = { node = "s1", first = "10.1.0.1" }', "from `10.1.0.1` to `10.0.200.254`", "own"),
        ('rogue = { node = "s1", first = "10.0.9.1", last = "10.0.9.0" }', "10.0.9.0", "own"),
        ('rogue = { node = "s1", first = "fd00::1" }', "leases `fd00::1`", "IPv4"),
        ('spoof = { from = "s1", claims = "s2" }', "missing required field `to`", "claims"),
        ('strom = { from = "s1", times = 1 }', "unknown field `strom`", "did you mean `storm`"),
        ('storm = { from = "s1", times = 1 }\nup = "x"', "2 things happen", "repeat-arp"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_a_hint(words, message, hint):
    error = refused(done, LAN + at("1s", words))
    assert (message in str(error), hint in (error.hint or "")) == (True, True), str(error)


def test_an_attacker_reaches_its_own_lan_only():
    two = LAN.replace('s2 = "station"', 'sw2 = "switch", s2 = "station"')
    two = two.replace('["s2", "sw1"]', '["s2", "sw2"], ["gw1", "sw2"]')
    for words in (
        'flap = { from = "s1", of = "s2" }',
        'duplicate = { node = "s1", of = "s2" }',
        'spoof = { from = "s1", claims = "gw1", to = "s2" }',
    ):
        assert "`s2` is in another LAN than `s1`" in str(refused(done, two + at("1s", words)))
    words = 'spoof = { from = "gw1", claims = "s2", to = "all" }'
    assert len(sent(two + at("1s", words), "gw1.lan2")) == 1


def test_ipv6_is_claimed_where_it_is_spoken():
    words = 'spoof = { from = "s1", claims = "s2", to = "all", family = 6 }'
    error = refused(done, LAN.replace("ipv6 = true\n", "") + at("1s", words))
    assert error.hint == "write `ipv6 = true`"


def test_what_attackers_send_counts_in_the_estimate():
    text = LAN + at("1s", 'storm = { from = "s1", times = 10000 }')
    error = refused(lambda: done(text, limits=Limits(events=10_000)))
    assert "events" in str(error)
