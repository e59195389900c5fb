"""GraphML, read as a stream. graphml.graphdrawing.org; attributes of the Internet Topology Zoo.

No tree is built and no document type let in, so that the length of a file bounds what it can cost.
"""

from collections.abc import Callable, Mapping
from typing import NoReturn
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from topologies.survey import Survey, place_of, rate_of
from topologies.vocabulary import GraphError, quoted

ELEMENTS_MAX = 3_000_000
DEPTH_MAX = 32

_NAMESPACE = "{http://graphml.graphdrawing.org/"
_NAMESPACE_MAX = 256  # characters; expat repeats them for every element
_TAG_MAX = 16
_WANTED = {"node": ("label", "latitude", "longitude"), "edge": ("linkspeedraw",)}
_TEXT_MAX = 4096  # characters of one value, white space included
_NOT_HERE = {
    "graphml/graph/hyperedge": "a hyperedge",
    "graphml/graph/node/port": "a port",
    "graphml/graph/node/graph": "a graph inside a node",
    "graphml/graph/edge/graph": "a graph inside an edge",
}


def read(data: bytes, survey: Survey) -> None:
    """Put the nodes and edges of the one graph in `data` into `survey`; GraphError if it cannot."""
    reader = _Reader(survey)
    parser = XMLParser(target=reader, forbid_dtd=True)
    reader.line = lambda: parser.parser.CurrentLineNumber
    try:
        parser.feed(data)
        parser.close()
    except GraphError:
        raise
    except DefusedXmlException:
        raise GraphError(
            "it declares a document type or entities", "remove the `<!DOCTYPE ...>` from the file"
        ) from None
    except ParseError as error:
        raise GraphError(
            f"line {error.position[0]}: not well-formed XML",
            "check that the file is complete GraphML",
        ) from None
    except (ValueError, LookupError):  # raised for encodings that expat and Python cannot read
        raise GraphError("its declared encoding cannot be read", "save the file as UTF-8") from None
    if not reader.has_graph:
        raise GraphError("it holds no graph", "give a file with one `<graph>` in `<graphml>`")


class _Reader:
    """The target of the parser: knows where it is, keeps only what one node or edge says."""

    line: Callable[[], int]

    def __init__(self, survey: Survey) -> None:
        self.has_graph = False
        self._survey = survey
        self._elements = 0
        self._path: list[str] = []
        self._keys: dict[str, tuple[str, str]] = {}  # id -> what it is for, attribute name
        self._defaults: dict[str, dict[str, str]] = {"node": {}, "edge": {}}
        self._key = ""
        self._attributes: Mapping[str, str] = {}  # of the node or edge being read
        self._values: dict[str, str] = {}  # its data, by attribute name
        self._text: list[str] | None = None  # of the value being read, if it is wanted
        self._text_length = 0
        self._starts: dict[str, Callable[[Mapping[str, str]], None]] = {
            "graphml/key": self._start_key,
            "graphml/key/default": self._start_default,
            "graphml/graph": self._start_graph,
            "graphml/graph/node": self._start_item,
            "graphml/graph/edge": self._start_item,
            "graphml/graph/node/data": self._start_data,
            "graphml/graph/edge/data": self._start_data,
        }
        self._ends: dict[str, Callable[[], None]] = {
            "graphml/key/default": self._end_default,
            "graphml/graph/node": self._end_node,
            "graphml/graph/edge": self._end_edge,
            "graphml/graph/node/data": self._end_data,
            "graphml/graph/edge/data": self._end_data,
        }

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > ELEMENTS_MAX or len(self._path) == DEPTH_MAX:
            self._fail(
                f"more than {ELEMENTS_MAX} elements or {DEPTH_MAX} levels",
                "choose a smaller network",
            )
        namespace, _, name = tag.rpartition("}")
        ours = len(name) <= _TAG_MAX and (not namespace or namespace.startswith(_NAMESPACE))
        self._path.append(name if ours else "?")
        path = "/".join(self._path)
        if self._path[0] != "graphml":
            self._fail(f"the root element is {quoted(name)}", "give a file whose root is `graphml`")
        if path in _NOT_HERE:
            self._fail(f"{_NOT_HERE[path]} has no counterpart here", "write it as nodes and edges")
        if path in self._starts:
            self._starts[path](attributes)

    def end(self, _tag: str) -> None:
        path = "/".join(self._path)
        if path in self._ends:
            self._ends[path]()
        self._path.pop()

    def data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)
            self._text_length += len(text)
            if self._text_length > _TEXT_MAX:
                self._fail(f"a value of more than {_TEXT_MAX} characters", "shorten it")

    def start_ns(self, _prefix: str, uri: str) -> None:
        if len(uri) > _NAMESPACE_MAX:
            self._fail(f"a namespace of more than {_NAMESPACE_MAX} characters", "shorten it")

    def close(self) -> None:
        """The parser asks for it; everything has been handed over by then."""

    def _start_key(self, attributes: Mapping[str, str]) -> None:
        self._key = self._required("key", "id", attributes)
        if self._key in self._keys:
            self._fail(f"the key {quoted(self._key)} is declared twice", "make the ids unique")
        name = attributes.get("attr.name", "").lower()
        self._keys[self._key] = (attributes.get("for", "all"), name)

    def _start_default(self, _attributes: Mapping[str, str]) -> None:
        self._text = []

    def _end_default(self) -> None:
        domain, name = self._keys[self._key]
        for item, defaults in self._defaults.items():
            if domain in {item, "all"} and name in _WANTED[item]:
                defaults[name] = self._taken_text()

    def _start_graph(self, attributes: Mapping[str, str]) -> None:
        if self.has_graph:
            self._fail("a second graph", "give a file with one graph")
        self.has_graph = True

    def _start_item(self, attributes: Mapping[str, str]) -> None:
        self._attributes = attributes
        self._values = {}

    def _end_node(self) -> None:
        values = self._defaults["node"] | self._values
        key = self._required("node", "id", self._attributes)
        self._put(lambda: self._survey.add_node(key, values.get("label", ""), place_of(values)))

    def _end_edge(self) -> None:
        values = self._defaults["edge"] | self._values
        source = self._required("edge", "source", self._attributes)
        target = self._required("edge", "target", self._attributes)
        self._put(lambda: self._survey.add_link(source, target, rate_of(values)))

    def _start_data(self, attributes: Mapping[str, str]) -> None:
        self._key = self._required("data", "key", attributes)
        if self._key not in self._keys:
            self._fail(f"the key {quoted(self._key)} is not declared", "declare it with `<key>`")
        item = self._path[-2]
        domain, name = self._keys[self._key]
        if domain in {item, "all"} and name in _WANTED[item]:
            if name in self._values:
                self._fail(f"{quoted(name)} is given twice to one {item}", "give it once")
            self._text = []

    def _end_data(self) -> None:
        if self._text is not None:
            self._values[self._keys[self._key][1]] = self._taken_text()

    def _taken_text(self) -> str:
        text = "".join(self._text or ())
        self._text = None
        self._text_length = 0
        return text

    def _required(self, element: str, name: str, attributes: Mapping[str, str]) -> str:
        value = attributes.get(name)
        if not value:
            self._fail(f"a `{element}` has no `{name}`", f"give each `{element}` its `{name}`")
        return value

    def _put(self, add: Callable[[], None]) -> None:
        try:
            add()
        except GraphError as error:
            self._fail(str(error), error.hint)

    def _fail(self, message: str, hint: str) -> NoReturn:
        raise GraphError(f"line {self.line()}: {message}", hint) from None
