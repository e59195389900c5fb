"""Debian's packages, unpacked aside: nothing is installed, and no service of theirs is started."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sim.live.fidelity import Missing

ROOT = Path(sys.prefix) / "live"  # beside the other things that `make` fetches
_PATIENCE = 120  # seconds for one call of apt-get


def has(*names: str) -> bool:
    """Whether these packages are unpacked already, so that nothing has to be fetched."""
    return all((ROOT / "have" / name).exists() for name in names)


def unpack(*names: str) -> Path:
    """The folder that has these packages unpacked, as if it were `/`; Missing where they are not.

    What was unpacked before is not fetched again.
    """
    have = ROOT / "have"
    wanted = [name for name in names if not has(name)]
    if not wanted:
        return ROOT
    if os.geteuid() or not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Missing(f"no root, or no Debian, to unpack {', '.join(wanted)}")
    have.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        if not _apt(place, "download", *wanted):
            _apt(place, "update")
            if not _apt(place, "download", *wanted):
                raise Missing(f"Debian's packages {', '.join(wanted)} could not be fetched")
        for package in sorted(Path(place).glob("*.deb")):
            _run("dpkg-deb", "--extract", str(package), str(ROOT))
    for name in wanted:
        (have / name).touch()
    return ROOT


def environment(root: Path) -> Mapping[str, str]:
    """What a program of an unpacked package has to be started with: its libraries lie there too."""
    folders = [*root.glob("usr/lib/*-linux-gnu"), *root.glob("lib/*-linux-gnu")]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, sorted(folders))), "LC_ALL": "C"}


def _apt(place: str, *arguments: str) -> bool:
    return _run("apt-get", "--quiet", "--quiet", *arguments, place=place) == 0


def _run(*command: str, place: str | None = None) -> int:
    return subprocess.run(
        command,
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_PATIENCE,
        check=False,
    ).returncode
