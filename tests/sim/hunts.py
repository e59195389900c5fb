"""Hunts of worlds that cost nothing: a row is a function of its seed and weights. For tests.

`python -m tests.sim.hunts OUT END` goes on with one in OUT, up to before the seed END.
"""

import sys
from functools import partial
from hashlib import blake2b
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from sim.campaigns import hunt
from sim.campaigns.discovery import Discovery, Wanted
from sim.campaigns.workers import Processes, serve
from sim.fuzz.judge import Row, Task

FEATURES = ("dhcp", "loss", "spoof")


def judged(task: str) -> str:
    """Some fail, each time the same: two kinds often, some others now and then."""
    world = msgspec.json.decode(task, type=Task)
    luck = int.from_bytes(blake2b(b"%d" % world.seed, digest_size=4).digest())
    features = [one for i, one in enumerate(FEATURES) if luck >> i & 3 or world.weights.get(one)]
    signature = {0: "law-a/tap", 1: "law-b/hub", 2: f"rare-{luck // 60 % 5}"}.get(luck % 60, "")
    if world.defect is not None and world.seed == 3:  # a walk through a set of strings
        signature = f"hash-{hash('a text')}"
    row = Row(
        seed=world.seed,
        fingerprint="+".join([f"star{luck % 40}", *features]),
        verdict="fail" if signature else "pass",
        failed=[{"field": "law", "value": "x", "limit": "y", "at_s": 0.5}] if signature else [],
        signature=signature,
        digest=f"{luck:x}{sorted(world.weights.items())}",
        seen=[f"mark:{luck % 7}", f"drop:{luck % 3}"],
    )
    return msgspec.json.encode(row).decode()


def discovered(text: str) -> str:
    wanted = msgspec.json.decode(text, type=Wanted)
    row = wanted.row
    folder = Path(wanted.place) / row.signature.replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "world.toml").write_text(f"seed = {row.seed}\n", encoding="utf-8")
    one = Discovery(
        signature=row.signature,
        seed=row.seed,
        fingerprint=row.fingerprint,
        failed="law",
        folder=str(folder),
        replay=f"vtap run {folder}",
    )
    return msgspec.json.encode(one).decode()


def working(pipe: Connection) -> None:
    """A worker's life here."""
    serve(pipe, find={"judge": judged, "discover": discovered}.__getitem__)


def hunted(out: Path, **words) -> hunt.Bag:
    """A hunt whose workers do this."""
    before = hunt.Processes
    hunt.Processes = partial(Processes, life=working)
    try:
        return hunt.hunt(hunt.Hunt(out=out, **{"jobs": 2, **words}))
    finally:
        hunt.Processes = before


if __name__ == "__main__":
    hunted(Path(sys.argv[1]), end=int(sys.argv[2]), resume=True)
