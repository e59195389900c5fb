"""A computer on a LAN: it speaks when spoken to or sending."""

from tests.sim.networks import a_lan, echo
from virtualtap.units import MS, SECOND


def test_stations_speak_only_when_spoken_to_or_sending():
    network, _ = a_lan(4)
    network.run(600 * SECOND)
    assert (network.crossings(), network.events()) == (0, 0)


def test_two_stations_reach_each_other():
    network, (one, two, _) = a_lan(3, delay=1 * MS)
    got: list[bytes] = []
    one.stack.bind_echo(7, lambda packet: bool(got.append(packet)) or True)
    network.call_at(0, one.stack.transmit, echo(one.stack.ip, two.stack.ip))
    network.run(1 * SECOND)
    assert len(got) == 1
    assert (network.drops(), network.ledger()) == ({}, [])  # what the third heard was for all


def test_its_fates_account_for_every_frame():
    network, (one, two) = a_lan(2)
    packet = echo(one.stack.ip, two.stack.ip)
    for at in (0, 1):
        network.call_at(at, one.stack.transmit, packet)
    network.run(1 * SECOND)
    # each hears an ARP message and two echo messages, and says as many
    assert (two.fates.consumed, two.fates.originated) == (3, 3)
    assert (one.fates.consumed, one.fates.originated) == (1, 3)
    assert one.fates.dropped == {"no-listener": 2}
