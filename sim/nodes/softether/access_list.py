"""The access list of a hub, and the filters of its options. Hub.c:ApplyAccessListToStoredPacket.

The first rule that matches decides, and what none matches passes. A rule that names a destination
user splits the list: those before it are asked on the way in, it and all behind it on the way out.
"""

from collections.abc import Callable, Iterable

from sim.nodes.softether.access_rule import AccessRule, matches
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import L3, L4, Packet
from sim.nodes.softether.policy import Kind
from sim.nodes.softether.redirect import answer
from sim.nodes.softether.session import Session
from sim.nodes.softether.verdict import Verdict
from sim.reasons import Reason
from sim.rng import Stream
from virtualtap.errors import UsageError
from virtualtap.units import MS, Duration, Instant

MAX_ACCESSLISTS = 32_768  # Cedar.h

_IPV4, _IPV6 = (b"\x08\x00", b"\x08\x06"), (b"\x86\xdd",)
_PPPOE = (b"\x88\x63", b"\x88\x64")
_OSPF = 89
_ACK, _NO_DATA = 0x10, 0x26  # SYN, RST, URG
_PASS = Verdict()
_FILTERS: dict[str, Callable[[Packet], bool]] = {
    "FilterPPPoE": lambda packet: packet.frame[12:14] in _PPPOE,
    "FilterOSPF": lambda packet: packet.l3 is L3.IPV4 and packet.protocol == _OSPF,
    "FilterIPv4": lambda packet: packet.frame[12:14] in _IPV4,
    "FilterIPv6": lambda packet: packet.frame[12:14] in _IPV6,
    "FilterNonIP": lambda packet: packet.frame[12:14] not in (*_IPV4, *_IPV6),
    "FilterBPDU": lambda packet: packet.l3 is L3.BPDU,
}


class AccessList:
    """`verdict.Rules` of a hub: its rules in their order, and where the luck comes from.

    UsageError for more rules than the product keeps.
    """

    def __init__(
        self, rules: Iterable[AccessRule], options: HubOptions, luck: Callable[[], Stream]
    ) -> None:
        self._options = options
        self._luck = luck
        self._stream: Stream | None = None
        self.rules = sorted(rules, key=AccessRule.order)
        if len(self.rules) > MAX_ACCESSLISTS:
            raise UsageError(
                f"an access list has {len(self.rules)} rules",
                f"a hub keeps {MAX_ACCESSLISTS} at most",
            )
        named = (i for i, rule in enumerate(self.rules) if rule.DestUsername)
        split = next(named, len(self.rules))
        self._in, self._out = self.rules[:split], self.rules[split:]
        self._filters = [refuses for name, refuses in _FILTERS.items() if getattr(options, name)]

    @property
    def is_empty(self) -> bool:
        """Whether nobody needs to be asked."""
        return not (self.rules or self._filters)

    @property
    def delays(self) -> bool:
        """Whether some frames wait; a hub learns from one when it is let go."""
        return any(rule.Delay for rule in self.rules)

    def ingress(self, packet: Packet, source: Session, now: Instant) -> Verdict:
        """What becomes of a frame that `source` sent; loss is drawn before delay."""
        if any(refuses(packet) for refuses in self._filters):
            return Verdict(Reason.HUB_FILTER)
        for rule in self._in:
            if rule.Active and matches(rule, packet, source, None, self._options):
                return self._verdict(rule, packet, source)
        return _PASS

    def egress(self, packet: Packet, source: Session | None, target: Session) -> bool:
        """Whether the frame may go to `target`; what the hub itself sends is not asked about."""
        if source is None:
            return True
        for rule in self._out:
            if rule.Active and matches(rule, packet, source, target, self._options):
                return not rule.Discard
        return True

    def _verdict(self, rule: AccessRule, packet: Packet, source: Session) -> Verdict:
        if rule.RedirectUrl and _is_data(packet):
            is_client = source.kind is Kind.CLIENT
            reply = answer(packet, rule.RedirectUrl) if is_client else b""
            return Verdict(Reason.REDIRECTED, answer=reply)
        if rule.Discard:
            return Verdict(Reason.ACCESS_LIST)
        if rule.Loss and self._below(100) < rule.Loss:
            return Verdict(Reason.ACCESS_LOSS)
        return Verdict(checked=True, delay=self._delay(rule))

    def _delay(self, rule: AccessRule) -> Duration:
        """Whole milliseconds; a jitter too small to be drawn is none (the product would crash)."""
        spread = rule.Jitter * rule.Delay // 100
        offset = self._below(spread) if spread else 0
        return (rule.Delay + (offset if offset and self._below(2) else -offset)) * MS

    def _below(self, limit: int) -> int:
        if self._stream is None:
            self._stream = self._luck()
        return self._stream.below(limit)


def _is_data(packet: Packet) -> bool:
    """A TCP segment with data, of a connection that is open."""
    if packet.l4 is not L4.TCP or not packet.flags & _ACK or packet.flags & _NO_DATA:
        return False
    header = (packet.frame[packet.l4_at + 12] >> 4) * 4
    return len(packet.frame) > packet.l4_at + header
