"""Rigs with short trials and no buffers: what comes out of them is arithmetic."""

from sim.standard.devices import DEVICES
from sim.standard.rig import Rig
from virtualtap.units import MS, Duration

UNBUFFERED = "links.0.queue=0"


def rig(on: str, *changes: str, trial: Duration = 50 * MS, repeat: int = 20) -> Rig:
    return Rig(device=DEVICES[on], trial=trial, repeat=repeat, changes=(UNBUFFERED, *changes))


def frames(rate: int, size: int, overhead: int, least: int = 0) -> float:
    """What a link of `rate` carries a second of frames of `size` bytes with their FCS."""
    return rate / ((max(size - 4, least) + overhead) * 8)


def slower(station: str) -> str:
    """The change that leaves a station of the switch a tenth of the others' rate."""
    links = f'{{ match = "{station}--sw1", rate = "1Mbit" }}'
    return f'links=[{{ match = "sw1--*", rate = "10Mbit", queue = 0 }}, {links}]'
