"""A network by hand that is judged: stations s1, s2, … and taps t11, t12, … on one switch."""

from sim.actions.traffic import DatagramStream, Timing
from sim.build import Built
from sim.laws.invariants import INVARIANTS, Judges
from sim.laws.law import Scene
from sim.network import Network
from sim.nodes.host import L3Host
from sim.nodes.interface import Addresses
from sim.nodes.station import Station
from sim.nodes.switch import Switch
from sim.nodes.virtual_tap import VirtualTapNode
from sim.probes import Place
from sim.scenario import decode
from tests.sim.networks import Listener, addresses, place_of, station_mac
from tests.sim.scenarios import SMALL
from virtualtap import TapConfig, VirtualTap
from virtualtap.units import MS, SECOND
from virtualtap.wire.ethernet import IPV4


class Bench:
    """A switch, whoever is connected to it, and the judges that watch."""

    def __init__(self, *stations: int) -> None:
        self.network = Network(1)
        self.switch = self.network.add(Switch("sw"))
        self.built = Built(self.network, bridges={"sw": self.switch})
        self.flows = []
        self.stations = [self.station(f"s{i}", i) for i in stations]
        self.evil = self.network.add(Listener("evil"))
        self.network.connect(self.evil.port, self.switch.port())

    def station(self, name: str, number: int, mac: int | None = None) -> Station:
        own = addresses(number)
        if mac is not None:
            own = Addresses(mac=station_mac(mac), ip=own.ip)
        station = self.network.add(Station(name, own))
        self.network.connect(station.port, self.switch.port())
        self.built.endpoints[name] = station
        self.built.places.append(place_of(station))
        return station

    def tap(self, number: int, make=VirtualTap, **choices) -> L3Host:
        own = addresses(number)
        host = self.network.add(L3Host(f"h{number}", own.ip))
        config = TapConfig(our_mac=own.mac, our_ip=own.ip, **choices)
        tap = self.network.add(VirtualTapNode(f"t{number}", config, make))
        self.network.connect(host.uplink, tap.host)
        self.network.connect(tap.lan, self.switch.port())
        self.built.endpoints[host.name] = host
        place = (host.uplink.name, tap.lan.name, own.mac, own.ip, 24, (), None, None)
        self.built.places.append(Place(host.name, *place))
        return host

    def stream(self, source, to, **choices) -> None:
        flow = DatagramStream(
            self.network,
            len(self.flows),
            (source, to),
            Timing(choices.get("every", 10 * MS), 0, choices.get("stop", SECOND)),
            size=100,
        )
        flow.start()
        self.flows.append(flow.flow)

    def judged(self, *names: str, until: int = SECOND) -> list[tuple[str, str, float]]:
        scene = Scene(decode(SMALL), self.built, self.flows)
        judges = Judges(scene, [INVARIANTS[name](scene) for name in names or INVARIANTS])
        self.network.observers.append(judges)
        for instant in judges.instants(until):
            self.network.run(instant)
            judges.look(instant)
        self.network.finish()
        return [(one.field, one.value, one.at_s) for one in judges.failures()]


def to_station(number: int, packet: bytes) -> bytes:
    return station_mac(number) + station_mac(99) + IPV4 + packet


def ip_of(number: int) -> bytes:
    return addresses(number).ip
