"""`vtap live tunnel` between two kernels: it carries, counts, gives up its rights, ends."""

import socket
from select import select
from time import monotonic, monotonic_ns

import pytest

from sim.conformance.target_kernel import unavailable
from sim.live import throughput
from sim.live.fidelity import Missing
from sim.live.packet_socket import PacketSocket
from sim.live.throughput import OURS, PEER, bridge
from virtualtap import Serving, TapConfig, VirtualTap, ip, mac

REASON = unavailable()
pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.skipif(REASON is not None, reason=f"no kernel to ask: {REASON}"),
]
PATIENCE = 5


def udp(namespace, address):
    """A socket in a namespace, bound to an address there."""
    with namespace.entered():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, 4000))
    made.settimeout(PATIENCE)
    return made


def test_two_kernels_speak_through_the_tunnel_and_the_books_balance():
    with bridge() as made:
        with udp(made.here, OURS) as host, udp(made.lan, PEER) as peer:
            for number in range(50):
                host.sendto(b"%d" % number, (PEER, 4000))
                assert peer.recv(100) == b"%d" % number
                peer.sendto(b"%d too" % number, (OURS, 4000))
                assert host.recv(100) == b"%d too" % number
        counts = made.counts()
        told = made.ended()
    assert (told["ended"], made.process.returncode) == ("stopped", 0)
    assert told["host"]["received"] == told["host"]["offered"] == 50
    assert [row for row in throughput.books(told, counts) if not row.same] == []


def test_a_tunnel_has_no_rights_of_root():
    with bridge() as made:
        status = dict(
            line.split(":\t", 1)
            for line in made.status().splitlines()
            if line.startswith(("Uid", "Gid", "Groups", "CapEff", "CapPrm", "NoNewPrivs"))
        )
    nobody = {65534}
    assert {*map(int, status["Uid"].split())} == nobody == {*map(int, status["Gid"].split())}
    assert (status["Groups"].strip(), status["NoNewPrivs"].strip()) == ("", "1")
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0


def test_a_link_that_is_cut_takes_nothing_but_frames():
    try:
        section = throughput.cut_and_restored(seconds=4, times=2)
    except Missing as why:
        pytest.skip(str(why))
    assert [row for row in section.rows if not row.same] == []


def test_a_lease_becomes_the_address_of_the_host():
    words = ("sim", "live", "tunnel", "--tun", "vtun", "--tap", "vtap", "--dhcp", "--json")
    router = ip("10.9.0.2")
    server = VirtualTap(
        TapConfig(
            our_mac=mac("02:00:5e:09:00:03"),
            our_ip=router,
            serve=Serving(pool=(ip("10.9.0.77"), ip("10.9.0.77"))),
        )
    )
    with bridge(words, address="") as made:
        card = PacketSocket(made.lan, "vtap")
        until = monotonic() + 15  # it may wait ten seconds before it asks: RFC 2131 4.4.1
        shown = ""
        while "10.9.0.77/24" not in shown and monotonic() < until:
            select((card.fileno(),), (), (), 0.1)
            for _, frame in card.receive():
                server.ethernet_to_ip(frame, monotonic_ns())
                for answer in server.take_frames():
                    card.send(answer)
            shown = made.here.ip("-4", "addr", "show", "dev", "vtun")
        card.close()
        told = made.ended()
    assert "10.9.0.77/24" in shown
    assert told["ended"] == "stopped"
