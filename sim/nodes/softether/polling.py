"""The hub asks every address it knows whether it is still there. Hub.c:HubWatchDogThread.

Who answers ARP and neighbour solicitations from a stranger stays in the tables for ever; the answer
goes no further than the hub.
"""

from collections import deque

from sim.nodes.softether.constants import Constants, Version
from sim.nodes.softether.identity import hub_ip, link_local
from sim.nodes.softether.tables import IpTable
from virtualtap.units import MS, Duration, Instant
from virtualtap.wire import arp, ndp
from virtualtap.wire.address import BROADCAST, Ip, Mac
from virtualtap.wire.ethernet import ARP, IPV6

_REST: Duration = 100 * MS  # after a round, Hub.c


class Polling:
    """One round asks all IPv4 addresses, then all IPv6 ones, evenly over five seconds.

    The contract of a machine without an input: `poll`, `next_deadline`, `take_frames`.
    """

    def __init__(
        self,
        ips: IpTable,
        mac: Mac,
        constants: Constants,
        *,
        version: Version = Version.DEVELOPER,
        ipv6: bool = True,
    ) -> None:
        self.mac = mac
        self.ip = hub_ip(mac, version)
        self.ip6 = link_local(mac)
        self._ips = ips
        self._constants = constants
        self._ipv6 = ipv6
        self._spacing: Duration = 0
        self._round: deque[tuple[Ip, Mac]] = deque()
        self._frames: list[bytes] = []
        self._next: Instant | None = None

    def poll(self, now: Instant) -> None:
        """Ask whom it is time to ask."""
        if self._next is None:
            self._begin(now)
        while self._next is not None and self._next <= now:
            if self._round:
                self._frames.append(self._question(*self._round.popleft()))
                self._next += self._spacing if self._round else _REST
            else:
                self._begin(self._next)

    def next_deadline(self) -> Instant | None:
        """When `poll` is wanted; None before the first."""
        return self._next

    def take_frames(self) -> list[bytes]:
        """The questions, Ethernet frames of 42 or 86 bytes."""
        frames, self._frames = self._frames, []
        return frames

    def _begin(self, now: Instant) -> None:
        fresh = now - self._constants.IP_TABLE_EXPIRE_TIME  # for those with a lease too
        known = [
            (ip, entry.mac)
            for ip, entry in self._ips.entries.items()
            if entry.updated > fresh and entry.mac != BROADCAST and (self._ipv6 or len(ip) == 4)
        ]
        self._round.extend(sorted(known, key=lambda one: (len(one[0]), one[0])))
        interval = self._constants.HUB_ARP_SEND_INTERVAL
        self._spacing = interval // MS // len(known) * MS if known else interval
        self._next = now + self._spacing

    def _question(self, address: Ip, mac: Mac) -> bytes:
        """Unicast, though it asks who has the address."""
        if len(address) == 4:
            return mac + self.mac + ARP + arp.request(self.mac, self.ip, address)
        option = ((ndp.SOURCE_MAC, self.mac),)
        question = ndp.NeighborMessage(ndp.SOLICITATION, 0, address, option)
        return mac + self.mac + IPV6 + ndp.packet(question, self.ip6, address)
