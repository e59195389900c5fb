"""Where findings are to be written: whether they can be is known before anything is judged."""

import os
from collections.abc import Iterable
from pathlib import Path

from virtualtap.errors import UsageError


def check_places(files: Iterable[Path | None], folder: Path | None) -> None:
    """UsageError for a file, or a folder to be made, that cannot be written."""
    for path in files:
        if path is not None:
            _check_file(path)
    if folder is not None:
        _check_folder(folder)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"`{path}` is a folder", "name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder `{path.parent}`", "make it, or name another file")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"`{path}` may not be written", "name a file in a folder of yours")


def _check_folder(folder: Path) -> None:
    """It is made where it is missing, with those above it."""
    above = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not above.is_dir():
        raise UsageError(f"`{above}` is no folder", "name one, or one that can be made")
    if not os.access(above, os.W_OK):
        raise UsageError(f"nothing may be written into `{above}`", "name a folder of yours")
