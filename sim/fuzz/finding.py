"""A finding on disk: the world, a test, its frames, a picture of them, and the explanation."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TypeAlias

from sim.apart import Ended
from sim.capture import ETHERNET, OUTBOUND, RAW_IP, PcapngWriter, escaped
from sim.fuzz.foreign import found_apart
from sim.fuzz.judge import Row, Task, first_of, judge, staged
from sim.fuzz.sequence import diagram
from sim.fuzz.witness import Sight, Witness, watch
from sim.laws.invariants import INVARIANTS
from sim.words.quantities import duration
from virtualtap.errors import UsageError
from virtualtap.units import SECOND, Instant

WORLD, TEST, FRAMES = "world.toml", "test_world.py", "frames.pcapng"
SEQUENCE, EXPLANATION = "sequence.mmd", "explanation.md"
_WORDS_MAX = 300
_LAW = "invariants."
_IMPORT = "from sim.fuzz.judge import Task, judge"
See: TypeAlias = Callable[[Task, Instant | None], Witness]


@dataclass(frozen=True, slots=True)
class Written:
    """What a folder of a finding holds: nodes, and Ethernet frames up to the failure."""

    signature: str
    nodes: int
    frames: int


@dataclass(frozen=True, slots=True)
class _Failure:
    """What broke first, in words that can do no harm; `at` is None for an exception."""

    law: str
    signature: str
    expected: str
    seen: str
    at: Instant | None

    @property
    def when(self) -> str:
        """In words."""
        return "before its end" if self.at is None else f"at {self.at / SECOND:.9f} s"


def folder_name(signature: str) -> str:
    """A folder's name for a signature: letters, digits and dashes, and a sum that tells it."""
    plain = "".join(char if char.isascii() and char.isalnum() else "-" for char in signature)
    words = "-".join(part for part in plain.lower().split("-") if part)[:60].strip("-")
    return f"{words}-{blake2b(signature.encode(), digest_size=2).hexdigest()}"


def write_finding(folder: Path, task: Task, found: str) -> Written:
    """Write the five files into `folder`, which is made where it is not there.

    The task has the text of the world; `found` says how it was come by: a seed, a fingerprint.
    UsageError where the world does not fail.
    """
    row = judge(task)
    if not row.failed:
        raise UsageError("the world does not fail", "judge it with what it was found with")
    if task.target is None:
        return _written(folder, task, found, row, _witness)
    try:  # somebody else's code, in a process of its own
        return found_apart(lambda: _written(folder, task, found, row, _witness), Written)
    except Ended:
        return _written(folder, task, found, row, _nobody)


