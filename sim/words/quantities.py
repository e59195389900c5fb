"""Times and rates as a scenario writes them: `10ms`, `50Mbit`."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Annotated

from msgspec import Meta

from virtualtap.errors import UsageError
from virtualtap.units import Duration

TIME = r"^[0-9]{1,12}(\.[0-9]{1,9})?(ns|us|ms|s|min|h|d)\Z"  # `$` would let a line break by
RATE = r"^[0-9]{1,12}(\.[0-9]{1,9})?(bit|kbit|Mbit|Gbit)\Z"
RATE_OR_NONE = rf"^none\Z|{RATE}"
MSER5 = "mser5"
WARMUP = rf"^{MSER5}\Z|{TIME}"
Time = Annotated[str, Meta(pattern=TIME)]
Rate = Annotated[str, Meta(pattern=RATE)]
Warmup = Annotated[str, Meta(pattern=WARMUP)]
RateOrNone = Annotated[str, Meta(pattern=RATE_OR_NONE)]

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86_400 * 10**9,
    "bit": 1,
    "kbit": 1_000,
    "Mbit": 1_000_000,
    "Gbit": 10**9,
}


def duration(text: str) -> Duration:
    """`"10ms"` as nanoseconds; parts of a nanosecond are cut. UsageError for anything else."""
    return _quantity(text, TIME, "a time", "write it as `10ms`, `2.5s` or `3min`")


def rate(text: str) -> int:
    """`"50Mbit"` as bit/s. UsageError for anything else, and for 0."""
    value = _quantity(text, RATE, "a rate", "write it as `50Mbit` or `1Gbit`")
    if value == 0:
        raise UsageError("a rate of 0 carries nothing", "leave `rate` out for no limit")
    return value


@lru_cache(maxsize=4096)  # few are said, each often
def _quantity(text: str, pattern: str, what: str, hint: str) -> int:
    if not re.fullmatch(pattern, text):
        raise UsageError(f"{text!r:.60} is not {what}", hint)
    number = re.match(r"[0-9.]+", text)
    assert number is not None
    return int(Decimal(number[0]) * _UNITS[text[number.end() :]])
