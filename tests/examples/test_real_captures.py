"""What a real client said to a real SoftEther server, said again on a simulated hub."""

from pathlib import Path

import pytest

from sim.run import Order, perform
from virtualtap import UsageError

CAPTURES = Path(__file__).parents[2] / ".." / "shared" / "captures"

REPLAY = """
name = "real-capture"
until = "60s"
topology = { name = "star", sites = 1 }
sites = { taps = 1, stations = 1, gateways = 0 }
capture = "none"

[[traffic]]
kind = "replay"
file = "FILE"
address = "ADDRESS"
from = "h1"
to = "s1"
speak_control = CONTROL
"""


def replayed(file: str, address: str, *, control: bool = False) -> dict[str, object]:
    if not (CAPTURES / file).is_file():
        pytest.skip(f"the capture `{file}` is not here")
    text = REPLAY.replace("FILE", file).replace("ADDRESS", address)
    text = text.replace("CONTROL", "true" if control else "false")
    run, _ = perform(Order(text=text, folder=CAPTURES), None)
    return run.summary


def test_the_pings_of_a_real_client_arrive_and_are_answered() -> None:
    summary = replayed("softether/dhcp_arp_ping_polling.pcap", "192.168.30.10")

    assert summary["verdict"] == "pass"
    assert summary["delivered"] == 4  # its echo requests; the replies find no ping that asked
    assert summary["dropped"] == {"no-listener": 4}


def test_the_dhcp_of_a_real_server_is_replayed_only_when_asked() -> None:
    silent = replayed("softether/dhcp_arp_ping_polling.pcap", "192.168.30.1")
    spoken = replayed("softether/dhcp_arp_ping_polling.pcap", "192.168.30.1", control=True)

    assert (silent["verdict"], spoken["verdict"]) == ("pass", "pass")
    assert spoken["delivered"] - silent["delivered"] == 2  # one offer, one acknowledgement


@pytest.mark.parametrize(
    ("file", "address"),
    [
        ("softether/mac_move_flood_tap0.pcap", "192.168.30.1"),
        ("dnsmasq_dora.pcap", "10.5.0.1"),
    ],
)
def test_a_real_capture_is_replayed_with_the_ledger_balanced(file: str, address: str) -> None:
    summary = replayed(file, address)

    assert summary["failed"] == []
    assert summary["crossings"] > 0


def test_a_capture_cut_by_its_snap_length_is_refused() -> None:
    with pytest.raises(UsageError, match="was cut by the snap length: 400 of 1514 bytes"):
        replayed("softether/secure_nat_arp_dhcp.pcap", "192.168.30.1")
