"""Virtual MAC addresses: unicast, locally administered, the same for the same seed."""

from hashlib import blake2b

from virtualtap.wire.address import Mac


def random_mac(seed: int | str) -> Mac:
    """6 bytes that only `seed` decides.

    The first byte is 02 (IEEE 802: unicast, locally administered), which SoftEther uses for
    nothing of its own: it reads meaning into 00:AE, 5E, 7E, CA and DA (Hub.c, Virtual.c, IPC.c).
    """
    return b"\x02" + blake2b(str(seed).encode(), digest_size=5).digest()
