"""What a scenario expects is held against the run, and a miss says value, limit and moment."""

import pytest

from sim.expect import FIELDS, Expectation, Judge, parse
from sim.results import Failure
from sim.scenario import decode
from tests.sim.scenarios import SMALL, done, refused
from virtualtap.units import MS, SECOND

UNTIL = 10 * SECOND


def judged(words, values, until=UNTIL):
    """The failures where `values` maps a field to (from this time on, this value) pairs."""
    judge = Judge(parse(words, until), until)
    now = 0

    def measure(field):
        return [value for since, value in values[field] if since <= now][-1]

    for now in judge.instants():  # `measure` reads it
        judge.look(now, measure)
    now = until
    return judge.failures(measure)


def holds(limit, value):
    return judged({"delivered": limit}, {"delivered": [(0, value)]}) == []


@pytest.mark.parametrize(
    ("limit", "right", "wrong"),
    [
        ({"min": 5}, [5, 6, 5.5], [4, 4.999, -1]),
        ({"max": 5}, [5, 4, 0, -1], [6, 5.001]),
        ({"equal": 5}, [5, 5.0], [4, 6]),
        (5, [5], [4, 6]),
        ({"min": 2, "max": 3}, [2, 2.5, 3], [1, 4]),
        ({"min": 1, "equal": 2}, [2], [1, 3]),
        ("abc", ["abc"], ["abd", 5]),
    ],
)
def test_a_limit_holds_up_to_itself(limit, right, wrong):
    assert [holds(limit, value) for value in right] == [True] * len(right)
    assert [holds(limit, value) for value in wrong] == [False] * len(wrong)


@pytest.mark.parametrize("limit", [{"min": 0}, {"max": 9}, {"equal": 0}, 0, "", {"max": 9.9}])
def test_a_null_misses_every_limit(limit):
    (failure,) = judged({"latency_s.p99": limit}, {"latency_s.p99": [(0, None)]})
    assert (failure.value, failure.at_s) == (None, 10.0)


def test_a_miss_names_value_limit_and_first_moment():
    values = {"dropped.storm": [(0, 0), (3 * SECOND, 7), (8 * SECOND, 9)]}
    assert judged({"dropped.storm": {"max": 5}}, values) == [
        Failure("dropped.storm", 9, "at most 5", 3.0)
    ]


def test_the_first_moment_is_that_of_the_miss_that_lasts():
    values = {"arp_unresolved": [(0, 9), (2 * SECOND, 0), (4 * SECOND, 1)]}
    (failure,) = judged({"arp_unresolved": {"max": 0}}, values)
    assert failure.at_s == 4.0


def test_a_limit_that_is_kept_in_the_end_is_kept():
    assert judged({"arp_unresolved": 0}, {"arp_unresolved": [(0, 9), (9 * SECOND, 0)]}) == []
    assert judged({"arp_unresolved": {"max": 0}}, {"arp_unresolved": [(0, 9), (1, 0)]}) == []


def test_a_value_of_a_moment_is_judged_then_and_not_later():
    values = {"broadcast_learning.share": [(0, 0.1), (2 * SECOND, 1), (5 * SECOND, 0.2)]}
    share = {"broadcast_learning.share": {"min": 0.9, "at": "3s"}}
    assert judged(share, values) == []
    share["broadcast_learning.share"]["at"] = "1s"
    assert judged(share, values) == [Failure("broadcast_learning.share", 0.1, "at least 0.9", 1.0)]


def test_failures_come_in_the_order_of_the_scenario():
    fields = ("delivered", "crossings", "events")
    found = judged(dict.fromkeys(fields, 1), {field: [(0, 0)] for field in fields})
    assert [failure.field for failure in found] == list(fields)


def test_nested_and_dotted_are_the_same():
    nested = {"latency_s": {"p99": {"max": 1}}, "dropped": {"storm": 0}}
    dotted = {"latency_s.p99": {"max": 1}, "dropped.storm": 0}
    assert parse(nested, UNTIL) == parse(dotted, UNTIL)
    assert parse(dotted, UNTIL)[0] == Expectation("latency_s.p99", (("max", 1),), None)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_can_be_expected(field):
    limit = {"equal": "0" * 32} if field == "digest" else {"min": 0}
    assert [each.field for each in parse({field: limit}, UNTIL)] == [field]


def test_a_digest_has_neither_least_nor_most():
    assert "neither" in str(refused(parse, {"digest": {"min": 0}}, UNTIL))


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("arp_convergence", "did you mean `arp_convergence_s`?"),
        ("latency_s.p95", "did you mean `latency_s.p9"),
        ("droped.storm", "dropped.REASON"),
        ("x", "the fields are simulated_s"),
        ("", "the fields are simulated_s"),
        ("a" * 10_000, "the fields are simulated_s"),
        ("latency_s", "the fields are simulated_s"),
    ],
)
def test_a_field_that_is_not_there_meets_those_that_are(field, hint):
    assert hint in refused(parse, {field: {"max": 1}}, UNTIL).hint


@pytest.mark.parametrize(
    "limit",
    [
        *({}, [], True, None, {"max": "5"}, {"min": True}, {"maks": 5}, {"max": 5, "x": 1}),
        *({"equal": []}, {"equal": float("nan")}, {"max": float("nan")}, {"at": "1s"}),
        *({"max": 1, "at": "0s"}, {"max": 1, "at": "10s"}, {"max": 1, "at": "soon"}),
        *({"max": 1, "at": 5}, {"max": 1, "at": True}, {"max": {"max": 1}}),
    ],
)
def test_a_limit_that_cannot_be_is_refused(limit):
    refused(parse, {"delivered": limit}, UNTIL)


def test_the_run_itself_is_judged():
    spoiled = done(f"{SMALL}[expect]\ndelivered = {{ max = 3 }}\nlatency_s.p99 = {{ min = 0 }}\n")
    assert spoiled.verdict == "fail"
    (failure,) = spoiled.failed
    assert (failure.field, failure.value, failure.limit) == ("delivered", 18, "at most 3")
    assert 0 < failure.at_s < decoded_until_s(SMALL)
    assert spoiled.summary["failed"] == [
        {"field": "delivered", "value": 18, "limit": "at most 3", "at_s": failure.at_s}
    ]


def decoded_until_s(text):
    assert decode(text).until == "300ms"
    return 300 * MS / SECOND


def test_a_bare_run_misses_what_only_an_observer_sees():
    text = f"{SMALL}[expect]\nlatency_s.p99 = {{ max = 1 }}\ndelivered = 18\n"
    assert done(text).verdict == "pass"
    (failure,) = done(text, bare=True).failed
    assert (failure.field, failure.value) == ("latency_s.p99", None)
