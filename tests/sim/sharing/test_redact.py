"""A redacted run: nobody's address, MAC, name or payload is anywhere in it, and it is still one."""

import json
import re
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest

from sim.capture_reader import read_capture
from sim.results import Failure, read
from sim.scenario import decode
from sim.sharing.bundle import NOTE, opened
from sim.sharing.redact import REMARK, redacted
from tests.sim.scenarios import ONE_LINE, SMALL, as_file, called, on_disk
from tests.sim.test_evil_names import NAMES, a_scenario, labels

CAPTURES = Path(__file__).parents[3] / "examples" / "captures"
KEY = bytes(range(32))
WORDS = """\
name = "acme-headquarters"  # of acme
until = "300ms"
topology = { name = "acme-site.gml" }
sites = { taps = 1, stations = 1 }

[[hosts]]
match = "h1"
platform = "ios"

[[taps]]
match = "tap1"
gateway_ip = "10.0.0.77"
our_mac = "02:00:5e:77:77:77"
mtu = 1400
routes = [["172.16.7.0", 24, "10.0.0.77"]]
arp_interval = "2s"

[[links]]
match = "acme-berlin--acme-*"
delay = "1ms"
faults = [{ fault = "loss", probability = 0.1 }]

[[servers]]
match = "acme-*"
version = "2026"
options = { NoArpPolling = true }
users = [{ name = "alice", note = "in Berlin, room 7" }]

[[servers.access]]
SrcIpAddress = "10.0.0.77"
SrcSubnetMask = "255.255.255.0"
SrcUsername = "alice"

[[timeline]]
at = "100ms"
inject = { from = "s1", frames = ["ffffffffffff02005e7777770806"] }

[[timeline]]
at = "200ms"
move = { node = "s1", to = "acme-berlin" }

[expect]
dropped."acme-reason" = { max = 0 }
latency_s.p99 = { max = 1 }
"""


def made_of(tmp_path, text=SMALL, **choices):
    """(the run, the folder, the redacted run, its folder) of a scenario."""
    run, folder = on_disk(tmp_path / "out", text, **choices)
    new = tmp_path / "redacted"
    new.mkdir()
    return run, folder, redacted(run, KEY).write(folder, new), new


