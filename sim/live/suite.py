"""The judge's own judge: Linux under all cases, and why it fails those that it fails."""

from collections.abc import Iterator

from sim.conformance.registry import Case, cases
from sim.conformance.target_kernel import KernelTranslator, judge_in_time, unavailable
from sim.conformance.verdicts import Outcome, Verdict
from sim.live.fidelity import Missing, Row, Section

_NO_SOURCE = (
    "Linux forwards what has such a source: it looks at sources as `rp_filter` says, here 0"
)
_NOBODY = "Linux sends to its router, or asks for, what is for nobody"
_EARLY = "the way to the host is there before its address is: of this arrangement, not of Linux"
_RANKED = "where it forwards itself, Linux does not choose its router by who answers"
CAUSES = {
    "arp/sender-ip-of-our-broadcast": "asked as a router for its host, Linux checks the sender",
    "ethernet/second-tag-is-left-alone": "Linux takes one priority tag after another off",
    "ipv4/both-zeros-are-right": "a router writes the checksum anew, and zero as zero",
    "ipv4/directed-broadcast-is-no-source": _NO_SOURCE,
    "ipv4/reserved-address-is-no-source": _NO_SOURCE,
    "ipv4/host-number-does-not-speak-to-one-host": _NO_SOURCE,
    "ipv4/marked-options-are-copied": "a router notes itself in the record of the route, and "
    "overwrites in later fragments what is not copied",
    "ipv6/nothing-is-sent-to-nobody": _NOBODY,
    "ndp/ourselves-and-nobody-are-no-destinations": _NOBODY,
    "ndp/tentative-address-receives-nothing": _EARLY,
    "ndp/tentative-address-sends-nothing": _EARLY,
    "ndp/old-hop-may-not-redirect-again": "Linux goes on to hear who was the first hop before",
    "ndp/redirect-with-other-options-is-followed": "Linux looks at the packet that is quoted, and "
    "here none of its own is",
    "ndp/known-router-is-preferred": _RANKED,
    "ndp/silent-routers-take-turns": _RANKED,
    "profiles/hundred-and-one-packets-wait": "Linux counts bytes of memory (212,992): as many as "
    "101 long packets have, so that of short ones more wait",
}
_TEXT = """\
Linux between a TUN, the host's side, and a TAP is a translator, too, and
`vtap conform --target kernel` judges it, in real time. What it does otherwise by the profile
`linux` it must fail, all else it must pass: so the cases are judged, and the profile. Not asked
({unasked} cases) is what needs more than five seconds, what a router does not do (groups,
broadcasts, fragments joined, errors in another's name) and what Linux does not have by itself (a
DHCP client, several hosts). A packet's time to live is raised before, and a doubt in the name of
Linux' link-local address counts as one in that of the host's (RFC 4861 7.2.2 lets it choose).
"""


def sections() -> Iterator[Section]:
    """Every case that `strict` or `linux` follow, on the kernel: about a minute. Missing."""
    reason = unavailable()
    if reason is not None:
        raise Missing(reason)
    asked = [case for case in cases() if {"strict", "linux"} & {*case.profiles}]
    outcomes = judge_in_time(asked, KernelTranslator, None)
    silent = (Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE)
    rows = [_row(one.case, one) for one in outcomes if one.verdict not in silent]
    text = _TEXT.format(unasked=len(outcomes) - len(rows))
    yield Section("The kernel: the conformance suite", text, rows)


def _row(case: Case, outcome: Outcome) -> Row:
    follows = "linux" in case.profiles
    passed = outcome.verdict is Verdict.PASS
    model = "pass" if follows else f"fail: {case.manner('linux')}"
    real = outcome.verdict.value + (f": {outcome.why}" if outcome.why else "")
    return Row(case.id, model, real, follows == passed, CAUSES.get(case.id, ""))
