"""What tests of others use: networks, translators, and what must hold of them."""

from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum

import pytest

from sim.conformance.frames import our_request, packet
from sim.conformance.script import GATEWAY, NOBODY, PEER
from sim.harness import Networks, Script, assert_converges, assert_delivered
from topologies import GraphError
from virtualtap import UsageError, VirtualTap

WORDS = {
    "topology": {"name": "drawn"},
    "sites": {"taps": 1, "stations": 1, "gateways": 1},
    "traffic": [{"kind": "ping", "from": "h*", "to": "gateway", "stop": "900ms"}],
    "until": "1s",
}
LOSSY = [{"match": "tap1--*", "faults": [{"fault": "loss", "probability": 1.0}]}]


class Several(IntEnum):
    """A number, but not as TOML has it."""

    TWO = 2


@pytest.fixture
def networks(tmp_path):
    return Networks("some", 7, tmp_path / "out", tmp_path)


def test_a_run_has_the_seed_and_the_name_of_its_test(networks, tmp_path):
    run = networks(**WORDS)
    assert (run.seed, run.summary["scenario"], run.summary["seed"]) == (7, "some", 7)
    assert run.folder == tmp_path / "out" / "1" / "some" / "7"
    assert run.capture == run.folder / "capture.pcapng"


def test_each_run_of_a_test_has_a_folder_of_its_own(networks, tmp_path):
    folders = [networks(**WORDS, name="office").folder for _ in range(2)]
    assert folders == [tmp_path / "out" / number / "office" / "7" for number in "12"]


def test_what_holds_is_silent(networks):
    run = networks(**WORDS)
    run.expect(arp_convergence_s={"max": 0.2}, latency_s={"p99": {"max": 0.5}}, delivered=18)
    run.expect(**{"dropped.link-loss": 0, "latency_s.p50": {"min": 0.001}})
    assert_converges(run, within="200ms")
    assert_delivered(run, flow="h1--gw1")


def test_rows_are_named_by_their_columns(networks):
    (flow,) = networks(**WORDS).rows("flows")
    assert (flow["source"], flow["destination"], flow["offered"]) == ("h1", "gw1", 18)


def test_a_missed_expectation_says_value_limit_and_time(networks):
    run = networks(**WORDS)
    with pytest.raises(AssertionError) as missed:
        run.expect(delivered={"max": 3})
    assert str(missed.value) == "delivered: 18 is not at most 3, first at 1 s"


def test_an_expectation_of_the_network_itself_fails_at_once_and_is_written(networks):
    with pytest.raises(
        AssertionError, match=r"^arp_convergence_s: 0.010031.* is not at most 0.001"
    ):
        networks(**WORDS, expect={"arp_convergence_s": {"max": 0.001}})
    (trial,) = networks.trials
    assert trial.run.verdict == "fail"
    assert trial.capture is not None


def test_a_run_that_a_limit_stopped_does_not_hold(networks, monkeypatch):
    monkeypatch.setattr("sim.limits._peak_bytes", lambda: 2**60)
    with pytest.raises(AssertionError, match=r"^stopped at .*--max-memory"):
        networks(**WORDS)


def test_what_is_over_cannot_be_expected_at_a_time(networks):
    run = networks(**WORDS)
    with pytest.raises(UsageError, match="the run is over, `delivered` has no `at`"):
        run.expect(delivered={"min": 1, "at": "500ms"})


def test_pairs_that_took_longer_are_named(networks):
    run = networks(**WORDS)
    with pytest.raises(AssertionError) as missed:
        assert_converges(run, within="1ms")
    assert str(missed.value).splitlines() == [
        "1 of 2 pairs not within 1ms",
        "h1 to 10.0.0.3: after 0.0100312 s",
    ]


def test_pairs_that_never_resolved_are_named(networks):
    run = networks(**WORDS, links=LOSSY)
    with pytest.raises(AssertionError, match=r"h1 to 10.0.0.3: unresolved, asked at 0 s"):
        assert_converges(run, within="1s")


def test_where_nobody_asked_nothing_converged(networks):
    run = networks(**{**WORDS, "traffic": []})
    with pytest.raises(AssertionError, match="nobody ever asked"):
        assert_converges(run, within="1s")


def test_flows_that_lost_are_named_with_the_reasons(networks):
    run = networks(**WORDS, links=LOSSY)
    with pytest.raises(AssertionError) as missed:
        assert_delivered(run, share=0.5)
    first, second = str(missed.value).splitlines()
    assert first.startswith("1 of 1 flows below 0.5, dropped: ")
    assert "link-loss" in first
    assert second == "h1--gw1 (ping): 0 of 9 delivered"


