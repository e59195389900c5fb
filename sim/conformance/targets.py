"""What is judged, by name: our engine, a Python factory, a C library, a child process, Linux."""

import importlib
import sys
from pathlib import Path

from sim.conformance.script import Make
from sim.conformance.target_c import c_target
from sim.conformance.target_exec import exec_target
from sim.conformance.target_kernel import kernel_target
from virtualtap.config import TapConfig
from virtualtap.errors import UsageError
from virtualtap.tap import Translator, VirtualTap

_HINT = "name `engine`, `kernel`, `python:MODULE:FACTORY`, `c:PATH/TO/LIB.so` or `exec:COMMAND`"

_VERBS = tuple(name for name in vars(Translator) if not name.startswith("_"))


def target(name: str) -> Make:
    """What makes a fresh translator from a TapConfig. UsageError where there is none."""
    kind, _, rest = name.partition(":")
    if name == "engine":
        return VirtualTap
    if name == "kernel":
        return kernel_target("`make live` says what it needs")
    if kind == "python":
        return _python(rest)
    if kind == "c":
        return c_target(Path(rest), _HINT)
    if kind == "exec":
        return exec_target(rest, _HINT)
    raise UsageError(f"no target is named `{name:.100}`", _HINT)


def is_foreign(name: str) -> bool:
    """Whether a case must run in a process of its own: what crashes there is a verdict."""
    return name != "engine"


def _python(rest: str) -> Make:
    module_name, _, factory_name = rest.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:  # a console script looks only where packages are installed
        sys.path.append(here)
    try:
        factory = getattr(importlib.import_module(module_name), factory_name)
    except (Exception, SystemExit) as error:  # a stranger's module may do anything
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"cannot load `python:{rest:.100}`: {what:.200}", _HINT) from None
    if not callable(factory):
        raise UsageError(f"`python:{rest:.100}` is not callable", _HINT)

    def make(config: TapConfig) -> Translator:
        made: Translator = factory(config)
        missing = [verb for verb in _VERBS if not callable(getattr(made, verb, None))]
        if missing:
            raise TypeError(f"the factory gave a `{type(made).__name__}`, without `{missing[0]}`")
        return made

    return make
