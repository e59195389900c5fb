"""A hub without a network: sessions whose far ends keep what they are sent."""

from sim.node import Port
from sim.nodes.softether.constants import Version, constants
from sim.nodes.softether.hub import Hub
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Kind, Policy
from sim.nodes.softether.session import FloodQuota, Session, Terms
from tests import builders as b
from tests.sim.networks import datagram, station_mac
from virtualtap.wire.address import BROADCAST, ip

ONE, TWO, THREE, UNKNOWN = (station_mac(i) for i in (1, 2, 3, 9))


class Far:
    """The far end of a session inside the server."""

    def __init__(self, room: int = 1000) -> None:
        self.frames: list[bytes] = []
        self.port: Port | None = None
        self._room = room

    def room(self, now: int, quota: FloodQuota | None = None, length: int = 0) -> bool:
        return False

    def put(self, frame: bytes, now: int) -> bool:
        if len(self.frames) >= self._room:
            return False
        self.frames.append(frame)
        return True

    def taken(self) -> list[bytes]:
        frames, self.frames = self.frames, []
        return frames


class Trial:
    """A hub with sessions 1, 2, 3, … of given terms; time is given in each call."""

    def __init__(
        self, *terms: Terms, options: HubOptions | None = None, version: Version | None = None
    ) -> None:
        self.quota = FloodQuota()
        self.hub = Hub(
            "HUB",
            options or HubOptions(),
            constants(),
            machine="server",
            version=version or Version.DEVELOPER,
            quota=self.quota,
        )
        self.fars = [Far() for _ in terms]
        self.sessions = [
            Session(number, far, one, constants(), self.hub.options)
            for number, (far, one) in enumerate(zip(self.fars, terms, strict=True), 1)
        ]
        for session in self.sessions:
            self.hub.enter(session)

    def say(self, number: int, frame: bytes, now: int = 0) -> object:
        """Session `number` sends; what the hub said of it, or the numbers of who got it."""
        for far in self.fars:
            far.taken()
        outcome = self.hub.store(self.sessions[number - 1], frame, now)
        if isinstance(outcome, str):
            return str(outcome)
        return self.got()

    def got(self) -> list[int]:
        """Who has something now."""
        return [i for i, far in enumerate(self.fars, 1) if far.frames]


def client(*, user: str = "", **policy: bool | int) -> Terms:
    """A client in bridge mode, with a policy in the product's words."""
    return Terms(kind=Kind.CLIENT, user=user, policy=Policy(**policy), bridge=True)  # type: ignore[arg-type]  # both are


def plain_client() -> Terms:
    """A client as the product's own: it does not ask for bridge mode."""
    return Terms(kind=Kind.CLIENT, bridge=False)


def bridge() -> Terms:
    return Terms(kind=Kind.BRIDGE)


def sent(
    to: bytes = BROADCAST, source: bytes = ONE, length: int = 60, head: bytes = b"\x88\xb5"
) -> bytes:
    """A frame of a type that nobody knows."""
    return (to + source + head).ljust(length, b"x")


def arp(source: bytes = ONE, sender: str = "10.0.0.1", to: bytes = BROADCAST) -> bytes:
    body = bytes.fromhex("0001080006040001") + source + ip(sender) + bytes(6) + ip("10.0.0.99")
    return to + source + b"\x08\x06" + body


def udp(
    sender: str, to: str = "10.0.0.99", source: bytes = ONE, mac_to: bytes = BROADCAST
) -> bytes:
    return b.frame(datagram(ip(sender), ip(to)), mac_to, source)
