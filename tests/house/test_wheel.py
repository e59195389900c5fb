"""The engine ships alone: a wheel without dependencies is enough for it."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_engine_works_from_a_wheel_without_its_dependencies(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path)]
    copy = tmp_path / "source"
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = listed.stdout.split("\n") if listed.returncode == 0 else []
    if not names:
        pytest.skip("not a git checkout: which files belong to the wheel is not known")
    for name in filter(None, names):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "examples/", "docs/")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())

    subprocess.run([*pip, "wheel", *options, str(copy)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import virtualtap as v; "
        "tap = v.VirtualTap(v.TapConfig(our_mac=v.random_mac(1))); "
        "print(tap.ip_to_ethernet(b''), sorted(m for m in sys.modules if 'simpy' in m))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(tmp_path / "installed")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "None []\n"
