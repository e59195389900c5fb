"""The page: what it says, that nothing on it comes from strangers, and that it stays the same."""

import re
from base64 import b64decode
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from reports.page import ROWS_MAX, write_page
from reports.plots import PLOTS
from tests.reports.builders import (
    EVIL,
    a_bare_run,
    a_failed_run,
    a_run,
    an_empty_run,
    an_evil_run,
)

pytestmark = pytest.mark.slow  # each draws every figure

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
TAGS = """
    html head meta title style body main header section div h1 h2 h3 p bdi strong code ul li dl dt
    dd figure img figcaption a table thead tbody tr th td pre br
"""
ATTRIBUTES = """
    lang charset http-equiv content name class id aria-labelledby src alt href role tabindex scope
    colspan
"""


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.words = []
        self.others = []  # comments, processing instructions
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        self.others.append(data)

    handle_pi = unknown_decl = handle_comment

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def parsed(path):
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def evil(tmp_path_factory):
    return write_page(an_evil_run(), tmp_path_factory.mktemp("evil"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return write_page(a_run(), tmp_path_factory.mktemp("results") / "two-sites" / "7")


def test_there_are_at_least_40_evil_names():
    assert len(set(EVIL)) >= 40


def test_no_element_or_attribute_comes_from_a_name(evil, plain):
    page = parsed(evil)
    assert {tag for tag, _ in page.tags} <= set(TAGS.split())
    assert {name for _, attributes in page.tags for name in attributes} <= set(ATTRIBUTES.split())
    assert page.others == []
    assert [tag for tag, _ in page.tags if tag in ("script", "style", "meta", "img", "a")] == [
        tag for tag, _ in parsed(plain).tags if tag in ("script", "style", "meta", "img", "a")
    ]


def test_names_are_on_the_page_as_they_are_written(evil):
    cells = parsed(evil).words
    assert "<script>alert(1)</script>" in cells
    assert "[link=http://evil.example]x[/link]" in cells
    assert "\\u202egnp.exe" in cells


def test_no_character_on_the_page_moves_or_hides_text(evil):
    text = evil.read_text(encoding="utf-8").replace("\n", "")
    assert [char for char in text if not char.isprintable()] == []


def test_the_policy_allows_no_script_and_no_request(evil):
    page = parsed(evil)
    policies = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert policies == [POLICY]
    assert page.all("script") == []


def test_nothing_on_the_page_points_outside(evil):
    page = parsed(evil)
    assert {source["src"].partition(",")[0] for source in page.all("img")} == {
        "data:image/svg+xml;base64"
    }
    links = [link["href"] for link in page.all("a")]
    assert [link for link in links if not re.fullmatch(r"figures/[a-z_]+\.(svg|png)", link)] == []
    assert "url(" not in evil.read_text(encoding="utf-8")


def test_the_figures_hold_no_markup_of_strangers(evil):
    allowed = {"svg", "defs", "style", "g", "path", "use", "rect", "clipPath", "image"}
    for source in parsed(evil).all("img"):
        root = ElementTree.fromstring(b64decode(source["src"].partition(",")[2]))
        assert {element.tag.rpartition("}")[2] for element in root.iter()} <= allowed
        links = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
        assert [link for link in links if not link.startswith(("#", "data:image/png"))] == []


def test_the_same_run_gives_the_same_bytes(tmp_path, plain):
    before = {path.name: path.read_bytes() for path in plain.parent.rglob("*.*")}
    write_page(a_run(), plain.parent)
    assert {path.name: path.read_bytes() for path in plain.parent.rglob("*.*")} == before
    assert len(before) == 1 + 2 * len(PLOTS)


def test_each_figure_lies_beside_the_page_and_is_told_in_words(plain):
    assert {path.stem for path in (plain.parent / "figures").glob("*.svg")} == set(PLOTS)
    assert {path.stem for path in (plain.parent / "figures").glob("*.png")} == set(PLOTS)
    alternatives = [source["alt"] for source in parsed(plain).all("img")]
    assert alternatives[-2] == "Drops by reason. 17 frames dropped"


def test_the_page_says_what_was_run_and_how_to_run_it_again(plain):
    text = parsed(plain).text
    assert "two-sites pass" in text
    assert f"vtap replay {plain.parent}" in text
    assert "00112233445566778899aabbccddeeff" in text
    assert "virtualtap 0.1.0, python 3.11.7" in text
    assert 'until = "1s"' in text


def test_a_run_still_being_written_is_replayed_from_its_final_place(tmp_path):
    page = parsed(write_page(a_run(), tmp_path / "two-sites" / ".7.4242.new"))
    assert f"vtap replay {tmp_path / 'two-sites' / '7'}" in page.text


def test_each_missed_expectation_is_told(tmp_path):
    text = parsed(write_page(a_failed_run(), tmp_path)).text
    assert (
        "arp_convergence_s was nothing measured , expected at most 0.2; first missed at 1 s" in text
    )
    assert "dropped.storm was 3 , expected at most 0; first missed at 0.125 s" in text
    assert "one link was left out of the cascade" in text


@pytest.mark.parametrize("run", [a_bare_run(), an_empty_run(), a_run(verdict="stopped")])
def test_a_run_with_little_in_it_has_a_page(tmp_path, run):
    page = parsed(write_page(run, tmp_path))
    assert len(page.all("img")) == len(PLOTS)
    assert ("bare" in page.text) == run.bare


def test_a_long_table_ends_in_words(tmp_path):
    rows = [(f"port{i}", "storm", 1) for i in range(ROWS_MAX + 7)]
    page = parsed(write_page(a_run(tables={"drops": rows}), tmp_path))
    assert "… and 7 more, see drops.csv" in page.text


def test_several_runs_share_a_page(tmp_path):
    runs = [a_run(seed=seed) for seed in range(11)] + [a_failed_run()]
    page = parsed(write_page(runs, tmp_path / "two-sites"))
    assert "11 of 12 passed" in page.text
    assert "The figures show the first 10 of them." in page.text
    assert f"vtap replay {tmp_path / 'two-sites' / '3'}" in page.text


def test_a_report_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one run"):
        write_page([], tmp_path)
