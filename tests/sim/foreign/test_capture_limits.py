"""Captures that are too much, of several days, of nobody, real, hostile: bounds, and one line."""

import json

import pytest

from sim.foreign.capture_world import world_of
from sim.foreign.heard import ADDRESSES_MAX, TALKS_MAX
from sim.foreign.imported import imported
from sim.scenario import decode
from tests import builders as b
from tests.sim.capture_bytes import pcap_header, pcap_record
from tests.sim.foreign.field import (
    A,
    B,
    captured,
    datagram,
    framed,
    nodes,
    other,
    rules,
    run,
)
from tests.sim.scenarios import ONE_LINE, called, refused
from virtualtap.errors import UsageError
from virtualtap.wire.address import ip

REAL = ["dnsmasq_dora.pcap", "crafted_good_and_bad.pcap", *(
    f"softether/{name}.pcap"
    for name in (
        *("dhcp_arp_ping_polling", "mac_move_flood_tap0", "mac_move_flood_tap1"),
        *("secure_nat_arp_dhcp", "polling_tap", "polling_session"),
    )
)]  # fmt: skip


def test_addresses_and_conversations_have_a_bound(heard):
    crowd = [ip(f"10.9.{i // 250}.{i % 250 + 1}") for i in range(ADDRESSES_MAX + 5)]
    frames = [b.arp_reply(b"\x02\x09" + address, address) for address in crowd]
    made = heard(*enumerate(frames))
    assert len(nodes(made)) == ADDRESSES_MAX + 1
    ports = [framed(datagram(A, B, port=port)) for port in range(100, TALKS_MAX + 111)]
    made = heard(*enumerate(ports))
    assert "11 packets of conversations after the first 1000" in made.left
    assert len(rules(made)) == TALKS_MAX


def test_packets_of_addresses_beyond_the_bound_are_counted(heard):
    crowd = [ip(f"10.9.{i // 250}.{i % 250 + 1}") for i in range(ADDRESSES_MAX)]
    frames = [b.arp_reply(b"\x02\x09" + address, address) for address in crowd]
    made = heard(*enumerate(frames), (999, framed(datagram(A, B))))
    assert "1 packets of addresses after the first 200" in made.left


def test_a_record_of_another_day_is_left(heard):
    made = heard((0, framed(datagram(A, B))), (10**6 * 90_000, framed(datagram(A, B))))
    assert decode(made.text).until == "1s"
    assert made.left == ["1 records later than a day after the first"]


def test_several_captures_share_one_clock(tmp_path):
    first = captured(tmp_path / "first.pcap", (0, framed(other(A, B))), start=100)
    second = captured(tmp_path / "second.pcap", (0, framed(other(A, B))), start=90)
    made = world_of([first, second], tmp_path)
    assert [(rule.file, rule.start) for rule in rules(made)] == [
        ("first.pcap", "10s"),
        ("second.pcap", "0s"),
    ]
    assert run(made, tmp_path).summary["delivered"] == 2


def test_a_capture_that_is_named_twice_is_heard_once(tmp_path):
    path = captured(tmp_path / "field.pcap", (0, framed(datagram(A, B))))
    (tmp_path / "same.pcap").symlink_to(path)
    made = world_of([path, tmp_path / "same.pcap", path], tmp_path)
    assert made == world_of([path], tmp_path)


def test_captures_of_different_days_are_refused(tmp_path):
    first = captured(tmp_path / "first.pcap", (0, framed(other(A, B))))
    second = captured(tmp_path / "second.pcap", (0, framed(other(A, B))), start=90_000)
    assert "90000 s apart" in str(refused(world_of, [first, second], tmp_path))


def test_a_capture_whose_path_no_scenario_bears_is_not_replayed(heard):
    made = heard((0, framed(other(A, B))), name=f"{'long' * 50}.pcap")
    assert [rule.kind() for rule in rules(made)] == ["replay"]
    made = heard((0, framed(other(A, B))), name="half\udc80.pcap")
    assert rules(made) == ()
    assert made.left[0].endswith("stands in a capture whose path no scenario bears")


def test_too_much_is_not_replayed(heard, monkeypatch):
    for name, why in (("BYTES_MAX", "is too much"), ("FILE_MAX", "a capture that is too long")):
        with monkeypatch.context() as patch:
            patch.setattr(f"sim.foreign.heard.{name}", 20)
            assert heard((0, framed(other(A, B)))).left[0].endswith(why)


def test_captures_and_configurations_are_not_mixed(tmp_path):
    capture = captured(tmp_path / "a.pcap", (0, framed(other(A, B))))
    config = tmp_path / "a.config"
    config.write_text("declare root\n{\n}\n")
    assert "is a capture, others" in str(refused(imported, [config, capture]))


@pytest.mark.parametrize(
    "content",
    [
        pcap_header(),
        pcap_header() + b"\1",
        pcap_header() + pcap_record(b"\0" * 14),
        b"\x1f\x8b\0\0",
    ],
)
def test_a_capture_of_nobody_ends_in_a_line(tmp_path, capsys, content):
    path = tmp_path / "bad.pcap"
    path.write_bytes(content)
    status, out, err = called(capsys, "import", path)
    assert (status, out) == (2, "")
    assert ONE_LINE.fullmatch(err)


def test_the_command_writes_a_scenario_that_runs(tmp_path, capsys):
    captured(tmp_path / "field.pcap", *((i, framed(other(A, B))) for i in range(3)))
    out = tmp_path / "field.toml"
    assert called(capsys, "import", tmp_path / "field.pcap", "--out", out)[0] == 0
    status, said, _ = called(capsys, "run", out, "--bare", "--json", "--out", tmp_path)
    assert status == 0
    assert json.loads(said)["delivered"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_every_real_capture_becomes_a_scenario_that_holds(name, captures, tmp_path):
    made = imported([captures / name], tmp_path)
    assert run(made, tmp_path).verdict == "pass"


@pytest.mark.slow
def test_every_hostile_capture_becomes_a_scenario_that_holds_or_a_line(captures, tmp_path):
    verdicts, lines = [], []
    for path in sorted((captures / "hostile").glob("*.pcap*")):
        try:
            made = imported([path], tmp_path)
        except UsageError as error:
            lines.append(f"{error}{error.hint}")
        else:
            verdicts.append(run(made, tmp_path).verdict)
    assert (len(verdicts) > 100, set(verdicts)) == (True, {"pass"})
    assert [line for line in lines if "\n" in line] == []
