"""Neighbour resolution as the RFCs tell it: two dicts, no heap, no cache, no bytes.

RFC 826 "Packet Reception", RFC 1122 2.3.2. Slower and shorter than the engine, and for one family.
"""

from dataclasses import dataclass, field


@dataclass
class Question:
    """One address that is asked for: when the next request is due, and what waits."""

    asks_left: int
    due: int
    packets: list[bytes] = field(default_factory=list)


@dataclass
class Reference:
    """`said` gathers what leaves the tap since the last step; addresses are any keys."""

    entries_max: int
    packets_max: int
    bytes_max: int
    lifetime: int
    interval: int
    asks_max: int
    stays: bytes  # the gateway is never let go for another
    now: int = 0
    known: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)  # MAC, until; oldest first
    wakes: dict[bytes, int] = field(default_factory=dict)  # when each known one is looked at
    asked: dict[bytes, Question] = field(default_factory=dict)
    rests: dict[bytes, int] = field(default_factory=dict)  # when each may be asked for again
    said: list[tuple] = field(default_factory=list)
    failed: list[bytes] = field(default_factory=list)
    lost: int = 0

    def deadline(self) -> int | None:
        """When something is due next."""
        wakes = [self.wakes[ip] for ip in self.known]
        return min(wakes + [question.due for question in self.asked.values()], default=None)

    def pass_time(self, now: int) -> None:
        while (due := self.deadline()) is not None and due <= now:
            self.known = {ip: entry for ip, entry in self.known.items() if entry[1] > due}
            for ip in [ip for ip in self.known if self.wakes[ip] == due]:
                self.wakes[ip] = self.known[ip][1]  # heard again since: looked at again then
            for ip in [ip for ip, question in self.asked.items() if question.due == due]:
                self._ask_again(ip)
        self.now = now

    def send(self, ip: bytes, next_hop: bytes, packet: bytes) -> None:
        """The host sends `packet` to `ip`."""
        if next_hop in self.known:
            self.said.append(("packet", ip, self.known[next_hop][0], packet))
            return
        if next_hop not in self.asked:
            if not self._make_room():
                self.lost += 1
                return
            self.asked[next_hop] = Question(self.asks_max, max(self.now, self.rest(next_hop)))
            if self.rest(next_hop) <= self.now:
                self._ask_again(next_hop)
        packets = self.asked[next_hop].packets
        packets.append(packet)
        while packets and (len(packets) > self.packets_max or self._waiting() > self.bytes_max):
            packets.pop(0)
            self.lost += 1

    def hear(self, ip: bytes, mac: bytes, *, for_us: bool, asks: bool) -> None:
        """An ARP message of `ip` at `mac`, in our subnet."""
        if for_us or ip in self.known or ip in self.asked:
            self._learn(ip, mac)
        if for_us and asks:
            self.said.append(("answer", ip, mac))

    def rest(self, ip: bytes) -> int:
        return self.rests.get(ip, 0)

    def holding(self) -> int:
        return sum(len(question.packets) for question in self.asked.values())

    def _learn(self, ip: bytes, mac: bytes) -> None:
        question = self.asked.pop(ip, None)
        was_known = self.known.pop(ip, None)
        if question is None and was_known is None and not self._make_room():
            return
        self.known[ip] = (mac, self.now + self.lifetime)
        if was_known is None or was_known[0] != mac:
            self.wakes[ip] = self.now + self.lifetime
        for packet in question.packets if question else ():
            self.said.append(("packet", packet[16:20], mac, packet))

    def _ask_again(self, ip: bytes) -> None:
        question = self.asked[ip]
        if question.asks_left == 0:
            self.lost += len(self.asked.pop(ip).packets)
            self.failed.append(ip)
            return
        question.asks_left -= 1
        question.due += self.interval
        self.rests[ip] = question.due
        self.said.append(("request", ip))

    def _make_room(self) -> bool:
        if len(self.known) + len(self.asked) < self.entries_max:
            return True
        oldest = next((ip for ip in self.known if ip != self.stays), None)
        self.known.pop(oldest, None)
        return oldest is not None

    def _waiting(self) -> int:
        return sum(len(packet) for question in self.asked.values() for packet in question.packets)
