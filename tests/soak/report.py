"""What one part of the soak found, and its section of `docs/soak.md`."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "soak.md"


class Report:
    """The findings of one part, in the order in which they were said."""

    def __init__(self, part: str) -> None:
        self.part = part
        self._began = datetime.now(UTC)
        self._figures: list[tuple[str, str]] = []
        self._notes: list[str] = []

    def figure(self, name: str, value: object) -> None:
        """One row of the section's table; whole numbers come out with their thousands parted."""
        text = f"{value:,}" if isinstance(value, int) else str(value)
        self._figures.append((name, text))
        print(f"{self.part}: {name}: {text}", flush=True)

    def note(self, sentence: str) -> None:
        """A sentence below the table."""
        self._notes.append(sentence)
        print(f"{self.part}: {sentence}", flush=True)

    def section(self) -> str:
        """The findings as Markdown, with what is needed to find them again."""
        rows = [
            *self._figures,
            ("command", f"`make soak PART={self.part}`"),
            ("commit", _commit()),
            ("begun", f"{self._began:%Y-%m-%d %H:%M} UTC"),
            ("took", f"{(datetime.now(UTC) - self._began).total_seconds() / 60:.1f} min"),
            ("on", f"Python {platform.python_version()}, {os.cpu_count()} cores"),
        ]
        table = "".join(f"| {name} | {value} |\n" for name, value in rows)
        notes = "".join(f"\n{sentence}\n" for sentence in self._notes)
        return f"## {self.part}\n\n| | |\n|---|---|\n{table}{notes}"

    def write(self) -> None:
        """Put the section in the place of the part's last one, or at the end of the page."""
        page = PAGE.read_text(encoding="utf-8")
        old = re.search(rf"(?ms)^## {self.part}\n.*?(?=^## |\Z)", page)
        new = self.section()
        if old is None:
            page = f"{page.rstrip()}\n\n{new}"
        else:
            page = f"{page[: old.start()]}{new}\n{page[old.end() :]}".rstrip() + "\n"
        PAGE.write_text(page, encoding="utf-8")


def _commit() -> str:
    """The commit measured; `+`: with changes that no commit holds."""

    def git(*words: str) -> str:
        command = ("git", "-C", str(ROOT), *words)
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "virtualtap", "tests")
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
