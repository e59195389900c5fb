"""The model of a hub against the real one: the short part; `make live` does all of it."""

import pytest

from sim.live import hub_model
from sim.live.fidelity import Section, unexplained
from sim.live.hub_bouts import paths
from sim.live.hub_stage import staged
from virtualtap.units import SECOND


@pytest.mark.slow
@pytest.mark.live
@pytest.mark.usefixtures("softether")
def test_the_real_hub_forwards_cuts_and_drops_as_the_model_does():
    bouts = paths()
    with staged(bouts) as stage:
        reals = stage.play()
    rows = [
        row
        for bout, real in zip(bouts, reals, strict=True)
        for row in bout.rows(hub_model.play(bout, real.said, bout.lasts + SECOND), real)
    ]
    assert unexplained([Section("paths", "", rows)]) == []
    assert len(rows) == 256