def everything(folder):
    """All bytes of all files, and the names of these."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = "\n".join(str(path.relative_to(folder)) for path in files)
    return names.encode() + b"".join(path.read_bytes() for path in files)


def forms(word):
    """How a word may stand in a file."""
    return {word, json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1]}


def found(words, content):
    """Those of the words that are in the content, in any form."""
    return [word for word in words if any(form.encode() in content for form in forms(word))]


def addresses(folder):
    """Every MAC and address of endpoints in a run's tables and its capture's frames: bytes."""
    run = read(folder)
    macs = {bytes.fromhex(row[1].replace(":", "")) for row in run.tables["broadcast_learning"]}
    ips = {ip_address(row[1]).packed for row in run.tables["arp_convergence"]}
    for record in read_capture(folder / "capture.pcapng"):
        if record.link_type == 1 and record.data[12:14] == b"\x08\x06":
            ips |= {record.data[28:32], record.data[38:42]}
    return macs, ips


def test_a_redacted_run_is_a_run_of_the_same_numbers(tmp_path):
    run, _, other, new = made_of(tmp_path, capture="taps")
    assert read(new) == other
    numbers = ("crossings", "delivered", "latency_s", "throughput_bps", "entries", "digest")
    assert [run.summary[name] for name in numbers] == [other.summary[name] for name in numbers]
    assert other.tables["latency"] == run.tables["latency"]
    assert [row[2:] for row in other.tables["flows"][:1]] != [
        row[2:] for row in run.tables["flows"][:1]
    ]
    assert [row[4:] for row in other.tables["flows"]] == [row[4:] for row in run.tables["flows"]]
    assert other.remarks[0] == REMARK
    assert (other.verdict, other.seed, other.until_ns) == (run.verdict, run.seed, run.until_ns)


def test_the_same_is_the_same_in_every_place(tmp_path):
    run, _, other, new = made_of(tmp_path, capture="all")
    names = dict(zip(_ids(run), _ids(other), strict=True))
    assert [row[0] for row in other.tables["nodes"]] == [
        names[row[0]] for row in run.tables["nodes"]
    ]
    for old, made in zip(run.tables["links"], other.tables["links"], strict=True):
        for before, after in zip(old[:2], made[:2], strict=True):
            node, _, port = before.rpartition(".")
            assert after == f"{names[node]}.{port}"
    interfaces = {
        record.interface.rpartition(".")[0] for record in read_capture(new / "capture.pcapng")
    }
    assert interfaces <= {*names.values()}
    hops = {row[1] for row in other.tables["arp_convergence"]}
    asked = {
        str(ip_address(record.data[38:42]))
        for record in read_capture(new / "capture.pcapng")
        if record.link_type == 1 and record.data[12:14] == b"\x08\x06"
    }
    assert hops <= asked


def _ids(run):
    return [node["id"] for node in run.graph["nodes"]]


def test_no_address_mac_or_payload_is_left_in_a_capture(tmp_path):
    text = SMALL.replace("[[traffic]]", "ipv6 = true\n\n[[traffic]]", 1)
    _, folder, _, new = made_of(tmp_path, text, capture="all")
    content = everything(new)
    macs, ips = addresses(folder)
    assert len(macs) > 3 and len(ips) > 3
    assert [
        one.hex(":") for one in macs if one in content or one.hex(":").encode() in content
    ] == []
    assert [one for one in ips if str(ip_address(one)).encode() in content] == []
    # four bytes may stand in a picture by chance: they stand in no frame
    frames = b"".join(record.data for record in read_capture(new / "capture.pcapng"))
    assert [one for one in ips if one in frames and any(one)] == []
    both = (read_capture(one / "capture.pcapng") for one in (folder, new))
    payloads = 0
    for old, made in zip(*both, strict=True):
        assert (old.at, len(old.data), old.link_type) == (made.at, len(made.data), made.link_type)
        if old.data[12:14] == b"\x08\0" and old.data[23] == 1:  # an echo: behind its header
            assert made.data[42:] == bytes(len(made.data) - 42) != old.data[42:]
            payloads += 1
    assert payloads > 10


@pytest.mark.slow
def test_forty_evil_names_are_nowhere_in_a_bundle(tmp_path, capsys):
    path = a_scenario(tmp_path)
    choices = ("--capture", "all", "--out", tmp_path / "out")
    assert called(capsys, "run", path, *choices)[0] == 1
    folder, archive = tmp_path / "out" / "small" / "1", tmp_path / "x.zip"
    status, _, complaint = called(capsys, "bundle", folder, "--redact", "--out", archive)
    assert (status, complaint) == (0, f"{NOTE}\n")
    content = archive.read_bytes()
    # the others stand in any file, `42` or `<!--`: they are in no cell
    telling = [name for name in {*NAMES, *labels(NAMES)} if _is_telling(name)]
    assert len({*labels(NAMES)}) >= 40 and len(telling) >= 30
    assert found(telling, content) == []
    assert [name for name in telling if name.encode("unicode_escape") in content] == []
    with opened(archive) as one:
        assert one.manifest.redacted
        _no_cell_is_of(NAMES, one.run)


def _is_telling(name):
    common = {"null", "</script>", "<!--", "]]>", "/dev/null", "nan", "javascript:x"}
    return len(name) > 3 and name not in common


def _no_cell_is_of(names, run):
    there = {word for row in run.tables["nodes"] for word in row[:1]} | {*_ids(run)}
    there |= {cell for row in run.tables["links"] for cell in row[:2]}
    there |= {failure.field for failure in run.failed}
    assert not there & {*names, *labels(names), *(f"dropped.{name}" for name in names)}


@pytest.mark.slow
def test_the_page_of_a_bundle_is_drawn_anew_and_names_no_folder(tmp_path, capsys):
    path = as_file(tmp_path, SMALL.replace('"small"', '"acme-berlin"'))
    assert called(capsys, "run", path, "--out", tmp_path / "out")[0] == 0
    archive = tmp_path / "x.zip"
    folder = tmp_path / "out" / "acme-berlin" / "1"
    status, _, _ = called(capsys, "bundle", folder, "--redact", "--out", archive)
    content = archive.read_bytes()
    assert status == 0
    assert found(["acme-berlin", str(tmp_path), "vtap-"], content) == []
    with opened(archive) as one:
        page = (one.folder / "report.html").read_text()
        assert {*re.findall(r"vtap replay \w+", page)} == {"vtap replay RUN"}
        assert REMARK in page and _ids(one.run)[0] in page
        assert len([*(one.folder / "figures").iterdir()]) > 8


def test_a_redacted_bundle_says_that_it_cannot_be_replayed(tmp_path, capsys):
    _, folder = on_disk(tmp_path / "out")
    archive = tmp_path / "x.zip"
    assert called(capsys, "bundle", folder, "--redact", "--out", archive)[0] == 0
    status, said, complaint = called(capsys, "replay", archive)
    assert (status, said) == (3, "")
    assert complaint.startswith(f"error: `{archive}` is redacted: ")
    with opened(archive) as one:
        assert one.manifest.note == NOTE


@pytest.mark.slow
def test_every_call_has_a_key_of_its_own(tmp_path, capsys, monkeypatch):
    _, folder = on_disk(tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert called(capsys, "bundle", folder, "--redact")[0] == 0
    assert len([*tmp_path.glob("n*-1.vtap.zip")]) == 2


def test_files_that_the_scenario_names_are_redacted_too(tmp_path):
    text = (
        f'{SMALL}[[traffic]]\nkind = "replay"\nfile = "quickstart.pcapng"\n'
        'address = "10.0.0.1"\nfrom = "h1"\nto = "h2"\n'
    )
    run, _, other, new = made_of(tmp_path, text, folder=CAPTURES)
    ((name, digest),) = other.inputs.items()
    traffic = decode(other.scenario_text).traffic[1]
    assert (traffic.file, name != "quickstart.pcapng") == (name, True)
    (path,) = (new / "inputs").iterdir()
    assert path.name == digest not in run.inputs.values()
    said = [record.data for record in read_capture(path)]
    assert len(said) == len([*read_capture(CAPTURES / "quickstart.pcapng")])
    address = ip_address(traffic.address).packed
    assert any(address in data for data in said)
    assert not any(b"\x0a\0\0\1" in data for data in said)


def test_a_scenario_keeps_its_language_and_nothing_else(tmp_path):
    run, folder = on_disk(tmp_path / "out")
    changed = msgspec.structs.replace(
        run,
        scenario="acme-headquarters",
        scenario_text=WORDS,
        changes=[
            "hosts.0.match=acme-phone",
            'links.0.delay = "2ms"',
            "until=1s",
            "taps.0.mtu=1300",
        ],
    )
    new = tmp_path / "redacted"
    new.mkdir()
    made = redacted(changed, KEY).write(folder, new)
    content = everything(new).decode("latin-1")
    for word in ("acme", "Berlin", "alice", "10.0.0.77", "172.16.7.0", "5e:77", "777777", "room"):
        assert word not in content, word
    scenario = decode(made.scenario_text, tuple(made.changes))
    assert scenario.taps[0]["mtu"] == 1300 and scenario.taps[0]["arp_interval"] == "2s"
    assert (
        scenario.taps[0]["routes"][0][0].startswith("172.")
        and scenario.taps[0]["routes"][0][1] == 24
    )
    assert scenario.hosts[0].platform == "ios" and scenario.links[0].delay == "2ms"
    assert scenario.servers[0].access[0]["SrcSubnetMask"] == "255.255.255.0"
    assert scenario.servers[0].users[0].name == scenario.servers[0].access[0]["SrcUsername"]
    assert scenario.timeline[0].inject.frames == ("0" * 28,)
    assert scenario.links[0].faults == ({"fault": "loss", "probability": 0.1},)
    assert scenario.until == "1s"


DRAWN = """\
name = "drawn"
until = "50ms"

