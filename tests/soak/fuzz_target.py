"""What Atheris drives: `python -m tests.soak.fuzz_target CORPUS… [libFuzzer's options]`."""

import sys

import atheris  # of the extra `soak`

with atheris.instrument_imports(include=["virtualtap"]):
    from tests.soak.steps import live


def main() -> None:
    again = f"{sys.executable} -m tests.soak.fuzz_target"  # as a shell runs it: libFuzzer's merge
    atheris.Setup([again, *sys.argv[1:]], live)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