def _written(folder: Path, task: Task, found: str, row: Row, see: See) -> Written:
    failure = _failure(row)
    witness = see(task, failure.at)
    folder.mkdir(parents=True, exist_ok=True)
    nodes = len(witness.nodes) or row.nodes
    found = f"{escaped(found, _WORDS_MAX)}; {nodes} nodes, {witness.originated} frames"
    texts = {
        WORLD: f"{_header(failure, found)}{task.text}",
        TEST: as_test(task, failure.signature),
        SEQUENCE: diagram(witness, f"{failure.law}: {failure.seen}"),
        EXPLANATION: _explained(task, failure, witness, found),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    _write_frames(folder / FRAMES, witness)
    return Written(row.signature, nodes, witness.originated)


def _witness(task: Task, at: Instant | None) -> Witness:
    """What was sent up to the failure."""
    with staged(task) as order:
        until = duration(order.scenario().until)
        return watch(order, until if at is None else min(until, at + 1))


def _nobody(task: Task, at: Instant | None) -> Witness:
    """It ended whoever looked."""
    return Witness([], [], 0)


def _failure(row: Row) -> _Failure:
    """As the signature has it: what broke first."""
    first = first_of(row.failed)
    law, expected, seen = (
        escaped(str(first[key]), _WORDS_MAX) for key in ("field", "limit", "value")
    )
    at = None if first["at_s"] is None else round(first["at_s"] * SECOND)
    signature = escaped(row.signature, _WORDS_MAX)
    return _Failure(law.removeprefix(_LAW), signature, expected, seen, at)


def _header(failure: _Failure, found: str) -> str:
    return (
        f"# {failure.signature} {failure.when}\n"
        f"# expected: {failure.expected}; seen: {failure.seen}\n"
        f"# found: {found}\n"
    )


def as_test(task: Task, signature: str) -> str:
    """About ten lines that pytest runs alone: they fail while the world does."""
    said = signature.replace("\\", "/").replace('"', "'")
    imports = defined = words = ""
    if task.defect is not None:
        imports, words = "import os\n", ", defect=DEFECT"
        defined = (
            f"# it was found with this planted; with `VTAP_DEFECT=` nothing is\n"
            f'DEFECT = os.environ.get("VTAP_DEFECT", {task.defect!a}) or None\n'
        )
    if task.target is not None:
        words += f", target={task.target!a}"
    return f'''"""{said}"""

{imports}from pathlib import Path

{_IMPORT}

WORLD = Path(__file__).with_name("{WORLD}")
{defined}

def test_the_world_holds():
    row = judge(Task(seed={task.seed}, text=WORLD.read_text(encoding="utf-8"){words}))
    assert row.verdict == "pass", row.failed
'''


def _explained(task: Task, failure: _Failure, witness: Witness, found: str) -> str:
    """What must hold, what was seen instead, and how it came to it."""
    law = INVARIANTS.get(failure.law)
    is_ours = task.defect is None and task.target is None
    lines = [
        f"# {_plain(failure.law)} {failure.when}",
        "",
        *([] if law is None else [" ".join((law.__doc__ or "").split()), ""]),
        f"- expected: {_plain(failure.expected)}",
        f"- seen: {_plain(failure.seen)}",
        f"- found: {_plain(found)}",
        *([] if task.defect is None else [f"- planted: {_plain(task.defect)}"]),
        f"- again: `pytest {TEST}`" + (f", or `vtap run {WORLD}`" if is_ours else ""),
        "",
        "## How it came to it",
        "",
    ]
    last = witness.latest(failure.at, failure.seen)
    for number, sight in enumerate([] if last is None else witness.chain(last), 1):
        cause = f"Because of {_plain(sight.story.cause)}: " if sight.story.cause else ""
        lines.append(f"{number}. {cause}{_plain(_words(sight))}")
    if last is None:
        lines.append("No frame was seen before it.")
    lines += ["", f"All frames up to then are in `{FRAMES}`, drawn in `{SEQUENCE}`."]
    return "\n".join(lines) + "\n"


def _words(sight: Sight) -> str:
    story = sight.story
    end = f" at {story.fate_at / SECOND:.9f} s" if story.fate_at != story.at else ""
    return (
        f"frame {story.number}, {sight.words}, {story.at / SECOND:.9f} s, from {sight.source} "
        f"to {sight.target}: {story.fate}{end}"
    )


def _plain(words: str) -> str:
    """The words of a stranger as Markdown shows them: no mark-up, no link, no HTML."""
    safe = escaped(words, _WORDS_MAX)
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>()#!|~&$" else char for char in safe)


def _write_frames(path: Path, witness: Witness) -> None:
    """One interface for each port that sent; the comment of a frame says why it was sent."""
    with path.open("wb") as stream:
        writer = PcapngWriter(stream)
        ports: dict[str, int] = {}
        for sight in witness.sights:
            story = sight.story
            if story.source not in ports:
                link_type = RAW_IP if story.is_packet else ETHERNET
                ports[story.source] = writer.interface(story.source, link_type)
            why = f"frame {story.parent}" if story.parent else story.cause
            said = f"frame {story.number}, because of {why}; {story.fate}"
            writer.frame(ports[story.source], story.at, sight.data, said, OUTBOUND)
        writer.finish(max((sight.story.fate_at for sight in witness.sights), default=0))
