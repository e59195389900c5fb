"""What the suite is, and what it leaves out, with the reason: the head of docs/conformance.md."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sim.conformance.registry import cases

HEAD = """\
# The judge

What stands between Ethernet and IP is judged here clause by clause: frames and packets go in, and
exactly those that the clause demands must come out, at the moment it demands. Time is virtual: a
lease of a day passes in no time. A case knows the translator by its verbs alone, so that yours can
be judged as ours is:

```
vtap conform                                         # our engine
vtap conform --target python:my.module:MyTranslator  # called with a TapConfig, gives a Translator
vtap conform --target c:./libmine.so --family arp    # the `virtual_tap_…` functions
vtap conform --target exec:./adapter                 # a child that speaks docs/targets.md
vtap conform --target kernel                         # Linux itself, in real time, as root
vtap conform --profile linux --profile strict        # whose manners: a column for each, or `all`
vtap conform --mutants                               # is every wrong engine caught?
```

`virtualtap.Translator` has the verbs of a Python target: `ip_to_ethernet`, `ethernet_to_ip`,
`poll`, `next_deadline`, `take_frames`, `take_packets`. Whatever is not our engine has a process of
its own for each case: a crash, a hang or a flood there is a verdict. `sim/conformance/target_c.py`
shows which functions of a library are called, and how; [targets](targets.md) says what a command
reads and writes, in whatever language.
`kernel` is Linux as it forwards between a TUN and a TAP, in namespaces of its own: what must wait
for more than five seconds, or is no router's business, is not asked there, and
[fidelity](fidelity.md) explains each fail.

**pass**: exactly what the clause demands came out. **FAIL**: something else did; the command shows
it field by field. **not set up**: what the case only needs as a set-up did not come about, so it
says nothing of its clause. **not asked**: the target lacks what the case needs. **—**: the profile
has another manner ([profiles](profiles.md)), so the case is not for it. **ERROR**: it raised,
crashed, hung or flooded. The exit status is 1 if there is a fail, an error or a mutant that nothing
caught.

A case counts once for a clause and a class of stimulus. Names in parentheses are those under
which TC8 (OPEN Alliance), IWL (its ARP tests) and v6LC (IPv6 Ready) know the same question.
A clause `owner/repository#number` is a public thread about a bug: [the museum](museum.md).
`--captures FOLDER` writes the frames of each fail as pcapng, `--html FILE` one page with a column
for each target and profile. `vtap conform --profile all --markdown docs/conformance.md` writes
this one.
"""


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows that others have and we have not, and why."""

    what: str
    why: str
    aliases: tuple[str, ...] = ()


def gaps() -> Iterator[Gap]:
    """What is not done: of rows with names those that no case claims."""
    claimed = {name for case in cases() for name in case.aliases}
    for gap in _GAPS:
        left = tuple(name for name in gap.aliases if name not in claimed)
        if left or not gap.aliases:
            yield replace(gap, aliases=left)


def _numbered(stem: str, *numbers: int | str) -> tuple[str, ...]:
    return tuple(f"{stem}{n:02}" if isinstance(n, int) else f"{stem}{n}" for n in numbers)


def _iwl(*numbers: int) -> tuple[str, ...]:
    return tuple(f"IWL:{n:03}" for n in numbers)


_CLIENT = "TC8:DHCPv4_CLIENT_"
_NUMBER_ONLY = (
    "we know them by number and section only: which of our cases is which cannot be said; "
    "what the sections are about has cases"
)

_GAPS = (
    Gap(
        "hardware and protocol lengths of TC8",
        "not in TC8's active list; by their place the questions of IWL:007 to IWL:014",
        _numbered("TC8:ARP_", 23, 24, 25, 29, 30, 31),
    ),
    Gap("more frames from our own MAC", "one class of stimulus with IWL:030", _iwl(31, 32, 33)),
    Gap(
        "conflicts in the middle of a TCP connection, or with a fixed address",
        "a translator has no connections: one class of stimulus with IWL:034 to 036, 040 and 043",
        _iwl(37, 38, 39, 41, 42, 44, 45, 46, 47, 48),
    ),
    Gap(
        "link-local IPv4 addresses (RFC 3927): TC8's IPv4_AUTOCONF, 29 rows",
        "the engine chooses no IPv4 address for itself",
    ),
    Gap(
        "TC8's rows for switches: VLAN membership, address learning, filtering, storm control",
        "they judge a switch and not a translator; the laboratory's hubs have tests of their own",
    ),
    Gap(
        "ICMP that a host answers: TC8's ICMPv4_TYPE",
        "a translator answers no echo: it hands it to the host",
        _numbered("TC8:ICMPv4_TYPE_", 4, 5, 8, 9, 10, 11, 12, 16, 18, 22),
    ),
    Gap(
        "further rows of TC8 for IPv4",
        _NUMBER_ONLY,
        (
            *_numbered("TC8:IPv4_HEADER_", 2, 3, 4, 5, 8, 9),
            *_numbered("TC8:IPv4_VERSION_", 1, 4),
            *_numbered("TC8:IPv4_FRAGMENTS_", 2, 3, 4, 5),
            *_numbered("TC8:IPv4_REASSEMBLY_", 4, 6, 7, 9, 10, 11, 12, 13),
            *_numbered("TC8:ICMPv4_ERROR_", 3),
        ),
    ),
    Gap(
        "further rows of TC8 for the DHCP client",
        _NUMBER_ONLY,
        (
            *_numbered(f"{_CLIENT}PROTOCOL_", 3),
            *_numbered(f"{_CLIENT}ALLOCATING_", 4, 6),
            *_numbered(f"{_CLIENT}CONSTRUCTING_MESSAGES_", 2, 3, 4, 5, 13),
            *_numbered(f"{_CLIENT}REQUEST_", 8, 11, 12),
            *_numbered(f"{_CLIENT}INITIALIZATION_ALLOCATION_", 2, 3, 4, 5, 6, 8, 9, 10),
            *_numbered(f"{_CLIENT}REACQUISITION_", 4, 5, 6),
        ),
    ),
    Gap(
        "a DHCP client that waits one to ten seconds after a NAK",
        "TC8 reads RFC 2131 4.4.1 so; it speaks of the start, and of a NAK 3.1.5 says: begin anew",
        (f"{_CLIENT}INITIALIZATION_ALLOCATION_01",),
    ),
    Gap(
        "a DHCP client on two interfaces",
        "a tap is one interface; its MAC is the client's",
        (f"{_CLIENT}USAGE_01",),
    ),
    Gap("DHCPINFORM (RFC 2131 3.4) of the engine's own", "who has an address is configured whole"),
    Gap(
        "anycast delay, the hop limit of router advertisements",
        "the engine owns no anycast address; a packet's hop limit is the host's",
        _numbered("v6LC.", "2.1.14", "2.2.13"),
    ),
    Gap(
        "further rows of IPv6 Ready for hosts",
        "not told apart yet from cases that we have under their clauses of RFC 4861",
        _numbered("v6LC.", "2.1.13", "2.2.18", "2.3.2", "2.3.15"),
    ),
    Gap(
        "a router's time to live, its ICMP errors, its answer to an echo",
        "with `serve` the translator is the Ethernet port of a router behind it, and no second one",
    ),
)
