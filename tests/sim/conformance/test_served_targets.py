"""A target that stands before one host is not asked about several, or about the other side."""

import pytest

from sim.conformance.script import CONFIG, OTHER
from sim.conformance.target_c import CTranslator
from sim.conformance.verdicts import Unsupported
from virtualtap import Serving, TapConfig


@pytest.mark.parametrize(
    "changes", [{"hosts": (OTHER,)}, {"admit_hosts": True}, {"serve": Serving()}]
)
def test_the_c_interface_knows_one_host_and_serves_nobody(changes):
    config = TapConfig(our_mac=CONFIG.our_mac, our_ip=CONFIG.our_ip, **changes)
    with pytest.raises(Unsupported, match="knows one host"):
        CTranslator(None, config)
