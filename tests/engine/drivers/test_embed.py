"""What `docs/embed.md` shows works as it stands, on fakes of the platforms."""

import asyncio
import logging
import os
import queue
import re
import socket
import types
from pathlib import Path

import pytest

from tests.builders import OUR_IP, OUR_MAC, PEER, PEER_MAC, a_tap, arp_request, frame, packet
from tests.engine.drivers.platforms import START, Flow
from virtualtap.drivers.descriptor import Descriptor

TEXT = (Path(__file__).parents[3] / "docs" / "embed.md").read_text(encoding="utf-8")
TITLES = ["Four lines", "iOS", "Android", "Linux", "macOS", "asyncio", "Threads", "What happens"]
OUT, IN = packet(PEER), packet(OUR_IP, PEER)


def run(title: str, names: dict, number: int = 0) -> dict:
    """The block of a section, among these names."""
    section = TEXT.split(f"\n## {title}")[1].split("\n## ")[0]
    code = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[number]
    exec(compile(code, "embed.md", "exec"), names)
    return names


@pytest.fixture
def ends():
    """Both sides of a tap: ours, then the platform's and the VPN's, with a greeting on its way."""
    tun, platform = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with tun, platform, near, far:
        far.send(arp_request())
        far.send(frame(IN))
        far.shutdown(socket.SHUT_WR)
        yield tun, platform, near, far


def descriptors(ends) -> dict:
    return {"tap": a_tap(), "tun_fd": ends[0].fileno(), "vpn_fd": ends[2].fileno()}


def test_every_block_has_its_test():
    assert len(re.findall(r"```python\n", TEXT)) == len(TITLES) + 1  # Android has two
    assert all(f"\n## {title}" in TEXT for title in TITLES)


def test_the_four_lines():
    sent, got, armed = [], [], []
    names = {"tap": a_tap(), "now": lambda: START}
    names |= {"send_to_vpn": sent.append, "send_to_platform": got.append, "arm": armed.append}
    names = run("Four lines", names)

    names["timer_fired"]()
    names["from_vpn"](arp_request())
    names["from_platform"](OUT)
    names["from_vpn"](frame(IN))

    assert (sent[1], got, len(armed)) == (frame(OUT, PEER_MAC, OUR_MAC), [IN], 4)


def test_ios():
    sent, flow = [], Flow()
    vpn = types.SimpleNamespace(send_frames=sent.append)
    timer = types.SimpleNamespace(arm=lambda _: None)
    run("iOS", {"tap": a_tap(), "flow": flow, "vpn": vpn, "timer": timer})

    vpn.frames_came([arp_request(), frame(IN)])
    flow.give([OUT], [2])
    timer.fire()

    assert (sent[1], flow.written) == ([frame(OUT, PEER_MAC, OUR_MAC)], [([IN], [2])])


def test_android(ends):
    names = run("Android", descriptors(ends))
    names["on_revoke"]()
    stopped = os.read(names["until"], 1)
    for end in (names["until"], names["end"]):
        os.close(end)

    assert (names["ended"], ends[1].recv(100), stopped) == ("lan down", IN, b"!")


def test_a_clock_that_counts_sleep(ends):
    names = run("Android", descriptors(ends), number=1)

    assert (names["ended"], ends[1].recv(100)) == ("lan down", IN)


def test_linux(monkeypatch):
    asked = []
    names = run("Linux", {})
    monkeypatch.setattr(os, "open", lambda path, flags: asked.append(path) or 7)
    monkeypatch.setattr(names["fcntl"], "ioctl", lambda *words: asked.append(words))

    assert names["open_tun"]("tun7") == 7
    assert asked == [
        "/dev/net/tun",
        (7, 0x400454CA, b"tun7".ljust(16, b"\0") + b"\1\x10" + bytes(22)),
    ]


def test_macos(ends):
    names = run("macOS", {**descriptors(ends), "utun_fd": ends[0].fileno()})

    assert (names["ended"], ends[1].recv(100)) == ("lan down", b"\0\0\0\2" + IN)


def test_asyncio(ends):
    tunnel = run("asyncio", {"tap": a_tap()})["tunnel"]
    host, vpn = Descriptor(ends[0].fileno()), Descriptor(ends[2].fileno())

    asyncio.run(asyncio.wait_for(tunnel(host, vpn), 30))

    assert ends[1].recv(100) == IN


def test_threads():
    frames, packets = queue.Queue(), queue.Queue()
    run("Threads", {"tap": a_tap(), "frames": frames, "packets": packets, "packet": OUT})

    assert frames.get_nowait() == [arp_request(OUR_MAC, OUR_IP, PEER)]


def test_a_log(ends, caplog):
    try:
        run("What happens", descriptors(ends))
    finally:
        logging.getLogger("virtualtap").setLevel(logging.NOTSET)

    (line,) = caplog.messages
    assert f"\n{line}\n" in TEXT
