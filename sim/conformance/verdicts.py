"""What a case says of a target: pass, fail, inconclusive, unsupported, error."""

from dataclasses import dataclass
from enum import StrEnum

from sim.conformance.registry import Case
from sim.conformance.script import Exchanged, Make, Missed, NotGiven, Script
from virtualtap.errors import WireError


class Verdict(StrEnum):
    """Of one case on one target."""

    PASS = "pass"  # noqa: S105  # a verdict
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"  # what the case only sets up did not come about
    UNSUPPORTED = "unsupported"  # the target lacks what the case needs
    ERROR = "error"  # the target raised, or the case is broken


class Unsupported(Exception):
    """The target cannot be asked this; the text says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case on one target."""

    case: Case
    verdict: Verdict
    why: str = ""
    missed: Missed | None = None
    exchange: tuple[Exchanged, ...] = ()


def judge(case: Case, make: Make, profile: str | None = None) -> Outcome:
    """Play one case on a fresh target of this profile, or of the first that the case is for."""
    script = Script(make, profile or case.profiles[0])
    try:
        case.play(script)
        script.expect().expect_host()
    except NotGiven as missed:
        why = f"not set up: {missed}"
        return Outcome(case, Verdict.INCONCLUSIVE, why, missed, tuple(script.exchange))
    except Missed as missed:
        return Outcome(case, Verdict.FAIL, str(missed), missed, tuple(script.exchange))
    except Unsupported as why:
        return Outcome(case, Verdict.UNSUPPORTED, _words(why), None, tuple(script.exchange))
    except WireError as why:
        text = f"what came out cannot be read: {_words(why)}"
        return Outcome(case, Verdict.FAIL, text, None, tuple(script.exchange))
    except AssertionError as why:
        text = _words(why) or "an assertion without words"
        return Outcome(case, Verdict.FAIL, text, None, tuple(script.exchange))
    except (Exception, SystemExit) as error:  # whatever a target does is a verdict
        why_text = f"{type(error).__name__}: {_words(error)}"
        return Outcome(case, Verdict.ERROR, why_text, None, tuple(script.exchange))
    return Outcome(case, Verdict.PASS, "", None, tuple(script.exchange))


def _words(error: BaseException) -> str:
    """What a stranger's exception says; it may raise even there."""
    try:
        return str(error)
    except Exception:  # it is a stranger's code, too
        return "it cannot say why"
