"""The words of a scenario reach the nodes and links they name, or say which ones there are."""

import pytest

from sim.actions import enact, troubles
from sim.actions.conversation import conversation
from sim.actions.timeline import Begin, Crash, Down, End, Restart, Up
from sim.actions.troubles import FAULTS
from sim.build import build
from sim.faults import BitFlip, Duplication, Jitter, Loss, Reordering, Truncation
from sim.run import built, perform
from sim.scenario import decode
from tests.sim.scenarios import SMALL, STREAM, on_disk, order, refused
from topologies import cascade_tree, load, populate
from virtualtap.units import MS

QUIET = SMALL.partition("[[traffic]]")[0]  # hubs hub1 to hub3; h1 to h3, s1 to s3, gw1


def network(text):
    scenario = decode(text)
    graph, _ = cascade_tree(load("star", sites=2))
    return scenario, build(populate(graph), scenario.seed, ipv6=scenario.ipv6)


def said(rule):
    """(sender, receiver) of every flow of one rule."""
    traffic, _ = enact.traffic(*network(f'{QUIET}[[traffic]]\nevery = "1s"\n{rule}\n'), {})
    return [(one.flow.source, one.flow.destination) for one in traffic]


@pytest.mark.parametrize(
    ("ends", "pairs"),
    [
        ('from = "h1"\nto = "s2"', [("h1", "s2")]),
        ('from = "h*"\nto = "next"', [("h1", "h2"), ("h2", "h3"), ("h3", "h1")]),
        ('from = "h?"\nto = "s1"', [("h1", "s1"), ("h2", "s1"), ("h3", "s1")]),
        ('from = "[hs]1"\nto = "gw1"', [("h1", "gw1"), ("s1", "gw1")]),
        ('from = "h*"\nto = "gateway"', [("h1", "gw1"), ("h2", "gw1"), ("h3", "gw1")]),
        ('from = "h*"\nto = "s*"', [("h1", "s1"), ("h2", "s2"), ("h3", "s3")]),
        ('from = "h*"\nto = "h*"', [("h1", "h2"), ("h2", "h3"), ("h3", "h1")]),
        ('from = "h*"\nto = { stride = 2 }', [("h1", "h2"), ("h2", "h3"), ("h3", "h2")]),
        (
            'from = "h*"\nto = { stride = 1, offset = 2 }',
            [("h1", "h3"), ("h2", "h1"), ("h3", "h2")],
        ),
        ('from = "h1"\nto = "next"', []),  # nobody is next
    ],
)
def test_patterns_become_pairs(ends, pairs):
    assert said(f'kind = "ping"\n{ends}') == pairs


@pytest.mark.parametrize(
    ("ends", "named"),
    [
        ('from = "x*"\nto = "h1"', "traffic `from`: no endpoint is named `x*`"),
        ('from = "hub1"\nto = "h1"', "no endpoint is named `hub1`"),
        ('from = "h1"\nto = "x"', "traffic `to`: no endpoint is named `x`"),
        ('from = "H1"\nto = "h2"', "no endpoint is named `H1`"),
        ('from = "h1"\nto = "gw2"', "no endpoint is named `gw2`"),
    ],
)
def test_a_name_that_fits_nothing_meets_those_that_are(ends, named):
    error = refused(said, f'kind = "ping"\n{ends}')
    assert named in str(error)
    assert error.hint.startswith("there are h1, s1, h2, s2")


def test_who_has_no_gateway_is_told_so():
    text = SMALL.replace("gateways = 1", "gateways = 0")
    assert "`h1` has no gateway" in str(refused(built, order(text)))


def test_whom_a_lease_will_tell_of_the_gateway_speaks_to_it():
    taps = '[[taps]]\nmatch = "*"\ndhcp = true\n'
    rule = '[[traffic]]\nkind = "ping"\nfrom = "*"\nto = "gateway"\n'
    text = f"{QUIET}{taps}{rule}"
    traffic, remarks = enact.traffic(decode(text), built(order(text)), {})
    spoken = sorted((one.flow.source, one.flow.destination) for one in traffic)
    assert (spoken, remarks) == ([(one, "gw1") for one in ("h1", "h2", "h3", "s1", "s2", "s3")], [])


