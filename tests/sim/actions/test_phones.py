"""What a scenario says of phones: platforms, transports, and where they go."""

import re

import pytest

from sim import run as running
from sim.nodes.softether.transport import Transport
from sim.scenario import decode
from tests.sim.scenarios import SMALL, done, order
from virtualtap.errors import UsageError
from virtualtap.units import SECOND

ONE = SMALL.replace("sites = 2", "sites = 1").replace("300ms", "2min")
LINK = '[[links]]\nmatch = "hub1--tap1"\n'
CARRIED = ONE + LINK + "transport = { connections = 3 }\n"


def at(when: str, what: str) -> str:
    return f'[[timeline]]\nat = "{when}"\n{what}\n'


def transport_of(text: str, link: str = "hub1--tap1") -> Transport:
    carrier = running.built(order(text)).links[link].carrier
    assert isinstance(carrier, Transport)
    return carrier


def test_a_link_gets_the_transport_that_its_words_say():
    words = (
        'transport = { connections = 7, half_duplex = true, qos = false, interval = "3s", '
        'retry = "20s", udp_acceleration = true, udp_passes = false, fast_detection = true, '
        'encrypt = false, reads = "8Mbit" }\n'
    )
    wish = transport_of(ONE + LINK + words).wish
    assert (wish.connections, wish.half_duplex, wish.qos, wish.encrypt) == (7, True, False, False)
    assert (wish.interval, wish.retry, wish.reads) == (3 * 10**9, 20 * 10**9, 8_000_000)
    assert (wish.udp_acceleration, wish.udp_passes, wish.fast_detection) == (True, False, True)


def test_the_sessions_of_one_server_share_its_budget_and_those_of_another_do_not():
    text = ONE + LINK.replace("hub1--tap1", "hub*--tap*") + "transport = {}\n"
    text = text.replace("taps = 1", "taps = 2")
    network = running.built(order(text))
    budgets = [
        link.carrier.budget
        for link in network.links.values()
        if isinstance(link.carrier, Transport)
    ]
    assert len(budgets) == 4
    assert len({id(budget) for budget in budgets}) == 2


@pytest.mark.slow
def test_a_phone_that_roams_is_back_and_its_link_has_changed():
    roams = at("30s", 'roam = { link = "hub1--tap1", delay = "45ms", rate = "10Mbit" }')
    run = done(CARRIED + roams)
    assert run.summary["dropped"]["no-connection"] > 140  # 15 s of ten pings a second
    assert run.verdict == "pass"
    link = next(row for row in run.tables["links"] if row[0] == "tap1.lan")
    assert (link[2], link[3]) == (10_000_000, 45_000_000)


def test_a_phone_may_roam_to_where_there_is_no_rate():
    roams = at("1s", 'roam = { link = "hub1--tap1", rate = "none" }')
    network = running.built(order(CARRIED + roams)).network
    network.run(2 * SECOND)
    assert next(link.rate for link in network.links if link.name == "hub1--tap1") is None


@pytest.mark.slow
def test_a_phone_that_sleeps_says_nothing():
    asleep = done(CARRIED + at("10s", 'sleep = "h1"') + at("100s", 'wake = "h1"'))
    awake = done(CARRIED)
    assert asleep.summary["delivered"] < awake.summary["delivered"] * 3 / 4
    assert asleep.verdict == "pass"


def test_a_host_gets_the_platform_and_the_ceiling_that_its_words_say():
    words = '[[hosts]]\nmatch = "h*"\nplatform = "wireguard"\n'
    words += '[[hosts]]\nmatch = "h1"\nplatform = "ios"\nmemory = 4096\n'
    hosts = running.built(order(ONE + words)).endpoints
    assert (hosts["h1"].platform.name, hosts["h1"].platform.memory) == ("ios", 4096)
    assert (hosts["h2"].platform.name, hosts["h2"].platform.memory) == ("wireguard", None)


@pytest.mark.slow
def test_the_same_seed_is_the_same_run():
    text = CARRIED + at("30s", 'roam = { link = "hub1--tap1" }')
    assert done(text).digest == done(text).digest != done(text, seed=2).digest


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        (CARRIED + LINK + "transport = {}\n", "two `[[links]]` give", "the last of them"),
        (
            ONE + LINK.replace("hub1--tap1", "tap1--h1") + "transport = {}\n",
            "leads to no hub",
            "a tap's session",
        ),
        (
            ONE + LINK.replace("hub1--tap1", "hub1--hub2") + "transport = {}\n",
            "is no client's session",
            "links of a tap with a hub",
        ),
        (ONE + at("1s", 'roam = { link = "hub1--tap1" }'), "has no transport", "transport = { }"),
        (ONE + at("1s", 'sleep = "h1"'), "has no transport", "transport = { }"),
        (ONE + at("1s", 'wake = "h1"'), "has no transport", "transport = { }"),
        (CARRIED + at("1s", 'sleep = "s1"'), "no host is named `s1`", "there are h1, h2"),
        (ONE + '[[hosts]]\nmatch = "zz"\nplatform = "ios"\n', "no host is named `zz`", "h1, h2"),
        (
            ONE + LINK + "transport = { half_duplex = true }\n",
            "half duplex with one connection",
            "at least 2",
        ),
        (ONE + LINK + 'transport = { retry = "1s" }\n', "retries too soon", "at least 5 s"),
    ],
)
def test_what_cannot_be_is_said(text: str, says: str, hint: str):
    with pytest.raises(UsageError) as caught:
        running.built(order(text))
    assert says in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (LINK + "transport = { conections = 2 }\n", "did you mean `connections`?"),
        ('[[hosts]]\nmatch = "h1"\nplatfrom = "ios"\n', "did you mean `platform`?"),
        (at("1s", 'roam = { link = "a", rat = "1Mbit" }'), "did you mean `rate`?"),
    ],
)
def test_an_unknown_word_meets_the_right_one(words: str, hint: str):
    with pytest.raises(UsageError) as caught:
        decode(ONE + words)
    assert re.match(re.escape(hint), caught.value.hint)
