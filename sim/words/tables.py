"""What every table of a scenario keeps to: known keys, short lists, names that are patterns."""

from typing import Annotated

import msgspec
from msgspec import Meta

ENTRIES_MAX = 1000  # of any list of a scenario: most are held against every name

Pattern = Annotated[str, Meta(min_length=1, max_length=256)]
Count = Annotated[int, Meta(ge=0, le=10_000)]
Few = Meta(max_length=ENTRIES_MAX)


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a scenario: unknown keys are refused."""
