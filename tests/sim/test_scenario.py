"""A scenario file is understood exactly, or refused in one line that says which word is wrong."""

import time
import tomllib
from fractions import Fraction
from string import printable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import scenario as scenario_module
from sim.scenario import decode, of_topology
from sim.words.quantities import duration
from sim.words.quantities import rate as bits_a_second
from sim.words.traffic import Burst, Ping, Poisson, Replay, Stream, Stride
from tests.sim.scenarios import SMALL, STREAM, refused
from virtualtap.errors import UsageError

LEAST = 'name = "a"\ntopology = { name = "star" }\n'
PING = '[[traffic]]\nkind = "ping"\nfrom = "h1"\nto = "h2"\n'


def test_what_is_left_out_has_its_ordinary_value():
    least = decode(LEAST)
    assert (least.name, least.seed, least.until, least.topology) == (
        *("a", 1, "10s"),
        {"name": "star"},
    )
    assert (least.sites, least.ipv6, least.capture, least.expect) == (None, False, "taps", {})
    assert (least.links, least.traffic, least.timeline) == ((), (), ())


def test_every_kind_of_traffic_becomes_what_it_says():
    ends = 'from = "h1"\nto = "h2"\n'
    text = LEAST + "".join(
        f'[[traffic]]\nkind = "{kind}"\n{ends}{more}\n'
        for kind, more in (
            ("ping", ""),
            ("stream", 'every = "1ms"'),
            ("poisson", 'every = "1ms"'),
            ("burst", 'every = "1ms"\ncount = 3'),
            ("replay", 'file = "a.pcap"\naddress = "10.0.0.1"'),
        )
    )
    rules = decode(text).traffic
    assert [type(rule) for rule in rules] == [Ping, Stream, Poisson, Burst, Replay]
    assert {(rule.from_, rule.to) for rule in rules} == {("h1", "h2")}


def test_a_receiver_may_be_a_stride():
    text = LEAST + '[[traffic]]\nkind = "ping"\nfrom = "h*"\nto = { stride = 2, offset = 1 }\n'
    assert decode(text).traffic[0].to == Stride(stride=2, offset=1)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (LEAST + "seeed = 1", "did you mean `seed`?"),
        (LEAST + "sites = { tap = 1 }", "did you mean `taps`?"),
        (LEAST + PING + 'evry = "1s"', "did you mean `every`?"),
        (LEAST + PING + "kidn = 1", "did you mean `kind`?"),
        (LEAST + '[[links]]\nmatsch = "*"', "did you mean `match`?"),
        (LEAST + '[[timeline]]\natt = "1s"', "did you mean `at`?"),
        (LEAST + '[[traffic]]\nkind = "ping"\nfrom = "a"\nto = { strid = 1 }', "mean `stride`?"),
        (LEAST + "zzz = 1", "the keys are capture, expect, heal, hosts, invariants, ipv6"),
        ("topology = {}", "the keys are capture, expect, heal, hosts, invariants, ipv6"),  # no name
        (LEAST + 'until = "10"', "write it as `10ms`"),
        (LEAST + '[[links]]\nmatch = "*"\nrate = "1Mb"', "write it as `50Mbit`"),
    ],
)
def test_a_word_that_is_not_known_meets_the_one_that_was_meant(text, hint):
    assert hint in refused(decode, text).hint


@pytest.mark.parametrize(
    "line",
    [
        'name = "A"',
        'name = ""',
        'name = "-a"',
        'name = "a/b"',
        'name = "../a"',
        'name = "a\\n"',
        f'name = "{"a" * 65}"',
        'name = "ä"',
        "name = 1",
        "name = nan",
    ],
)
def test_a_name_is_a_word_that_is_safe_as_a_folder(line):
    refused(decode, f'{line}\ntopology = {{ name = "star" }}\n')
    assert decode(LEAST.replace('"a"', f'"{"a" * 64}"')).name == "a" * 64


