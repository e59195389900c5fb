"""What is sent before the cut counts for no delay, no flow and no throughput."""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import delivery as deliveries
from sim.delivery import Delivery
from sim.scenario import decode
from sim.statistics import mser5
from tests.sim.scenarios import SMALL, done, refused
from tests.sim.test_delivery import FLOW, PLACES, arrived, numbered, sent, show
from virtualtap.units import SECOND

OVERLOADED = """\
name = "overloaded"
until = "300ms"
topology = { name = "drawn", nodes = { sw1 = "switch", s1 = "station", s2 = "station" }, \
links = [["s1", "sw1"], ["s2", "sw1"]] }
[[traffic]]
kind = "stream"
from = "s1"
to = "s2"
every = "1ms"
"""  # a queue that only grows
WARM = f'warmup = "150ms"\n{SMALL}'  # pings at 0, 100 and 200 ms


def delivery(*moments, warmup):
    probe = Delivery(PLACES, [FLOW], 1000, SECOND, warmup)
    show(probe, *moments)
    return probe


def settling(early, late):
    """Payloads a nanosecond apart, some of which take 90 ns, and then all 10 ns."""
    moments = []
    for number in range(early + late):
        delay = 90 if number < early else 10
        moments += [sent(number, numbered(number)), arrived(number + delay, numbered(number))]
    return sorted(moments, key=lambda moment: moment[0])


def test_what_was_sent_before_the_cut_is_left_out_whenever_it_arrives():
    moments = [sent(9, numbered(0)), sent(10, numbered(1)), sent(20, numbered(2))]
    moments += [arrived(30 + number, numbered(number)) for number in (0, 1)]
    probe = delivery(*moments, warmup=10)
    [counts] = probe.counts
    assert (counts.offered, counts.delivered, [*counts.delays]) == (2, 1, [21])
    assert [*probe.delays] == [21]
    assert probe.rates(10 + SECOND) == (2 * 16 * 8, 16 * 8)


def test_a_second_copy_of_what_was_left_out_is_left_out():
    probe = delivery(
        sent(9, numbered(0)), *(arrived(at, numbered(0)) for at in (20, 30)), warmup=10
    )
    assert (probe.counts[0].delivered, probe.counts[0].duplicated) == (0, 0)
    probe = delivery(sent(9, numbered(0)), *(arrived(at, numbered(0)) for at in (20, 30)), warmup=9)
    assert (probe.counts[0].delivered, probe.counts[0].duplicated) == (1, 1)


def test_the_curve_over_time_shows_the_warm_up_too():
    probe = delivery(sent(9, numbered(0)), arrived(20, numbered(0)), warmup=10)
    assert (probe.bins[0][0], probe.bins[2][1]) == (128, 128)


def test_there_is_no_rate_before_the_cut():
    assert delivery(warmup=10).rates(10) is None


def test_mser5_cuts_where_the_delays_have_settled():
    probe = delivery(*settling(20, 60), warmup=None)
    assert (probe.cut, probe.quantile(0.5), probe.rates(1000)) == (None, None, None)
    probe.finish(200)
    assert probe.cut == 20
    assert (probe.counts[0].offered, [*probe.delays]) == (60, [10] * 60)


def test_delays_that_never_change_are_all_kept():
    probe = delivery(*settling(0, 40), warmup=None)
    probe.finish(200)
    assert (probe.cut, probe.counts[0].delivered, probe.is_settled) == (0, 40, True)


def test_delays_that_settle_too_late_are_said_to():
    probe = delivery(*settling(40, 40), warmup=None)
    probe.finish(200)
    assert (probe.cut, probe.is_settled) == (40, False)


def test_a_run_that_is_too_short_for_mser5_says_so():
    text = f'warmup = "mser5"\nlinks = [{{ match = "s1*", rate = "3Mbit" }}]\n{OVERLOADED}'
    assert "had not settled" in done(text).remarks[-1]
    assert done(text.replace("mser5", "2ms")).remarks == []


def test_of_a_long_run_only_the_first_payloads_are_kept_to_find_the_cut(monkeypatch):
    monkeypatch.setattr(deliveries, "EARLY_MAX", 200)
    probe = delivery(*settling(30, 300), warmup=None)
    assert probe.cut == 30 and probe._early == []
    assert probe.counts[0].offered == 300


def test_mser5_by_hand():
    assert mser5([]) == mser5([7]) == mser5([7] * 4) == 0
    assert mser5([9] * 5 + [1] * 15) == 5
    # sums of five: 9, 1, 3, 1, 3; the squared error of what is left, over the square of its number:
    # 1.6 of all, (4 / 4) / 4² … = 0.25 without the first, 2.67 / 3 / 3² … = 0.296 without two
    sums = [9, 1, 3, 1, 3]
    assert mser5([value for one in sums for value in (one, 0, 0, 0, 0)]) == 5


@given(st.lists(st.integers(0, 10**12), max_size=120))
def test_mser5_is_the_least_standard_error_of_means_of_five(values):
    means = [sum(values[at : at + 5]) / 5 for at in range(0, len(values) - 4, 5)]

    def error(cut):
        left = means[cut:]
        middle = sum(left) / len(left)
        return sum((one - middle) ** 2 for one in left) / len(left) ** 2

    found = mser5(values)
    assert found % 5 == 0 and found // 5 <= len(means) // 2
    if len(means) > 1:
        best = min(error(cut) for cut in range(len(means) // 2 + 1))
        assert error(found // 5) == pytest.approx(best, rel=1e-6, abs=1e-3)


def test_mser5_finds_the_end_of_a_known_transient_within_a_few_batches():
    luck = Random(7)
    series = [int(1000 + 9000 * 0.99**i + luck.gauss(0, 50)) for i in range(4000)]
    assert 350 < mser5(series) < 900  # 0.99**350 of 9000 is 267, 0.99**900 about 1


def test_a_run_leaves_out_what_it_was_told_to():
    whole, warm = done(), done(WARM)
    assert (whole.summary["warmup_s"], warm.summary["warmup_s"]) == (None, 0.15)
    assert warm.digest == whole.digest
    offered = [[row[4] for row in run.tables["flows"]] for run in (whole, warm)]
    assert offered == [[6] * 3, [2] * 3]  # requests and replies of three hosts
    assert warm.summary["delivered"] == whole.summary["delivered"]  # a count is of all the run


def test_throughput_is_that_of_the_time_after_the_cut():
    rates = done(WARM).summary["throughput_bps"]
    assert rates["offered"] == pytest.approx(6 * 56 * 8 / 0.15)
    bare = done(WARM, bare=True).summary
    assert (bare["throughput_bps"], bare["warmup_s"]) == (
        {"offered": None, "delivered": None},
        None,
    )


def test_mser5_says_in_the_json_where_it_cut():
    text = SMALL.replace('"100ms"', '"1ms"')
    summary = done(f'warmup = "mser5"\n{text}').summary
    assert 0 < summary["warmup_s"] < 0.15  # the first pings wait for an address
    assert summary["latency_s"]["p999"] < done(text).summary["latency_s"]["p999"]
    json.dumps(summary)


def test_what_is_no_warm_up_is_refused():
    for words, said in (("300ms", "nothing comes after"), ("mser6", "regex"), ("soon", "regex")):
        assert said in str(refused(decode, f'warmup = "{words}"\n{SMALL}'))
    assert "`mser5`" in refused(decode, f'warmup = "mser6"\n{SMALL}').hint
