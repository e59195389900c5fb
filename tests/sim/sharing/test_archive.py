"""An archive is what its members make of it, to the byte; whatever else is one line."""

import zipfile

import pytest

from sim.results import ResultError
from sim.sharing.archive import MEMBERS_MAX, pack, unpack

FILES = {"a.txt": b"one\n", "b/c.bin": bytes(range(256)), "empty": b""}


def packed(folder, files=FILES, name="x.zip"):
    """An archive of these files."""
    paths = {}
    for number, (member, content) in enumerate(files.items()):
        paths[member] = folder / f"{number}.file"
        paths[member].write_bytes(content)
    pack(paths, folder / name)
    return folder / name


def unpacked(archive, folder, is_known=lambda name: True):
    """Name → bytes of all that was unpacked."""
    folder.mkdir(parents=True, exist_ok=True)
    names = unpack(archive, folder, is_known)
    return {name: (folder / name).read_bytes() for name in names}


def refusal(archive, folder, is_known=lambda name: True):
    with pytest.raises(ResultError) as caught:
        unpacked(archive, folder, is_known)
    assert "\n" not in f"{caught.value}{caught.value.hint}" and caught.value.hint
    return str(caught.value)


def test_what_is_packed_is_unpacked(tmp_path):
    assert unpacked(packed(tmp_path), tmp_path / "out") == FILES


def test_an_archive_of_nothing_is_one(tmp_path):
    assert unpacked(packed(tmp_path, {}), tmp_path / "out") == {}


def test_every_tool_reads_it(tmp_path):
    with zipfile.ZipFile(packed(tmp_path)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
        assert {(one.date_time, one.compress_type) for one in archive.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED)
        }


def test_the_order_in_which_files_are_given_is_no_difference(tmp_path):
    backward = dict(reversed(FILES.items()))
    one, other = packed(tmp_path), packed(tmp_path, backward, "y.zip")
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.slow
def test_any_one_byte_that_is_changed_is_noticed(tmp_path):
    whole = packed(tmp_path, {"a.txt": b"one\n", "b.txt": b"two\n"}).read_bytes()
    path = tmp_path / "changed.zip"
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        refusal(path, tmp_path / f"{at}")


def test_a_changed_byte_of_a_member_names_it(tmp_path):
    path = packed(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"one\n", b"One\n"))
    assert "the member `a.txt` is not what it was" in refusal(path, tmp_path / "out")


@pytest.mark.parametrize("length", [0, 1, 21, 22, 60, 300, 500])
def test_one_that_is_cut_short_is_refused(tmp_path, length):
    path = packed(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    assert "is no bundle of ours: " in refusal(path, tmp_path / "out")


def test_a_member_that_ends_before_its_end_is_named(tmp_path):
    path = packed(tmp_path, {"a": bytes(100)})
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + whole[-22:])
    assert "in the member `a`: 69 bytes are missing" in refusal(path, tmp_path / "out")


def test_a_member_that_nobody_knows_is_refused_before_it_is_written(tmp_path):
    path = packed(tmp_path, {"a": b"", "../b": b"x"})
    said = refusal(path, tmp_path / "out", lambda name: name == "a")
    assert "no bundle has a member `../b`" in said
    assert [one.name for one in tmp_path.rglob("*") if one.name == "b"] == []


def test_a_name_that_comes_twice_is_refused(tmp_path):
    path = packed(tmp_path, {"a": b"1", "b": b"2"})
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"\0\0b2PK", b"\0\0a2PK"))
    assert "the member `a` is there twice" in refusal(path, tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"compression": zipfile.ZIP_DEFLATED}, "the member `a` is compressed"),
        ({"compression": zipfile.ZIP_LZMA}, "the member `a` is "),
        ({}, "what it says of the member `a` is not what it was"),
    ],
)
def test_what_another_tool_packed_is_refused(tmp_path, words, told):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", **words) as archive:
        archive.writestr("a", bytes(1000))
    assert told in refusal(path, tmp_path / "out")


def test_an_encrypted_member_is_refused(tmp_path):
    path = packed(tmp_path, {"a": b"x"})
    whole = bytearray(path.read_bytes())
    whole[6] |= 1
    path.write_bytes(whole)
    assert "the member `a` is encrypted" in refusal(path, tmp_path / "out")


def test_more_than_is_ever_written_is_not_looked_at(tmp_path):
    path = packed(tmp_path, {"a": b"x"})
    whole = bytearray(path.read_bytes())
    whole[-14:-12] = (MEMBERS_MAX + 1).to_bytes(2, "little")
    path.write_bytes(whole)
    assert f"more than {MEMBERS_MAX}" in refusal(path, tmp_path / "out")


def test_what_stands_before_or_behind_it_is_refused(tmp_path):
    path = packed(tmp_path)
    whole = path.read_bytes()
    for more in (b"#!" + whole, whole + b"\0", whole[:-22] + b"\0" + whole[-22:]):
        path.write_bytes(more)
        assert "is no bundle of ours: " in refusal(path, tmp_path / "out")


def test_too_large_a_run_is_not_packed(tmp_path, monkeypatch):
    monkeypatch.setattr("sim.sharing.archive.SIZE_MAX", 1000)
    with pytest.raises(ResultError, match="too large"):
        packed(tmp_path, {"a": bytes(1001)})
    with pytest.raises(ResultError, match="too large"):
        packed(tmp_path, {"a": bytes(500), "b": bytes(600)})
    monkeypatch.setattr("sim.sharing.archive.MEMBERS_MAX", 1)
    with pytest.raises(ResultError, match="too large"):
        packed(tmp_path, {"a": b"", "b": b""})


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "folder.zip").mkdir()
    assert "no file" in refusal(tmp_path / "folder.zip", tmp_path / "out")