WRONG = {
    "seed of 64 bits": "seed = 9223372036854775808",
    "seed below 0": "seed = -1",
    "seed of many digits": "seed = " + "9" * 5000,
    "seed of many hexadecimal digits": "seed = 0x" + "f" * 5000,
    "seed that is no number": "seed = nan",
    "seed that is a fraction": "seed = 1.5",
    "seed that is a claim": "seed = true",
    "until of nothing": 'until = "0s"',
    "until with a sign": 'until = "-1s"',
    "until for ever": 'until = "inf"',
    "until of 3 million years": 'until = "999999999999d"',
    "until with a line break": 'until = "10s\\n"',
    "until that is a date": "until = 1979-05-27",
    "until that is a number": "until = 10",
    "capture of something": 'capture = "some"',
    "ipv6 that is a number": "ipv6 = 1",
    "sites that are a number": "sites = 5",
    "too many taps": "sites = { taps = 10001 }",
    "expect that is a list": "expect = []",
    "links that are a table": "links = { match = 'x' }",
    "too many links": '[[links]]\nmatch = "*"\n' * 1001,
    "an empty pattern": '[[links]]\nmatch = ""',
    "a long pattern": f'[[links]]\nmatch = "{"*" * 257}"',
    "faults that are words": '[[links]]\nmatch = "*"\nfaults = ["loss"]',
    "a queue below 0": '[[links]]\nmatch = "*"\nqueue = -1',
    "a ping of 15 bytes": PING + "size = 15",
    "a ping of 65,001 bytes": PING + "size = 65001",
    "a ping every 0 s": PING + 'every = "0s"',
    "IPv5": "ipv6 = true\n" + PING + "family = 5",
    "IPv6 without IPv6": PING + "family = 6",
    "a stream without its gap": '[[traffic]]\nkind = "stream"\nfrom = "a"\nto = "b"',
    "port 0": PING.replace("ping", "stream") + 'every = "1s"\nport = 0',
    "an unknown kind": PING.replace("ping", "pong"),
    "a kind with a line break": PING.replace("ping", "po\\nng"),
    "a key with a line break": '"a\\nb" = 1',
    "no receiver": '[[traffic]]\nkind = "ping"\nfrom = "a"',
    "a time at which nothing happens": '[[timeline]]\nat = "1s"',
    "a time at which two things happen": '[[timeline]]\nat = "1s"\nup = "*"\ndown = "*"',
    "a table in a table in a table": "expect" + ".a" * 20 + " = 1",
    "a number deep inside": "expect = { delivered = { max = 0x" + "f" * 100 + " } }",
    "nested lists": "expect = { a = " + "[" * 10_000 + " }",
    "a key of many parts": "a" + ".a" * 100_000 + " = 1",
    "the same key twice": "seed = 1\nseed = 2",
    "a line that is no TOML": "{{7*7}}",
}


@pytest.mark.parametrize("lines", WRONG.values(), ids=WRONG)
def test_a_value_out_of_range_is_one_line_soon(lines):
    began = time.perf_counter()
    refused(decode, LEAST + lines)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "topology", ["{}", "{ name = 1 }", "{ name = ['star'] }", "{ name = 'ring', loops = 'no' }"]
)
def test_a_topology_has_a_name(topology):
    refused(decode, f'name = "a"\ntopology = {topology}\n')


def test_a_text_longer_than_any_scenario_is_not_read():
    refused(decode, LEAST + "#" * scenario_module.SCENARIO_MAX)


def test_a_comment_may_hold_as_many_dots_as_it_likes():
    assert decode(f"  # {'.' * 1000}\n{LEAST}") == decode(LEAST)


@given(st.integers(0, 10**12 - 1), st.integers(0, 10**9 - 1), st.sampled_from(["ns", "us", "d"]))
def test_a_duration_is_exact(whole, parts, unit):
    size = {"ns": 1, "us": 1000, "d": 86_400 * 10**9}[unit]
    exact = (whole + Fraction(parts, 10**9)) * size
    assert duration(f"{whole}.{parts:09}{unit}") == exact.numerator // exact.denominator


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        *(("0s", 0), ("1ns", 1), ("0.1us", 100), ("2.5ms", 2_500_000), ("3min", 180 * 10**9)),
        *(("1h", 3600 * 10**9), ("0.3s", 300_000_000), ("1.9ns", 1), ("0.000000001s", 1)),
    ],
)
def test_durations_are_whole_nanoseconds(text, nanoseconds):
    assert duration(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "bits"), [("1bit", 1), ("9.6kbit", 9600), ("0.1Mbit", 100_000), ("1Gbit", 10**9)]
)
def test_rates_are_whole_bits_a_second(text, bits):
    assert bits_a_second(text) == bits


@pytest.mark.parametrize(
    "text", ["", "1", "s", "1 s", "1e3s", "+1s", "1.s", ".5s", "1S", "\u0661s"]
)
def test_what_is_no_quantity_is_refused(text):
    assert "10ms" in refused(duration, text).hint
    assert "50Mbit" in refused(bits_a_second, text).hint


