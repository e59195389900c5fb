"""The page of verdicts: a column for each target and profile, strangers' words harmless."""

import re
from html.parser import HTMLParser

import pytest

from reports.verdicts_page import CELL_LINES, LINE_MAX, write_verdicts

EVIL = [
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "a\u202eb"),
    *("\x1b[31mred", "&lt;b&gt;", "]]>", "<!--", "'; drop", "</title>", "x\0y", "\ud800"),
]
KINDS = ("pass", "fail", "inconclusive", "unsupported", "error")


class Reader(HTMLParser):
    """The tags, the words, and the classes of rows and families."""

    def __init__(self):
        super().__init__()
        self.tags, self.words, self.classes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        assert not any(name.startswith("on") for name in found), found
        if tag in {"tr", "details"} and "class" in found:
            self.classes.append((tag, found["class"].split()))

    def handle_data(self, data):
        self.words.append(data)


def a_row(*verdicts, family="arp", told=()):
    cells = [
        {"verdict": verdict, "mark": verdict.upper(), "told": [] if verdict == "pass" else [*told]}
        for verdict in verdicts
    ]
    return {
        "family": family,
        "source": "RFC 826, Packet Reception",
        "meaning": "a request for us is answered",
        "id": f"{family}/it-is-answered",
        "aliases": ["TC8:ARP_20"],
        "cells": cells,
    }


def a_summary(rows, columns):
    found = {name: [row["cells"][at]["verdict"] for row in rows] for at, name in enumerate(columns)}
    return {
        "cases": len(rows),
        "clauses": 1,
        "verdicts": {
            name: {kind: verdicts.count(kind) for kind in KINDS} for name, verdicts in found.items()
        },
        "not_applicable": {
            name: ["x"] * verdicts.count("otherwise") for name, verdicts in found.items()
        },
    }


def read(tmp_path, rows, columns, **more):
    path = write_verdicts({**a_summary(rows, columns), **more}, rows, tmp_path / "it.html")
    reader = Reader()
    text = path.read_text(encoding="utf-8")
    reader.feed(text)
    return text, reader


def test_a_column_for_each_target_and_what_is_told_of_a_fail(tmp_path):
    rows = [a_row("pass", "fail", told=["ARP operation: expected 2, saw 1"]), a_row("pass", "pass")]
    _, page = read(tmp_path, rows, ["engine", "c:mine.so"])
    words = "".join(page.words)
    assert words.count("c:mine.so 1 of 2") == words.count("engine 2 of 2") == 1
    assert "ARP operation: expected 2, saw 1" in words


def test_rows_say_whether_they_are_good_and_whether_all_passed(tmp_path):
    rows = [a_row("pass", "pass"), a_row("pass", "otherwise"), a_row("pass", "inconclusive")]
    _, page = read(tmp_path, rows, ["engine", "engine (linux)"])
    assert page.classes == [
        ("details", ["sheet", "family"]),
        ("tr", ["good", "same"]),
        ("tr", ["good"]),
        ("tr", []),
    ]


def test_a_family_without_a_fail_can_be_hidden(tmp_path):
    rows = [a_row("pass"), a_row("error", family="dhcp")]
    _, page = read(tmp_path, rows, ["engine"])
    families = [classes for tag, classes in page.classes if tag == "details"]
    assert families == [["sheet", "family", "good", "same"], ["sheet", "family"]]


def test_what_is_left_out_is_not_counted_as_asked(tmp_path):
    rows = [a_row("otherwise", told=["nobody is asked"]), a_row("pass")]
    _, page = read(tmp_path, rows, ["engine (predecessor)"])
    words = "".join(page.words)
    assert "engine (predecessor) 1 of 1" in words and "nobody is asked" in words


def test_the_mutants_are_told_where_they_were_judged(tmp_path):
    more = {"mutants": 9, "killed": 8, "survivors": ["x"], "idle_cases": ["a/b"]}
    _, page = read(tmp_path, [a_row("pass")], ["engine"], **more)
    words = "".join(page.words)
    assert "8 of 9 wrong engines were caught, and 1 case caught none" in words


@pytest.mark.parametrize("evil", EVIL)
def test_words_of_strangers_are_words(tmp_path, evil):
    plain, _ = read(tmp_path, [a_row("fail", told=["plain"])], ["plain"])
    text, page = read(tmp_path, [a_row("fail", told=[evil])], [evil])
    reader = Reader()
    reader.feed(plain)
    assert page.tags == reader.tags
    assert text.replace("\n", "").isprintable() and "script" not in page.tags


def test_the_page_runs_nothing_and_loads_nothing(tmp_path):
    text, page = read(tmp_path, [a_row("pass")], ["engine"])
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'; ") and "unsafe-inline'; img" in policy
    assert {"script", "link", "img", "iframe", "form"}.isdisjoint(page.tags)
    assert "http" not in text.replace("http-equiv", "")


def test_a_long_explanation_is_cut(tmp_path):
    text, page = read(tmp_path, [a_row("fail", told=["x" * 10_000] * 500)], ["y" * 10_000])
    assert page.tags.count("li") == CELL_LINES
    assert "x" * LINE_MAX not in text and "y" * 100 not in text


def test_the_same_verdicts_give_the_same_bytes(tmp_path):
    rows = [a_row("pass"), a_row("fail", told=EVIL[:4])]
    assert read(tmp_path, rows, ["engine"])[0] == read(tmp_path, rows, ["engine"])[0]
