"""The contract kit: right translators keep it, wrong ones are found, ten lines are enough."""

import re
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from sim.conformance.account import Account, Broken
from sim.conformance.contract import contract, flood
from sim.conformance.frames import frame, packet
from sim.conformance.mutants import MUTANTS, load
from sim.conformance.script import CONFIG, OTHER_MAC, OUR_MAC, PEER, PEER_MAC, US
from tests.sim.conformance import toys
from virtualtap import VirtualTap

ROOT = Path(__file__).parents[3]
PROMISES = (
    "test_it_keeps_its_promises_whatever_comes",
    "test_it_reaches_an_honest_neighbor",
    "test_its_outboxes_are_bounded",
    "test_its_memory_is_bounded",
)
settings.register_profile(  # the same histories each time, and none is made shorter
    "kit", max_examples=500, phases=[Phase.generate], derandomize=True, database=None
)
settings.register_profile(  # what Hypothesis asks of an ordinary test
    "usual",
    deadline=200,
    suppress_health_check=(),
    max_examples=10,
    derandomize=True,
    database=None,
)
load()


@pytest.fixture
def _found_at_once():
    usual = settings.get_current_profile_name()
    settings.load_profile("kit")
    yield
    settings.load_profile(usual)


def check(make, promise):
    getattr(contract(make)(promise), promise)()


@pytest.mark.slow
@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("make", [VirtualTap, toys.Toy])
def test_the_engine_and_a_toy_keep_every_promise(make, promise):
    check(make, promise)


@pytest.mark.slow
@pytest.mark.usefixtures("_found_at_once")
@pytest.mark.parametrize(
    "name",
    [
        *("takes-frames-for-any-mac", "takes-its-own-frames", "raises-on-short-frames"),
        *("raises-on-cut-tags", "gives-empty-packets", "sends-what-stands-behind"),
        *("sends-ipv6-as-ipv4", "sends-from-nobody", "answers-in-snap", "loops-its-own-groups"),
        *("maps-24-bits-of-a-group", "maps-ipv6-groups-as-ipv4", "clears-the-flow-label"),
        *("sends-broadcasts-to-the-gateway", "takes-one-from-the-time-to-live"),
    ],
)
def test_a_wrong_engine_is_found(name):
    with pytest.raises(IndexError if name.startswith("raises") else Broken):
        check(MUTANTS[name], PROMISES[0])


@pytest.mark.slow
@pytest.mark.usefixtures("_found_at_once")
@pytest.mark.parametrize(
    ("make", "promise", "what"),
    [
        (toys.Hoarder, PROMISES[3], "bytes stay of 4000 strangers more"),
        (toys.Unheard, PROMISES[2], "1024 are the limit"),
        (toys.Restless, PROMISES[0], "it wants to be polled at 0 again"),
        (toys.Forgetful, PROMISES[0], "the same input gave"),
        (toys.Repeater, PROMISES[0], "the host did not send this, or only once"),
    ],
)
def test_a_toy_that_breaks_a_promise_is_told_which(make, promise, what):
    with pytest.raises(Broken, match=what):
        check(make, promise)


@pytest.mark.slow
def test_a_busy_machine_breaks_no_promise(monkeypatch):
    usual, clock = settings.get_current_profile_name(), count(step=10)
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))  # ten seconds at each look
    settings.load_profile("usual")
    try:
        check(toys.Toy, PROMISES[0])
    finally:
        settings.load_profile(usual)


def test_one_who_reaches_nobody_is_told_so():
    class Deaf(toys.Toy):
        def hear(self, frame):
            """It does not."""

    with pytest.raises(Broken, match="must go to it, once"):
        check(Deaf, PROMISES[1])


def test_one_who_gives_nothing_up_is_told_so():
    class Mute(toys.Toy):
        def ethernet_to_ip(self, frame, now=None):
            super().ethernet_to_ip(frame, now)

    with pytest.raises(Broken, match="must go to the host"):
        check(Mute, PROMISES[1])


@pytest.mark.slow
@pytest.mark.usefixtures("_found_at_once")
def test_polls_without_end_are_ended():
    class Hasty(toys.Toy):
        now = 0

        def poll(self, now):
            self.now = now

        def next_deadline(self):
            return self.now + 1

    with pytest.raises(Broken, match="polls did not lead to"):
        check(Hasty, PROMISES[0])


def test_a_flood_takes_what_came_out():
    tap = VirtualTap(CONFIG)
    flood(tap, 10)
    assert (tap.take_frames(), tap.take_packets()) == ([], [])


ASKED = frame(packet(US, source=PEER))


@pytest.mark.parametrize(
    ("out", "why"),
    [
        ("text", "at least 14 bytes"),
        (bytes(13), "at least 14 bytes"),
        (frame(bytes(2000), source=OUR_MAC), "longer than the MTU"),
        (PEER_MAC + OTHER_MAC + bytes(40), "a MAC that is not ours"),
        (PEER_MAC + OUR_MAC + b"\x88\xcc" + bytes(40), "of type 88cc"),
        (PEER_MAC + OUR_MAC + b"\x08\x06" + bytes(10), "ARP that cannot be read"),
        (frame(packet(), to=PEER_MAC, source=OUR_MAC), "the host did not send this"),
    ],
)
def test_a_frame_that_may_not_go_is_named(out, why):
    account = Account(CONFIG)
    account.frame_in(ASKED)
    with pytest.raises(Broken, match=why):
        account.frames_out([out])


@pytest.mark.parametrize(
    ("to", "why"),
    [
        (OUR_MAC, "what is for one was sent to"),
        (b"\xff" * 6, "what is for one was sent to"),
        (OTHER_MAC, "nobody has ever spoken of"),
    ],
)
def test_a_packet_goes_to_one_who_was_heard_of(to, why):
    account = Account(CONFIG)
    account.packet_in(packet())
    account.frame_in(ASKED)
    with pytest.raises(Broken, match=why):
        account.frames_out([frame(packet(), to=to, source=OUR_MAC)])


def test_a_packet_comes_up_once_and_only_from_a_frame_for_us():
    account = Account(CONFIG)
    account.frame_in(ASKED)
    account.packets_out([ASKED[14:]])
    account.frame_in(frame(packet(US, source=PEER), to=OTHER_MAC))
    with pytest.raises(Broken, match="no frame for us held this packet"):
        account.packets_out([ASKED[14:]])


def test_padding_does_not_come_up():
    account = Account(CONFIG)
    account.frame_in(ASKED + bytes(9))
    with pytest.raises(Broken, match="as long as it says"):
        account.packets_out([ASKED[14:] + bytes(9)])


@pytest.mark.slow
def test_the_ten_lines_of_the_guide_are_a_test():
    guide = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    code = re.search(r"(?ms)^```python\n(.*?)^```", guide)
    assert code and len(code[1].splitlines()) <= 10
    names = {}
    exec(compile(code[1], "docs/contract.md", "exec"), names)
    for promise in PROMISES[:3]:
        getattr(names["TestMine"](promise), promise)()


def test_without_hypothesis_one_line_says_what_to_install():
    code = "import sys; sys.modules['hypothesis'] = None; import sim.conformance.contract"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert done.stderr.splitlines()[-2:] == [
        "virtualtap.errors.UsageError: the contract kit needs `hypothesis`",
        "hint: install `virtualtap[contract]`",
    ]
