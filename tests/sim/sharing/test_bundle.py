"""A bundle is a run that travels: it replays elsewhere, and says what of it is not as it was."""

import json
import tempfile
from hashlib import blake2b
from pathlib import Path

import pytest

from sim import plugins, versions
from sim.results import ResultError
from sim.sharing.archive import pack, unpack
from sim.sharing.bundle import MANIFEST, SCHEMA, opened, write_bundle
from tests.sim.scenarios import ONE_LINE, SMALL, called, on_disk

CAPTURES = Path(__file__).parents[3] / "examples" / "captures"
REPLAY = (
    f'{SMALL}[[traffic]]\nkind = "replay"\nfile = "quickstart.pcapng"\n'
    'address = "10.0.0.1"\nfrom = "h1"\nto = "h2"\n'
)


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """What is unpacked on the way leaves nothing."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    assert list(place.iterdir()) == []


@pytest.fixture
def archive(tmp_path):
    """A bundle of a small run."""
    _, folder = on_disk(tmp_path / "out", capture="taps")
    write_bundle(folder, tmp_path / "x.vtap.zip")
    return tmp_path / "x.vtap.zip"


def changed(archive, change):
    """The same with other members: `change` sees the folder with all of them."""
    folder = archive.parent / "changed"
    folder.mkdir()
    names = unpack(archive, folder, lambda name: True)
    change(folder)
    there = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert names
    pack({name: folder / name for name in there}, archive)
    return archive


def edited(name, change):
    """A change of one member that is JSON."""

    def edit(folder):
        content = json.loads((folder / name).read_text())
        change(content)
        (folder / name).write_text(json.dumps(content))

    return edit


def resigned(name, change):
    """A change of one member after which the manifest is right again."""

    def edit(folder):
        content = change((folder / name).read_bytes())
        (folder / name).write_bytes(content)
        manifest = json.loads((folder / MANIFEST).read_text())
        sum_ = blake2b(content, digest_size=16).hexdigest()
        manifest["members"][name] = {"bytes": len(content), "blake2b": sum_}
        (folder / MANIFEST).write_text(json.dumps(manifest))

    return edit


def refusal(archive):
    with pytest.raises(ResultError) as caught, opened(archive):
        pass
    assert "\n" not in f"{caught.value}{caught.value.hint}" and caught.value.hint
    return str(caught.value).removeprefix(f"`{archive}`").removeprefix(": ")


def test_a_bundle_holds_the_run_and_says_what_it_is(archive, tmp_path):
    with opened(archive) as one:
        manifest = one.manifest
        assert (manifest.schema, manifest.scenario, manifest.seed) == (SCHEMA, "small", 1)
        assert manifest.digest == one.run.digest is not None
        assert (manifest.redacted, manifest.note) == (False, "")
        assert manifest.versions == versions.versions()
        assert {"scenario.toml", "run.json", "capture.pcapng", "nodes.csv"} < {*manifest.members}
        assert (one.folder / "scenario.toml").read_text() == SMALL
        assert one.differences(versions.versions()) == []


def test_the_same_run_gives_the_same_bytes(archive, tmp_path):
    write_bundle(tmp_path / "out" / "small" / "1", tmp_path / "again.zip")
    assert archive.read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_a_bundle_is_replayed_where_nothing_else_is(archive, tmp_path, capsys, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    archive = archive.rename(elsewhere / "x.zip")
    (tmp_path / "out").rename(tmp_path / "gone")
    status, said, complaint = called(capsys, "replay", "x.zip")
    assert (status, complaint) == (0, "")
    assert "same as before: " in said
    assert list(elsewhere.iterdir()) == [archive]


def test_the_files_that_a_scenario_names_travel_with_it(tmp_path, capsys):
    _, folder = on_disk(tmp_path / "out", REPLAY, folder=CAPTURES)
    write_bundle(folder, tmp_path / "x.zip")
    with opened(tmp_path / "x.zip") as one:
        assert sum(name.startswith("inputs/") for name in one.manifest.members) == 1
    assert called(capsys, "replay", tmp_path / "x.zip")[0] == 0


def test_a_page_and_its_figures_travel_too(tmp_path, capsys):
    _, folder = on_disk(tmp_path / "out")
    (folder / "report.html").write_text("<p>")
    (folder / "figures").mkdir()
    (folder / "figures" / "latency.svg").write_text("<svg/>")
    (folder / "figures" / "secret.txt").write_text("not a figure")
    (folder / "notes.txt").write_text("nobody asked for it")
    members = write_bundle(folder, tmp_path / "x.zip").members
    assert "report.html" in members and "figures/latency.svg" in members
    assert not {"figures/secret.txt", "notes.txt"} & {*members}


@pytest.mark.parametrize("name", ["run.json", "graph.json", "scenario.toml", "nodes.csv"])
def test_one_changed_byte_of_a_member_names_the_member(archive, name):
    def change(folder):
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)

    assert refusal(changed(archive, change)) == f"the member `{name}` is not what it was"


def test_a_member_that_is_not_there_or_too_much_is_named(archive):
    changed(archive, lambda folder: (folder / "nodes.csv").rename(folder / "frames.csv"))
    assert refusal(archive) == "the member `frames.csv` is not in its manifest"


def test_a_bundle_without_a_graph_is_none(archive):
    def change(folder):
        (folder / "graph.json").unlink()
        edited(MANIFEST, lambda manifest: manifest["members"].pop("graph.json"))(folder)

    assert refusal(changed(archive, change)) == "the member `graph.json` is missing"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda one: one.update(schema=9), " has schema 9, this version reads 1"),
        (lambda one: one.pop("schema"), " has schema None, this version reads 1"),
        (lambda one: one.update(kind="\x1b[31mx"), " is a `\\x1b[31mx`"),
        (lambda one: one.update(digest="0" * 32), "tells of another run"),
        (lambda one: one.update(members=[]), "is none: "),
        (lambda one: one.update(hook="os.system"), "is none: "),
    ],
)
def test_a_manifest_that_is_none_is_one_line(archive, change, told):
    assert told in refusal(changed(archive, edited(MANIFEST, change)))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"schema": NaN}', "\udcff"])
def test_a_manifest_that_is_no_json_is_one_line(archive, text):
    content = text.encode(errors="surrogateescape")
    changed(archive, lambda folder: (folder / MANIFEST).write_bytes(content))
    assert refusal(archive)


def test_a_run_that_is_none_is_said_without_a_folder_that_is_gone(archive, temporary):
    changed(archive, resigned("run.json", lambda content: b"{}"))
    said = refusal(archive)
    assert said == "`run.json` has schema None, this version reads 1"


def replayed(capsys, archive):
    """What `replay` says differs, of a bundle whose digest is not come by again."""
    status, said, complaint = called(capsys, "replay", archive)
    assert (status, "not as before" in said) == (1, True)
    status, said, _ = called(capsys, "replay", archive, "--json")
    differs = json.loads(said)["differs"]
    assert (status, [f"differs: {one}" for one in differs]) == (1, complaint.splitlines())
    return differs


def told_otherwise(name, change, **more):
    """A member that was changed by somebody who knows how to make the manifest right."""

    def edit(folder):
        resigned(name, change)(folder)
        wrong = {"digest": "0" * 32, **more}
        for place in ("run.json", MANIFEST):
            edited(place, lambda content: content.update(wrong))(folder)
        resigned("run.json", lambda content: content)(folder)

    return edit


def test_another_version_is_named_where_the_digest_is_not_the_same(archive, capsys):
    now = versions.versions()
    old = {**now, "simpy": "3.0\u202e"}
    changed(archive, told_otherwise("run.json", lambda content: content, versions=old))
    differs = replayed(capsys, archive)
    assert differs == [f"version: simpy was 3.0\\u202e, is {now['simpy']}"]


def test_another_scenario_is_named(archive, capsys):
    more = told_otherwise("scenario.toml", lambda content: content + b"# more\n")
    assert replayed(capsys, changed(archive, more)) == [
        "scenario: `scenario.toml` is not the one in `run.json`"
    ]


def test_another_graph_is_named(archive, capsys):
    def slower(content):
        graph = json.loads(content)
        graph["edges"][0]["delay"] = 123_000
        return json.dumps(graph).encode()

    assert replayed(capsys, changed(archive, told_otherwise("graph.json", slower))) == [
        "graph: the scenario does not make the one in `graph.json`"
    ]


def test_a_map_that_is_not_here_is_a_graph_that_is_not_made_again(archive, capsys):
    def elsewhere(content):
        run = json.loads(content)
        run["scenario_text"] = SMALL.replace('"star", sites = 2', '"gone.gml"')
        return json.dumps(run).encode()

    differs = replayed(capsys, changed(archive, told_otherwise("run.json", elsewhere)))
    assert differs[-1] == "graph: the scenario does not make the one in `graph.json`"


def test_another_input_is_named(tmp_path, capsys):
    _, folder = on_disk(tmp_path / "out", REPLAY, folder=CAPTURES)
    write_bundle(folder, tmp_path / "x.zip")

    def change(inside):
        (path,) = (inside / "inputs").iterdir()
        resigned(f"inputs/{path.name}", lambda content: content + b"\0")(inside)

    status, said, complaint = called(capsys, "replay", changed(tmp_path / "x.zip", change))
    assert (status, said) == (2, "")
    assert (
        ONE_LINE.fullmatch(complaint)
        and f"input `quickstart.pcapng` of `{tmp_path}/x.zip`" in complaint
    )


def test_the_command_to_replay_it_names_the_plugins(tmp_path, capsys, monkeypatch):
    on_disk(tmp_path / "out")
    outside = Path(__file__).parents[2] / "harness" / "outside" / "natty"
    monkeypatch.syspath_prepend(outside)
    with plugins.kept():
        bundling = ("bundle", tmp_path / "out" / "small" / "1", "--out", tmp_path / "a.zip")
        _, said, complaint = called(capsys, *bundling, "--plugin", "natty")
    assert f"replay: vtap replay {tmp_path}/a.zip --plugin natty" in said + complaint


def test_a_bundle_that_is_not_there_is_a_matter_of_its_path(tmp_path, capsys):
    _, _, complaint = called(capsys, "replay", tmp_path / "none.zip")
    assert complaint.endswith("no such file or directory (hint: look at the path)\n")


def test_a_bundle_is_written_where_nothing_is(archive, tmp_path, capsys):
    folder = tmp_path / "out" / "small" / "1"
    before = archive.read_bytes()
    status, said, complaint = called(capsys, "bundle", folder, "--out", archive)
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(complaint) and "already" in complaint
    assert archive.read_bytes() == before


def test_without_a_name_it_is_called_by_the_run(archive, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, said, _ = called(capsys, "bundle", tmp_path / "out/small/1/run.json")
    assert (status, said) == (0, "bundle: small-1.vtap.zip\n")
    status, said, _ = called(capsys, "bundle", "out/small/1", "--out", "y.zip", "--json")
    told = json.loads(said)
    assert told.pop("members") > 10
    assert told == {"schema": 1, "bundle": "y.zip", "redacted": False}
    assert (tmp_path / "y.zip").read_bytes() == archive.read_bytes()


def test_a_link_in_a_strangers_folder_is_not_followed(tmp_path, capsys):
    _, folder = on_disk(tmp_path / "out")
    (tmp_path / "secret").write_text("mine")
    (folder / "report.html").symlink_to(tmp_path / "secret")
    status, said, complaint = called(capsys, "bundle", folder, "--out", tmp_path / "x.zip")
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(complaint) and "symbolic link" in complaint
    assert not (tmp_path / "x.zip").exists()


def test_where_it_cannot_be_written_nothing_is_left(archive, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "x.zip"
    status, said, complaint = called(capsys, "bundle", tmp_path / "out/small/1", "--out", place)
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(complaint)
