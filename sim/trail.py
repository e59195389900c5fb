"""A run as a trail of moments, and two such side by side, up to the first that differs.

`python -m sim.trail` reads an order as JSON on stdin and writes its trail on stdout.
"""

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from typing import IO, BinaryIO
from zlib import crc32

from sim.capture import escaped
from sim.limits import Limits
from sim.observers import Moment, Observer
from sim.results import ResultError
from sim.run import Order, perform
from topologies import GraphError
from virtualtap.errors import UsageError

HASH_SEEDS = (1, 2)  # of the two processes: sets of strings are in another order
_NAME_MAX = 256
_FAILED = 2
_HINT = "\t"  # parts it from what went wrong


class Trail(Observer):
    """Writes what the digest sums up, a line for each moment: time, kind, place, length, CRC-32."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def see(self, moment: Moment) -> None:
        at, kind, where, data, _ = moment
        line = f"{at} {kind} {len(data)} {crc32(data):08x} {escaped(where, _NAME_MAX)}\n"
        self._stream.write(line.encode())


@dataclass(frozen=True, slots=True)
class Difference:
    """The first moment in which two runs differ: its number, from 1, and what each one saw."""

    number: int
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two trails: the digest of the first if it came to its end, and where they part, if at all."""

    digest: str
    moments: int
    difference: Difference | None


def check(order: Order) -> Comparison:
    """Run it twice, in two processes whose hash seeds differ. UsageError where it cannot be run."""
    order.scenario()
    return compare((sys.executable, "-m", "sim.trail"), _written(order))


def compare(command: Sequence[str], said: bytes = b"") -> Comparison:
    """Start `command` once for each of HASH_SEEDS, say `said` to it, and compare what it writes.

    It writes one line for each moment and at its end its digest. UsageError where one fails alike.
    """
    with TemporaryFile() as complaint:
        processes = [_started(command, seed, complaint) for seed in HASH_SEEDS]
        try:
            for process in processes:
                assert process.stdin is not None
                with suppress(BrokenPipeError), process.stdin:  # one that is gone says why
                    process.stdin.write(said)
            found = _compared(processes[0].stdout or (), processes[1].stdout or ())
        finally:
            for process in processes:
                process.kill()
                process.wait()
                assert process.stdout is not None
                process.stdout.close()
        if found.difference is None and not found.digest:
            complaint.seek(0)
            (*_, why) = complaint.read().decode(errors="replace").splitlines() or ["no word"]
            why, _, hint = why.partition(_HINT)
            told = f"it cannot be run: {why:.500}"
            raise UsageError(told, hint[:500] or "run it without `--check`")
    return found


def _started(command: Sequence[str], seed: int, complaint: IO[bytes]) -> Popen[bytes]:
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    return Popen(  # noqa: S603  # this very program, or a test's
        command, stdin=PIPE, stdout=PIPE, stderr=complaint, env=environment
    )


def _compared(one: IO[bytes] | tuple[()], other: IO[bytes] | tuple[()]) -> Comparison:
    """In step, line by line, so that neither runs ahead and nothing is kept."""
    number, last = 0, b""
    for number, (first, second) in enumerate(zip_longest(one, other, fillvalue=b""), 1):
        if first != second:
            return Comparison("", number, Difference(number, _words(first), _words(second)))
        last = first
    if not last.startswith(b"digest "):
        return Comparison("", number, None)
    return Comparison(last.split()[1].decode(), number - 1, None)


def _words(line: bytes) -> str:
    parts = line.decode().rstrip("\n").split(" ", 4)
    if len(parts) < 5:
        return "the run had ended"
    at, kind, length, crc, where = parts
    return f"{int(at) / 1e9:.9f} s, {kind} at {where}, {length} bytes, CRC-32 {crc}"


def _written(order: Order) -> bytes:
    words = {
        "text": order.text,
        "folder": str(order.folder),
        "where": order.where,
        "changes": order.changes,
        "seed": order.seed,
        "limits": asdict(order.limits),
    }
    return json.dumps(words).encode()


def _read(said: bytes) -> Order:
    words = json.loads(said)
    return Order(
        text=words["text"],
        folder=Path(words["folder"]),
        where=words["where"],
        changes=tuple(words["changes"]),
        seed=words["seed"],
        capture="none",
        limits=Limits(**words["limits"]),
    )


def main() -> int:
    """One run of the order on stdin."""
    try:
        run, _ = perform(_read(sys.stdin.buffer.read()), None, observers=[Trail(sys.stdout.buffer)])
    except (UsageError, GraphError, ResultError) as error:
        sys.stderr.write(f"{error}{_HINT}{error.hint}\n")
        return _FAILED
    sys.stdout.buffer.write(f"digest {run.digest}\n".encode())
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
