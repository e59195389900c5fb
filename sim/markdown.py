"""Words of strangers in Markdown: no mark-up, no link, no HTML. GitHub Flavored Markdown 6.9."""

import re

from sim.capture import escaped

_MARKUP = re.compile(r"[\\`*_\[\]<>|&~#@]|(?<=\w):(?=//)|(?i:(?<=www)\.)")

# looked for after escapes are gone: addresses of mail, people, issues; a comment parts them
_LATE = re.compile(r"(\\@|\\#(?=[0-9]))")


def literal(text: str, most: int = 500) -> str:
    """One line of which no mark is one, of at most so many characters before they are escaped."""
    marked = _MARKUP.sub(r"\\\g<0>", escaped(text, most)).replace("\\<", "&lt;")
    return _LATE.sub(r"\1<!-- -->", marked)
