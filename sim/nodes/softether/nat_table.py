"""The user mode's NAT of UDP and ICMP, and of names: sockets of the server's own. Virtual.c.

A mapping of UDP belongs to one pair of address and port on each side; what answers is taken from
the address that was asked, whatever its port. No TTL is looked at but that of ICMP.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from sim.nodes.softether import nat_dns
from sim.nodes.softether.expiring import Expiring
from sim.nodes.softether.nat_dns import Llmnr
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.vh_option import Ping, VhOption
from sim.nodes.tcp import Socket
from virtualtap.units import SECOND, Instant
from virtualtap.wire import icmp, ipv4
from virtualtap.wire.address import LIMITED_BROADCAST, Ip
from virtualtap.wire.icmp import Icmp
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

NAT_MAX_SESSIONS = 4096  # Nat.h; the product looks whether there are more, so 4097 fit
ICMP_TIMEOUT = {Ping.RAW: 10 * SECOND, Ping.API: 3 * SECOND}
TTL = 128  # DEFAULT_IP_TTL
PORTS = range(32_768, 61_000)  # of sockets; Linux: ip_local_port_range

Inward: TypeAlias = Callable[[Ip, Ip, int, bytes], None]  # from, to, protocol, payload
Outward: TypeAlias = Callable[[bytes], None]  # one IP packet


class Site(NamedTuple):
    """Where a server is on its own network."""

    ip: Ip = bytes((203, 0, 113, 2))  # RFC 5737: for examples
    resolver: Ip = bytes((203, 0, 113, 53))


class Ports:
    """The ports of the server's own sockets, one after another."""

    def __init__(self, ports: range = PORTS) -> None:
        self._ports = ports
        self._taken: set[int] = set()
        self._next = 0

    def take(self) -> int | None:
        """One that is free; None where all are taken."""
        if len(self._taken) == len(self._ports):
            return None
        while (port := self._ports[self._next % len(self._ports)]) in self._taken:
            self._next += 1
        self._next += 1
        self._taken.add(port)
        return port

    def free(self, port: int) -> bool:
        """Its socket was closed; True where no other is left."""
        self._taken.discard(port)
        return not self._taken


@dataclass(slots=True)
class Mapping:
    """One UDP socket of the server, or one identifier of its pings."""

    client: Socket
    target: Socket  # outside
    number: int  # its port, its identifier
    asked: Socket  # whom the client asked, and who therefore answers
    llmnr: Llmnr | None = None


Key: TypeAlias = tuple[int, Socket, Socket]


