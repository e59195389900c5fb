"""Wrong translators for `vtap fuzz --target python:tests.sim.strange_taps:NAME`."""

import os
import signal

from sim.conformance.verdicts import Unsupported
from virtualtap import VirtualTap


class Crasher(VirtualTap):
    """As a library that writes where it should not: the third packet is its end."""

    packets = 0

    def ip_to_ethernet(self, packet, now=None):
        self.packets += 1
        if self.packets == 3:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().ip_to_ethernet(packet, now)


class Impostor(VirtualTap):
    """Speaks under another MAC."""

    def ip_to_ethernet(self, packet, now=None):
        frame = super().ip_to_ethernet(packet, now)
        return frame and frame[:6] + b"\x02impos" + frame[12:]


class Sleeper(VirtualTap):
    """Never comes back."""

    def ip_to_ethernet(self, packet, now=None):
        signal.pause()


class Thrower(VirtualTap):
    """Raises on every packet."""

    def ip_to_ethernet(self, packet, now=None):
        raise RuntimeError("\x1b[31m")


class Leaver(VirtualTap):
    """Ends its process."""

    def ip_to_ethernet(self, packet, now=None):
        os._exit(0)


def narrow(_config):
    """Can do nothing."""
    raise Unsupported("nothing")
