"""Every frame has a number and knows why it was sent, back to a user's word or a timer."""

import json

import pytest

from sim import causes
from sim.actions import timeline
from sim.actions.traffic import Ping, Timing
from sim.capture import OUTBOUND
from sim.causes import trace
from sim.cli import console
from sim.faults import BitFlip, Duplication, Loss
from sim.run import Order, explained
from tests.sim import scenarios
from tests.sim.networks import Record, a_lan, a_wire
from tests.sim.scenarios import SMALL, called, on_disk
from virtualtap.units import MS, SECOND

FRAME = bytes(range(64))


def told(text: str = SMALL, **choices) -> causes.Causes:
    return explained(scenarios.order(text, capture="none", **choices))[1]


def sent(found: causes.Causes) -> list[causes.Story]:
    return [found.story(i) for i in range(1, len(found) + 1)]


def test_tracing_changes_no_moment_and_no_count():
    plain = scenarios.done(LUCKY)
    traced, _ = explained(scenarios.order(LUCKY, capture="none"))
    assert traced.digest == plain.digest
    assert traced.summary["events"] == plain.summary["events"]


LUCKY = f"""{SMALL}
[[links]]
match = "hub1--*"
faults = [
  {{ fault = "loss", probability = 0.1 }}, {{ fault = "jitter", most = "1ms" }},
  {{ fault = "duplication", probability = 0.2 }}, {{ fault = "bit-flip", probability = 0.1 }},
]
"""


def test_every_chain_ends_at_a_users_word():
    found = told()
    roots = {found.chain(i)[-1].cause for i in range(1, len(found) + 1)}
    assert roots == {f"a send of flow {i}: ping from h{i + 1} to gw1" for i in range(3)}


def test_a_parent_was_sent_earlier_and_had_arrived():
    found = told(LUCKY)
    for one in sent(found):
        if one.parent:
            parent = found.story(one.parent)
            assert parent.number < one.number
            assert parent.fate != "on its way"
            node = one.source.split(".")[0]
            assert f" {node}" in parent.fate


def test_the_first_frames_of_a_ping_tell_the_whole_story():
    network, (one, two) = a_lan(2)
    Ping(network, 0, (one, two), Timing(1 * SECOND, 0, 1)).start()
    found = trace(network)
    network.run(1 * SECOND)
    network.finish()
    words = "a send of flow 0: ping from s1 to s2"
    assert [(s.source, s.parent, s.cause, s.fate) for s in sent(found)] == [
        ("s1.eth0", 0, words, "arrived at sw.p1"),  # ARP: who has
        ("sw.p2", 1, "", "arrived at s2.eth0"),
        ("s2.eth0", 2, "", "arrived at sw.p2"),  # ARP: reply
        ("sw.p1", 3, "", "arrived at s1.eth0"),
        ("s1.eth0", 4, "", "arrived at sw.p1"),  # the packet that waited
        ("sw.p2", 5, "", "delivered at s2.eth0"),
        ("s2.eth0", 6, "", "arrived at sw.p2"),  # echo reply
        ("sw.p1", 7, "", "delivered at s1.eth0"),
    ]
    assert [story.number for story in found.chain(8)] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert found.children(4) == [5]


def test_what_a_node_refuses_is_said():
    network, a, b, _ = a_wire()
    found = trace(network)
    network.crash(b)
    a.say_at(5, FRAME)
    network.run(1 * SECOND)
    assert [story.fate for story in sent(found)] == ["dropped by b: node-down"]


def test_what_a_link_loses_is_said():
    network, a, _, link = a_wire(faults=(Loss(1.0),))
    found = trace(network)
    a.say_at(5, FRAME)
    network.call_at(6, lambda _: setattr(link, "faults", (BitFlip(1.0), Loss(1.0))), None)
    a.say_at(7, FRAME)
    network.run(1 * SECOND)
    assert [story.fate for story in sent(found)] == ["lost: link-loss"] * 2


