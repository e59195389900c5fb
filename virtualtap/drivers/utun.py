"""A macOS utun: before each packet its address family, 4 bytes, big-endian. XNU if_utun.c."""

from virtualtap.drivers.descriptor import Descriptor
from virtualtap.drivers.packet_flow import family

HEADER_LEN = 4


class Utun(Descriptor):
    """The host side of a tap over an open utun descriptor; it becomes non-blocking."""

    def read(self) -> list[bytes] | None:
        """As a descriptor's, without families; what is too short for one is an empty packet."""
        batch = super().read()
        return None if batch is None else [data[HEADER_LEN:] for data in batch]

    def write(self, batch: list[bytes]) -> None:
        """As a descriptor's, each packet behind its family."""
        super().write([family(packet).to_bytes(HEADER_LEN) + packet for packet in batch])
