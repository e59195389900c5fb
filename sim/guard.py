"""Inside a run nobody reads a clock or draws global luck: what would is replaced, and raises.

The functions of `time`, the module functions of `random`, `os.urandom`, `uuid.uuid1`, `uuid.uuid4`,
and `now`, `utcnow` and `today` of `datetime.datetime`, as attributes of their modules: a name that
was imported before is not caught, so the import rules forbid that. Other threads keep theirs.
"""

import datetime
import inspect
import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from virtualtap.errors import UsageError

_lock = threading.Lock()
_runs: list[int] = []  # the thread of each run
_paused: list[int] = []  # of each that is looked at from outside
_replaced: list[tuple[ModuleType, str, Any]] = []  # and what was there


@contextmanager
def guarded() -> Iterator[None]:
    """A run of this thread. What reads a clock in it gets a UsageError with file and line."""
    thread = threading.get_ident()
    with _lock:
        if not _runs:
            _replace()
        _runs.append(thread)
    try:
        yield
    finally:
        with _lock:
            _runs.remove(thread)
            if not _runs:
                _restore()


@contextmanager
def lifted() -> Iterator[None]:
    """A pause of this thread's run, for what looks at it from outside: limits, a progress bar."""
    thread = threading.get_ident()
    _paused.append(thread)
    try:
        yield
    finally:
        _paused.remove(thread)


def _replace() -> None:
    wanted: list[tuple[ModuleType, str]] = [(os, "urandom"), (uuid, "uuid1"), (uuid, "uuid4")]
    for module in (time, random):
        for name, value in vars(module).items():
            is_function = callable(value) and not isinstance(value, type)
            if is_function and not name.startswith("_"):
                wanted.append((module, name))
    for module, name in wanted:
        real = getattr(module, name)
        _replaced.append((module, name, real))
        setattr(module, name, _refusing(f"{module.__name__}.{name}", real))
    _replaced.append((datetime, "datetime", datetime.datetime))
    setattr(datetime, "datetime", _stopped(datetime.datetime))  # noqa: B010  # mypy: no type


def _restore() -> None:
    while _replaced:
        module, name, real = _replaced.pop()
        setattr(module, name, real)


def _refusing(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        thread = threading.get_ident()
        if thread not in _runs or thread in _paused:
            return real(*args, **kwargs)
        frame = inspect.currentframe()
        caller = None if frame is None else frame.f_back
        where = "" if caller is None else f", at `{caller.f_code.co_filename}:{caller.f_lineno}`"
        raise UsageError(
            f"`{name}` is called inside a run{where}",
            "time is `network.now`, luck is `rng.stream(seed, name)`",
        )

    return refuse


def _stopped(real: type[datetime.datetime]) -> type:
    """A stand-in for the class: it makes and knows the same things, but has no clock."""

    class Kind(type):
        def __instancecheck__(cls, one: object) -> bool:
            return isinstance(one, real)

        def __subclasscheck__(cls, one: type) -> bool:
            return issubclass(one, real)

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            return real(*args, **kwargs)

        def __getattr__(cls, name: str) -> Any:
            return getattr(real, name)

    clocks = {
        name: staticmethod(_refusing(f"datetime.datetime.{name}", getattr(real, name)))
        for name in ("now", "utcnow", "today")
    }
    return Kind("datetime", (), clocks)
