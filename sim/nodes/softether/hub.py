"""A virtual hub: the order in which one frame is dealt with. Hub.c:HubPaPutPacket, StorePacket.

No spanning tree, no snooping, no hop count: what loops, loops. There is no padding either: frames
shorter than 60 bytes are ordinary. The product takes one lock for the whole hub, so frames are
dealt with one after another here too.
"""

from collections.abc import Sequence
from typing import TypeAlias

from sim.nodes.softether import mss, rewriting, vlan
from sim.nodes.softether.addresses import learn, snoop
from sim.nodes.softether.constants import MAX_PACKET_SIZE, Constants, Version
from sim.nodes.softether.delay import DelayLine
from sim.nodes.softether.egress import Carry, Sending, carry_each
from sim.nodes.softether.identity import hub_mac
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import Packet
from sim.nodes.softether.parsing import key_of, parse
from sim.nodes.softether.polling import Polling
from sim.nodes.softether.session import FloodQuota, Session
from sim.nodes.softether.tables import IpTable, MacTable
from sim.nodes.softether.verdict import Rules, Verdict
from sim.reasons import Reason
from virtualtap.units import SECOND, Instant
from virtualtap.wire.address import Ip, Mac

# How many copies went to ports, and why others did not; or why the hub dropped the frame itself;
# None: it waits in the delay line.
Outcome: TypeAlias = tuple[int, Sequence[str]] | str | None

_IPV4, _ARP = b"\x08\x00", b"\x08\x06"
_PLAIN_ARP = b"\x00\x01\x08\x00\x06\x04"
_DHCP = (b"\x00\x43", b"\x00\x44")  # UDP ports 67 and 68
_NO_ROOM = (0, (Reason.SESSION_QUEUE,))


