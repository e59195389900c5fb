"""For each planted defect the smallest world that shows it, as a scenario."""

from tests.sim.networks import echo
from virtualtap.wire.ethernet import IPV4

TAP = {"tap1": "tap", "h1": "host"}
LAN = {"hub1": "hub", **TAP, "s1": "station"}
TWO = {"hub1": "hub", **TAP, "tap2": "tap", "h2": "host", "s1": "station"}
SWITCHED = {"sw1": "switch", "s1": "station", "s2": "station", "s3": "station"}
ROUTED = {"sw1": "switch", "sw2": "switch", "s1": "station", "gw1": "gateway", "s2": "station"}
MUTE = 'crash = "s1"'
NOBODY = "198.51.100.7"


def scene(nodes: dict[str, str], *more: str, until: str = "2s", links=(), head: str = "") -> str:
    """A scenario of these nodes, each on the first hub or switch unless `links` says otherwise."""
    said = {name for pair in links for name in pair}
    middle = next(iter(nodes))
    pairs = [list(pair) for pair in links]
    for name, kind in list(nodes.items())[1:]:
        if kind == "host":
            pairs.append([name, name.replace("h", "tap")])
        elif name not in said:
            pairs.append([name, middle])
    kinds = ", ".join(f'{name} = "{kind}"' for name, kind in nodes.items())
    lines = ['name = "scene"', f'until = "{until}"', head]
    lines.append(f'topology = {{ name = "drawn", nodes = {{ {kinds} }}, links = {pairs} }}')
    return "\n".join([*lines, *more, ""]).replace("'", '"')


def ping(source: str, to: str, every: str = "1s", **more: object) -> str:
    words = "".join(f"{key} = {_toml(value)}\n" for key, value in more.items())
    pattern = f'kind = "ping"\nfrom = "{source}"\nto = "{to}"\nevery = "{every}"\n'
    return f"[[traffic]]\n{pattern}{words}"


def stream(source: str, to: str, every: str = "1s", **more: object) -> str:
    return ping(source, to, every, **more).replace('"ping"', '"stream"')


def at(when: str, what: str) -> str:
    return f'[[timeline]]\nat = "{when}"\n{what}\n'


def tap(match: str = "tap*", **words: object) -> str:
    said = "".join(f"{key} = {_toml(value)}\n" for key, value in words.items())
    return f'[[taps]]\nmatch = "{match}"\n{said}'


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def inject(source: str, *frames: bytes, when: str = "1s") -> str:
    said = ", ".join(f'"{frame.hex()}"' for frame in frames)
    return at(when, f'inject = {{ from = "{source}", frames = [{said}] }}')


# what stands in none of these is as the plan of addresses has it: 02:00 and a number, 10.0.0.N
_H1, _S1 = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
_REQUEST = bytes.fromhex("08060001080006040001")
_PROBE = b"\xff" * 6 + _S1 + _REQUEST + _S1 + bytes(10) + bytes((10, 0, 0, 9))
_ASKED = _H1 + _S1 + _REQUEST + _S1 + bytes((10, 0, 0, 2)) + bytes(6) + bytes((10, 0, 0, 1))
_PADDED = _H1 + _S1 + IPV4 + echo(bytes((10, 0, 0, 2)), bytes((10, 0, 0, 1))) + bytes(18)

POLLS = '[[servers]]\nmatch = "hub1"\n'

SCENES: dict[str, str] = {
    "loses-the-first-packet": scene(LAN, ping("h1", "s1")),
    "broadcasts-the-first-packet": scene(LAN, ping("h1", "s1")),
    "asks-for-every-packet": scene(
        LAN, ping("h1", NOBODY.replace("198.51.100", "10.0.9"), "100ms")
    ),
    "never-asks-again": scene(LAN, ping("h1", "s1"), at("0s", MUTE), until="12s"),
    "forgets-what-waited": scene(LAN, ping("h1", "s1", "20s"), at("0s", MUTE), until="6s"),
    "merges-the-target": scene(
        {**TWO, "s2": "station"}, ping("h1", "s1", "500ms"), ping("s2", "s1", "9s", start="200ms")
    ),
    "believes-for-ever": scene(
        {**LAN, "s2": "station"},
        ping("h1", "s1", "9s"),
        at("1s", 'spoof = { from = "s2", claims = "s1", to = "h1" }'),
        tap(neighbor_lifetime="1s", arp_interval="100ms"),
        until="9s",
    ),
    "answers-every-question": scene(LAN, inject("s1", _PROBE)),
    "answers-broadcasts-only": scene(LAN, inject("s1", _ASKED)),
    "raises-on-a-probe": scene(LAN, inject("s1", _PROBE)),
    "announces-the-third-host-under-no-mac": scene(
        LAN, tap(hosts=["10.0.9.1", "10.0.9.2", "10.0.9.3"], claim="announced")
    ),
    "solicits-itself": scene(LAN, ping("h1", "s1", family=6), head="ipv6 = true"),
    "hands-padding-up": scene({"sw1": "switch", **TAP, "s1": "station"}, inject("s1", _PADDED)),
    "cuts-too-late": scene(LAN, stream("h1", "s1", size=3000)),
    "floods-back": scene(LAN, ping("h1", "s1")),
    "floods-twice": scene(LAN, ping("h1", "s1")),
    "polls-a-group": scene(
        LAN,
        ping("h1", "s1", family=6),
        f"{POLLS}options = {{ ManageOnlyLocalUnicastIPv6 = false }}",
        head="ipv6 = true",
        until="9s",
    ),
    "keeps-every-mac": scene(
        LAN, ping("h1", "s1"), f"{POLLS}parameters = {{ MAX_MAC_TABLES = 1 }}"
    ),
    "keeps-the-old-session": scene(
        TWO, ping("h1", "h2", "500ms"), at("700ms", 'flap = { from = "s1", of = "h2" }')
    ),
    "remembers-nobody": scene(SWITCHED, ping("s1", "s2")),
    "counts-what-it-does-not-send": scene(LAN, ping("h1", "s1")),
    "answers-for-the-subnet": scene({**LAN, "s2": "station"}, ping("h1", "s1")),
    "asks-twice": scene(LAN, ping("s1", "h1")),
    "pads-with-what-was-there": scene(LAN, ping("h1", "s1")),
    "sends-what-waited-twice": scene(SWITCHED, ping("s1", "s2")),
    "forgets-the-checksum": scene(
        ROUTED,
        ping("s1", "s2"),
        links=[["s1", "sw1"], ["gw1", "sw1"], ["gw1", "sw2"], ["s2", "sw2"]],
    ),
    "loses-without-a-word": scene(LAN, ping("h1", "s1", "100ms")),
    "cuts-long-frames": scene(LAN, stream("h1", "s1", size=1450)),
    "delivers-after-the-cut": scene(LAN, ping("h1", "s1"), at("2ms", 'down = "tap1--hub1"')),
    "lets-short-ones-pass": scene(
        SWITCHED, stream("s1", "s2", size=1400), stream("s1", "s2", size=16)
    ),
}
