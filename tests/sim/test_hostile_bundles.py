"""Bundles of strangers, each through the command line: one line, status 2, and nothing written."""

import io
import json
import os
import stat
import tempfile
import time
import zipfile
import zlib

import pytest

from sim.sharing.archive import SIZE_MAX, pack, unpack
from sim.sharing.bundle import write_bundle
from tests.sim.scenarios import ONE_LINE, called, on_disk
from tests.sim.sharing.test_bundle import edited, resigned
from tests.sim.test_hostile_inputs import files


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The bytes of a bundle that replays."""
    folder = tmp_path_factory.mktemp("good")
    _, run = on_disk(folder / "out")
    write_bundle(run, folder / "x.zip")
    return (folder / "x.zip").read_bytes()


def raw(content):
    """A file of these bytes; of a good bundle's, if it is a function."""
    return lambda good, folder: content(good) if callable(content) else content


def zipped(*members, before=b"", **words):
    """A zip of another tool's: (name or ZipInfo, content)."""

    def make(good, folder):
        stream = io.BytesIO(before)
        stream.seek(len(before))
        with zipfile.ZipFile(stream, "w", **words) as archive:
            for name, content in members:
                archive.writestr(name, content)
        return stream.getvalue()

    return make


def packed(**members):
    """An archive as ours are, of these members, and one name more that no keyword can say."""

    def make(good, folder):
        names = {name.replace("__", "."): content for name, content in members.items()}
        return _packed(names, folder)

    return make


def named(name):
    return lambda good, folder: _packed({name: b"x"}, folder)


def _packed(members, folder):
    paths = {}
    for number, (name, content) in enumerate(members.items()):
        paths[name] = folder / f"member{number}"
        paths[name].write_bytes(content)
    pack(paths, folder / "made.zip")
    made = (folder / "made.zip").read_bytes()
    for path in (*paths.values(), folder / "made.zip"):
        path.unlink()
    return made


def altered(change):
    """A good bundle, unpacked, changed and packed again."""

    def make(good, folder):
        with tempfile.TemporaryDirectory() as temporary:
            inside = folder.__class__(temporary) / "inside"
            inside.mkdir()
            archive = inside.with_name("x.zip")
            archive.write_bytes(good)
            unpack(archive, inside, lambda name: True)
            change(inside)
            there = {
                str(path.relative_to(inside)): path for path in inside.rglob("*") if path.is_file()
            }
            pack(there, archive)
            return archive.read_bytes()

    return make


def link(target):
    one = zipfile.ZipInfo("run.json")
    one.external_attr = (stat.S_IFLNK | 0o777) << 16
    return one, target


def twice():
    """Two members, of which the second was given the name of the first."""

    def make(good, folder):
        return _packed({"run.json": b"{}", "run.jsoo": b"{}"}, folder).replace(b"jsoo", b"json")

    return make


def bomb():
    """Ten million bytes in a few dozen, compressed twice."""
    deflated = zlib.compressobj(9, zlib.DEFLATED, -15)
    squeezed = deflated.compress(bytes(10_000_000)) + deflated.flush()
    return zipped(("run.json", squeezed), compression=zipfile.ZIP_DEFLATED)


def with_scenario(text):
    """A good bundle with another scenario in its run."""

    def change(content):
        return json.dumps({**json.loads(content), "scenario_text": text}).encode()

    return altered(resigned("run.json", change))


