"""Forty evil names through every output: they come out as text, escaped, and never as anything."""

import csv
import json
import re
from html import escape
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from sim.capture_reader import read_capture
from sim.github import annotations, summary
from sim.junit import FAILURE, Case, junit
from sim.results import read
from tests.sim.scenarios import ONE_LINE, SMALL, as_file, called

pytestmark = pytest.mark.slow

NAMES = (
    *("[/]", "[bold]x[/bold]", "[link=file:///x]y", "[@click=app.quit]x", "[red", ":smile:"),
    *("\x1b[31mred", "\x1b]8;;file:///x\x07y\x1b]8;;\x07", "\x9b31m", "\x07\x08\x08", "a\x7f"),
    *("\u202egnp.exe", "\u2066x\u2069", "\u200b", "a\u200db", "\ufeffx", "\U000e0041"),
    *("</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!--", "]]>"),
    *('" onload="alert(1)', "' or '1'='1", "<svg onload=alert(1)>", "&lt;b&gt;", "javascript:x"),
    *("$\\frac{x}$", "$x", "\\", "%s%n%(x)s", "{{7*7}}", "{% raw %}", "{0.__class__}", "${7*7}"),
    *("=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "\uff1d1+1"),
    *("../../x", "..", "/dev/null", "C:\\x", "--help", "a,b;c\td", 'a"b', "a\nb", "CON", "*?["),
    *("graph TD; a-->b", "e\u0301\u0302" * 9, "\U0001f468\u200d\U0001f469", "\u0661", "42", "nan"),
    *("x" * 256, "\u05d0\u05d1 abc", "null", "\u2028x\u2029"),
)
ACTIVE = {"script", "iframe", "object", "embed", "svg", "form", "input", "base", "video", "audio"}
LINKS = {"href", "src", "action", "xlink:href", "{http://www.w3.org/1999/xlink}href"}


def quoted(name):
    """As a TOML string."""
    return json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")


def labels(names):
    """What the reader of maps makes of labels: white space becomes single spaces."""
    return [" ".join(name.split()) for name in names]


def is_harmless(text):
    """Only what prints, and line breaks of ours."""
    return text.replace("\n", "").isprintable()


def a_map(folder):
    """A GML file of hubs with evil names, in a row."""
    nodes = [f'node [ id {i} label "{escape(name)}" ]' for i, name in enumerate(NAMES)]
    edges = [f"edge [ source {i} target {i + 1} ]" for i in range(len(NAMES) - 1)]
    path = folder / "evil.gml"
    path.write_text("\n".join(["graph [", *nodes, *edges, "]"]), encoding="utf-8", newline="")
    return path


def a_scenario(folder):
    """Evil names as nodes, as a comment and as reasons that are expected."""
    a_map(folder)
    expected = [f"{quoted(f'dropped.{name}')} = {{ min = 1 }}" for name in NAMES]
    comments = [f"# {name}" for name in NAMES if name.isprintable()]
    text = SMALL.replace('"star", sites = 2', '"evil.gml"').replace('"h*"', '"h1"')
    text += '[[timeline]]\nat = "250ms"\ncrash = "*"\n'
    return as_file(folder, "\n".join([text, *comments, "[expect]", *expected]))


def test_they_are_forty():
    assert len(set(labels(NAMES))) == len(NAMES) >= 40


def test_a_run_full_of_them_shows_and_writes_them_as_text(tmp_path, capsys):
    path = a_scenario(tmp_path)
    choices = ("--capture", "all", "--out", tmp_path / "out")
    status, said, complaint = called(capsys, "run", path, *choices)
    folder = tmp_path / "out" / "small" / "1"
    assert (status, complaint.count("nothing here drops for the reason")) == (1, len(NAMES))
    assert is_harmless(complaint)
    assert is_harmless(said) and said.count("is not at least 1") == len(NAMES)
    assert "[link=file:///x]y" in said and "[/]" in said  # as they are, not as markup
    run = read(folder)
    assert [failure.field for failure in run.failed] == [f"dropped.{name}" for name in NAMES]
    nodes = {row[0] for row in run.tables["nodes"]}
    assert {node["id"] for node in run.graph["nodes"]} == nodes >= {*labels(NAMES)}
    _page_is_dead(folder)
    _cells_are_no_formulas(folder)
    interfaces = {record.interface for record in read_capture(folder / "capture.pcapng")}
    assert all(name.isprintable() for name in interfaces)
    assert any(name.startswith("=1+1.") for name in interfaces)
    _everything_written_lies_below(tmp_path, folder)


def test_what_ci_is_told_of_them_is_text():
    suites = {name: [Case(name, name, FAILURE, name, (name, name), name)] for name in NAMES}
    assert len(ElementTree.fromstring(junit(suites))) == len(NAMES)
    for name, cases in suites.items():
        [line] = annotations({name: cases})
        assert line.isprintable() and line.count("::error ") == 1 + name.count("::error ")
    text = summary(suites)
    assert is_harmless(junit(suites) + text)
    assert text.count("\n### ") == len(NAMES) - 1
    assert not re.search(r"<(?!!-- -->)|(?<!\\)[*_`\[]|\w://|@(?!<)", text)


def _page_is_dead(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert is_harmless(text)
    page = Tags(text)
    assert not ACTIVE & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in LINKS & attributes.keys():
            assert re.match(r"#|data:image/|figures/[\w-]+\.|[\w./-]+$", attributes[name])
    assert page.others == ["DOCTYPE html"]
    drawings = [*(folder / "figures").glob("*.svg")]
    assert drawings
    for drawing in drawings:
        words = drawing.read_text(encoding="utf-8")
        assert "<!ENTITY" not in words
        for element in ElementTree.fromstring(words).iter():
            assert not {element.tag.rpartition("}")[2]} & (ACTIVE - {"svg"})
            targets = [value for key, value in element.items() if key in LINKS]
            assert not [value for value in targets if not re.match("#|data:image/png;", value)]
            assert not [name for name in element.attrib if name.startswith("on")]
            assert is_harmless("".join((element.text or "", element.tail or "")))


class Tags(HTMLParser):
    """The elements of a page, and whatever is neither element nor text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.others = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_decl(self, data):
        self.others.append(data)

    handle_comment = handle_pi = unknown_decl = handle_decl


def _cells_are_no_formulas(folder):
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [*csv.reader(file)]
        cells = [cell for row in rows for cell in row]
        wild = [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\uff1d"))]
        assert [cell for cell in wild if not re.fullmatch(r"-?[\d.]+(e[+-]\d+)?", cell)] == []


def _everything_written_lies_below(root, folder):
    written = [path for path in root.rglob("*") if path.is_file() and path.suffix != ".toml"]
    strays = [path for path in written if folder not in path.parents and path.suffix != ".gml"]
    assert strays == []


def test_json_on_stdout_is_ascii_and_whole(tmp_path, capsys):
    path = a_scenario(tmp_path)
    choices = ("--json", "--bare", "--out", tmp_path / "out")
    status, said, complaint = called(capsys, "run", path, *choices)
    assert (status, complaint, said.isascii()) == (1, "", True)
    failed = json.loads(said)["failed"]
    assert [failure["field"] for failure in failed] == [f"dropped.{name}" for name in NAMES]


def test_a_map_full_of_them_is_described(tmp_path, capsys):
    path = a_map(tmp_path)
    status, said, complaint = called(capsys, "topologies", path)
    assert (status, complaint, is_harmless(said)) == (0, "", True)
    status, said, complaint = called(capsys, "topologies", path, "--json")
    assert (status, complaint, json.loads(said)["names"]) == (0, "", labels(NAMES))
    status, said, complaint = called(capsys, "topologies", "--check", tmp_path)
    assert (status, complaint, is_harmless(said)) == (0, "1 of 1 built and run\n", True)


def test_a_graphml_map_full_of_them_runs_too(tmp_path, capsys):
    fit = [name for name in NAMES if not re.search("[\x00-\x1f\ufffe\uffff]", name)]
    nodes = [
        f'<node id="{i}"><data key="l">{escape(name)}</data></node>' for i, name in enumerate(fit)
    ]
    edges = [f'<edge source="0" target="{i}"/>' for i in range(1, len(fit))]
    key = '<key id="l" for="node" attr.name="label" attr.type="string"/>'
    graph = f'<graph edgedefault="undirected">{"".join(nodes + edges)}</graph>'
    path = tmp_path / "evil.graphml"
    path.write_text(f"<graphml>{key}{graph}</graphml>", encoding="utf-8")
    choices = ("--bare", "--set", "until=50ms", "--out", tmp_path / "out")
    status, said, complaint = called(capsys, "run", "--topology", path, *choices)
    assert (status, complaint, is_harmless(said)) == (0, "", True)
    assert {node["id"] for node in read(tmp_path / "out/evil/1").graph["nodes"]} >= {*labels(fit)}


PING = '[[traffic]]\nkind = "ping"\nfrom = {}\nto = "next"\n'
PLACES = {
    "a key": "{} = 1\n" + SMALL,
    "a key of a table": SMALL + "{} = 1\n",
    "a seed": "seed = {}\n" + SMALL,
    "a time": SMALL + "start = {}\n",
    "a capture scope": "capture = {}\n" + SMALL,
    "a kind": SMALL + '[[traffic]]\nkind = {}\nfrom = "h1"\nto = "h2"\n',
    "a sender": SMALL + PING,
    "a receiver": SMALL + '[[traffic]]\nkind = "ping"\nfrom = "h1"\nto = {}\n',
    "a link": SMALL + '[[links]]\nmatch = {}\ndelay = "1ms"\n',
    "a fault": SMALL + '[[links]]\nmatch = "*"\nfaults = [{{ fault = {} }}]\n',
    "a word of a fault": SMALL
    + '[[links]]\nmatch = "*"\nfaults = [{{ fault = "loss", {} = 1 }}]\n',
    "a node that crashes": SMALL + '[[timeline]]\nat = "1ms"\ncrash = {}\n',
    "a fault that ends": SMALL + '[[timeline]]\nat = "1ms"\nend = {{ link = "*", fault = {} }}\n',
    "a field": SMALL + "[expect]\n{} = 1\n",
    "a limit": SMALL + "[expect]\ndelivered = {{ {} = 1 }}\n",
    "a topology": SMALL.replace("{", "{{").replace("}", "}}").replace('"star", sites = 2', "{}"),
    "a parameter": 'name = "a"\ntopology = {{ name = "star", {} = 1 }}\n',
    "a file": SMALL
    + '[[traffic]]\nkind = "replay"\nfile = {}\nfrom = "h1"\nto = "h2"\naddress = ""\n',
    "an address": SMALL + '[[traffic]]\nkind = "replay"\nfile = "x"\naddress = {}\nfrom = "h1"\n',
}


@pytest.mark.parametrize("place", PLACES)
def test_in_any_place_of_a_scenario_they_are_one_line(tmp_path, capsys, place):
    template = PLACES[place]
    if place != "a topology":
        template = template.replace(SMALL, SMALL.replace("{", "{{").replace("}", "}}"))
    for name in (*NAMES, "\0"):
        path = as_file(tmp_path, template.format(quoted(name)))
        status, said, complaint = called(capsys, "run", path, "--bare", "--out", tmp_path / "out")
        assert (name, status, said) == (name, 2, "")
        assert ONE_LINE.fullmatch(complaint) and is_harmless(complaint), complaint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--topology", "--set", "--capture", "--seed", "--max-nodes"])
def test_in_any_option_they_are_one_line(tmp_path, capsys, monkeypatch, option):
    monkeypatch.chdir(tmp_path)
    for name in (*NAMES, "\0"):
        start = [] if option == "--topology" else ["--topology", "star"]
        if name == "42" and option in ("--seed", "--max-nodes"):
            continue  # a number is what they want
        status, said, complaint = called(capsys, "run", *start, f"{option}={name}", "--bare")
        assert (name, status, said) == (name, 2, "")
        assert ONE_LINE.fullmatch(complaint) and is_harmless(complaint), complaint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", ["run", "replay", "report", "topologies", "bundle", "export", "schema", ""]
)
def test_as_a_path_or_command_they_are_one_line(tmp_path, capsys, monkeypatch, command):
    below = tmp_path / "a" / "b" / "c"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    for name in (*NAMES, "\0"):
        words = [command, "--", name] if command else [f"x{name}"]
        status, said, complaint = called(capsys, *words)
        assert (name, status, said) == (name, 2, "")
        assert ONE_LINE.fullmatch(complaint) and is_harmless(complaint), complaint
    assert list(below.iterdir()) == []
