"""How full tables are, as they report it themselves."""

import pytest

from sim.entries import FIELDS, entries
from sim.run import built
from tests.sim.scenarios import SMALL, done, order
from tests.sim.softether.stage import SECURE_NAT
from virtualtap.units import SECOND

OFFICE = f"""\
name = "office"
until = "30s"
topology = {{ name = "server", clients = 2, bridges = 1, ipcs = 1 }}
[[servers]]
match = "server"
{SECURE_NAT}
[[taps]]
match = "tap*"
dhcp = true
[[traffic]]
kind = "ping"
from = "h1"
to = "198.51.100.7"
start = "20s"
every = "1s"
"""


def test_every_table_is_counted():
    made = built(order(OFFICE))
    assert not any(value for name, value in entries(made.network).items() if name != "scheduled")
    made.network.run(25 * SECOND)
    found = dict(entries(made.network))
    assert found.pop("scheduled") > 0
    assert found == {
        "hub_macs": 3,  # two taps and SecureNAT; the in-process client is silent
        "hub_addresses": 3,
        "nat_neighbors": 2,
        "nat_sessions": 1,
        "leases": 2,
        "tap_neighbors": 1,  # the gateway; the other tap never asked
    }


def test_they_are_in_the_summary_and_may_be_expected():
    text = f"{OFFICE}[expect]\nentries.leases = 2\nentries.hub_macs = {{ max = 2 }}\n"
    run = done(text, bare=True)
    assert [*run.summary["entries"]] == [*FIELDS]
    assert [(miss.field, miss.value, miss.limit) for miss in run.failed] == [
        ("entries.hub_macs", 3, "at most 2")
    ]
    assert run.failed[0].at_s < 20  # as soon as a look finds them


@pytest.mark.parametrize("bare", [True, False])
def test_where_there_is_no_server_its_tables_are_empty(bare):
    assert (
        done(SMALL.replace('"star"', '"star", kind = "switch"'), bare=bare).summary["entries"][
            "leases"
        ]
        == 0
    )
