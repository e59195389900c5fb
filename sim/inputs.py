"""The files that a scenario names, as a run keeps them: each by the digest of its bytes."""

import re
from hashlib import blake2b
from pathlib import Path

from virtualtap.errors import UsageError

FOLDER = "inputs"  # of a run, that keeps them
BYTES_MAX = 64 * 1024 * 1024


def kept(folder: Path, name: str, digest: str) -> Path:
    """Where the run in `folder` keeps the file of this name. UsageError: not as it was."""
    if not re.fullmatch("[0-9a-f]{32}", digest):
        raise UsageError(f"`{folder}` names no input `{name:.60}`", "run the scenario again")
    path = folder / FOLDER / digest
    if not path.is_file() or digest_of(path) != digest:
        raise UsageError(f"input `{name:.60}` of `{folder}` is not what it was", "run it again")
    return path


def digest_of(path: Path) -> str:
    """BLAKE2b of its bytes, 32 hexadecimal digits. UsageError where it cannot be read."""
    try:
        if not path.is_file():
            raise UsageError(f"there is no file `{path}`", "files are relative to the scenario's")
        if path.stat().st_size > BYTES_MAX:
            raise UsageError(f"`{path}` is longer than {BYTES_MAX} bytes", "cut it shorter")
        return blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        why = (error.strerror or "not possible").lower()
        raise UsageError(f"cannot read `{path}`: {why}", "check its permissions") from None
