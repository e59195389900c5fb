"""A described server with taps and, behind a bridge, stations: told what to do, watched, asked."""

from sim.nodes.outside import Outside
from sim.nodes.softether.hub import Hub
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Session
from sim.nodes.virtual_tap import VirtualTapNode
from sim.observers import Kind
from sim.run import built
from tests.sim.networks import Record, datagram, echo
from tests.sim.scenarios import order
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND
from virtualtap.wire.address import BROADCAST, ip
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import ARP
from virtualtap.wire.ipv4 import UDP, Ipv4
from virtualtap.wire.udp import Udp

GATEWAY, FAR = ip("10.0.255.1"), ip("198.51.100.7")
SECURE_NAT = """\
[servers.secure_nat]
Ip = "10.0.255.1"
Mask = "255.255.0.0"
MacAddress = "5e:00:00:00:00:01"
DhcpLeaseIPStart = "10.0.0.1"
DhcpLeaseIPEnd = "10.0.0.200"
DhcpSubnetMask = "255.255.0.0"
DhcpGatewayAddress = "10.0.255.1"
DhcpExpireTimeSpan = 600
"""
BY_LEASE = '[[taps]]\nmatch = "tap*"\ndhcp = true\n'
BY_HAND = '[[taps]]\nmatch = "tap*"\ngateway_ip = "10.0.255.1"\n'
QUIET = "options = { NoArpPolling = true }\n"


class Stage:
    """Host i is 10.0.0.i behind tap i; the station `s1` is behind the bridge `lan1`.

    `server` is said of the server, `words` is the rest of the scenario. Times are seconds.
    """

    def __init__(
        self,
        words: str = "",
        *,
        server: str = "",
        clients: int = 2,
        bridges: int = 0,
        cascades: int = 0,
    ) -> None:
        sizes = f"clients = {clients}, bridges = {bridges}, cascades = {cascades}"
        text = (
            f'name = "check"\nuntil = "1d"\ntopology = {{ name = "server", {sizes} }}\n'
            f'[[servers]]\nmatch = "server"\n{server}\n{words}'
        )
        self.built = built(order(text))
        self.network = self.built.network
        self.record = Record()
        self.network.observers.append(self.record)

    # what is done

    def run(self, until: float) -> None:
        self.network.run(int(until * SECOND))
        assert self.network.ledger() == []

    def says(self, host: str, packet: bytes, *at: float) -> None:
        """The host gives an IP packet to its tap."""
        for when in at:
            stack = self.built.endpoints[host].stack
            self.network.call_at(int(when * SECOND), stack.transmit, packet)

    def pings(self, host: str, to: bytes, *at: float) -> None:
        self.says(host, echo(self.built.endpoints[host].stack.ip, to), *at)

    def sends(self, host: str, to: bytes, *at: float, size: int = 20, port: int = 9) -> None:
        source = self.built.endpoints[host].stack.ip
        self.says(host, datagram(source, to, bytes(size), port), *at)

    def puts(self, station: str, frame: bytes, *at: float) -> None:
        """A frame of any kind on the wire of a station."""
        node = self.network.nodes[station]
        (port,) = node.ports.values()

        def put(data: bytes) -> None:
            node.fates.originated += 1
            port.send(data)

        for when in at:
            self.network.call_at(int(when * SECOND), put, frame)

    def link(self, name: str, at: float, *, up: bool) -> None:
        change = self.built.links[name].set_up
        self.network.call_at(int(at * SECOND), lambda _: change(up), None)

    # what was seen

    def sent(self, port: str, since: float = 0) -> list[tuple[float, bytes]]:
        """What a port gave to its link, with the second; `tap1` is the tap's port to the hub."""
        return self._seen(Kind.SENT, port, since)

    def arrived(self, port: str, since: float = 0) -> list[tuple[float, bytes]]:
        return self._seen(Kind.ARRIVED, port, since)

    def heard(self, host: str, since: float = 0) -> list[bytes]:
        """The packets that a host got."""
        return [data for _, data in self._seen(Kind.ARRIVED, f"{host}.uplink", since)]

    def drops(self, where: str = "") -> set[str]:
        """Why frames were refused or lost, there or anywhere."""
        moments = self.record.moments
        return {m.why for m in moments if m.kind is Kind.DROPPED and m.where.startswith(where)}

    def _seen(self, kind: Kind, port: str, since: float) -> list[tuple[float, bytes]]:
        where = port if "." in port else f"{port}.lan"
        start = int(since * SECOND)
        return [
            (m.at / SECOND, m.data)
            for m in self.record.moments
            if m.kind is kind and m.where == where and m.at >= start
        ]

    # who is there

    @property
    def server(self) -> SoftEtherServer:
        server = self.built.bridges["server"]
        assert isinstance(server, SoftEtherServer)
        return server

    @property
    def hub(self) -> Hub:
        return self.server.hub

    @property
    def outside(self) -> Outside:
        (found,) = (n for n in self.network.nodes.values() if isinstance(n, Outside))
        return found

    def session(self, who: str, server: str = "server") -> Session:
        port = self.network.nodes[who].ports["lan"]
        assert port.out is not None
        node = port.out.target.node
        assert isinstance(node, SoftEtherServer)
        session = node.session_of(port.out.target)
        assert session is not None, f"{who} has no session with {server}"
        return session

    def tap(self, name: str) -> VirtualTap:
        node = self.network.nodes[name]
        assert isinstance(node, VirtualTapNode)
        assert isinstance(node.tap, VirtualTap)
        return node.tap

    def mac(self, name: str) -> bytes:
        node = self.network.nodes[name]
        assert isinstance(node, VirtualTapNode)
        return node.config.our_mac


def host_ip(number: int) -> bytes:
    return ip(f"10.0.0.{number}")


def is_arp(frame: bytes, operation: int = 0) -> bool:
    """An ARP message; a request (1) or a reply (2) if it is asked for."""
    return frame[12:14] == ARP and operation in (0, frame[21])


def is_group(frame: bytes) -> bool:
    return bool(frame[0] & 1)


def is_broadcast(frame: bytes) -> bool:
    return frame[:6] == BROADCAST


def dhcp_messages(seen: list[tuple[float, bytes]]) -> list[tuple[bytes, Ipv4, Udp, Dhcp]]:
    """Every DHCP message among frames: frame, packet, datagram, message."""
    found = []
    for _, frame in seen:
        if frame[12:14] != b"\x08\x00" or frame[23] != UDP:
            continue
        packet = Ipv4.parse(frame[14:])
        datagram_ = Udp.parse(packet.payload)
        if {datagram_.source_port, datagram_.destination_port} == {67, 68}:
            found.append((frame, packet, datagram_, Dhcp.parse(datagram_.payload)))
    return found


def most_in(times: list[float], window: float) -> int:
    """The most of these instants that are within one window, in seconds."""
    return max((sum(start <= t < start + window for t in times) for start in times), default=0)
