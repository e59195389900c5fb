"""A configuration file is read as the product reads it; a hostile one is one line, soon."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.foreign.softether_config import (
    DEPTH_MAX,
    FILE_MAX,
    ITEMS_MAX,
    LINE_MAX,
    Folder,
    parse,
    read,
)
from tests.sim.scenarios import refused
from virtualtap.errors import UsageError

SMALL = (
    "\ufeff# Software Configuration File\r\n# ---\r\n\r\ndeclare root\r\n{\r\n"
    "\tuint ConfigRevision 12\r\n\tbool Odd 7\r\n\tbool Even 0\r\n"
    "\tuint64 Long 18446744073709551615\r\n"
    "\tstring Region $\r\n\tstring Note a$20b$24$C3$A9\r\n\tbyte Key U0VDUkVU\r\n"
    "\tip Address 10.0.0.1\r\n\tint Less -1\r\n\tBOOL Loud TRUE\r\n\r\n"
    "\tdeclare My$20Hub\r\n\t{\r\n\t\tdeclare Empty\r\n\t\t{\r\n\t\t}\r\n\t}\r\n}\r\n"
)


def of(lines: str) -> bytes:
    return f"declare root\n{{\n{lines}\n}}\n".encode()


def test_items_have_the_values_of_their_types():
    assert parse(SMALL.encode(), "a").items == {
        "ConfigRevision": 12,
        "Odd": True,
        "Even": False,
        "Long": 2**64 - 1,
        "Region": "",
        "Note": "a b$é",
        "Key": None,
        "Address": "10.0.0.1",
        "Less": -1,
        "Loud": True,
    }


def test_folders_stand_in_folders():
    root = parse(SMALL.encode(), "a")
    assert root.folder("My Hub", "Empty") == Folder()
    assert list(root.folders) == ["My Hub"]
    assert root.folder("nobody", "there") == Folder()


def test_bytes_are_never_kept():
    assert "U0VDUkVU" not in repr(parse(SMALL.encode(), "a"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1: the file declares no `root`"),
        (b"SEVPN_DB\0\0", "is in the binary form"),
        (b"declare root\n{\n", "the file ends inside `root`"),
        (b"declare root\n{\ndeclare a\n{\n}\n", "the file ends inside `root`"),
        (b"}\n", "it closes a folder, and none is open"),
        (b"uint a 1\n", "an item is outside of `root`"),
        (of("uint a\nuint b 1"), "line 3: a number is none"),
        (of("uint a one"), "a number is none"),
        (of("uint a 1_0"), "a number is none"),
        (of("uint a " + "9" * 5000), "a number is none"),
        (of("uint a 1 2"), "it is neither a folder nor an item"),
        (of("float a 1"), "it is neither a folder nor an item"),
        (of("declare"), "it is neither a folder nor an item"),
        (of("string a $4"), "`$` is not followed by two hexadecimal digits"),
        (of("string a b$zz"), "`$` is not followed by two hexadecimal digits"),
        (of("string a $00"), "a text holds NUL"),
        (of("string a $FF"), "a text is not UTF-8"),
        (of("uint a 1\nuint a 2"), "line 4: `a` is there already"),
        (of("declare a\n{\n}\ndeclare a\n{\n}"), "`a` is there already"),
        (of("string a " + "x" * LINE_MAX), f"it is longer than {LINE_MAX} bytes"),
        (b"declare a\n{\n" * (DEPTH_MAX + 1), f"nested deeper than {DEPTH_MAX}"),
        (b"#" * (FILE_MAX + 1), f"is longer than {FILE_MAX} bytes"),
    ],
)
def test_what_the_product_does_not_write_is_one_line(data, message):
    assert message in str(refused(parse, data, "a"))


@pytest.mark.slow
def test_a_bomb_of_items_is_refused_soon():
    began = time.process_time()
    data = of("\n".join(f"uint {i} 1" for i in range(ITEMS_MAX + 1)))
    assert f"more than {ITEMS_MAX} items" in str(refused(parse, data, "a"))
    assert time.process_time() - began < 5


def test_every_truncation_is_one_line():
    whole = SMALL.encode()
    last = whole.rstrip()
    for length in range(len(last)):
        refused(parse, whole[:length], "a")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_folder_or_one_line(data):
    with suppress(UsageError):  # whose message `test_what_the_product_does_not_write…` reads
        assert isinstance(parse(of("") + data, "a"), Folder)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=5))
def test_any_text_that_is_escaped_comes_back(texts):
    def escape(text):
        raw = b"".join(
            b"$%02X" % byte if byte <= 32 or byte in b"$\x7f" or byte > 126 else bytes((byte,))
            for byte in text.encode()
        )
        return raw or b"$"

    texts = {name: value for name, value in texts.items() if "\0" not in name + value}
    lines = b"\n".join(b"string " + escape(n) + b" " + escape(v) for n, v in texts.items())
    assert parse(b"declare root\n{\n" + lines + b"\n}\n", "a").items == texts


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    assert "there is no file" in str(refused(read, tmp_path / "none"))
    (tmp_path / "long").write_bytes(b"#" * (FILE_MAX + 1))
    assert "longer" in str(refused(read, tmp_path / "long"))
    (tmp_path / "good").write_bytes(SMALL.encode())
    assert read(tmp_path / "good").items["ConfigRevision"] == 12
