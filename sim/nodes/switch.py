"""Switch: an 802.1D learning bridge as the Linux kernel's, without a spanning tree.

Checked against Linux: net/bridge/br_input.c, br_fdb.c, br_forward.c, and a real bridge.
"""

from sim.node import Node, Port
from sim.reasons import Reason
from virtualtap.units import SECOND, Duration, Instant
from virtualtap.wire.address import NO_MAC, Mac

AGEING_TIME: Duration = 300 * SECOND  # IEEE 802.1D table 7-5, br_device.c
ENTRIES_MAX = 65_536
MTU_FRAME = 1518  # br_forward.c:is_skb_forwardable: MTU 1500 + header + one VLAN tag
_LINK_LOCAL = b"\x01\x80\xc2\x00\x00"  # IEEE 802.1D table 7-10: never forwarded, but see below


class Switch(Node):
    """Learns sources, forwards to the port learned, floods the rest. Frames pass unchanged."""

    kind = "switch"

    def __init__(self, name: str, ageing_time: Duration = AGEING_TIME) -> None:
        super().__init__(name)
        self._ageing_time = ageing_time
        self._table: dict[Mac, tuple[Port, Instant]] = {}

    def port(self) -> Port:
        """One more port: p1, p2, …"""
        return self.add_port(f"p{len(self.ports) + 1}")

    def table(self) -> dict[Mac, str]:
        """Whom it believes behind which port now."""
        limit = self.network.now - self._ageing_time
        return {mac: port.name for mac, (port, seen) in self._table.items() if seen > limit}

    def forget(self) -> None:
        self._table.clear()

    def link_changed(self, port: Port, *, up: bool) -> None:
        """What was learned from a port is forgotten with its carrier: br_stp_disable_port."""
        if not up:
            gone = [mac for mac, (where, _) in self._table.items() if where is port]
            for mac in gone:
                del self._table[mac]

    def receive(self, port: Port, data: bytes) -> None:
        source = data[6:12]
        if len(data) < 14 or source[0] & 1 or source == NO_MAC:
            group = len(data) >= 14 and source[0] & 1
            self.drop(port, data, Reason.GROUP_SOURCE if group else Reason.MALFORMED)
            return
        now = self.network.now
        table = self._table
        if source in table or len(table) < ENTRIES_MAX or self._purge():
            table[source] = (port, now)
        if len(data) > MTU_FRAME:
            self.drop(port, data, Reason.TOO_LONG)  # learned all the same: refused on the way out
            return
        if data[0] & 1:
            if data[:5] == _LINK_LOCAL and 0 < data[5] < 16:
                self.drop(port, data, Reason.LINK_LOCAL)  # with STP off Linux forwards only :00
                return
        else:
            entry = table.get(data[:6])
            if entry is not None and entry[1] > now - self._ageing_time:
                target = entry[0]
                if target is port:
                    self.drop(port, data, Reason.SAME_PORT)
                    return
                fates = self.fates
                fates.forwarded += 1
                fates.copies += 1
                target.send(data)
                return
        self._flood(port, data)

    def _flood(self, port: Port, data: bytes) -> None:
        fates = self.fates
        fates.forwarded += 1
        for other in self.ports.values():
            if other is not port and other.out is not None and other.out.link.is_plugged:
                fates.copies += 1
                other.send(data)

    def _purge(self) -> bool:
        """Forget what is too old; whether that made room. A full table learns nothing new."""
        limit = self.network.now - self._ageing_time
        old = [mac for mac, (_, seen) in self._table.items() if seen <= limit]
        for mac in old:
            del self._table[mac]
        return bool(old)
