"""What the tests against real ones need, or why they are skipped."""

import os
from pathlib import Path

import pytest

from sim.live.dhcp_peers import CLIENT
from sim.live.namespace import sweep
from sim.live.packages import has
from sim.live.softether import PACKAGES


@pytest.fixture
def root():
    """Root on Linux with network namespaces and TUN."""
    if os.geteuid():
        pytest.skip("network namespaces need root")
    if not Path("/dev/net/tun").exists():
        pytest.skip("there is no /dev/net/tun")
    sweep()


@pytest.fixture
def softether(root):
    """Debian's SoftEther and tools, unpacked by `make live` before: no test fetches anything."""
    if not has(*PACKAGES, *CLIENT, "iputils-arping", "iputils-ping"):
        pytest.skip("SoftEther is not unpacked here (hint: `make live` does it)")
