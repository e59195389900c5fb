"""Frames of a network device as they are, tags included, by a packet socket. Linux' packet(7)."""

import socket
import struct
from contextlib import suppress

from sim.live.namespace import Namespace
from virtualtap.units import SECOND, Instant
from virtualtap.wire.address import Mac

_ALL = 0x0003  # ETH_P_ALL
_PACKET, _AUXDATA, _IGNORE_OUTGOING = 263, 8, 23  # linux/if_packet.h
_VALID_TAG, _VALID_TYPE = 0x10, 0x40
_AUXILIARY = struct.Struct("=IIIHHHH")  # tpacket_auxdata
_TIMESTAMP = 35  # SO_TIMESTAMPNS, as its message
_RCVBUFFORCE = 33  # asm-generic/socket.h
_TIME = struct.Struct("=qq")
_LENGTH_MAX = 0x10000
_BUFFER = 1 << 22  # bytes; the usual 212,992 hold 512 frames


class PacketSocket:
    """One device of a namespace. What was sent by itself is not heard."""

    def __init__(self, namespace: Namespace, device: str) -> None:
        """OSError where there is no such device."""
        with namespace.entered():
            made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
        made.setsockopt(_PACKET, _AUXDATA, 1)
        made.setsockopt(_PACKET, _IGNORE_OUTGOING, 1)
        made.setsockopt(socket.SOL_SOCKET, _TIMESTAMP, 1)
        made.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _BUFFER)
        made.bind((device, _ALL))
        made.setblocking(False)
        self._socket = made
        self.mac: Mac = made.getsockname()[4]

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._socket.fileno()

    def send(self, frame: bytes) -> None:
        """14 bytes or more, at most the device's MTU and 14. OSError."""
        self._socket.send(frame)

    def receive(self) -> list[tuple[Instant, bytes]]:
        """What has come, each with the time of day at which the kernel had it."""
        heard = []
        with suppress(BlockingIOError):
            while True:
                frame, messages, _, _ = self._socket.recvmsg(_LENGTH_MAX, 256)
                heard.append(_whole(frame, messages))
        return heard

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()


def _whole(frame: bytes, messages: list[tuple[int, int, bytes]]) -> tuple[Instant, bytes]:
    """The kernel takes the outer tag off a frame: it is put back."""
    at = 0
    for level, kind, data in messages:
        if (level, kind) == (_PACKET, _AUXDATA):
            status, _, _, _, _, tag, tag_type = _AUXILIARY.unpack(data[: _AUXILIARY.size])
            if status & _VALID_TAG:
                outer = tag_type if status & _VALID_TYPE else 0x8100
                frame = frame[:12] + struct.pack("!HH", outer, tag) + frame[12:]
        elif (level, kind) == (socket.SOL_SOCKET, _TIMESTAMP):
            seconds, rest = _TIME.unpack(data[: _TIME.size])
            at = seconds * SECOND + rest
    return at, frame
