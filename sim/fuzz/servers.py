"""How the SoftEther servers of a world are set up: options, policies, users, SecureNAT, rules."""

from typing import Any

from sim.fuzz.sketch import Sketch, ms
from sim.rng import Stream

_OPTIONS: dict[str, tuple[Any, ...]] = {
    "NoArpPolling": (True,),
    "NoIPv6AddrPolling": (True,),
    "ManageOnlyLocalUnicastIPv6": (False,),
    "NoIpTable": (True,),
    "ManageOnlyPrivateIP": (False,),
    "DisableIPParsing": (True,),
    "NoManageVlanId": (True,),
    "FilterIPv6": (True,),
    "FilterNonIP": (True,),
    "BroadcastStormDetectionThreshold": (1, 5, 32),
    "BroadcastLimiterStrictMode": (True,),
    "FloodingSendQueueBufferQuota": (3000, 100_000),
    "DetectDormantSessionInterval": (1, 5),
    "AdjustTcpMssValue": (536, 1200),
    "DisableUdpFilterForLocalBridgeNic": (True,),
}
_POLICY: dict[str, tuple[Any, ...]] = {
    "DHCPFilter": (True,),
    "DHCPNoServer": (True,),
    "DHCPForce": (True,),
    "NoBridge": (True,),
    "NoRouting": (True,),
    "PrivacyFilter": (True,),
    "NoServer": (True,),
    "CheckMac": (True,),
    "CheckIP": (True,),
    "ArpDhcpOnly": (True,),
    "NoBroadcastLimiter": (True,),
    "RSandRAFilter": (True,),
    "NoRoutingV6": (True,),
    "FilterNonIP": (True,),
    "MaxUpload": (100_000, 1_000_000),
    "MaxDownload": (100_000, 1_000_000),
    "MaxMac": (1, 2),
    "MaxIP": (1, 2),
    "VLanId": (7,),
}


def draw_servers(sketch: Sketch, luck: Stream) -> None:
    """The product itself, which polls: with its defaults, or as somebody set it."""
    for hub in sketch.named("hub"):
        if luck.chance(0.6):
            words = sketch.entry("servers", hub)
            if luck.chance(0.3):
                words["version"] = "5.01"
            if luck.chance(0.3):
                words["strategy"] = "low-memory"
            if luck.chance(0.2):
                words["parameters"] = {"MAX_MAC_TABLES": 2 + luck.below(3)}


def draw_options(sketch: Sketch, luck: Stream) -> None:
    """Options of hubs."""
    for hub in _some(sketch.named("hub"), luck):
        options = {name: luck.choice(of) for name, of in _OPTIONS.items() if luck.chance(0.2)}
        sketch.entry("servers", hub)["options"] = options


def draw_policies(sketch: Sketch, luck: Stream) -> None:
    """Users with policies, and sessions that are theirs."""
    for number, (tap, hub) in enumerate(sketch.sessions(), 1):
        if not luck.chance(0.5):
            continue
        name = f"user{number}"
        policy = {item: luck.choice(of) for item, of in _POLICY.items() if luck.chance(0.1)}
        sketch.entry("servers", hub).setdefault("users", []).append(
            {"name": name, "policy": policy}
        )
        session = sketch.entry("sessions", f"{tap}--{hub}")
        session["user"] = name
        if luck.chance(0.3) and not {"NoBridge", "NoRouting"} <= policy.keys():
            session["bridge"] = True


def draw_rules(sketch: Sketch, luck: Stream) -> None:
    """Access lists."""
    for hub in _some(sketch.named("hub"), luck):
        rules = []
        for priority in range(1, 2 + luck.below(3)):
            rule: dict[str, Any] = {"Priority": priority * 10}
            if luck.chance(0.5):
                rule |= {"SrcIpAddress": f"10.0.0.{luck.below(4)}", "SrcSubnetMask": _mask(luck)}
            if luck.chance(0.4):
                rule["Protocol"] = luck.choice((1, 17))
            rule |= luck.choice(
                (
                    {"Discard": True},
                    {"Delay": 1 + luck.below(100)},
                    {"Delay": 20, "Jitter": 50},
                    {"Loss": 1 + luck.below(100)},
                )
            )
            rules.append(rule)
        sketch.entry("servers", hub)["access"] = rules


def draw_secure_nat(sketch: Sketch, luck: Stream) -> None:
    """A virtual host that leases addresses and leads out; traffic that goes there."""
    for hub in _some(sketch.named("hub"), luck)[:1]:
        words: dict[str, Any] = {
            "Ip": "10.0.255.1",
            "Mask": "255.255.0.0",
            "UseDhcp": luck.chance(0.8),
            "UseNat": luck.chance(0.8),
            "DhcpLeaseIPStart": "10.0.0.1",
            "DhcpLeaseIPEnd": luck.choice(("10.0.0.3", "10.0.1.200")),
            "DhcpSubnetMask": "255.255.0.0",
            "DhcpGatewayAddress": luck.choice(("10.0.255.1", "0.0.0.0")),  # noqa: S104  # none is meant
            "DhcpExpireTimeSpan": luck.choice((2, 15, 60, 7200)),
        }
        if luck.chance(0.5):
            words["mode"] = luck.choice(("user", "kernel", "off"))
            words["ping"] = luck.choice(("raw", "api", "fake"))
        sketch.entry("servers", hub)["secure_nat"] = words
        host = luck.choice(sketch.named("host") or sketch.named("station", "gateway"))
        kind, every = luck.choice(("ping", "stream")), ms(max(1, sketch.until // 4))
        sketch.say({"kind": kind, "from": host, "to": "198.51.100.7", "every": every})


def draw_layer3(sketch: Sketch, luck: Stream) -> None:
    """A second hub of a server, and a layer-3 switch between the two."""
    for hub in _some(sketch.named("hub"), luck)[:1]:
        words = sketch.entry("servers", hub)
        words["hubs"] = [{"name": "SALES"}]
        one, other = (
            {"hub": name, "ip": f"10.{net}.255.2", "mask": "255.255.0.0"}
            for net, name in enumerate(("DEFAULT", "SALES"))
        )
        words["switches"] = [{"name": "between", "interfaces": [one, other]}]
        for tap, where in sketch.sessions():
            is_nobody = "user" not in sketch.entry("sessions", f"{tap}--{hub}")
            if where == hub and is_nobody and luck.chance(0.3):
                sketch.entry("sessions", f"{tap}--{hub}")["hub"] = "SALES"


def _mask(luck: Stream) -> str:
    return luck.choice(("255.255.255.255", "255.255.0.0", "255.255.255.252"))


def _some(names: list[str], luck: Stream) -> list[str]:
    """Each with a chance, one at least where there is one."""
    return [name for name in names if luck.chance(0.4)] or names[:1]
