"""Time: integer nanoseconds since an epoch the caller chose."""

from typing import TypeAlias

Instant: TypeAlias = int
Duration: TypeAlias = int

US: Duration = 1_000
MS: Duration = 1_000_000
SECOND: Duration = 1_000_000_000
