"""Worlds about leases: of a server that comes and goes, while others claim the addresses."""

from sim.fuzz.phantoms import speak_to_nobody
from sim.fuzz.sketch import Sketch, ms
from sim.fuzz.villains import near
from sim.rng import Stream
from virtualtap.profiles import PROFILES

_REBINDING = 13_200  # ms: T2 of the first lease has passed, which lasts 15 s or longer


def draw_leases(sketch: Sketch, luck: Stream) -> None:
    """Short leases of a server that goes and comes; addresses that others claim meanwhile."""
    hubs, taps = sketch.named("hub"), sketch.named("tap")
    if not hubs or not taps:
        return
    hub = luck.choice(hubs)
    sketch.until = max(sketch.until, 16_000 + luck.below(8000))
    sketch.head["until"] = ms(sketch.until)
    sketch.entry("servers", hub)["secure_nat"] = {
        "Ip": "10.0.255.1",
        "Mask": "255.255.0.0",
        "DhcpLeaseIPStart": "10.0.0.1",
        "DhcpLeaseIPEnd": luck.choice(("10.0.0.2", "10.0.1.200")),
        "DhcpSubnetMask": "255.255.0.0",
        "DhcpGatewayAddress": "10.0.255.1",
        "DhcpExpireTimeSpan": luck.choice((2, 4, 8, 15)),
    }
    mute = []  # nobody hears their taps any longer, so they ask until the lease ends
    for tap in taps:
        claim = luck.choice(("silently", "announced", "probed"))
        sketch.entry("taps", tap).update(
            dhcp=True,
            claim=claim,
            handle_arp_internally=True,
            profile=luck.choice(["strict", "tc8", *PROFILES]),  # these mind who has their address
            dhcp_delay_max="0s",
            dhcp_requests_max=luck.choice((1, 2, 4)),
            dhcp_interval="2s",
            dhcp_renew_interval=ms(500),
            dhcp_decline_wait="1s",
        )
        (host,) = sketch.behind(tap)
        if luck.chance(0.5):
            speak_to_nobody(sketch, luck, host)
        for link in sketch.links("hub", "switch"):
            if tap in link.split("--") and luck.chance(0.4):
                mute += [tap] * _hamper(sketch, luck, link, tap)
    for _ in range(luck.below(4)):
        at = sketch.moment(luck)
        sketch.happen(at, crash=hub)
        sketch.happen(at + 1 + luck.below(luck.choice((10, 6000, 14_000))), restart=hub)
    _claims(sketch, luck, mute or taps)


def _hamper(sketch: Sketch, luck: Stream, link: str, tap: str) -> bool:
    """A link on which a server is late or silent; whether nobody hears the tap any longer."""
    how = luck.below(3)
    if how == 0:
        sketch.entry("links", link)["delay"] = ms(500)
        return False
    loss = {"fault": "loss", "probability": 0.5}
    if how == 1:
        sketch.entry("links", link).setdefault("faults", []).append(loss)
        return False
    (other,) = {*link.split("--")} - {tap}
    sketch.happen(
        1000 + luck.below(6000),
        begin={"link": link, "fault": "loss", "probability": 1.0, "toward": other},
    )
    return True


def _claims(sketch: Sketch, luck: Stream, taps: list[str]) -> None:
    """Stations that say that a host's address is theirs, and another who leases addresses."""
    stations = sketch.named("station")
    if not stations:
        return
    for _ in range(1 + luck.below(4)):
        (host,) = sketch.behind(luck.choice(taps))
        liars = [name for name in near(sketch, host) if name in stations]
        if liars:
            words = {"from": luck.choice(liars), "claims": host, "to": "all", "as": "request"}
            every = ms(sketch.until // 16)
            sketch.happen(sketch.moment(luck), spoof={**words, "every": every, "times": 8})
    if luck.chance(0.3):
        at = sketch.moment(luck)
        stop = ms(sketch.later(at, luck))
        sketch.happen(at, rogue={"node": luck.choice(stations), "lease": "3s", "stop": stop})
