"""A network whose node asks a set of strings in which order to speak: `python moody.py`."""

import sys

from sim.network import Network
from sim.node import Node
from sim.probes import Digest
from sim.trail import Trail
from tests.sim.networks import Listener
from virtualtap.units import MS

WORDS = {f"word {i}".ljust(20 + i) for i in range(8)}


class Moody(Node):
    """At 7 ms it says each of its words, in whatever order; before, something else."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.port = self.add_port("p")

    def start(self) -> None:
        self.call_at(5 * MS, lambda: self.say(["always", "the", "same"]))
        self.call_at(7 * MS, lambda: self.say(WORDS))

    def say(self, words) -> None:
        for word in words:
            self.fates.originated += 1
            self.port.send(word.encode())


def main() -> None:
    network, digest = Network(1), Digest(1)
    moody, listener = network.add(Moody("moody")), network.add(Listener("listener"))
    network.connect(moody.port, listener.port, delay=1 * MS)
    network.observers += [digest, Trail(sys.stdout.buffer)]
    network.run(20 * MS)
    sys.stdout.buffer.write(f"digest {digest.value()}\n".encode())


if __name__ == "__main__":
    main()
