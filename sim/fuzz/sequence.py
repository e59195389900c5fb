"""What was sent, as a Mermaid sequence diagram. mermaid.js.org/syntax/sequenceDiagram."""

from collections.abc import Sequence

from sim.capture import escaped
from sim.fuzz.witness import Sight, Witness
from virtualtap.units import SECOND

LINES_MAX = 200  # frames that are drawn: the last ones
_NAME_MAX, _WORDS_MAX = 60, 200
_HARMLESS = frozenset(" .,:()/-_+")  # beside letters and digits
_LOST, _UNDER_WAY, _ARRIVED = "-x", "-)", "->>"


def diagram(witness: Witness, ending: str) -> str:
    """One line for each frame, in order of sending; `ending` is noted at the end."""
    sights = witness.sights[-LINES_MAX:]
    kinds = dict(witness.nodes)
    there = dict.fromkeys(name for sight in sights for name in (sight.source, sight.target))
    aliases = {name: f"n{i}" for i, name in enumerate(there, 1)}
    lines = ["sequenceDiagram"]
    lines += [
        f"    participant {alias} as {text(name, _NAME_MAX)} ({kinds[name]})"
        for name, alias in aliases.items()
    ]
    if len(sights) < len(witness.sights):
        lines.append(f"    Note over n1: {len(witness.sights) - len(sights)} frames before these")
    lines += [f"    {_arrow(sight, aliases)}" for sight in sights]
    if aliases:
        lines.append(f"    Note over {_across(list(aliases.values()))}: {text(ending, _WORDS_MAX)}")
    return "\n".join(lines) + "\n"


def text(words: str, longest: int) -> str:
    """The words of a stranger as Mermaid takes them: what could mean something has its number."""
    safe = "".join(
        char if char in _HARMLESS or (char.isascii() and char.isalnum()) else f"#{ord(char)};"
        for char in escaped(words, longest)
    )
    return safe.replace("end", "#101;nd")  # the word ends a block


def _arrow(sight: Sight, aliases: dict[str, str]) -> str:
    story = sight.story
    arrow, fate = _ARRIVED, ""
    if story.fate.startswith("lost"):
        arrow, fate = _LOST, f", {story.fate}"
    elif story.fate == "on its way":
        arrow = _UNDER_WAY
    elif story.fate.startswith("dropped"):
        fate = f", {story.fate}"
    said = f"{story.number}: {story.at / SECOND:.6f} s, {sight.words}{fate}"
    return f"{aliases[sight.source]}{arrow}{aliases[sight.target]}: {text(said, _WORDS_MAX)}"


def _across(aliases: Sequence[str]) -> str:
    return aliases[0] if len(aliases) == 1 else f"{aliases[0]},{aliases[-1]}"
