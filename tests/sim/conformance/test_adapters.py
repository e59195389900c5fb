"""The adapters under examples/targets: built where the compiler is, and judged."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from sim.conformance.isolation import judge_apart
from sim.conformance.registry import cases
from sim.conformance.targets import target
from sim.conformance.verdicts import Verdict

FOLDER = Path(__file__).parents[3] / "examples" / "targets"
BUILT = {
    "c": "cc -std=c11 -Wall -Wextra -O2 -o {to} c/adapter.c",
    "go": "go build -o {to} go/adapter.go",
    "rust": "rustc -O -o {to} rust/adapter.rs",
}
SMALL = {  # what the three of them do: each is the same small translator
    "arp/request-for-us-is-answered": Verdict.PASS,
    "arp/request-for-another-is-silence": Verdict.PASS,
    "arp/unknown-neighbor-is-asked-for": Verdict.PASS,
    "arp/gateway-is-asked-for-what-is-far": Verdict.FAIL,
    "arp/probes-are-spaced": Verdict.FAIL,
    "arp/without-an-address-the-packet-lends-its-own": Verdict.UNSUPPORTED,
}
LWIP = {
    "arp/request-for-us-is-answered": Verdict.PASS,
    "arp/gateway-is-asked-for-what-is-far": Verdict.PASS,
    "arp/far-packet-goes-to-the-gateway": Verdict.PASS,
    "arp/announced-without-probing": Verdict.FAIL,
    "arp/probes-are-spaced": Verdict.UNSUPPORTED,
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),  # xdist has threads
]


def build(command, to):
    """The adapter as a target."""
    words = shlex.split(command.format(to=to))
    if shutil.which(words[0]) is None:
        pytest.skip(f"no `{words[0]}` here")
    offline = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOPROXY": "off"}
    subprocess.run(words, cwd=FOLDER, check=True, env={**os.environ, **offline})
    return f"exec:{shlex.quote(str(to))}"


def verdicts(name, wanted):
    """By case of ARP, over those wanted and every fifth: a process for each takes its time."""
    chosen = [case for at, case in enumerate(cases("arp")) if case.id in wanted or at % 5 == 0]
    make = target(name)
    return {case.id: judge_apart(case, make, "strict").verdict for case in chosen}


@pytest.mark.parametrize("language", BUILT)
def test_a_small_translator_passes_some_cases_and_fails_others(tmp_path, language):
    found = verdicts(build(BUILT[language], tmp_path / "adapter"), SMALL)
    assert {name: found[name] for name in SMALL} == SMALL
    assert Verdict.ERROR not in found.values()


def test_lwip_is_judged(tmp_path):
    if not Path("/usr/include/lwip").is_dir():
        pytest.skip("no lwIP here: Debian has it in `liblwip-dev`")
    command = "cc -Wall -Wextra -O2 -I/usr/include/lwip -o {to} lwip/adapter.c -llwip"
    found = verdicts(build(command, tmp_path / "adapter"), LWIP)
    assert {name: found[name] for name in LWIP} == LWIP
    assert Verdict.ERROR not in found.values()
