"""A library with the predecessor's C interface, as a Translator."""

import ctypes
from collections.abc import Callable
from pathlib import Path

from sim.conformance.script import Make
from sim.conformance.verdicts import Unsupported
from virtualtap.config import TapConfig
from virtualtap.errors import UsageError
from virtualtap.units import US, Instant


class _Config(ctypes.Structure):
    """The predecessor's configuration; addresses are numbers in host order."""

    _fields_ = (
        ("our_mac", ctypes.c_uint8 * 6),
        ("our_ip", ctypes.c_uint32),
        ("gateway_ip", ctypes.c_uint32),
        ("gateway_mac", ctypes.c_uint8 * 6),
        ("handle_arp", ctypes.c_bool),
        ("learn_ip", ctypes.c_bool),
        ("learn_gateway_mac", ctypes.c_bool),
        ("enable_dns_cache", ctypes.c_bool),
        ("verbose", ctypes.c_bool),
    )


_ROOM = 65_536


def c_target(path: Path, hint: str) -> Make:
    """The library at `path`. UsageError where it cannot be loaded."""
    if not path.is_file():
        raise UsageError(f"there is no library `{path}`", hint)
    try:
        library = ctypes.CDLL(str(path.resolve()))
        library.virtual_tap_create.restype = ctypes.c_void_p
    except (OSError, AttributeError) as error:
        raise UsageError(f"cannot load `c:{path}`: {error}", hint) from None
    return lambda config: CTranslator(library, config)


class CTranslator:
    """A library with the predecessor's interface, as a Translator.

    It reads the wall clock inside: where it lacks `virtual_tap_advance_us`, a case that needs time
    to pass is unsupported. It knows no prefix length and no IPv6 address of its own.
    """

    def __init__(self, library: ctypes.CDLL, config: TapConfig) -> None:
        if config.hosts or config.admit_hosts or config.serve is not None:
            raise Unsupported("the interface knows one host, and serves nobody")
        self._library = library
        self._now: Instant = 0
        c = _Config()
        c.our_mac[:] = list(config.our_mac)
        c.our_ip = int.from_bytes(config.our_ip or b"")
        c.gateway_ip = int.from_bytes(config.gateway_ip or b"")
        c.gateway_mac[:] = list(config.gateway_mac or bytes(6))
        c.handle_arp = config.handle_arp_internally
        c.learn_gateway_mac = config.learn_gateway_mac
        handle = library.virtual_tap_create(ctypes.byref(c))
        if not handle:
            raise Unsupported("`virtual_tap_create` returned nothing")
        self._handle = ctypes.c_void_p(handle)

    def ip_to_ethernet(self, packet: bytes, now: Instant | None = None) -> bytes | None:
        return self._translate(self._library.virtual_tap_ip_to_ethernet, packet, now)

    def ethernet_to_ip(self, frame: bytes, now: Instant | None = None) -> bytes | None:
        return self._translate(self._library.virtual_tap_ethernet_to_ip, frame, now)

    def poll(self, now: Instant) -> None:
        if now == self._now:
            return
        advance = getattr(self._library, "virtual_tap_advance_us", None)
        if advance is None:
            raise Unsupported("the library reads the wall clock: time cannot be made to pass")
        advance(ctypes.c_int64((now - self._now) // US))
        self._now = now

    def next_deadline(self) -> Instant | None:
        return None

    def take_frames(self) -> list[bytes]:
        taken: list[bytes] = []
        out = (ctypes.c_uint8 * _ROOM)()
        while self._library.virtual_tap_has_pending_arp_reply(self._handle) & 1:
            length = self._library.virtual_tap_pop_arp_reply(self._handle, out, _ROOM)
            if length <= 0:
                break
            taken.append(bytes(out[:length]))
        return taken

    def take_packets(self) -> list[bytes]:
        return []

    def _translate(
        self, function: Callable[..., int], data: bytes, now: Instant | None
    ) -> bytes | None:
        if now is not None:
            self.poll(now)
        out = (ctypes.c_uint8 * _ROOM)()
        length = function(self._handle, data, ctypes.c_uint32(len(data)), out, _ROOM)
        return bytes(out[:length]) if length > 0 else None
