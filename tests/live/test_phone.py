"""A phone's kernel, the engine, and a session of a real SoftEther server."""

import pytest

from sim.live import dhcp_peers, phone
from sim.live.packages import has

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.usefixtures("softether")]


def test_a_phone_joins_a_real_hub_and_survives_its_restart():
    (section,) = phone.sections()
    assert [row for row in section.rows if not row.same] == []
    assert len(section.rows) == 15


def test_the_engine_and_dnsmasq_agree_on_a_lease():
    if not has(*dhcp_peers.SERVER):
        pytest.skip("dnsmasq is not unpacked here (hint: `make live` does it)")
    (section,) = dhcp_peers.sections()
    assert [row for row in section.rows if not row.same] == []
    assert len(section.rows) == 7
