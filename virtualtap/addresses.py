"""Virtual MAC addresses: unicast, locally administered, the same for the same seed."""

from hashlib import blake2b

from virtualtap.wire.address import Ip, Mac


def random_mac(seed: int | str) -> Mac:
    """6 bytes that only `seed` decides.

    The first byte is 02 (IEEE 802: unicast, locally administered), which SoftEther uses for
    nothing of its own: it reads meaning into 00:AE, 5E, 7E, CA and DA (Hub.c, Virtual.c, IPC.c).
    """
    return b"\x02" + blake2b(str(seed).encode(), digest_size=5).digest()


class Macs:
    """The MACs of one tap: its own, and those generated for single addresses of ours."""

    __slots__ = ("_own", "_seed", "generated", "ours")

    def __init__(self, own: Mac, seed: int) -> None:
        self._own = own
        self._seed = seed
        self.generated: dict[Ip, Mac] = {}
        self.ours = {own}

    def of(self, ip: Ip) -> Mac:
        """The MAC under which we speak as `ip`: its own one, or the tap's."""
        return self.generated.get(ip, self._own)

    def add(self, ip: Ip) -> Mac:
        """A MAC for `ip` alone: the same for the same seed, tap and address, and nobody else's."""
        word = f"{self._seed} {self._own.hex()} {ip.hex()}"
        while (made := random_mac(word)) in self.ours:
            word += "'"
        self.generated[ip] = made
        self.ours.add(made)
        return made