def test_what_is_on_a_link_that_goes_down_is_lost():
    network, a, _, link = a_wire(delay=10)
    found = trace(network)
    a.say_at(5, FRAME)
    timeline.arm(network, [(7, timeline.Down(link))])
    network.run(1 * SECOND)
    assert [(one.fate, one.fate_at) for one in sent(found)] == [("lost: link-down", 7)]


@pytest.mark.parametrize("fault", [BitFlip(1.0), Duplication(1.0)])
def test_what_a_fault_made_of_a_frame_keeps_its_number(fault):
    network, a, b, _ = a_wire(delay=10, faults=(fault,))
    found, watch = trace(network), Numbers()
    watch.numbering = network.numbering
    network.observers.append(watch)
    a.say_at(5, FRAME, FRAME)
    network.run(1 * SECOND)
    copies = 2 if isinstance(fault, Duplication) else 1
    assert watch.arrived == [1] * copies + [2] * copies
    assert [story.fate for story in sent(found)] == ["arrived at b.p"] * 2
    assert len(b.heard) == 2 * copies


class Numbers(Record):
    """The number of each frame that arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: list[int] = []

    def see(self, moment):
        if moment.kind == "arrived":
            self.arrived.append(self.numbering.number)


def test_a_timer_says_whose_it_is_and_who_armed_it():
    network, a, b, _ = a_wire()
    found = trace(network)

    def receive(port, data):
        a.heard.append((network.now, data))
        b.call_at(network.now + 5, answer)

    def answer():
        b.say(FRAME[::-1])

    b.receive = receive
    for link in network.links:
        link.settle()
    a.say_at(1, FRAME)
    network.run(1 * SECOND)
    first, second = sent(found)
    assert (first.cause, second.parent) == ("a timer: Listener.say", 1)
    assert second.cause.startswith("a timer of b: ") and second.cause.endswith("answer")


def test_the_timeline_is_a_cause():
    network, a, _, _ = a_wire()
    a.link_changed = lambda port, *, up: a.say(FRAME)
    found = trace(network)
    timeline.arm(network, [(7, timeline.Down(network.links[0]))])
    network.run(1 * SECOND)
    assert [one.cause for one in sent(found)] == ["the timeline: down of a--b"]


def test_what_nodes_say_first_began_with_the_run():
    network, a, _, _ = a_wire()
    a.start = lambda: a.say(FRAME)
    found = trace(network)
    network.run(1 * SECOND)
    assert [one.cause for one in sent(found)] == ["the start of the run"]


def test_a_process_of_simpy_is_a_timer():
    network, a, _, _ = a_wire()

    def process():
        yield network.timeout(5)
        a.say(FRAME)

    network.process(process())
    found = trace(network)
    network.run(1 * SECOND)
    assert [one.cause for one in sent(found)] == ["a timer: Network.fire"]


def test_what_a_hub_delays_keeps_its_parent():
    rule = "[[servers.access]]\nPriority = 10\nDelay = 50\n"
    found = told(f'{SMALL}\n[[servers]]\nmatch = "hub1"\n{rule}')
    late = [
        one
        for one in sent(found)
        if one.parent and one.at - found.story(one.parent).fate_at >= 40 * MS
    ]
    assert late, "nothing was delayed"
    assert [found.story(one.parent).head for one in late] == [one.head for one in late]


# on disk, and on the terminal


def frames_of(folder, capsys):
    dpkt = pytest.importorskip("dpkt")
    found = []
    with (folder / "capture.pcapng").open("rb") as stream:
        reader = dpkt.pcapng.Reader(stream)
        assert reader.datalink() == 1
        stream.seek(0)
        data = stream.read()
    at = 0
    while at < len(data):
        kind, length = (int.from_bytes(data[i : i + 4], "little") for i in (at, at + 4))
        if kind == 6:
            captured = int.from_bytes(data[at + 20 : at + 24], "little")
            options = data[at + 28 + captured + -captured % 4 : at + length - 4]
            size = int.from_bytes(options[2:4], "little")
            assert int.from_bytes(options[:2], "little") == 1  # a comment
            flags = options[4 + size + -size % 4 :][4:8]
            found.append((options[4 : 4 + size].decode(), flags[0] == OUTBOUND))
        at += length
    return found


def test_the_comment_of_each_captured_frame_is_its_number(tmp_path, capsys):
    _, folder = on_disk(tmp_path, capture="taps")
    found = frames_of(folder, capsys)
    stories = told()
    for comment, outbound in found:
        story = stories.story(int(comment.removeprefix("frame ")))
        assert story.source.endswith(".lan") is outbound
    assert len(found) > 10


def test_with_parents_the_comment_says_why_and_a_table_is_kept(tmp_path, capsys):
    run, folder = on_disk(tmp_path, capture="taps", parents=True)
    comments = [comment for comment, _ in frames_of(folder, capsys)]
    assert comments[0] == "frame 4, because of frame 1"
    rows = run.tables["frames"]
    assert len(rows) == len(told())
    assert rows[0][:6] == (1, 0, "h1.uplink", 84, None, "a send of flow 0: ping from h1 to gw1")
    assert rows[3][4] == 1


def test_a_table_too_long_says_so(monkeypatch):
    monkeypatch.setattr(causes, "ROWS_MAX", 5)
    run = scenarios.done(parents=True)
    assert len(run.tables["frames"]) == 5
    assert run.remarks == [f"the table of frames holds the first 5 of {len(told())}"]


def test_explain_prints_the_chain_and_what_came_of_it(tmp_path, capsys):
    _, folder = on_disk(tmp_path)
    status, out, err = called(capsys, "explain", folder, 4)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("frame 4, 42 bytes, ARP who has 10.0.0.7, says 10.0.0.1")
    assert lines[1] == lines[3] == "because of"
    assert lines[2].startswith("frame 1, 84 bytes, ICMP echo request, 10.0.0.1 to 10.0.0.7")
    assert lines[4] == "a send of flow 0: ping from h1 to gw1"
    assert all(line.startswith("it caused frame ") for line in lines[5:]) and len(lines) > 5


def test_explain_as_json(tmp_path, capsys):
    _, folder = on_disk(tmp_path)
    said = json.loads(called(capsys, "explain", folder / "run.json", 4, "--json")[1])
    assert [one["number"] for one in said["chain"]] == [4, 1]
    assert [one["parent"] for one in said["chain"]] == [1, None]
    assert {one["parent"] for one in said["children"]} == {4}


@pytest.mark.parametrize(("frame", "choices"), [(10**6, {}), (1, {"bare": True})])
def test_explain_refuses_in_one_line(tmp_path, capsys, frame, choices):
    _, folder = on_disk(tmp_path, **choices)
    status, _, err = called(capsys, "explain", folder, frame)
    assert status == 2
    assert scenarios.ONE_LINE.fullmatch(err)


def test_explain_judges_nothing_that_is_not_the_same_any_more(tmp_path, capsys):
    run, folder = on_disk(tmp_path)
    path = folder / "run.json"
    path.write_text(path.read_text().replace(run.digest, "0" * 32))
    status, _, err = called(capsys, "explain", folder, 1)
    assert status == 3
    assert "not the same run any more" in err


def test_a_chain_that_is_too_long_is_shown_by_its_ends(capsys):
    stories = [
        causes.Story(n, 0, "a.p", 64, FRAME, False, n - 1, "" if n > 1 else "x", "on its way", 0)
        for n in range(100, 0, -1)
    ]
    console.show_causes(stories, stories[:40])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("frame 100, ")
    assert "68 frames more, because of" in lines
    assert lines[-1] == "it caused 8 frames more"


def test_order_has_no_parents_unless_asked():
    assert Order(text="", folder=scenarios.Path()).parents is False
