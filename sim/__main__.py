"""`python -m sim` is `vtap`; the console script too, so that an early interrupt finds a hand."""

import sys


def main() -> None:
    """Load the command line and do what it says."""
    try:
        from sim.cli.main import main as command  # noqa: PLC0415  # half a second, interrupted in words
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted (hint: run it again)\n")
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