class Hub:
    """Sessions in the order of their creation, and whom it believes behind which."""

    def __init__(
        self,
        name: str,
        options: HubOptions,
        constants: Constants,
        *,
        machine: str = "",
        version: Version = Version.DEVELOPER,
        quota: FloodQuota | None = None,
        carry: Carry | None = None,
    ) -> None:
        self.name = name
        self.options = options
        self.constants = constants
        self.version = version
        self.mac = hub_mac(machine, name)
        self.rules: Rules | None = None
        self._quota = quota or FloodQuota()
        self._carry = carry or carry_each
        self._learns_addresses = not options.NoIpTable
        self._key = key_of(options)
        self._flat = options.DisableIPParsing
        self._machine = machine
        self._has_static = version is Version.DEVELOPER  # the stable one was seen to change nothing
        self._hides_gateway = options.RemoveDefGwOnDhcpForLocalhost
        self.host_macs: frozenset[Mac] = frozenset()  # the cards of its local bridges
        self._dormant = options.DetectDormantSessionInterval * SECOND
        self.forget()

    def forget(self) -> None:
        """Lose everything: sessions, tables, what waits."""
        options, constants = self.options, self.constants
        self.sessions: list[Session] = []
        self._monitors: list[Session] = []
        self.macs = MacTable(constants)
        self.ips = IpTable(constants)
        self._known = self.ips.entries
        self.delays = DelayLine(self.version)
        self._is_direct = self.rules is None  # nobody but its owner has a say in a unicast
        self.polling: Polling | None = None
        if not (options.NoArpPolling or options.NoIpTable):
            ipv6 = not options.NoIPv6AddrPolling
            self.polling = Polling(self.ips, self.mac, constants, version=self.version, ipv6=ipv6)

    def enter(self, session: Session) -> None:
        """A session begins, the last in the order of floods."""
        self.sessions.append(session)
        if session.terms.card is not None:
            self.host_macs |= {session.terms.card}
        if session.is_monitor:
            self._monitors.append(session)
            self._is_direct = False

    def use(self, rules: Rules | None) -> None:
        """From now on every frame is held against these rules."""
        self.rules = rules
        self._is_direct = rules is None and not self._monitors

    def leave(self, session: Session) -> None:
        """A session ends: nobody sends to it, and its addresses are forgotten. Hub.c:HubPaFree."""
        self.sessions.remove(session)
        if session.is_monitor:
            self._monitors.remove(session)
            self._is_direct = self.rules is None and not self._monitors
        self.macs.purge(session)
        self.ips.purge(session)

    def store(self, session: Session, data: bytes, now: Instant) -> Outcome:
        """Deal with one frame of `session`: what came of it."""
        if len(data) > MAX_PACKET_SIZE:
            return Reason.SESSION_TOO_LONG
        if session.reworks:
            data = self._rework(session, data)
        frame = parse(data, self.options)
        if frame is None:
            return Reason.MALFORMED
        if self._dormant and frame[6:8] != b"\x00\xae":
            session.heard = now
        sender = None if self._flat else _sender(frame)
        if sender is not None and session.plain_in and self.rules is None:
            return self._switch(session, frame, None, sender, now)
        packet = self._look(frame)
        if packet is None:
            return Reason.NATIVE_NAT
        return self._inspect(session, packet, now)

    def release(self, now: Instant) -> list[tuple[Session, bytes, Outcome]]:
        """What the delay line lets go: who had sent it, the frame, and what came of it."""
        return [
            (session, packet.frame, self._switch(session, packet.frame, packet, b"", now))
            if session in self.sessions
            else (session, packet.frame, Reason.NO_SESSION)
            for session, packet in self.delays.release(now)
        ]

    def ask(self, frame: bytes, now: Instant) -> Outcome:
        """A frame of the hub's own: no policy is its sender's, and nothing is learned from it."""
        owner = self.macs.lookup((frame[:6], 0))
        if owner is not None and owner.plain_out and self._is_direct:
            return (owner.at_port, ()) if owner.send(frame, now) else _NO_ROOM
        return self._deliver(None, owner, Packet(frame, flat=self._flat), now)

    def _inspect(self, session: Session, packet: Packet, now: Instant) -> Outcome:
        """Steps 7 to 11: what the sender's policy and the hub's rules say."""
        if session.is_monitor:
            return Reason.MONITOR_PORT
        if session.upload is not None and not session.upload(packet, now):
            return Reason.UPLOAD_LIMIT
        if any(refuses(packet) for refuses in session.refuses_in):
            return Reason.POLICY
        if self._learns_addresses:
            snoop(packet, self.macs, self.ips, now)
        if self.rules is not None:
            verdict = self.rules.ingress(packet, session, now)
            if verdict.why is not None:
                return self._refuse(session, verdict, now)
            packet.is_checked = verdict.checked
            if verdict.delay and self.delays.hold(session, packet, verdict.delay, now):
                return None
        return self._switch(session, packet.frame, packet, b"", now)

    def _rework(self, session: Session, data: bytes) -> bytes:
        """What the session itself changes; steps 1 and 2."""
        if session.static_ip is not None and self._has_static:
            data = rewriting.with_static_ip(data, session.static_ip)
        if session.mss_in:
            data = mss.clamp(data, session.mss_in, self.options.VlanTypeId)
        if session.vlan_id:
            data = vlan.insert(data, session.vlan_id, self.options.VlanTypeId)
        return data

    def _look(self, frame: bytes) -> Packet | None:
        """Steps 5 and 6, for DHCP of the server's own host. None: the kernel's NAT asks."""
        packet = Packet(frame, flat=self._flat)
        message = packet.dhcp
        if not message:
            return packet
        if rewriting.is_from_native_nat(message, self._machine):
            return None
        if self._hides_gateway and rewriting.is_for(message, self.host_macs):
            changed = parse(rewriting.without_gateway(packet), self.options)
            assert changed is not None, "only its options became fewer"
            packet = Packet(changed)
        return packet

    @staticmethod
    def _refuse(session: Session, verdict: Verdict, now: Instant) -> Outcome:
        """The rules drop a frame; if they answer it, its only copy is what goes back."""
        assert verdict.why is not None
        if not verdict.answer:
            return verdict.why
        sent = session.send(verdict.answer, now)
        return session.at_port if sent else 0, (verdict.why,)

    def _switch(
        self, session: Session, frame: bytes, packet: Packet | None, sender: Ip, now: Instant
    ) -> Outcome:
        """Steps 12 to 15: learn who sent it, and decide where it goes.

        `sender` is the address of one who needs no look into the packet, or empty.
        """
        if frame[6:12] == self.mac:
            return Reason.HUB_MAC
        key = self._key(frame)
        why = self.macs.learn(key, session, now)
        if why is not None:
            return why
        owner = None if frame[0] & 1 else self.macs.lookup((frame[:6], key[1]))
        if owner is session:
            return Reason.SAME_SESSION
        if self._learns_addresses:
            entry = self._known.get(sender)
            if entry is not None and entry.session is session:
                entry.mac, entry.updated = frame[6:12], now
            else:
                packet = packet or Packet(frame, flat=self._flat)
                why = learn(packet, self.ips, session, self.options, now)
                if why is not None:
                    return why
        if owner is not None and owner.plain_out and self._is_direct:
            return (owner.at_port, ()) if owner.send(frame, now) else _NO_ROOM
        return self._forward(session, owner, packet or frame, now)

    def _forward(
        self, session: Session, owner: Session | None, what: Packet | bytes, now: Instant
    ) -> Outcome:
        """Step 16, where the frame is for all."""
        if owner is None and session.storm is not None:
            what = what if isinstance(what, Packet) else Packet(what, flat=self._flat)
            if not session.storm(what, now):
                return Reason.STORM
        return self._deliver(session, owner, what, now)

    def _deliver(
        self, source: Session | None, owner: Session | None, what: Packet | bytes, now: Instant
    ) -> Outcome:
        """Steps 17 and 18: to every monitor, then to its owner or to all. No `source`: the hub."""
        to = what.frame[:6] if isinstance(what, Packet) else what[:6]
        if to == self.mac and not self._monitors:
            return 0, ()  # an answer to the hub goes no further
        quota = self._quota if owner is None else None
        sending = Sending(
            source,
            what,
            now,
            options=self.options,
            rules=self.rules,
            carry=self._carry,
            quota=quota,
        )
        for monitor in self._monitors:
            sending.give(monitor, monitoring=True)
        if owner is not None:
            sending.give(owner)
        elif sending.frame[:6] != self.mac:
            self._flood(sending)
        sending.leave()
        return sending.copies, sending.refused

    def _flood(self, sending: Sending) -> None:
        """To every session but its own and the monitors, in the order of their creation."""
        quota = self.options.FloodingSendQueueBufferQuota
        full = bool(quota) and self._quota.waiting(sending.now) >= quota
        source, dormant = sending.source, self._dormant
        for target in self.sessions:
            if target is source or target.is_monitor:
                continue
            if dormant and target.is_dormant(sending.now, dormant):
                continue
            if full and target.is_tcp:
                sending.refused.append(Reason.FLOOD_QUOTA)
            else:
                sending.give(target)


def _sender(frame: bytes) -> Ip | None:
    """Whose address a plain IPv4 or ARP frame carries; None where more is to be known of it."""
    kind = frame[12:14]
    if kind == _IPV4:
        if frame[14] == 0x45 and (frame[23] != 17 or frame[34:36] not in _DHCP):
            return frame[26:30]
    elif kind == _ARP and frame[14:20] == _PLAIN_ARP:
        return frame[28:32]
    return None