HOSTILE = {
    "empty": raw(b""),
    "no zip": raw(b"GET / HTTP/1.0\r\n\r\n" * 10),
    "an empty zip": zipped(),
    "an empty archive of ours": packed(),
    "cut in the middle": raw(lambda good: good[: len(good) // 2]),
    "without its end": raw(lambda good: good[:-22]),
    "only its end": raw(lambda good: good[-22:]),
    "twice": raw(lambda good: good + good),
    "something behind it": raw(lambda good: good + b"\0"),
    "something before it": raw(lambda good: b"#!/bin/sh\n" + good),
    "a comment": raw(lambda good: good[:-2] + b"\x05\0hello"),
    "a zip of ours in a zip": lambda good, folder: zipped(("x.zip", good))(good, folder),
    "nested, as ours are": lambda good, folder: _packed({"run.json": good}, folder),
    "a member named as a zip": named("x.zip"),
    "compressed": zipped(("run.json", bytes(10**6)), compression=zipfile.ZIP_DEFLATED),
    "a bomb": bomb(),
    "with bzip2": zipped(("run.json", bytes(10**6)), compression=zipfile.ZIP_BZIP2),
    "a link": zipped(link("/etc/passwd")),
    "a folder": zipped(("figures/", b"")),
    "out of the folder": named("../run.json"),
    "absolute": named("/tmp/run.json"),
    "out, by another way": named("figures/../../run.json"),
    "a drive": named("C:\\run.json"),
    "a device": named("CON"),
    "a name without end": named("figures/" + "a" * 250),
    "a name of control characters": named("\x1b[31mrun.json\n"),
    "two of one name": twice(),
    "encrypted": raw(lambda good: good[:6] + b"\x01" + good[7:]),
    "65535 members": raw(lambda good: good[:-14] + b"\xff\xff\xff\xff" + good[-10:]),
    "members of 4 GB": raw(lambda good: good[:18] + b"\xff" * 8 + good[26:]),
    "only a manifest": packed(manifest__json=b"{}"),
    "a manifest of another schema": altered(
        edited("manifest.json", lambda one: one.update(schema=2))
    ),
    "a manifest nested": altered(lambda folder: (folder / "manifest.json").write_text("[" * 10**6)),
    "a manifest of text for numbers": altered(
        edited("manifest.json", lambda one: one.update(seed="1"))
    ),
    "a manifest of members elsewhere": altered(
        edited(
            "manifest.json",
            lambda one: one["members"].update({"../../x": {"bytes": 0, "blake2b": ""}}),
        )
    ),
    "a run of another schema": altered(
        resigned("run.json", lambda content: content.replace(b'"schema": 1', b'"schema": 7'))
    ),
    "a graph of another schema": altered(
        resigned("graph.json", lambda content: content.replace(b'"schema": 1', b'"schema": 7'))
    ),
    "a graph nested": altered(resigned("graph.json", lambda content: b"[" * 10**6)),
    "a graph of no nodes": altered(
        resigned("graph.json", lambda content: b'{"nodes":[],"edges":[]}')
    ),
    "a table that is none": altered(resigned("nodes.csv", lambda content: b"=1+1\n")),
    "a scenario that is none": with_scenario("[" * 10**5),
    "a scenario of another name": with_scenario('name = "../../x"\n'),
    "a scenario that reads a file of ours": with_scenario(
        'name = "small"\ntopology = { name = "star" }\n[[traffic]]\nkind = "replay"\n'
        'file = "/etc/passwd"\naddress = "10.0.0.1"\nfrom = "h1"\nto = "h2"\n'
    ),
    "an input that has no digest": altered(
        resigned(
            "run.json",
            lambda content: json.dumps(
                {**json.loads(content), "inputs": {"x": "../../../etc/passwd"}}
            ).encode(),
        )
    ),
}


def test_they_are_forty():
    assert len(HOSTILE) >= 40


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_bundle_is_one_line_and_writes_nothing(tmp_path, capsys, good, temporary, make):
    path = tmp_path / "x.vtap.zip"
    path.write_bytes(make(good, tmp_path))
    before, began = files(tmp_path), time.perf_counter()
    status, said, complaint = called(capsys, "replay", path)
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(complaint), complaint
    assert complaint.removesuffix("\n").isprintable() and len(complaint) < 2200
    assert files(tmp_path) == before and list(temporary.iterdir()) == []
    assert str(temporary) not in complaint
    assert time.perf_counter() - began < 5


def test_a_good_one_is_none_of_them(tmp_path, capsys, good, temporary):
    (tmp_path / "x.zip").write_bytes(good)
    assert called(capsys, "replay", tmp_path / "x.zip")[0] == 0


@pytest.mark.parametrize("what", ["hollow", "a pipe", "a folder", "not there", "a link to itself"])
def test_a_bundle_that_is_no_file_is_one_line(tmp_path, capsys, temporary, what):
    path = tmp_path / "x.zip"
    if what == "hollow":
        with path.open("wb") as file:
            file.truncate(SIZE_MAX + 1)
    elif what == "a pipe":
        os.mkfifo(path)
    elif what == "a folder":
        path.mkdir()
    elif what == "a link to itself":
        path.symlink_to(path)
    status, said, complaint = called(capsys, "replay", path)
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(complaint), complaint
    assert list(temporary.iterdir()) == []