class UserNat:
    """What clients have opened; `more` counts what others keep beside it, of the same limit."""

    def __init__(
        self,
        option: VhOption,
        site: Site,
        inward: Inward,
        outward: Outward,
        *,
        options: HubOptions,
        ping: Ping = Ping.RAW,
        more: Callable[[], int] = lambda: 0,
    ) -> None:
        self._option, self._site, self._options = option, site, options
        self._inward, self._outward = inward, outward
        self._ping, self._more = ping, more
        self._mappings: Expiring[Key, Mapping] = Expiring()
        self._by_number: dict[tuple[int, int], Key] = {}
        self._udp_ports, self._identifiers = Ports(), Ports(range(1, 0x10000))

    def __len__(self) -> int:
        return len(self._mappings)

    @property
    def fakes(self) -> bool:
        """Whether it answers every ping itself."""
        return self._ping is Ping.FAKE

    @property
    def is_full(self) -> bool:
        """Whether nothing new is let in."""
        return len(self) + self._more() > NAT_MAX_SESSIONS

    # from inside

    def udp(self, client: Socket, target: Socket, payload: bytes, now: Instant) -> None:
        """A datagram of a client to somebody outside."""
        most = self._options.SecureNAT_MaxUdpSessionsPerIp
        mapping = self._udp_mapping(client, target, target, most, now)
        if mapping is not None:
            self._say(mapping, payload)

    def dns(self, client: Socket, host: Socket, query: bytes, now: Instant) -> None:
        """A query to the virtual host: its resolver gets it as it is."""
        resolver = self._site.resolver, nat_dns.DNS
        most = self._options.SecureNAT_MaxDnsSessionsPerIp
        mapping = self._udp_mapping(client, resolver, host, most, now)
        if mapping is not None:
            self._say(mapping, query)

    def llmnr(self, client: Socket, host: Ip, query: bytes, now: Instant) -> None:
        """A question to all: the virtual host asks its resolver."""
        asked = nat_dns.read_llmnr(query)
        resolver = self._site.resolver, nat_dns.DNS
        if asked is None:
            return
        most = self._options.SecureNAT_MaxDnsSessionsPerIp
        mapping = self._udp_mapping(client, resolver, (host, nat_dns.LLMNR), most, now)
        if mapping is not None:
            mapping.llmnr = asked
            key = ipv4.UDP, client, mapping.asked
            self._mappings.prolong(key, now + nat_dns.NAT_DNS_QUERY_TIMEOUT)
            self._say(mapping, nat_dns.to_resolver(asked))

    def broadcast(self, client: Socket, port: int, payload: bytes, now: Instant) -> None:
        """A search for devices: the server broadcasts it on its own network."""
        self.udp(client, (LIMITED_BROADCAST, port), payload, now)

    def echo(self, packet: Ipv4, message: Icmp, now: Instant) -> None:
        """An echo request of a client to somebody outside; its TTL is one less there."""
        if self.fakes:
            answer = Icmp(icmp.ECHO_REPLY, 0, message.rest, message.payload).summed()
            self._inward(packet.destination, packet.source, ipv4.ICMP, answer)
            return
        identifier, sequence = message.rest >> 16, message.rest & 0xFFFF
        client, target = (packet.source, identifier), (packet.destination, 0)
        key = ipv4.ICMP, client, target
        most = self._options.SecureNAT_MaxIcmpSessionsPerIp
        mapping = self._mapping(key, client, target, target, self._identifiers, most)
        if mapping is None:
            return
        self._mappings.put(key, mapping, now + ICMP_TIMEOUT[self._ping])
        asks = Icmp(icmp.ECHO_REQUEST, 0, mapping.number << 16 | sequence, message.payload)
        self._emit(ipv4.ICMP, packet.destination, asks.summed(), packet.ttl - 1)

    # from outside

    def from_outside(self, packet: Ipv4, now: Instant) -> None:
        """A packet to the server, UDP or ICMP, checked as its system does."""
        if packet.protocol == ipv4.UDP:
            self._heard_udp(packet.source, Udp.parse(packet.payload), now)
        elif packet.protocol == ipv4.ICMP:
            message = Icmp.parse(packet.payload)
            if message.type == icmp.ECHO_REPLY:
                self._heard_echo(packet.source, message, now)

    def poll(self, now: Instant) -> None:
        """Close what was silent for too long."""
        for key, mapping in self._mappings.sweep(now):
            self._close(key, mapping)

    @property
    def due(self) -> Instant | None:
        """When `poll` has something to do."""
        return self._mappings.due

    # how

    def _udp_mapping(
        self, client: Socket, target: Socket, asked: Socket, most: int, now: Instant
    ) -> Mapping | None:
        key = ipv4.UDP, client, asked
        mapping = self._mapping(key, client, target, asked, self._udp_ports, most)
        if mapping is not None:
            self._mappings.put(key, mapping, now + self._option.udp_timeout)
        return mapping

    def _mapping(
        self, key: Key, client: Socket, target: Socket, asked: Socket, numbers: Ports, most: int
    ) -> Mapping | None:
        """The mapping there is, or a new one; None where there is no room."""
        known = self._mappings.get(key)
        if known is not None:
            return known
        if self.is_full or (most and self._count(key) >= most):
            return None
        number = numbers.take()
        if number is None:
            return None
        self._by_number[key[0], number] = key
        return Mapping(client, target, number, asked)

    def _count(self, key: Key) -> int:
        """How many this client has: pings, datagrams, or questions to the virtual host."""
        same = key[0], key[1][0], key[2][0] == self._option.Ip
        kinds = (
            (one[0], one[1][0], one[2][0] == self._option.Ip) for one in self._by_number.values()
        )
        return sum(kind == same for kind in kinds)

    def _say(self, mapping: Mapping, payload: bytes) -> None:
        target, port = mapping.target
        datagram = Udp(mapping.number, port, payload).between(self._site.ip, target)
        self._emit(ipv4.UDP, target, datagram, TTL)

    def _emit(self, protocol: int, target: Ip, payload: bytes, ttl: int) -> None:
        self._outward(Ipv4(self._site.ip, target, protocol, payload, ttl=ttl).to_bytes())

    def _heard_udp(self, source: Ip, datagram: Udp, now: Instant) -> None:
        key = self._by_number.get((ipv4.UDP, datagram.destination_port))
        mapping = None if key is None else self._mappings.get(key)
        if key is None or mapping is None or source != mapping.target[0]:
            return
        if mapping.asked != mapping.target and datagram.source_port != mapping.target[1]:
            return  # of what the virtual host asks for others, the port counts too
        payload: bytes | None = datagram.payload
        if mapping.llmnr is not None:
            payload = nat_dns.to_client(mapping.llmnr, datagram.payload)
        else:
            self._mappings.prolong(key, now + self._option.udp_timeout)
        if payload is not None:
            (asked, port), (client, to) = mapping.asked, mapping.client
            body = Udp(port, to, payload).between(asked, client)
            self._inward(asked, client, ipv4.UDP, body)

    def _heard_echo(self, source: Ip, message: Icmp, now: Instant) -> None:
        key = self._by_number.get((ipv4.ICMP, message.rest >> 16))
        mapping = None if key is None else self._mappings.get(key)
        if key is None or mapping is None or source != mapping.target[0]:
            return
        self._mappings.prolong(key, now + ICMP_TIMEOUT[self._ping])
        rest = mapping.client[1] << 16 | message.rest & 0xFFFF
        answer = Icmp(icmp.ECHO_REPLY, 0, rest, message.payload).summed()
        self._inward(source, mapping.client[0], ipv4.ICMP, answer)

    def _close(self, key: Key, mapping: Mapping) -> None:
        del self._by_number[key[0], mapping.number]
        (self._udp_ports if key[0] == ipv4.UDP else self._identifiers).free(mapping.number)
