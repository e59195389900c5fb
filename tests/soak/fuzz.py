"""Ten minutes of Atheris: no bytes, in any order and at any time, make a tap raise.

One process for each core, all of one corpus: what the conformance cases say, as it is and to every
other tap of `steps.LIVES`, and what earlier runs found. It stays in `.venv/fuzz`. The shortest of
what reaches anything new go into `corpus.hex`, which an ordinary test lives through.
"""

import os
import re
import shutil
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

from sim.conformance.registry import cases
from tests.soak.report import ROOT, Report
from tests.soak.steps import LIVES, from_case

PLACE = ROOT / ".venv" / "fuzz"
CORPUS = ROOT / "tests" / "soak" / "corpus.hex"
SECONDS = int(os.environ.get("FUZZ_SECONDS", "600"))
LENGTH_MAX = 2048
KEPT_MAX, KEPT_LENGTH_MAX = 200, 192
HEAD = (
    "# Lives of a tap, each of which reaches what no other does: written by `make soak PART=fuzz`"
)


def run(report: Report) -> None:
    """Ten minutes without an exception, and a corpus that is kept small."""
    corpus = _seeded()
    workers = [_worker(number, corpus) for number in range(os.cpu_count() or 1)]
    logs = [worker.communicate()[1] for worker in workers]
    for worker, log in zip(workers, logs, strict=True):
        assert worker.returncode == 0, _why(log)
    small = _merged(corpus)
    _keep(small)
    executed = sum(_last(r"stat::number_of_executed_units: *(\d+)", log) for log in logs)
    report.figure("lives lived", executed)
    report.figure("exceptions", 0)
    report.figure(
        "branches and comparisons reached", max(_last(r" ft: (\d+)", log) for log in logs)
    )
    report.figure("inputs that reach them", len(list(small.iterdir())))
    report.note(f"{len(LIVES)} configurations, {SECONDS} s on each core.")


def kept() -> list[bytes]:
    """The committed inputs."""
    lines = CORPUS.read_text(encoding="ascii").splitlines()
    return [bytes.fromhex(line) for line in lines if not line.startswith("#")]


def _seeded() -> Path:
    corpus = PLACE / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = [from_case(case, 0) for case in cases()]
    seeds = [bytes((n % len(LIVES),)) + seed[1:] for n, seed in enumerate(seeds)] + seeds
    for seed in (*seeds, *kept()):
        if len(seed) <= LENGTH_MAX:
            (corpus / blake2b(seed, digest_size=20).hexdigest()).write_bytes(seed)
    return corpus


def _worker(number: int, corpus: Path) -> "subprocess.Popen[str]":
    return _target(
        str(corpus),
        *(f"-seed={number + 1}", f"-max_total_time={SECONDS}", f"-max_len={LENGTH_MAX}"),
        *("-reload=1", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"),
        f"-artifact_prefix={PLACE}/found-{number}-",
    )


def _merged(corpus: Path) -> Path:
    """The corpus without what reaches nothing new, which the next run begins with."""
    small = PLACE / "small"
    shutil.rmtree(small, ignore_errors=True)
    small.mkdir()
    merge = _target("-merge=1", f"-max_len={LENGTH_MAX}", str(small), str(corpus))
    log = merge.communicate()[1]
    assert merge.returncode == 0, _why(log)
    return small


def _keep(small: Path) -> None:
    found = sorted((path.read_bytes() for path in small.iterdir()), key=lambda one: (len(one), one))
    chosen = [one.hex() for one in found if len(one) <= KEPT_LENGTH_MAX][:KEPT_MAX]
    CORPUS.write_text("\n".join((HEAD, *chosen)) + "\n", encoding="ascii")


def _target(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        (sys.executable, "-m", "tests.soak.fuzz_target", *words),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


def _why(log: str) -> str:
    """The end of a log, and the input that is to blame: put it into the corpus with the fix."""
    found = "".join(
        f"\n{path.name}: {path.read_bytes().hex()}" for path in sorted(PLACE.glob("found-*"))
    )
    return log[-4000:] + found


def _last(pattern: str, log: str) -> int:
    found = re.findall(pattern, log)
    return int(found[-1]) if found else 0
