"""One tap's whole life, read from any bytes: the first says which tap, each step is one call.

A step is a byte that says which call, to whom and how much later, two bytes of length, and as many
bytes as are left of that. What comes after the last whole step is a short one: no bytes are wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sim.conformance.registry import Case
from sim.conformance.script import CONFIG, GATEWAY_MAC, OUR_MAC
from sim.conformance.verdicts import judge
from virtualtap import MS, SECOND, TapConfig, VirtualTap, ip
from virtualtap.serving import Serving
from virtualtap.wire import checksum

LINK_LOCAL = ip("fe80::2")
SMALL = {
    "neighbors_max": 3,
    "held_packets_max": 2,
    "held_bytes_max": 3000,
    "outbox_max": 4,
    "headers_max": 2,
    "addresses6_max": 2,
    "routers_max": 1,
    "prefixes_max": 1,
    "redirects_max": 1,
    "reassembly_datagrams_max": 2,
    "reassembly_bytes_max": 4000,
    "icmp_errors_max": 2,
}
SERVING = Serving(
    pool=(ip("10.0.0.100"), ip("10.0.0.103")),
    server_ip=ip("10.0.0.3"),
    dns=(ip("10.0.0.2"),),
    prefixes=(ip("fd00::"),),
    leases_max=3,
)
ALONE = {"our_ip": None, "gateway_ip": None, "our_ip6": (), "gateway_ip6": None}
CHANGES: dict[str, dict[str, object]] = {
    "usual": {},
    "dhcp": {**ALONE, "dhcp": True, "dhcp_delay_max": 0, "claim": "probed"},
    "slaac": {"our_ip6": (LINK_LOCAL,), "gateway_ip6": None, "slaac": True, "dad": True},
    "groups": {
        "our_ip6": (LINK_LOCAL,),
        "groups": (ip("224.0.0.251"), ip("239.255.255.250"), ip("ff02::fb")),
    },
    "small": {**SMALL, "clamp_mss": True, "mtu": 1280},
    "lax": {"validate": "off", "when_unresolved": "broadcast", "vlan_id": 7},
    "claim": {"claim": "probed", "dad": True, "validate": "length"},
    "caller": {"handle_arp_internally": False, "gateway_mac": GATEWAY_MAC},
    "learner": {**ALONE, "learn_ip": True, "dns_cache": True, **SMALL},
    "hosts": {"hosts": (ip("10.0.0.7"), ip("fd00::7")), "host_macs": "own", "dns_cache": True},
    "server": {
        "serve": SERVING,
        "our_ip6": (LINK_LOCAL,),
        "gateway_ip": None,
        "gateway_ip6": None,
    },
    "linux": {"profile": "linux"},
    "ipc": {"profile": "softether-ipc", "admit_hosts": True},
}
LIVES: dict[str, TapConfig] = {
    name: replace(CONFIG, **changes) for name, changes in CHANGES.items()
}
LATER = (0, 1 * MS, 100 * MS, 1 * SECOND, 4 * SECOND, 61 * SECOND, 3600 * SECOND, 86_400 * SECOND)
VERBS = ("frame", "frame to us", "sound frame", "packet", "sound packet", "header", "take", "poll")
NO_TIME = 0x40  # the call is made without `now`
STEPS_MAX = 64


@dataclass(frozen=True, slots=True)
class Step:
    verb: str
    later: int  # nanoseconds
    without_now: bool
    data: bytes


def steps(data: bytes) -> Iterator[Step]:
    """The calls that `data` asks for."""
    at, count = 1, 0
    while at < len(data) and count < STEPS_MAX:
        kind, length = data[at], int.from_bytes(data[at + 1 : at + 3])
        body = data[at + 3 : at + 3 + length]
        yield Step(VERBS[kind & 7], LATER[kind >> 3 & 7], bool(kind & NO_TIME), body)
        at, count = at + 3 + length, count + 1


def live(data: bytes) -> VirtualTap:
    """Call as `data` says; whatever the tap raises comes out, and what it gives is looked at."""
    names = tuple(LIVES)
    config = LIVES[names[data[0] % len(names)]] if data else CONFIG
    tap, now = VirtualTap(config), 0
    for step in steps(data):
        now += step.later
        given = call(tap, step, None if step.without_now else now)
        if step.without_now:
            now -= step.later
        assert given is None or type(given) is bytes
        deadline = tap.next_deadline()
        assert deadline is None or type(deadline) is int
    frames, packets = tap.take_frames(), tap.take_packets()
    assert all(type(each) is bytes and len(each) > 14 for each in frames)
    assert all(type(each) is bytes and len(each) > 19 for each in packets)
    assert max(len(frames), len(packets)) <= config.outbox_max
    if config.dhcp:
        tap.release(now)
    return tap


def call(tap: VirtualTap, step: Step, now: int | None) -> bytes | None:
    """One step."""
    data = step.data
    if step.verb == "take":
        tap.take_frames()
        tap.take_packets()
        tap.take_events()
        return None
    if step.verb == "poll":
        return None if now is None else tap.poll(now)
    if step.verb in ("packet", "sound packet"):
        return tap.ip_to_ethernet(data if step.verb == "packet" else sound(data), now)
    if step.verb == "header":
        return tap.header_for(sound(data), now)
    if step.verb == "frame to us":
        data = OUR_MAC + GATEWAY_MAC + data
    elif step.verb == "sound frame":
        data = data[:14] + sound(data[14:])
    return tap.ethernet_to_ip(data, now)


def sound(packet: bytes) -> bytes:
    """The same with its lengths and checksums as they should be, which no fuzzer guesses."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        front = max(20, (packet[0] & 15) * 4)
        head = packet[:2] + len(packet).to_bytes(2) + packet[4:10] + b"\0\0" + packet[12:front]
        head = head[:10] + checksum.internet(head).to_bytes(2) + head[12:]
        return head + _summed(packet[9], packet[12:16], packet[16:20], packet[front:])
    if len(packet) >= 48 and packet[0] >> 4 == 6:
        front = 48 if packet[6] == 0 else 40  # behind the hop-by-hop options of MLD
        kind = packet[40] if packet[6] == 0 else packet[6]
        head = packet[:4] + (len(packet) - 40).to_bytes(2) + packet[6:front]
        return head + _summed(kind, packet[8:24], packet[24:40], packet[front:])
    return packet


def _summed(kind: int, source: bytes, destination: bytes, body: bytes) -> bytes:
    at = {1: 2, 2: 2, 58: 2, 17: 6, 6: 16}.get(kind)
    if at is None or len(body) < at + 2:
        return body
    zeroed = body[:at] + b"\0\0" + body[at + 2 :]
    if kind == 17:
        zeroed = body[:4] + len(body).to_bytes(2) + b"\0\0" + body[8:]
    if kind in (1, 2):
        value = checksum.internet(zeroed)
    else:
        value = checksum.transport(source, destination, kind, zeroed)
    return zeroed[:at] + value.to_bytes(2) + zeroed[at + 2 :]


def from_case(case: Case, life: int) -> bytes:
    """What a conformance case says to a translator, as the bytes of a life."""
    said, now = bytes((life,)), 0
    for one in judge(case, VirtualTap).exchange:
        if one.into:
            wait = next(n for n in range(8) if LATER[n] >= one.at - now or n == 7)
            now += LATER[wait]
            verb = VERBS.index("frame" if one.side == "lan" else "packet")
            said += bytes((verb | wait << 3,)) + len(one.data).to_bytes(2) + one.data
    return said
