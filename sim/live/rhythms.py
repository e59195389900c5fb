"""What a hub and SecureNAT say by themselves: what, how often, for how long. Hub.c, Virtual.c."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from sim.live.bout import Bout, Heard, Played, Say
from sim.live.fidelity import Row
from sim.live.hub_bouts import ONE, TWO, arp, ipv6
from sim.live.nat_bouts import is_beacon
from virtualtap.units import SECOND, Duration
from virtualtap.wire.address import BROADCAST
from virtualtap.wire.ethernet import ARP, IPV6

TOLERANCE: Duration = 400 * 10**6  # of a gap: the loops of the product turn every 256 ms
_TEXT_AT = 42  # in the beacon's datagram
_OURS = "the text is the product's own; the model says another of the same length"


def polling() -> Bout:
    """Two hosts that say one thing and are silent then."""
    packet = BROADCAST + TWO + IPV6 + ipv6("fe80::1", "ff02::1", b"x" * 8)
    script = [
        Say(0, "A", arp(ONE, "10.0.0.1"), "an IPv4 host"),
        Say(SECOND, "B", packet, "an IPv6 host"),
        Say(75 * SECOND, "A", b""),
    ]
    return Bout(title="The hub asks who is there", ports="AB", script=script, polls=True)


def polling_rows(model: Played, real: Played) -> list[Row]:
    """How a silent host is asked."""
    found = []
    for letter, kind, name in (("A", ARP, "IPv4"), ("B", IPV6, "IPv6")):
        asked = [
            [one for one in played.heard if one.port == letter and _is_poll(one, kind)]
            for played in (model, real)
        ]
        frames = [sorted({one.frame for one in side}) for side in asked]
        words = [f"{len(side)} form, of {sorted(map(len, side))} bytes" for side in frames]
        found.append(_row(f"how it asks for an {name} host", words, frames[0] == frames[1]))
        found.append(_rhythm(f"how often it asks for a silent {name} host", asked))
        lasts = [side[-1].at if side else 0 for side in asked]
        counts = [len(side) for side in asked]
        same = abs(lasts[0] - lasts[1]) < 6 * SECOND and abs(counts[0] - counts[1]) <= 1
        words = [
            f"{count} times, the last after {last / SECOND:.0f} s"
            for count, last in zip(counts, lasts, strict=True)
        ]
        found.append(_row(f"for how long it asks for a silent {name} host", words, same))
    return found


def beacon() -> Bout:
    """Nobody says anything."""
    script = [Say(0, "A", b"", "silence"), Say(26 * SECOND, "A", b"")]
    return Bout(title="SecureNAT's beacon", ports="A", script=script, nat=True)


def beacon_rows(model: Played, real: Played) -> list[Row]:
    """The datagram and the ARP reply to all."""
    found = []
    for kind, name in ((ARP, "the ARP reply"), (b"\x08\0", "the datagram")):
        said = [
            [one for one in played.heard if is_beacon(one.frame) and one.frame[12:14] == kind]
            for played in (model, real)
        ]
        frames = [{_numberless(one.frame) for one in side} for side in said]
        words = [f"{len(side)} form, of {sorted(map(len, side))} bytes" for side in frames]
        heads = [{frame[:_TEXT_AT] for frame in side} for side in frames]
        cause = _OURS if heads[0] == heads[1] and kind != ARP else ""
        found.append(_row(name, words, frames[0] == frames[1], cause))
        if kind != ARP:
            found.append(_row(f"{name} without its text", words, heads[0] == heads[1]))
        found.append(_rhythm(f"how often it says {name}", said))
    return found


def _is_poll(heard: Heard, kind: bytes) -> bool:
    return heard.frame[6:8] == b"\x00\xae" and heard.frame[12:14] == kind


def _numberless(frame: bytes) -> bytes:
    """Without the identification and the checksums of a datagram."""
    if frame[12:14] == ARP:
        return frame
    return frame[:18] + b"\0\0" + frame[20:24] + b"\0\0" + frame[26:40] + b"\0\0" + frame[42:]


def _rhythm(what: str, sides: Sequence[Sequence[Heard]]) -> Row:
    middles = []
    for side in sides:
        gaps = [b.at - a.at for a, b in pairwise(side)]
        middles.append(median(gaps) if gaps else 0)
    words = [f"every {middle / SECOND:.2f} s" for middle in middles]
    return _row(what, words, abs(middles[0] - middles[1]) <= TOLERANCE)


def _row(what: str, words: list[str], same: bool, cause: str = "") -> Row:
    model, real = words
    return Row(what, model, real, same, "" if same else cause)