[topology]
name = "drawn"
nodes = { seed = "hub", name = "tap", "a.b" = "host", next = "gateway" }
links = [["seed", "name"], ["name", "a.b"], ["seed", "next"]]
"""


def test_nodes_that_are_called_as_words_are_names_in_a_graph_written_out(tmp_path):
    run, _, made, _ = made_of(tmp_path, DRAWN)
    said = decode(made.scenario_text).topology
    assert [*said["nodes"].values()] == ["hub", "tap", "host", "gateway"]
    assert [*said["nodes"]] == _ids(made)
    assert {one for link in said["links"] for one in link} == {*_ids(made)} != {*_ids(run)}


def test_words_about_a_run_name_nobody(tmp_path):
    run, folder = on_disk(tmp_path / "out", parents=True)
    named = msgspec.structs.replace(
        run,
        remarks=["left out: site1--site2", "host h1 has 10.0.0.1"],
        links_left_out=[("site1", "site2")],
        failed=[Failure("invariants.balanced", "h1 at 10.0.0.1", "x", 1.0)],
    )
    new = tmp_path / "redacted"
    new.mkdir()
    made = redacted(named, KEY).write(folder, new)
    said = json.dumps([made.remarks, made.links_left_out, msgspec.to_builtins(made.failed)])
    assert not re.search(r"\bh1\b|10\.0\.0\.1\b", said)
    assert made.failed[0].at_s == 1
    causes = {row[5] for row in made.tables["frames"]}
    assert causes and not any(re.search(r"\b(h|s|gw|tap)\d\b", str(cause)) for cause in causes)


def test_a_run_that_is_bare_can_be_redacted(tmp_path):
    _, _, other, _ = made_of(tmp_path, bare=True)
    assert other.digest is None


@pytest.mark.parametrize("text", ["[", "name = 1", 'name = "../x"\n'])
def test_a_run_whose_scenario_is_none_is_one_line(tmp_path, capsys, text):
    _, folder = on_disk(tmp_path / "out")
    content = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**content, "scenario_text": text}))
    archive = tmp_path / "x.zip"
    status, said, complaint = called(capsys, "bundle", folder, "--redact", "--out", archive)
    assert (status, said, complaint.count("\n")) == (2, "", 1)
    assert not archive.exists()


def test_a_link_in_a_strangers_folder_is_not_followed(tmp_path, capsys):
    _, folder = on_disk(tmp_path / "out")
    (folder / "capture.pcapng").symlink_to(CAPTURES / "quickstart.pcapng")
    words = ("bundle", folder, "--redact", "--out", tmp_path / "x.zip")
    status, said, complaint = called(capsys, *words)
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(complaint) and "symbolic link" in complaint


def test_an_input_that_is_not_the_runs_own_is_one_line(tmp_path, capsys):
    _, folder = on_disk(tmp_path / "out")
    content = json.loads((folder / "run.json").read_text())
    content["inputs"] = {"x": "../../../etc/passwd"}
    (folder / "run.json").write_text(json.dumps(content))
    words = ("bundle", folder, "--redact", "--out", tmp_path / "x.zip")
    status, said, complaint = called(capsys, *words)
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(complaint) and "names no input `x`" in complaint


def test_a_plugin_is_somebodys(tmp_path):
    run, folder = on_disk(tmp_path / "out")
    run.versions["plugin acme"] = "7.0"
    (tmp_path / "redacted").mkdir()
    made = redacted(run, KEY).write(folder, tmp_path / "redacted")
    assert "acme" not in json.dumps(made.versions) and "7.0" in made.versions.values()
    assert made.versions["simpy"] == run.versions["simpy"]
