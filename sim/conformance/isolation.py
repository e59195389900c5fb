"""A case against foreign code, in a process of its own: how that ends is a verdict here."""

import json
import time
from typing import Any
from weakref import WeakKeyDictionary

from sim.apart import CRASH, HANG, Beat, Bounds, Ended, apart
from sim.conformance.registry import Case
from sim.conformance.script import Exchanged, Make, Missed
from sim.conformance.verdicts import Outcome, Verdict, judge
from virtualtap.config import TapConfig
from virtualtap.tap import Translator

BOUNDS = Bounds(seconds=3.0, cpu_seconds=2)  # for each translator that a case makes

_EXCHANGE_MAX = 2 * 2**20  # bytes of it that are told
_SLOW = 1.0  # an error that took so long is a hang
_HANGS_MAX = 3

_hangs: WeakKeyDictionary[Make, int] = WeakKeyDictionary()  # in a row, up to now


def judge_apart(case: Case, make: Make, profile: str | None = None) -> Outcome:
    """Play one case in a child process; after three hangs in a row no more are tried."""
    if _hangs.get(make, 0) >= _HANGS_MAX:
        return Outcome(case, Verdict.ERROR, f"not tried: {_HANGS_MAX} cases in a row took too long")
    started = time.monotonic()
    outcome = _play_apart(case, make, profile)
    slow = outcome.verdict is Verdict.ERROR and time.monotonic() - started > _SLOW
    _hangs[make] = _hangs.get(make, 0) + 1 if slow else 0
    return outcome


def _play_apart(case: Case, make: Make, profile: str | None) -> Outcome:
    def play(beat: Beat) -> bytes:
        def begun(config: TapConfig) -> Translator:
            beat()
            return make(config)

        return json.dumps(_packed(judge(case, begun, profile))).encode()

    try:
        return _unpacked(case, *json.loads(apart(play, BOUNDS)))
    except Ended as ended:
        return Outcome(case, Verdict.ERROR, _told(ended))
    except (TypeError, ValueError):  # a library may have written where it should not
        return Outcome(case, Verdict.ERROR, "what it answered cannot be read")


def _told(ended: Ended) -> str:
    if ended.how == HANG:
        return f"no answer within {BOUNDS.seconds:g} s, or too long a one"
    return f"ended by {ended.which}" if ended.how == CRASH else f"ended with status {ended.which}"


def _packed(outcome: Outcome) -> tuple[Any, ...]:
    missed, exchange, room = outcome.missed, [], _EXCHANGE_MAX
    for one in outcome.exchange:
        if (room := room - len(one.data) - 100) < 0:
            break
        exchange.append((one.at, one.side, one.into, one.data.hex()))
    return (
        outcome.verdict,
        outcome.why,
        missed and (missed.side, _hex(missed.expected), _hex(missed.seen)),
        exchange,
    )


def _hex(data: tuple[bytes, ...]) -> list[str]:
    return [one.hex() for one in data]


def _unpacked(
    case: Case, verdict: str, why: str, missed: list[Any] | None, exchange: list[list[Any]]
) -> Outcome:
    if missed is not None:
        side, expected, seen = missed
        found = Missed(side, tuple(map(bytes.fromhex, expected)), tuple(map(bytes.fromhex, seen)))
    else:
        found = None
    exchanged = (
        Exchanged(at, side, into, bytes.fromhex(data)) for at, side, into, data in exchange
    )
    return Outcome(case, Verdict(verdict), why, found, tuple(exchanged))
