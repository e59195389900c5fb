"""One frame on its way out of a hub, to one session or to many. Hub.c:StorePacket, its last steps.

StorePacketToHubPa is what each copy goes through. Copies that are the same leave together.
"""

from collections.abc import Callable
from typing import TypeAlias

from sim.link import Direction
from sim.nodes.softether import mss, rewriting, vlan
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import L3, Packet
from sim.nodes.softether.session import FloodQuota, Session
from sim.nodes.softether.verdict import Rules
from sim.reasons import Reason
from virtualtap.units import Instant

Carry: TypeAlias = Callable[[list[Direction], bytes], None]  # send one frame on every way


class Sending:
    """Who gets the frame: `copies` went to ports, `refused` says why others got none.

    `source` is None for a frame of the hub's own. A `quota` is given for floods.
    """

    __slots__ = (
        *("_carry", "_options", "_packet", "_quota", "_rules", "_ways", "copies", "frame", "now"),
        *("refused", "source"),
    )

    def __init__(
        self,
        source: Session | None,
        what: Packet | bytes,
        now: Instant,
        *,
        options: HubOptions,
        rules: Rules | None,
        carry: Carry,
        quota: FloodQuota | None,
    ) -> None:
        if isinstance(what, Packet):
            self._packet: Packet | None = what
            self.frame = what.frame
        else:
            self._packet = None
            self.frame = what
        self.source = source
        self.now = now
        self.copies = 0
        self.refused: list[str] = []
        self._options = options
        self._rules = rules
        self._carry = carry
        self._quota = quota
        self._ways: list[Direction] = []

    def give(self, target: Session, *, monitoring: bool = False) -> None:
        """One copy for `target`, if nothing is against it."""
        frame = self.frame
        if self._rules is not None or not target.plain_out:
            passed = self._pass(target, monitoring=monitoring)
            if isinstance(passed, str):
                self.refused.append(passed)
                return
            frame = passed
        is_same = frame is self.frame
        if is_same and target.room(self.now, self._quota, len(frame)):
            assert target.port is not None
            assert target.port.out is not None
            self._ways.append(target.port.out)
            return
        if not is_same or target.far is not None:
            self.leave()  # what goes by another way keeps its place in the order
            if target.send(frame, self.now):
                self.copies += target.at_port
                return
        self.refused.append(Reason.SESSION_QUEUE)

    def leave(self) -> None:
        """Send what has gathered."""
        ways = self._ways
        if ways:
            self.copies += len(ways)
            self._carry(ways, self.frame)
            self._ways = []

    def _pass(self, target: Session, *, monitoring: bool) -> bytes | str:
        """The copy as `target` gets it, or why it gets none. A monitor's policy filters nothing."""
        packet = self._packet
        if packet is None:
            packet = self._packet = Packet(self.frame, flat=self._options.DisableIPParsing)
        why = None if monitoring else self._objection(target, packet)
        why = why or self._limit(target, packet)
        if why is not None:
            return why
        frame = rewriting.without_router(packet) if target.no_router else packet.frame
        if target.vlan_id:
            untagged = vlan.remove(frame, target.vlan_id, self._options.VlanTypeId)
            if untagged is None:
                return Reason.VLAN
            frame = untagged
        if target.mss_out:
            frame = mss.clamp(frame, target.mss_out, self._options.VlanTypeId)
        return frame

    def _objection(self, target: Session, packet: Packet) -> str | None:
        """What the policies of both ends have against it."""
        for refuses in target.refuses_out:
            if refuses(packet):
                return Reason.POLICY
        source = self.source
        if source is not None and _is_private(source, target, packet, self._options):
            return Reason.PRIVACY
        return None

    def _limit(self, target: Session, packet: Packet) -> str | None:
        """The rules on the way out and the download limit; the hub's own frames are not counted."""
        rules = self._rules
        if not (rules is None or packet.is_checked or rules.egress(packet, self.source, target)):
            return Reason.ACCESS_LIST
        limit = target.download if self.source is not None else None
        if limit is not None and not limit(packet, self.now):
            return Reason.DOWNLOAD_LIMIT
        return None


def carry_each(ways: list[Direction], frame: bytes) -> None:
    """Send one frame on every way, each for itself."""
    for way in ways:
        way.send(frame)


def _is_private(source: Session, target: Session, packet: Packet, options: HubOptions) -> bool:
    """Whether PrivacyFilter keeps the packet from another session; both have to have it."""
    if not (source.policy.PrivacyFilter and target.policy.PrivacyFilter):
        return False
    if options.AllowSameUserInPrivacyFilterMode and source.terms.user == target.terms.user:
        return False
    if packet.l3 is L3.ARP:
        return options.DropArpInPrivacyFilterMode
    return options.DropBroadcastsInPrivacyFilterMode if packet.is_group else True
