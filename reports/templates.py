"""How templates are read: whatever they print is escaped, and made harmless before."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.words import visible


def environment() -> Environment:
    """What renders the templates of this folder."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _shown(value: Any) -> Any:
    """What the template prints, before it is escaped: nothing in it moves or hides text."""
    return visible(value) if type(value) is str else value
