"""`python -m tests.soak [PART…]`: run the parts named, or all, and write what they found."""

import sys
from importlib import import_module

from tests.soak.report import Report

PARTS = ("defects", "fuzz", "hour", "memory", "month", "mutation", "states")


def main(parts: list[str]) -> int:
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        print(f"no part `{unknown[0]}` (hint: one of {', '.join(PARTS)})", file=sys.stderr)
        return 2
    for part in parts or PARTS:
        report = Report(part)
        import_module(f"tests.soak.{part}").run(report)
        report.write()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
