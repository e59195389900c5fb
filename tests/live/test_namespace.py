"""Namespaces of the program's own: nothing of them is left, whatever happens."""

import subprocess
from pathlib import Path

import pytest

from sim.live.namespace import Namespace, sweep
from sim.live.packet_socket import PacketSocket
from sim.live.softether import until

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("root")]
BROADCAST = b"\xff" * 6


def made_and_left() -> str:
    """The name of a namespace whose maker is gone."""
    script = "import os; from sim.live.namespace import Namespace; print(Namespace('left').name)"
    done = subprocess.run(
        ["python3", "-c", script + "; os._exit(0)"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_what_a_crash_left_is_swept(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    left = made_and_left()
    with Namespace("mine") as mine:
        sweep()
        names = {path.name for path in Path("/run/netns").iterdir()}
        assert (left in names, mine.name in names) == (False, True)
    assert not Path("/run/netns", mine.name).exists()


@pytest.mark.slow
def test_a_namespace_ends_with_what_runs_in_it():
    with Namespace("busy") as space:
        process = space.start(["sleep", "60"])
        assert process.poll() is None
    assert process.poll() is not None


def test_a_namespace_has_no_way_outside():
    with Namespace("alone") as space:
        assert space.ip("route").strip() == ""
        assert [line.split()[0] for line in space.ip("-br", "link").splitlines()] == ["lo"]


@pytest.mark.slow
def test_a_packet_socket_hears_frames_as_they_are_with_their_tags():
    frames = [
        BROADCAST + b"\x02\0\0\0\0\x01" + head + bytes(46)
        for head in (b"\x88\xb5", b"\x81\0\0\x05\x88\xb5", b"\x88\xa8\0\x05\x81\0\0\x06\x88\xb5")
    ]
    with Namespace("pair") as space:
        space.ip("link", "add", "one", "type", "veth", "peer", "name", "two")
        for name in ("one", "two"):
            space.ip("link", "set", name, "up")
        one, two = PacketSocket(space, "one"), PacketSocket(space, "two")
        for frame in frames:
            one.send(frame)
        heard: list[bytes] = []

        def all_are_there() -> bool:
            heard.extend(frame for _, frame in two.receive())
            return len(heard) >= len(frames)

        until(all_are_there, "not all frames came", 5)
        assert (heard, one.receive()) == (frames, [])
        for each in (one, two):
            each.close()