def test_stagger_and_stop_bound_what_is_said():
    rule = (
        'kind = "stream"\nfrom = "h*"\nto = "next"\nstart = "10ms"\nstagger = "5ms"\nstop = "20ms"'
    )
    traffic, _ = enact.traffic(*network(f'{QUIET}[[traffic]]\nevery = "1ms"\n{rule}\n'), {})
    spans = [(one._timing.start, one._timing.stop) for one in traffic]
    assert spans == [(10 * MS, 20 * MS), (15 * MS, 20 * MS), (20 * MS, 20 * MS)]


def settled(lines):
    scenario, network_ = network(QUIET + lines)
    enact.settle_links(scenario, network_)
    return network_.links


def test_a_link_may_have_no_rate_at_all():
    links = settled('[[links]]\nmatch = "*"\nrate = "none"\n')
    assert {link.rate for link in links.values()} == {None}


@pytest.mark.parametrize("rate", ["0.5", "None", "none\\n", "nonebit", ""])
def test_another_word_for_a_rate_meets_the_right_ones(rate):
    error = refused(settled, f'[[links]]\nmatch = "*"\nrate = "{rate}"\n')
    assert error.hint == "write it as `50Mbit` or `none`"


def test_links_take_what_is_said_of_them_the_later_last():
    links = settled(
        '[[links]]\nmatch = "*"\ndelay = "1ms"\nrate = "1Mbit"\n'
        '[[links]]\nmatch = "hub2--hub1"\ndelay = "2ms"\noverhead = 7\nleast = 8\nqueue = 9\n'
    )
    assert {link.rate for link in links.values()} == {10**6}
    chosen = links["hub1--hub2"]
    assert (chosen.delay, chosen.overhead, chosen.least) == (2 * MS, 7, 8)
    assert {link.delay for name, link in links.items() if name != "hub1--hub2"} == {MS}


@pytest.mark.parametrize("match", ["hub1--hub2", "hub2--hub1", "hub1*--hub2*", "hub1.*--hub2.*"])
def test_a_link_is_named_either_way_round(match):
    links = settled(f'[[links]]\nmatch = "{match}"\ndelay = "7ms"\n')
    assert [name for name, link in links.items() if link.delay == 7 * MS] == ["hub1--hub2"]


