"""How an in-process client gets its address. IPC.c:IPCDhcpAllocateIP, IPCSendDhcpRequest.

Four tries for an offer, four for the acknowledgement, and then no more. A refusal is not heard, an
unusable offer ends it all, and what a server answers to a renewal is not looked at.
"""

from dataclasses import dataclass

from sim.nodes.softether.options import HubOptions
from virtualtap.errors import WireError
from virtualtap.rand import Rand
from virtualtap.units import MS, SECOND, Duration, Instant
from virtualtap.wire import dhcp, ipv4
from virtualtap.wire.address import ANY4, LIMITED_BROADCAST, Ip, Mac, Route, is_unicast4
from virtualtap.wire.dhcp import Dhcp, Options
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

IPC_DHCP_TIMEOUT: Duration = 5 * SECOND  # IPC.h; for an offer the hub's DhcpDiscoverTimeoutMs
IPC_DHCP_MAX_RESEND_INTERVAL: Duration = 3 * SECOND  # IPC.h
IPC_DHCP_MIN_LEASE = 5  # seconds; IPC.h
IPC_DHCP_DEFAULT_LEASE = 3600  # seconds; IPC.h
_TTL = 128
_VENDOR, _USER_CLASS, _ROUTES_OF_MICROSOFT = 60, 77, 249
_ASKED_FOR = bytes((1, 15, 3, 6, 44, 46, 47, 31, 33, 121, _ROUTES_OF_MICROSOFT, 43))


@dataclass(frozen=True, slots=True)
class IpcLease:
    """What a server granted."""

    ip: Ip
    prefix_length: int
    gateway: Ip  # 0.0.0.0: none
    server: Ip
    routes: tuple[Route, ...]
    seconds: int


class IpcDhcp:
    """One allocation, and the renewals after it; `take` has the IPv4 packets that it sends.

    `host_name` goes into options 12 and 61, `hub` into option 77 where the hub's option says so.
    """

    def __init__(
        self, mac: Mac, rand: Rand, options: HubOptions, hub: str = "", host_name: str = ""
    ) -> None:
        self.lease: IpcLease | None = None
        self._mac, self._rand, self._options = mac, rand, options
        self._hub, self._host_name = hub, host_name
        self._out: list[bytes] = []
        self._awaits = 0  # the kind of message; 0: none
        self._xid = 0
        self._request: tuple[int, Options] = (0, ())
        self._ends: Instant = 0
        self._pause: Duration = 0
        self.due: Instant | None = 0

    def poll(self, now: Instant) -> None:
        """Send what is due. After the lease: a renewal each third of it."""
        while self.due is not None and self.due <= now:
            if self.lease is not None:
                self._renew(self.lease, self.due)
            elif not self._awaits:
                self._xid = self._rand.below(1 << 32)
                timeout = self._options.DhcpDiscoverTimeoutMs * MS
                self._ask(dhcp.DISCOVER, (), dhcp.OFFER, timeout, now)
            elif self.due >= self._ends:
                self._fail()
            else:
                self._send_again(self.due)

    def receive(self, payload: bytes, now: Instant) -> bool:
        """A message for port 68; False where it is not the one that is awaited."""
        try:
            message = Dhcp.parse(payload)
            if not self._awaits or (message.xid, message.kind) != (self._xid, self._awaits):
                return False
            if self._awaits == dhcp.OFFER:
                self._offered(message, now)
            else:
                self._acknowledged(message, now)
        except WireError:
            return False
        return True

    def release(self) -> None:
        """Tell everybody once that the address is free, and be done."""
        lease, self.lease, self.due = self.lease, None, None
        self._awaits = 0
        if lease is not None:
            options = ((dhcp.SERVER_ID, lease.server),)
            self._xid = self._rand.below(1 << 32)
            self._send(self._message(dhcp.RELEASE, options, lease.ip), lease.ip, LIMITED_BROADCAST)

    def take(self) -> list[bytes]:
        """The packets to send."""
        taken, self._out = self._out, []
        return taken

    def _offered(self, offer: Dhcp, now: Instant) -> None:
        server = offer.value(dhcp.SERVER_ID) or ANY4
        usable = is_unicast4(offer.your_ip) and len(server) == 4 and is_unicast4(server)
        if not usable or not offer.number(dhcp.MASK):
            self._fail()
            return
        options = ((dhcp.SERVER_ID, server), (dhcp.REQUESTED_IP, offer.your_ip))
        self._ask(dhcp.REQUEST, options, dhcp.ACK, IPC_DHCP_TIMEOUT, now)

    def _acknowledged(self, ack: Dhcp, now: Instant) -> None:
        routes = ack.value(dhcp.ROUTES) or ack.value(_ROUTES_OF_MICROSOFT)
        seconds = ack.number(dhcp.LEASE_TIME) or IPC_DHCP_DEFAULT_LEASE
        self.lease = lease = IpcLease(
            ack.your_ip,
            ack.prefix_length() or 0,
            next(iter(ack.addresses(dhcp.ROUTER)), ANY4),
            ack.value(dhcp.SERVER_ID) or ANY4,
            dhcp.routes(routes) if routes else (),
            max(IPC_DHCP_MIN_LEASE, seconds),
        )
        self._awaits = 0
        self.due = now + lease.seconds * SECOND // 3

    def _renew(self, lease: IpcLease, now: Instant) -> None:
        self._xid = self._rand.below(1 << 32)
        options = ((dhcp.REQUESTED_IP, lease.ip),)
        self._send(self._message(dhcp.REQUEST, options, lease.ip), lease.ip, lease.server)
        self.due = now + lease.seconds * SECOND // 3

    def _ask(
        self, kind: int, options: Options, awaits: int, timeout: Duration, now: Instant
    ) -> None:
        self._request, self._awaits, self._ends = (kind, options), awaits, now + timeout
        third = timeout // MS // 3 - 100
        self._pause = min(IPC_DHCP_MAX_RESEND_INTERVAL, max(1, third) * MS)
        self._send_again(now)

    def _send_again(self, now: Instant) -> None:
        self._send(self._message(*self._request), ANY4, LIMITED_BROADCAST)
        self.due = min(now + self._pause, self._ends)

    def _fail(self) -> None:
        self._awaits, self.due = 0, None

    def _message(self, kind: int, options: Options, ours: Ip = ANY4) -> bytes:
        """DHCP without padding at its end: 240 bytes and the options."""
        told = ((dhcp.KIND, bytes((kind,))), *options, *self._identity())
        if self._options.UseHubNameAsDhcpUserClassOption:
            told += ((_USER_CLASS, self._hub.encode()),)
        told += ((_VENDOR, b"MSFT 5.0"), (dhcp.PARAMETERS, _ASKED_FOR))
        message = Dhcp(dhcp.TO_SERVER, self._xid, self._mac, told, client_ip=ours)
        length = dhcp.HEADER_LEN + sum(2 + len(value) for _, value in told) + 1
        return message.to_bytes()[:length]

    def _identity(self) -> Options:
        if not self._host_name:
            return ((dhcp.CLIENT_ID, b"\x01" + self._mac),)
        name = self._host_name
        both = f"{name}/{self._mac.hex('-').upper()}"
        return ((dhcp.HOST_NAME, name.encode()), (dhcp.CLIENT_ID, both.encode()))

    def _send(self, payload: bytes, source: Ip, to: Ip) -> None:
        body = Udp(dhcp.CLIENT_PORT, dhcp.SERVER_PORT, payload).between(source, to)
        self._out.append(Ipv4(source, to, ipv4.UDP, body, ttl=_TTL).to_bytes())
