"""A seed → a world: features in or out, then sizes. Groce et al., Swarm Testing, ISSTA 2012."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from sim.fuzz import manners, phantoms, quarrels, servers, trouble, villains
from sim.fuzz.maps import MAPS, draw_map
from sim.fuzz.recovery import draw_heal
from sim.fuzz.sketch import Sketch, ms
from sim.fuzz.speech import draw_traffic
from sim.rng import Stream, stream

_UNTIL = (200, 500, 1000, 2000, 5000, 10_000, 30_000)  # ms
_CROWD, _LOOPS, HEAL = "crowd", "loops", "heal"
_MAPS = tuple(f"map-{name}" for name in MAPS)
# in the order in which they are drawn: those that lead come first
_DRAWN: Mapping[str, Callable[[Sketch, Stream], None]] = {
    "v6": manners.draw_ipv6,
    "leases": quarrels.draw_leases,
    "profiles": manners.draw_profiles,
    "timers": manners.draw_timers,
    "limits": manners.draw_limits,
    "choices": manners.draw_choices,
    "claims": phantoms.draw_claims,
    "own-arp": manners.draw_own_arp,
    "groups": manners.draw_groups,
    "vlan": manners.draw_vlan,
    "hosts": manners.draw_hosts,
    "dhcp": manners.draw_dhcp,
    "phones": manners.draw_phones,
    "transports": manners.draw_transports,
    "servers": servers.draw_servers,
    "options": servers.draw_options,
    "policies": servers.draw_policies,
    "rules": servers.draw_rules,
    "nat": servers.draw_secure_nat,
    "layer3": servers.draw_layer3,
    "links": trouble.draw_links,
    **{name: trouble.draw_fault(name) for name in trouble.FAULTS},
    "cuts": trouble.draw_cuts,
    "crashes": trouble.draw_crashes,
    "sleep": trouble.draw_sleep,
    "roam": trouble.draw_roaming,
    "partition": trouble.draw_partition,
    "moves": trouble.draw_moves,
    "reconnects": trouble.draw_reconnects,
    "clogs": trouble.draw_clogs,
    "skew": trouble.draw_skew,
    "hostile": villains.draw_hostile,
    "spoof": villains.draw_spoof,
    "flap": villains.draw_flap,
    "old-arp": villains.draw_old_arp,
    "storm": villains.draw_storm,
    "rogue": villains.draw_rogue,
    "twins": villains.draw_twins,
    "phantoms": phantoms.draw_phantoms,
}
FEATURES: tuple[str, ...] = (*_MAPS, _CROWD, *_DRAWN, HEAL, _LOOPS)
_PERCENT = 50
# what leaves little of a world, or blinds a law, has its share but no more
_SELDOM = {
    "vlan": 15,
    "bit-flip": 20,
    "truncation": 20,
    "duplication": 25,
    "loss": 30,
    "layer3": 25,
    "dhcp": 35,
    "policies": 30,
    "rules": 25,
    "crashes": 35,
    "limits": 30,
    "own-arp": 10,
    "exactly": 25,
    "mtu": 25,
    "partition": 30,
    "moves": 30,
    "clogs": 30,
    "skew": 30,
    "jitter": 35,
    "reordering": 35,
    "hostile": 40,
    HEAL: 15,
    "phantoms": 20,
    "claims": 4,
    "leases": 5,
    _LOOPS: 3,
    "storm": 20,
    "rogue": 25,
    "twins": 25,
    "flap": 25,
    "old-arp": 30,
    "spoof": 30,
}


# what makes a loop explode, or go on for seconds
_FEEDING = ("duplication", "links", "storm", "clogs", "exactly", "leases", "claims", "phantoms")
# what makes a healed core take minutes to converge, or says much; how often it is left out
_LASTING = (
    (("spoof", "flap", "old-arp", "storm", "rogue", "twins", "hostile", "moves"), 90),
    (("bit-flip", "truncation", "exactly", "dhcp", "leases", "phantoms", "claims"), 90),
    (("servers", "options", "policies", "rules", "nat", "layer3"), 60),
    (("transports", "sleep", "roam"), 60),
)


@dataclass(frozen=True, slots=True)
class World:
    """A scenario as text, the features that it was drawn with, and both in a few words."""

    text: str
    features: tuple[str, ...]
    fingerprint: str


def world(seed: int, weights: Mapping[str, int] = {}) -> World:
    """The world of `seed`; `weights` are percents by feature, 0 never and 100 always.

    The same text on every machine: integers of `rng.stream(seed, "world/…")` decide.
    """
    luck = stream(seed, "world/features")
    features = [
        name
        for name in FEATURES
        if luck.below(100) < weights.get(name, _SELDOM.get(name, _PERCENT))
    ]
    sketch = Sketch(f"world-{seed}", seed)
    if _LOOPS in features:
        features = [name for name in features if name not in (HEAL, _CROWD, *_FEEDING)]
    if "leases" in features:
        features = [name for name in features if name not in ("nat", "rogue")]  # it has its own
    if HEAL in features:
        features = _waiting(features, stream(seed, "world/heal/features"))
    luck = stream(seed, "world/map")
    sketch.until = luck.choice(_UNTIL) + luck.below(100)
    shapes = [name for name in MAPS if f"map-{name}" in features]
    draw_map(sketch, luck, shapes, crowd=_CROWD in features, loops=_LOOPS in features)
    sketch.head["until"] = ms(sketch.until)
    for name, draw in _DRAWN.items():
        if name in features:
            draw(sketch, stream(seed, f"world/{name}"))
    draw_traffic(sketch, stream(seed, "world/traffic"))
    if HEAL in features:
        draw_heal(sketch, stream(seed, "world/heal"))
    text = sketch.text()
    return World(text, tuple(features), _fingerprint(sketch, features, text))


def _waiting(features: list[str], luck: Stream) -> list[str]:
    """The features of a world that heals: it lasts long, so most have less that goes on."""
    out = {_CROWD}
    for some, percent in _LASTING:
        out |= set(some) if luck.below(100) < percent else set()
    return [name for name in FEATURES if name == "timers" or (name in features and name not in out)]


def _fingerprint(sketch: Sketch, features: list[str], text: str) -> str:
    """Where, how many, what, and four digits of a sum: `ring12+dhcp+loss:7f3a`."""
    words = [name for name in features if name in _DRAWN or name == HEAL]
    said = "+".join([f"{sketch.shape}{len(sketch.graph)}", *words])
    return f"{said}:{blake2b(text.encode(), digest_size=2).hexdigest()}"