def test_a_link_that_is_not_there_meets_those_that_are():
    error = refused(settled, '[[links]]\nmatch = "hub1--hub9"\n')
    assert (str(error), "hub1--hub2" in error.hint) == ("no link is named `hub1--hub9`", True)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ({"fault": "loss", "probability": 0.5}, Loss(0.5)),
        ({"fault": "loss", "probability": 1}, Loss(1.0)),
        ({"fault": "jitter", "most": "2ms"}, Jitter(2 * MS)),
        ({"fault": "duplication", "probability": 0}, Duplication(0.0)),
        ({"fault": "reordering", "probability": 0.1, "hold": "1ms"}, Reordering(0.1, MS)),
        ({"fault": "bit-flip", "probability": 0.1}, BitFlip(0.1)),
        ({"fault": "truncation", "probability": 0.1}, Truncation(0.1)),
    ],
)
def test_every_fault_can_be_said(words, fault):
    assert troubles.fault(words) == fault


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ({}, ", ".join(FAULTS)),
        ({"fault": "lost"}, ", ".join(FAULTS)),
        ({"fault": []}, ", ".join(FAULTS)),
        ({"fault": {"fault": "loss"}}, ", ".join(FAULTS)),
        ({"fault": "loss"}, "it takes probability"),
        ({"fault": "loss", "probability": 0.1, "most": "1ms"}, "it takes probability"),
        ({"fault": "loss", "probability": 1.1}, "from 0 to 1"),
        ({"fault": "loss", "probability": -0.1}, "from 0 to 1"),
        ({"fault": "loss", "probability": float("nan")}, "from 0 to 1"),
        ({"fault": "loss", "probability": True}, "from 0 to 1"),
        ({"fault": "loss", "probability": "0.1"}, "from 0 to 1"),
        ({"fault": "jitter", "most": 5}, "10ms"),
        ({"fault": "jitter", "most": "-1ms"}, "10ms"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(words, hint):
    assert hint in refused(troubles.fault, words).hint


def enacted(line):
    return enact.happenings(*network(f'{QUIET}[[timeline]]\nat = "5ms"\n{line}\n'))


def test_a_timeline_names_links_and_nodes():
    loss = 'link = "hub1--hub2", fault = "loss"'
    kinds = {
        'down = "hub1--*"': Down,
        'up = "hub1--hub2"': Up,
        'crash = "tap1"': Crash,
        'restart = "hub*"': Restart,
        f"begin = {{ {loss}, probability = 1 }}": Begin,
        f"end = {{ {loss} }}": End,
    }
    made = {line: enacted(line) for line in kinds}
    assert {line: type(all_[0][1]) for line, all_ in made.items()} == kinds
    assert {at for all_ in made.values() for at, _ in all_} == {5 * MS}
    assert len(made['restart = "hub*"']) == 3


@pytest.mark.parametrize(
    "line",
    [
        *('down = "x"', 'up = "hub1"', 'crash = "x*"', 'restart = "hub9"'),
        *("begin = {}", 'begin = { link = "hub1--hub2" }', 'begin = { link = 5, fault = "loss" }'),
        *("end = {}", 'end = { link = "hub1--hub2" }', 'end = { link = "hub1--hub2", fault = [] }'),
        'end = { link = "hub1--hub2", fault = "lost" }',
        'end = { link = "hub9--hub2", fault = "loss" }',
    ],
)
def test_a_happening_that_fits_nothing_says_what_there_is(line):
    assert refused(enacted, line).hint != ""


def recorded(tmp_path):
    """A capture of what h1 sent, in a folder."""
    _, folder = on_disk(tmp_path, SMALL, capture="taps")
    return folder / "capture.pcapng"


REPLAY = (
    f'{QUIET}[[traffic]]\nkind = "replay"\nfile = "capture.pcapng"\n'
    'address = "10.0.0.1"\nfrom = "s1"\nto = "s2"\n'
)


def test_a_capture_is_said_again(tmp_path):
    path = recorded(tmp_path)
    packets, _ = conversation(path, bytes([10, 0, 0, 1]))
    run, _ = perform(order(REPLAY, path.parent), None)
    assert run.summary["delivered"] == len(packets) > 0
    assert run.tables["flows"][0][1:4] == ("replay", "s1", "s2")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("10.0.0.1", "10.0.0.300"), "is not an IP address"),
        (("10.0.0.1", "10.9.9.9"), "10.9.9.9"),
        (("capture.pcapng", "nothing.pcap"), "there is no file"),
        (("capture.pcapng", "run.json"), "run.json"),
        (("capture.pcapng", "."), "there is no file"),
        (("capture.pcapng", "a\\u0000b"), "there is no file"),
        (("capture.pcapng", "n" * 256), "cannot read"),
    ],
)
def test_a_capture_that_cannot_be_said_is_refused(tmp_path, wrong, message):
    path = recorded(tmp_path)
    text = REPLAY.replace(*wrong)
    assert message in str(refused(perform, order(text, path.parent), None))


def test_more_traffic_is_more_flows():
    traffic, remarks = enact.traffic(*network(SMALL + STREAM), {})
    assert ([one.flow.kind for one in traffic], remarks) == (["ping"] * 3 + ["stream"] * 3, [])
