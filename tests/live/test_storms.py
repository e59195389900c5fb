"""The judge of the storm limiter: what the product may do passes, what it may not is seen."""

import pytest

from sim.live import hub_model
from sim.live.bout import Bout, Played
from sim.live.storm_bouts import row, storms
from virtualtap.units import SECOND

pytestmark = pytest.mark.slow
BOUTS = {bout.title: bout for bout in storms()}


def played(bout: Bout) -> Played:
    return hub_model.play(bout, bout.script, bout.lasts + SECOND)


@pytest.mark.parametrize("title", ["25 a second", "20 in 50 ms, one after 0.6 s", "40 a second"])
def test_the_models_own_hub_does_what_is_decided(title):
    model = played(BOUTS[title])
    assert row(BOUTS[title], model, model).same


def test_a_hub_without_a_limiter_is_seen():
    bout = BOUTS["20 in 50 ms, one after 0.6 s"]
    model = played(bout)
    lost = {say.frame for say in bout.script} - {heard.frame for heard in model.heard}
    (frame,) = [frame for frame in lost if frame[:6] == b"\xff" * 6]
    passed = [*model.heard, model.heard[-1]._replace(frame=frame)]
    found = row(bout, model, Played(bout.script, passed))
    assert (found.same, found.real.partition("; ")[2]) == (False, "1 not as decided")


def test_a_frame_that_has_to_pass_and_does_not_is_seen():
    bout = BOUTS["25 a second"]
    model = played(bout)
    found = row(bout, model, Played(bout.script, model.heard[:50] + model.heard[51:]))
    told = "1 of 200 lost, the first after 1.96 s; 1 not as decided"
    assert (found.same, found.real) == (False, told)
