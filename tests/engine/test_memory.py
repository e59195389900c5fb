"""The bound on one tap's memory, by its parts."""

from tests.builders import config
from virtualtap import memory_bound
from virtualtap.serving import Serving

ROUTER = {"gateway_ip": None, "gateway_ip6": None}


def test_every_lease_that_a_tap_may_give_is_in_its_bound():
    one, two, many = (
        memory_bound(config(**ROUTER, serve=Serving(leases_max=count))) for count in (1, 2, 1001)
    )
    assert memory_bound(config(**ROUTER)) < one
    assert many - one == 1000 * (two - one)
