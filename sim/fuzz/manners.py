"""How the taps of a world are set up: profiles, features, short timers; whose phones hosts are."""

from typing import Any

from sim.fuzz.sketch import Sketch, ms
from sim.rng import Stream
from virtualtap.profiles import PROFILES

_MTUS = (1500, 1400, 1280, 576)


def draw_profiles(sketch: Sketch, luck: Stream) -> None:
    """Each tap one of the six, or all the same."""
    taps = sketch.named("tap")
    for match in ["tap*"] if taps and luck.chance(0.3) else taps:
        sketch.entry("taps", match).update(profile=luck.choice(list(PROFILES)))


def draw_timers(sketch: Sketch, luck: Stream) -> None:
    """Lifetimes that pass within the run."""
    short = max(20, sketch.until // 20)
    for match in _some(sketch, luck):
        words: dict[str, Any] = {
            "neighbor_lifetime": ms(short * (1 + luck.below(8))),
            "arp_interval": ms(short * (1 + luck.below(3))),
            "arp_retries_max": 1 + luck.below(4),
            "ndp_interval": ms(short * (1 + luck.below(3))),
            "ndp_reachable_time": ms(short * (1 + luck.below(6))),
            "ndp_delay": ms(short * (1 + luck.below(3))),
        }
        sketch.entry("taps", match).update(
            {key: value for key, value in words.items() if luck.chance(0.7)}
        )


def draw_limits(sketch: Sketch, luck: Stream) -> None:
    """Tables and queues that fill."""
    words: dict[str, tuple[int, ...]] = {
        "neighbors_max": (1, 2, 4),
        "held_packets_max": (1, 2, 3),
        "held_bytes_max": (100, 2000),
        "headers_max": (1, 2),
        "outbox_max": (1, 4),
        "reassembly_datagrams_max": (1, 2),
        "reassembly_fragments_max": (2, 4),
        "arp_burst_max": (1, 2),
        "hosts_max": (8, 9),
    }
    for match in _some(sketch, luck):
        chosen = {key: luck.choice(most) for key, most in words.items() if luck.chance(0.4)}
        sketch.entry("taps", match).update(chosen)


def draw_choices(sketch: Sketch, luck: Stream) -> None:
    """What is none of the other features."""
    words: dict[str, tuple[Any, ...]] = {
        "mtu": _MTUS,
        "claim": ("silently", "announced", "probed"),
        "defend": ("once", "never", "always"),
        "when_unresolved": ("hold", "drop", "broadcast"),
        "validate": ("strict", "length", "off"),
        "clamp_mss": (True, False),
        "dns_cache": (True, False),
        "learn_gateway_mac": (True, True, False),
        "random_seed": tuple(range(9)),
    }
    for match in _some(sketch, luck):
        chosen = {key: luck.choice(values) for key, values in words.items() if luck.chance(0.4)}
        sketch.entry("taps", match).update(chosen)


def draw_own_arp(sketch: Sketch, luck: Stream) -> None:
    """Taps whose caller handles ARP: they make no claim."""
    for match in _some(sketch, luck):
        sketch.entry("taps", match)["handle_arp_internally"] = False
    for words in sketch.entries("taps"):
        words.pop("claim", None)


def draw_groups(sketch: Sketch, luck: Stream) -> None:
    """Multicast groups that taps join."""
    groups = ["239.1.2.3", "224.0.0.251", "239.255.255.250", "ff02::fb", "ff05::1:3"]
    for match in _some(sketch, luck):
        luck.shuffle(groups)
        sketch.entry("taps", match).update(groups=groups[: 1 + luck.below(3)])


def draw_vlan(sketch: Sketch, luck: Stream) -> None:
    """Taps that speak in a VLAN: all, or some who then are alone."""
    number = luck.choice((1, 7, 100, 4094))
    for match in _some(sketch, luck):
        sketch.entry("taps", match).update(vlan_id=number)


def draw_hosts(sketch: Sketch, luck: Stream) -> None:
    """Several hosts behind one tap."""
    for tap in sketch.named("tap"):
        if luck.chance(0.4):
            mine = luck.below(250)
            several = [f"10.0.77.{mine + number}" for number in range(1, 2 + luck.below(4))]
            sketch.entry("taps", tap).update(
                hosts=several, host_macs=luck.choice(("shared", "own"))
            )
        elif luck.chance(0.3):
            sketch.entry("taps", tap).update(
                admit_hosts=True, host_macs=luck.choice(("shared", "own"))
            )


def draw_ipv6(sketch: Sketch, luck: Stream) -> None:
    """Everybody has IPv6 addresses; some taps form and probe theirs."""
    sketch.head["ipv6"] = sketch.has_ipv6 = True
    if luck.chance(0.4):
        for match in _some(sketch, luck):
            sketch.entry("taps", match).update(luck.choice(({"slaac": True}, {"dad": True})))


def draw_dhcp(sketch: Sketch, luck: Stream) -> None:
    """Some taps have leases to get; whether there is a server is another feature."""
    for match in _some(sketch, luck):
        words = {"dhcp": True, "dhcp_delay_max": ms(luck.choice((0, 100, 1000)))}
        if luck.chance(0.5):
            words |= {"dhcp_interval": "2s", "dhcp_renew_interval": ms(1 + sketch.until // 20)}
        if luck.chance(0.3):
            words["dhcp_decline_wait"] = "1s"
        sketch.entry("taps", match).update(words)


def draw_phones(sketch: Sketch, luck: Stream) -> None:
    """Platforms, and sessions over a transport."""
    for host in sketch.named("host"):
        if luck.chance(0.5):
            words: dict[str, Any] = {"platform": luck.choice(("ios", "android", "wireguard"))}
            if luck.chance(0.2):
                words["memory"] = luck.choice((2_000, 20_000, 200_000))
            sketch.entry("hosts", host).update(words)


def draw_transports(sketch: Sketch, luck: Stream) -> None:
    """Sessions of taps that are carried as the product does."""
    for tap, hub in sketch.sessions():
        if luck.chance(0.5):
            link = f"{tap}--{hub}"
            words: dict[str, Any] = {
                "connections": luck.choice((1, 2, 4, 8)),
                "encrypt": luck.chance(0.5),
                "qos": luck.chance(0.5),
                "udp_acceleration": luck.chance(0.3),
            }
            if words["connections"] > 1:
                words["half_duplex"] = luck.chance(0.3)
            sketch.carried.append(link)
            sketch.entry("links", link)["transport"] = words


def _some(sketch: Sketch, luck: Stream) -> list[str]:
    """All taps as one pattern, or each with a chance."""
    taps = sketch.named("tap")
    return ["tap*"] if taps and luck.chance(0.3) else [tap for tap in taps if luck.chance(0.5)]
