"""JUnit XML: suites of cases, each of which held, failed, could not be judged, or was not asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from sim.capture import escaped

FAILURE, ERROR, SKIPPED = "failure", "error", "skipped"
_NAME_MAX, _WHY_MAX, _LINE_MAX = 500, 500, 1000  # characters


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that was judged. Without an `outcome` it held."""

    group: str
    name: str
    outcome: str = ""
    why: str = ""  # in a line
    told: Sequence[str] = ()  # at length, in lines
    file: str = ""  # that it is about


Suites = Mapping[str, Sequence[Case]]  # by name


def junit(suites: Suites) -> str:
    """All suites in one document."""
    root = ElementTree.Element("testsuites")
    for name, cases in suites.items():
        found = [case.outcome for case in cases]
        counts = {"failures": FAILURE, "errors": ERROR, "skipped": SKIPPED}
        suite = ElementTree.SubElement(root, "testsuite", name=escaped(name, _NAME_MAX))
        suite.set("tests", str(len(cases)))
        for word, outcome in counts.items():
            suite.set(word, str(found.count(outcome)))
        for case in cases:
            _add(suite, case)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add(suite: ElementTree.Element, case: Case) -> None:
    names = {"classname": escaped(case.group, _NAME_MAX), "name": escaped(case.name, _NAME_MAX)}
    row = ElementTree.SubElement(suite, "testcase", names)
    text = "\n".join(escaped(line, _LINE_MAX) for line in case.told)
    if case.outcome:
        told = ElementTree.SubElement(row, case.outcome, message=escaped(case.why, _WHY_MAX))
        told.text = text or None
    elif case.why or text:
        ElementTree.SubElement(row, "system-out").text = text or escaped(case.why, _WHY_MAX)
