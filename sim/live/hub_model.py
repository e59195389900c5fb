"""The model's side of a bout: a SoftEther server of 5.01 whose ports keep what they hear."""

from collections.abc import Iterable

from sim.live.bout import Bout, Heard, Played, Say
from sim.network import Network
from sim.node import Node, Port
from sim.nodes.softether.constants import Version
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.policy import Kind
from sim.nodes.softether.secure_nat import SecureNat
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Terms
from sim.nodes.softether.vh_option import Mode, VhOption
from sim.rng import stream
from virtualtap.units import MS, SECOND, Duration
from virtualtap.wire.address import Mac

_BEFORE: Duration = 1 * SECOND  # the server was there before the script begins


class Ear(Node):
    """Keeps what arrives, with the time."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.port = self.add_port("p")
        self.heard: list[Heard] = []

    def receive(self, port: Port, data: bytes) -> None:
        self.fates.consumed += 1
        self.heard.append(Heard(self.network.now - _BEFORE, self.name, data))

    def say(self, frame: bytes) -> None:
        """Send one frame."""
        self.fates.originated += 1
        self.port.send(frame)


def play(
    bout: Bout,
    said: Iterable[Say],
    until: Duration,
    *,
    hub_mac: Mac | None = None,
    nat_mac: Mac | None = None,
) -> Played:
    """What the model hears of frames said at these times.

    The product makes a hub's MAC of its machine's secrets, and draws SecureNAT's: both are given.
    """
    said = list(said)
    network = Network()
    options = HubOptions(
        NoArpPolling=not bout.polls, BroadcastStormDetectionThreshold=bout.threshold
    )
    server = SoftEtherServer("hub", options=options, version=Version.STABLE, turns=True)
    network.add(server)
    if hub_mac is not None:
        server.hub.mac = hub_mac
        server.hub.forget()
    if bout.nat:
        option = VhOption(MacAddress=nat_mac)
        luck = stream(0, "nat")
        server.install_nat(lambda: SecureNat(option, luck, mode=Mode.USER, version=Version.STABLE))
    ears = {}
    for letter in bout.ports:
        kind = Kind.BRIDGE if letter.isupper() else Kind.CLIENT
        ear = ears[letter] = network.add(Ear(letter))
        network.connect(server.session(Terms(kind=kind, bridge=False)), ear.port)
    for say in said:
        if say.frame:
            network.call_at(_BEFORE + say.at, ears[say.port].say, say.frame)
    network.run(_BEFORE + until + 1 * MS)
    heard = [one for ear in ears.values() for one in ear.heard]
    return Played(said, sorted(heard))