@pytest.mark.parametrize("text", ["0bit", "0.9bit"])
def test_a_rate_of_nothing_is_refused(text):
    refused(bits_a_second, text)


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("seed=7", lambda one: one.seed == 7),
        ("until=5s", lambda one: one.until == "5s"),  # a bare word is a string
        ('until="5s"', lambda one: one.until == "5s"),
        ("topology.sites=3", lambda one: one.topology["sites"] == 3),
        ("sites.taps=2", lambda one: one.sites.taps == 2),
        ("traffic.0.every=7ms", lambda one: one.traffic[0].every == "7ms"),
        ("traffic=[]", lambda one: one.traffic == ()),
        ("expect.delivered={min=1}", lambda one: one.expect == {"delivered": {"min": 1}}),
        ("expect.latency_s.p99.max=1", lambda one: one.expect["latency_s"]["p99"] == {"max": 1}),
    ],
)
def test_a_change_reaches_its_key(change, value):
    assert value(decode(SMALL, (change,)))


def test_the_last_change_stands():
    assert decode(SMALL, ("seed=2", "seed=3")).seed == 3


@pytest.mark.parametrize(
    "change",
    [
        *("", "=", "seed", "=1", "a..b=1", ".=1", "zzz=1", "traffic.1.every=1s", "traffic.x=1"),
        *("traffic.-1.every=1s", "name.a=1", "seed=", "seed=[[[[", "traffic.0.0.0=1"),
        *("seed=" + "9" * 5000, "seed=" + "[" * 5000, "a" + ".a" * 5000 + "=1"),
        *("traffic." + "9" * 5000 + ".every=1s", "name=\udcff", "topology.name=\udcff"),
        *("seed=1\nname='b'", "expect=nan", "until=\0", "\uff53eed=1"),
    ],
)
def test_a_change_that_cannot_be_is_one_line(change):
    refused(decode, SMALL, (change,))


SCALARS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
    st.sampled_from(["true", "false", "1979-05-27", "07:32:00", "'10s'", "'*'", "'ping'", "''"]),
    st.text(printable, max_size=8).map(lambda text: "'" + text.replace("'", "") + "'"),
)
KEYS = st.sampled_from(
    [*SMALL.replace("=", " ").split(), "expect", "links", "match", "timeline", "at", "begin", "end"]
).filter(str.isidentifier)
VALUES = st.recursive(
    SCALARS,
    lambda inside: st.one_of(
        st.lists(inside, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(KEYS, inside, max_size=4).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=12,
)


def decoded_or_refused(text):
    try:
        return decode(text)
    except UsageError:
        refused(decode, text)
        return None


@pytest.mark.slow
@given(st.dictionaries(KEYS, VALUES, max_size=6), st.booleans())
def test_whatever_toml_says_is_a_scenario_or_one_line(table, named):
    usual = {"name": '"a"', "topology": '{ name = "star" }'} if named else {}
    text = "\n".join(f"{key} = {value}" for key, value in (table | usual).items())
    decoded = decoded_or_refused(text)
    assert decoded is None or decoded.name == tomllib.loads(text)["name"]


@given(st.text(max_size=200))
def test_any_text_is_a_scenario_or_one_line(text):
    for whole in (text, SMALL + text, LEAST + STREAM + text):
        decoded_or_refused(whole)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_topology_makes_a_scenario(topology):
    made = decode(of_topology(topology))
    assert made.topology == {"name": topology}
    assert (made.until, made.sites.taps, len(made.traffic)) == ("10s", 1, 2)


@pytest.mark.parametrize(
    "topology",
    [
        "../../x.gml",
        "--help",
        '"]\nseed = 2',
        "\x7f",
        "\x1b[31m",
        "😀.graphml",
        "{{7*7}}",
        "a" * 999,
    ],
)
def test_a_nasty_topology_stays_a_word(topology):
    assert decode(of_topology(topology)).topology == {"name": topology}


def test_a_topology_of_half_characters_is_refused():
    refused(decode, of_topology("\udcff.gml"))


def test_what_cannot_be_read_is_one_line(tmp_path):
    (tmp_path / "long").write_bytes(b"#" * (scenario_module.SCENARIO_MAX + 1))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("long", "bytes", "loop", "nothing", "", "n" * 300, "a\0b"):
        refused(scenario_module.read, tmp_path / name)


def test_what_a_change_counts_among_is_there():
    error = refused(decode, SMALL, ("links.0.delay=1ms",))
    assert (str(error), error.hint) == (
        "`--set links.0.delay=1ms`: the scenario has no `[[links]]`",
        "`links.0` is the first of those that are there",
    )
