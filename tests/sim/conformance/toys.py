"""A small translator that keeps the contract, and ways to break it."""

from virtualtap.wire import arp, ipv4
from virtualtap.wire.address import BROADCAST, LIMITED_BROADCAST, is_group, is_unicast4
from virtualtap.wire.arp import Arp
from virtualtap.wire.ethernet import ARP, HEADER_LEN, IPV4


class Toy:
    """IPv4 on one network: answers ARP, asks, lets one packet wait, knows sixteen neighbors."""

    def __init__(self, config):
        self.mac, self.ip, self.mtu = config.our_mac, config.our_ip, config.mtu
        self.frames, self.known, self.waiting = [], {}, b""

    def ip_to_ethernet(self, packet, now=None):
        packet = whole(packet)
        if packet is None or packet[0] >> 4 != 4 or len(packet) > self.mtu:
            return None
        to = packet[16:20]
        if to == LIMITED_BROADCAST:
            return BROADCAST + self.mac + IPV4 + packet
        if to in self.known:
            return self.known[to] + self.mac + IPV4 + packet
        if is_unicast4(to) and to[:3] == self.ip[:3] and to[3] != 255 and to != self.ip:
            self.waiting = packet
            self.say(BROADCAST + self.mac + ARP + arp.request(self.mac, self.ip, to))
        return None

    def ethernet_to_ip(self, frame, now=None):
        if len(frame) < HEADER_LEN or frame[6:12] == self.mac:
            return None
        if frame[:6] not in (self.mac, BROADCAST):
            return None
        if frame[12:14] == ARP and len(frame) >= HEADER_LEN + arp.LEN:
            self.hear(frame)
        return whole(frame[HEADER_LEN:]) if frame[12:14] == IPV4 else None

    def hear(self, frame):
        try:
            message = Arp.parse(frame[HEADER_LEN:])
        except ValueError:
            return
        mac, ip = message.sender_mac, message.sender_ip
        if message.target_ip != self.ip or is_group(mac) or mac in (self.mac, bytes(6)):
            return
        if is_unicast4(ip) and ip != self.ip:
            if len(self.known) == 16:
                self.known.clear()
            self.known[ip] = mac
            if self.waiting[16:20] == ip:
                packet, self.waiting = self.waiting, b""
                self.say(mac + self.mac + IPV4 + packet)
        if message.operation == arp.REQUEST:
            self.say(mac + self.mac + ARP + arp.reply(self.mac, self.ip, message))

    def say(self, frame):
        if len(self.frames) < 100:
            self.frames.append(frame)

    def poll(self, now):
        """It has no timers."""

    def next_deadline(self):
        return None

    def take_frames(self):
        taken, self.frames = self.frames, []
        return taken

    def take_packets(self):
        return []


class Hoarder(Toy):
    """Remembers everybody."""

    def hear(self, frame):
        super().hear(frame)
        self.everybody = {**getattr(self, "everybody", {}), frame[22:32]: frame}


class Unheard(Toy):
    """Puts no end to its outbox."""

    def say(self, frame):
        self.frames.append(frame)


class Restless(Toy):
    """Wants to be polled at once, always."""

    def next_deadline(self):
        return 0


class Forgetful(Toy):
    """Says something at every poll, so that how often it is polled matters."""

    def poll(self, now):
        self.say(BROADCAST + self.mac + ARP + arp.request(self.mac, self.ip, self.ip))


class Repeater(Toy):
    """Sends every packet twice."""

    def ip_to_ethernet(self, packet, now=None):
        frame = super().ip_to_ethernet(packet, now)
        self.frames += [] if frame is None else [frame]
        return frame


def whole(data):
    """The IPv4 packet at the start of `data`, or None."""
    if len(data) < ipv4.HEADER_LEN or data[0] >> 4 != 4:
        return None
    fits = ipv4.HEADER_LEN <= ipv4.header_len(data) <= ipv4.total_len(data) <= len(data)
    return data[: ipv4.total_len(data)] if fits else None
