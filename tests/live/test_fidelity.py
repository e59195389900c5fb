"""The page of what was compared: counts, and what must not be overlooked."""

import os

from sim.live import __main__ as live
from sim.live.__main__ import main
from sim.live.fidelity import Row, Section, page, unexplained

SAME = Row("a | b", "yes", "yes", same=True)
KNOWN = Row("known", "yes", "no", same=False, cause="it is so")
ODD = Row("odd", "yes", "no", same=False)
SECTIONS = [Section("one", "Text.", [SAME, KNOWN]), Section("two", "More.", [ODD])]


def test_what_differs_without_a_cause_is_unexplained():
    assert unexplained(SECTIONS) == [("two", ODD)]


def test_the_page_counts_and_shows_every_row():
    lines = page(SECTIONS, "Linux.").splitlines()
    assert "| one | 1 of 2 the same, 1 known, 0 unexplained |" in lines
    assert "| two | 0 of 1 the same, 0 known, 1 unexplained |" in lines
    assert "| a \\| b | yes | yes | same |" in lines
    assert "| known | yes | no | known: it is so |" in lines
    assert "| odd | yes | no | **differs** |" in lines


def test_without_root_all_is_skipped_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    status = main()
    said = capsys.readouterr().out
    assert (status, said.startswith("skipped: "), said.count("\n")) == (0, True, 1)


def judging(monkeypatch, tmp_path, *, good_from):
    """The status of `make live`, and how often it judged a part that is as the model later."""
    times = []

    def part():
        times.append(len(times) + 1)
        yield Section("one", "Text.", [SAME if times[-1] >= good_from else ODD])

    monkeypatch.setattr(live, "PARTS", (part,))
    monkeypatch.setattr(live, "_lack", lambda: None)
    monkeypatch.setattr(live, "sweep", lambda: None)
    monkeypatch.setattr(live, "PAGE", tmp_path / "fidelity.md")
    return main(), len(times)


def test_what_differed_once_is_judged_again_and_said(monkeypatch, tmp_path, capsys):
    assert judging(monkeypatch, tmp_path, good_from=2) == (0, 2)
    assert "judged again: one: odd\n" in capsys.readouterr().out


def test_what_differs_each_time_leaves_with_1(monkeypatch, tmp_path, capsys):
    assert judging(monkeypatch, tmp_path, good_from=9) == (1, 3)
    assert "differs: one: odd: model yes; real no\n" in capsys.readouterr().out