def test_a_flow_that_is_not_there_is_a_wrong_call(networks):
    run = networks(**WORDS)
    with pytest.raises(UsageError, match="no flow is called `h9--gw1`") as wrong:
        assert_delivered(run, flow="h9--gw1")
    assert wrong.value.hint == "there are h1--gw1"


def test_a_table_that_is_not_there_is_a_wrong_call(networks):
    with pytest.raises(UsageError, match="there is no table `flow`"):
        networks(**WORDS).rows("flow")


def test_wrong_words_are_refused_with_their_hint(networks):
    with pytest.raises(UsageError, match="`some`: object contains unknown field `topologi`") as no:
        networks(**WORDS, topologi=3)
    assert no.value.__notes__[0].startswith("hint: did you mean `topology`?")
    with pytest.raises(GraphError, match="no topology is named `abilen`"):
        networks(**{**WORDS, "topology": {"name": "abilen"}})


def test_the_seed_is_no_word(networks):
    with pytest.raises(UsageError, match="the seed is the test's") as wrong:
        networks(**WORDS, seed=3)
    assert "--vtap-seed" in wrong.value.hint


def test_the_seed_is_no_change_either(networks):
    with pytest.raises(UsageError, match="the seed is the test's"):
        networks.scenario("office.toml", " seed = 3")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"until": None}, "`until` is a `NoneType`"),
        ({"until": b"1s"}, "`until` is a `bytes`"),
        ({"traffic": [{"every": object()}]}, "`every` is a `object`"),
        ({"topology": {1: 2}}, "`topology` has a key `1`"),
        ({"sites": {"taps": Several.TWO}}, "`taps` is a `Several`"),
    ],
)
def test_what_toml_has_not_is_refused_by_its_key(networks, words, said):
    with pytest.raises(UsageError) as caught:
        networks(**{**WORDS, **words})
    assert str(caught.value).startswith(said)


def test_a_share_is_a_share(networks):
    for share in (float("nan"), 2, -0.1):
        with pytest.raises(UsageError, match="`share` is"):
            assert_delivered(networks(**WORDS), share=share)


def test_calls_in_threads_have_a_folder_each(networks):
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: networks(**WORDS), range(3)))
    assert len({run.folder for run in runs}) == 3
    assert len({run.run.digest for run in runs}) == 1


def test_a_scenario_file_runs_with_changes_and_the_seed_of_the_test(networks, tmp_path):
    text = 'name = "filed"\nseed = 3\nuntil = "9s"\ntopology = { name = "hub-and-spoke" }\n'
    (tmp_path / "filed.toml").write_text(text)
    run = networks.scenario("filed.toml", "until=1s", "sites.taps=1")
    assert (run.seed, run.summary["scenario"], run.summary["simulated_s"]) == (7, "filed", 1.0)


def test_told_is_where_the_runs_lie_and_how_to_repeat_them(networks):
    folder = networks(**WORDS).folder
    bare = networks(**WORDS, capture="none").folder
    assert networks.told() == [
        "seed: 7",
        f"capture: {folder / 'capture.pcapng'}",
        f"replay: vtap replay {folder}",
        "capture: none",
        f"replay: vtap replay {bare}",
    ]


def test_taps_may_be_driven_by_somebody_elses_translator(tmp_path):
    networks = Networks("some", 7, tmp_path, tmp_path, "python:virtualtap:VirtualTap")
    run = networks(**WORDS, invariants=[])
    assert_delivered(run)
    assert networks.told() == ["seed: 7", f"capture: {run.capture}"]


def test_a_script_plays_the_engine():
    script = Script()
    script.host(packet(NOBODY)).expect(our_request(NOBODY)).expect_host()
    assert [one.into for one in script.exchange] == [True, False]


def test_a_script_plays_any_translator():
    for target in ("python:virtualtap:VirtualTap", VirtualTap):
        Script(target).host(packet(PEER)).expect(our_request(PEER))


def test_a_script_says_field_by_field_what_differs():
    script = Script()
    with pytest.raises(AssertionError) as missed:
        script.host(packet(PEER)).expect(our_request(GATEWAY))
    assert str(missed.value).splitlines() == [
        "to the lan: expected 1, saw another",
        "ARP target address: expected 10.0.0.1, saw 10.0.0.3",
    ]
    with pytest.raises(AssertionError, match=r"^to the host: expected 1, saw 0"):
        script.expect_host(packet(PEER))


def test_a_script_writes_its_exchange(tmp_path):
    script = Script()
    script.host(packet(NOBODY)).expect(our_request(NOBODY))
    script.write(tmp_path / "exchange.pcapng")
    assert packet(NOBODY) in (tmp_path / "exchange.pcapng").read_bytes()
