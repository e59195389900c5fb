"""The model of SoftEther against the real server: the same frames at the same times to both."""

from collections.abc import Iterator, Sequence

from sim.live import hub_bouts, hub_model, limit_bouts, nat_bouts, rhythms, storm_bouts
from sim.live.bout import Bout, Played
from sim.live.fidelity import Row, Section
from sim.live.hub_stage import Stage, staged
from virtualtap.units import SECOND
from virtualtap.wire.address import Mac

_TEXT = (
    "The same frames, at the same times, go to the model (`sim/nodes/softether`, version 5.01) and"
    " to Debian's SoftEther 5.01.9674. Capital letters are local bridges on TAPs, small ones"
    " sessions of the real client without bridge mode. Same: the same bytes out of the same ports"
    " in the same order."
)
_OWN = (
    "Questions of the hub, and SecureNAT's beacon; the same rhythm: at most"
    f" {rhythms.TOLERANCE // 10**6} ms beside. The hub's MAC is given to the model: the product"
    " makes it of secrets of its machine."
)
_STORM = (
    "Each frame of a sequence against the model's limiter, at the time at which it was sent. Where"
    " the product draws luck, or a window's end is within "
    f"{storm_bouts.TOLERANCE // 10**6} ms, a frame may pass or not."
)


def sections() -> Iterator[Section]:
    """Play everything on one stage; about two minutes. Missing where it cannot be."""
    paths = hub_bouts.paths()
    limits = [*limit_bouts.macs(), *limit_bouts.ips(), *limit_bouts.moves(), *limit_bouts.bursts()]
    storms = storm_bouts.storms()
    nats = nat_bouts.bouts()
    polls, beacon = rhythms.polling(), rhythms.beacon()
    every = [*paths, *limits, *storms, *nats, polls, beacon]
    with staged(every) as stage:
        reals = dict(zip(map(id, every), stage.play(), strict=True))
    pairs = {
        id(bout): (_model(stage, i, bout, reals[id(bout)]), reals[id(bout)])
        for i, bout in enumerate(every)
    }
    for bout in paths:
        text = _TEXT if bout is paths[0] else "As above, by another way."
        yield Section(f"SoftEther: {_small(bout.title)}", text, bout.rows(*pairs[id(bout)]))
    yield _together("SoftEther: limits, moves and bursts", limits, pairs)
    rows = [storm_bouts.row(bout, *pairs[id(bout)]) for bout in storms]
    yield Section("SoftEther: the storm limiter, frame by frame", _STORM, rows)
    yield _together("SoftEther: SecureNAT", nats, pairs)
    own = rhythms.polling_rows(*pairs[id(polls)]) + rhythms.beacon_rows(*pairs[id(beacon)])
    yield Section("SoftEther: what it says by itself", _OWN, own)


def _together(
    title: str, bouts: Sequence[Bout], pairs: dict[int, tuple[Played, Played]]
) -> Section:
    rows = []
    for bout in bouts:
        for row in bout.rows(*pairs[id(bout)]):
            text = f"{_small(bout.title)}: {row.stimulus}"
            rows.append(Row(text, row.model, row.real, row.same, row.cause))
    return Section(title, "Each row begins with the name of its script.", rows)


def _model(stage: Stage, number: int, bout: Bout, real: Played) -> Played:
    until = max(bout.lasts, real.said[-1].at) + SECOND
    nat_mac = stage.nat_macs.get(number)
    return hub_model.play(bout, real.said, until, hub_mac=_hub_mac(real), nat_mac=nat_mac)


def _hub_mac(real: Played) -> Mac | None:
    """The MAC by which the hub was heard to ask."""
    macs = (heard.frame[6:12] for heard in real.heard)
    return next((one for one in macs if one[:2] == b"\x00\xae"), None)


def _small(title: str) -> str:
    return title[0].lower() + title[1:] if title[1:2] == " " else title
