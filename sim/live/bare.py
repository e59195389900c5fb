"""The least translator there can be, to measure ours against: 14 bytes added, or cut off.

It knows one neighbour and answers nobody. `python -m sim.live.bare TUN TAP OUR_MAC PEER_MAC`.
"""

import os
import select
import sys
from contextlib import suppress

from sim.live.kernel import open_device
from virtualtap.wire.address import mac
from virtualtap.wire.ethernet import HEADER_LEN, IPV4

_LENGTH_MAX, _BATCH = 65_600, 64


def carry(tun: int, tap: int, header: bytes) -> None:
    """Read, add or cut, write; for ever."""
    poll = select.epoll()
    poll.register(tun, select.EPOLLIN)
    poll.register(tap, select.EPOLLIN)
    read, write = os.read, os.write
    while True:
        for fd, _ in poll.poll():
            with suppress(OSError):  # nothing more to read, or a link that is full or down
                for _ in range(_BATCH):
                    data = read(fd, _LENGTH_MAX)
                    if fd == tun:
                        write(tap, header + data)
                    elif data[12:14] == IPV4:
                        write(tun, data[HEADER_LEN:])


def main() -> None:
    """What the command line names."""
    tun, tap, ours, peer = sys.argv[1:]
    devices = open_device("tun", tun), open_device("tap", tap)
    carry(*devices, mac(peer) + mac(ours) + IPV4)


if __name__ == "__main__":
    main()
