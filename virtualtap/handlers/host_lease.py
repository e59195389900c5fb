"""Learns who we are from the lease that the host's own DHCP client gets. RFC 2131 3.1, 4.1."""

from dataclasses import dataclass

from virtualtap.core import Core
from virtualtap.events import LeaseBound, LeaseLost, LeaseRenewed
from virtualtap.lease import Lease, granted
from virtualtap.units import Instant
from virtualtap.wire import checksum, dhcp, ipv4, udp
from virtualtap.wire.address import Ip, Mac, Route
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

_TIMER = "host's lease"


@dataclass(slots=True)
class _Asked:
    """The host's last question, and by which MAC it knows itself."""

    kind: int
    xid: int
    server: bytes | None  # the only one who may answer
    wanted: Ip
    mac: Mac
    at: Instant


class HostLeaseHandler:
    """What the host and its DHCP server say to one another passes, and the tap takes note.

    The host is no Ethernet station: whatever hardware address its messages name, it is not where
    answers reach it. Servers send them there (RFC 2131 4.1), switches with DHCP snooping look there
    (Hub.c:StorePacketFilterByPolicy), and SecureNAT looks at the frame's source alone
    (Virtual.c:VirtualDhcpServer). So the tap writes its own MAC in, and in answers the host's
    again; the broadcast flag stays the host's choice (docs/decisions/0010). What is granted to the
    question that the host asked last, by the server that it asked, is ours until it ends, is
    refused or given back.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._asked: _Asked | None = None
        self.lease: Lease | None = None

    def sent(self, packet: bytes) -> bytes:
        """A packet of the host for port 67, as it leaves."""
        datagram = _datagram(packet)
        message = Dhcp.parse(datagram.payload)
        if datagram.source_port != dhcp.CLIENT_PORT or message.operation != dhcp.TO_SERVER:
            return packet
        core, kind = self._core, message.kind
        server = message.value(dhcp.SERVER_ID)
        wanted = message.value(dhcp.REQUESTED_IP) or message.client_ip
        self._asked = _Asked(kind, message.xid, server, wanted, message.client_mac, core.now)
        if self._has(wanted) and kind == dhcp.DECLINE:
            self.lose()
        elif self._has(wanted) and kind == dhcp.RELEASE:
            # the farewell may have to ask for its server's MAC in our name
            core.timers.set(_TIMER, core.now + core.config.arp_interval, self.lose)
        return _renamed(packet, core.config.our_mac)

    def came(self, packet: bytes) -> bytes | None:
        """A packet from port 67: as the host reads it, if it answers the host; else None."""
        asked = self._answered(packet)
        return None if asked is None else _renamed(packet, asked.mac)

    def heard(self, packet: bytes) -> None:
        """The same packet again: what it tells us. RFC 2131 4.4.1, 4.4.5.

        WireError where an ACK grants nothing that could be ours.
        """
        asked = self._answered(packet)
        inside = Ipv4.parse(packet)
        datagram = udp.received(inside.source, inside.destination, inside.payload)
        if asked is None or datagram is None or asked.kind != dhcp.REQUEST:
            return
        message = Dhcp.parse(datagram.payload)
        if asked.server not in (None, message.value(dhcp.SERVER_ID)):
            return  # RFC 2131 3.1.5: not who was asked
        if message.kind == dhcp.NAK and self._has(asked.wanted):
            self.lose()
        elif message.kind == dhcp.ACK:
            lease = granted(message, asked.at, self._core.config)
            if lease.ip == asked.wanted and not lease.is_over(self._core.now):
                self._take(lease)

    def _answered(self, packet: bytes) -> _Asked | None:
        """The question of the host that a packet answers."""
        datagram = _datagram(packet)
        message, asked = Dhcp.parse(datagram.payload), self._asked
        if asked is None or datagram.destination_port != dhcp.CLIENT_PORT:
            return None
        ours = message.client_mac == self._core.config.our_mac
        if not ours or message.operation != dhcp.TO_CLIENT or message.xid != asked.xid:
            return None
        return asked

    def _has(self, ip: Ip) -> bool:
        return self.lease is not None and self.lease.ip == ip

    def lose(self) -> None:
        """The lease is over, refused, given back, or somebody else uses the address."""
        core, lease, config = self._core, self.lease, self._core.config
        assert lease is not None
        self.lease = None
        core.timers.cancel(_TIMER)
        routes = tuple(Route(*route) for route in config.routes)
        core.readdress(None, config.prefix_length, None, routes, config.mtu)
        core.events.append(LeaseLost(lease.ip))

    def _take(self, lease: Lease) -> None:
        core, again = self._core, self._has(lease.ip)
        self.lease, self._asked = lease, None
        core.readdress(lease.ip, lease.prefix_length, lease.gateway, lease.routes, lease.mtu)
        if again:
            core.events.append(LeaseRenewed(lease.ip, lease.expires_at))
        else:
            core.events.append(LeaseBound(lease.ip, lease.gateway, lease.expires_at))
        core.timers.cancel(_TIMER)
        if lease.expires_at is not None:
            core.timers.set(_TIMER, lease.expires_at, self.lose)


def _datagram(packet: bytes) -> Udp:
    return Udp.parse(Ipv4.parse(packet).payload)


def _renamed(packet: bytes, mac: Mac) -> bytes:
    """The packet with another hardware address in its message, the checksum paid. RFC 1624."""
    start = ipv4.header_len(packet)
    mac_at, sum_at = start + udp.HEADER_LEN + dhcp.MAC_AT, start + udp.CHECKSUM_AT
    old, value = packet[mac_at : mac_at + 6], int.from_bytes(packet[sum_at : sum_at + 2])
    if value:  # RFC 768: or else none was computed
        value = checksum.update(value, checksum.total(old), checksum.total(mac)) or 0xFFFF
    front = packet[:sum_at] + value.to_bytes(2) + packet[sum_at + 2 : mac_at]
    return front + mac + packet[mac_at + 6 :]
