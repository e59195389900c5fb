"""Writes `digests.json` anew, after a change that is meant to change runs.

python -m tests.examples.record
"""

import json
from pathlib import Path

from sim.run import Order, perform

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
DIGESTS = Path(__file__).with_name("digests.json")


def order(path: Path, text: str = "") -> Order:
    """An example as it is, or with another text, without a capture."""
    return Order(
        text=text or path.read_text(encoding="utf-8"),
        folder=path.parent,
        where=str(path),
        capture="none",
    )


if __name__ == "__main__":
    found = {path.name: perform(order(path), None)[0].digest for path in EXAMPLES}
    DIGESTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
