"""Every judge in turn, then docs/fidelity.md: `make live`. What cannot run here is skipped."""

import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from sim.live import dhcp_peers, hub_differential, kernel_differential, phone, suite, throughput
from sim.live.fidelity import Missing, Section, page, unexplained
from sim.live.namespace import Namespace, sweep

PAGE, TUN = Path("docs/fidelity.md"), Path("/dev/net/tun")
TRIES = 3  # real time on a busy machine: what differs for a reason differs each time
Part: TypeAlias = Callable[[], Iterator[Section]]
PARTS: tuple[Part, ...] = (
    kernel_differential.sections,
    suite.sections,
    throughput.sections,
    hub_differential.sections,
    dhcp_peers.sections,
    phone.sections,
)


def main() -> int:
    """Print every table's verdict as it is known; 1 where something differs without a cause."""
    if (lack := _lack()) is not None:
        print(f"skipped: {lack}")
        return 0
    sweep()
    done: list[Section] = []
    is_whole = True
    for part in PARTS:
        try:
            done += _judged(part)
        except Missing as why:
            is_whole = False
            print(f"skipped: {part.__module__.rpartition('.')[2]}: {why}", flush=True)
    for title, row in unexplained(done):
        print(f"differs: {title}: {row.stimulus}: model {row.model}; real {row.real}")
    if is_whole:
        release = platform.release().partition("-")[0]  # without its builder's name
        machine = f"Linux {release}, Python {platform.python_version()}."
        PAGE.write_text(page(done, machine), encoding="utf-8")
    else:
        print(f"skipped: `{PAGE}` stays as it is")
    return 1 if unexplained(done) else 0


def _judged(part: Part) -> list[Section]:
    """Its tables. What a busy machine may have spoiled is judged again, all of it, and says so."""
    for left in reversed(range(TRIES)):
        sections: list[Section] = []
        try:
            for section in part():
                print(f"{section.title}: {section.tally()}", flush=True)
                sections.append(section)
            differs = unexplained(sections)
        except (OSError, subprocess.SubprocessError) as error:
            if not left:
                raise
            print(f"judged again: {type(error).__name__}: {error}", flush=True)
            continue
        if not differs:
            break
        if left:
            told = ", ".join(f"{title}: {row.stimulus}" for title, row in differs)
            print(f"judged again: {told}", flush=True)
    return sections


def _lack() -> str | None:
    """What none of the judges can do without."""
    if not TUN.exists():
        return f"there is no `{TUN}`"
    try:
        Namespace("trial").close()
    except Missing as why:
        return str(why)
    return None


if __name__ == "__main__":
    sys.exit(main())
