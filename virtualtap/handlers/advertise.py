"""Tells Ethernet peers of their router and their prefixes. RFC 4861 6.2, RFC 4862 5.5.3."""

from virtualtap.core import Core
from virtualtap.reachability import Reachability
from virtualtap.serving import Serving
from virtualtap.stats import DropReason
from virtualtap.timers import NEVER
from virtualtap.units import MS, SECOND, Duration, Instant
from virtualtap.wire import ndp
from virtualtap.wire.address import ALL_NODES6, ANY6, is_link_local6
from virtualtap.wire.ethernet import HEADER_LEN
from virtualtap.wire.ipv6 import Ipv6
from virtualtap.wire.ndp import Prefix, RouterAdvertisement, RouterSolicitation

# RFC 4861 10: the same for every router, hence not in the config
MAX_INITIAL_INTERVAL, MAX_INITIAL = 16 * SECOND, 3
MIN_DELAY_BETWEEN, MAX_DELAY = 3 * SECOND, 500 * MS
HOP_LIMIT = 64  # RFC 4861 6.2.1: AdvCurHopLimit, as IANA says

_TIMER = "router advertisement"


class AdvertiseHandler:
    """The router half of RFC 4861 6: it hears no other router, and says nothing without prefixes.

    It answers to all at once (6.2.6), so that many who ask together are told once.
    """

    def __init__(self, core: Core, serve: Serving, reachability: Reachability) -> None:
        self._core = core
        self._serve = serve
        self._reachability = reachability
        self._sent = 0
        self._due: Instant = NEVER
        self._last: Instant = -MIN_DELAY_BETWEEN
        if serve.prefixes:
            core.starts.append(self._advertise)

    def receive(self, frame: bytes) -> bytes | None:
        """A router solicitation, router advertisement or redirect; always handled inside."""
        core = self._core
        packet = Ipv6.parse(frame[HEADER_LEN:])
        if not ndp.is_whole(packet):
            core.drop(DropReason.MALFORMED)
        elif packet.payload[0] != ndp.ROUTER_SOLICITATION or not self._serve.prefixes:
            core.drop(DropReason.NOT_FOR_US)
        else:
            self._solicited(packet)
        return None

    def _solicited(self, packet: Ipv6) -> None:
        """RFC 4861 6.1.1, 6.2.6."""
        core = self._core
        sender = RouterSolicitation.parse(packet.payload).mac(ndp.SOURCE_MAC)
        if sender is not None:
            if packet.source == ANY6 or not core.may_be_at(sender):
                core.drop(DropReason.MALFORMED)
                return
            self._reachability.heard(packet.source, sender)
        soon = core.now + core.rand.below(MAX_DELAY + 1)
        self._set(min(self._due, max(soon, self._last + MIN_DELAY_BETWEEN)))

    def _advertise(self) -> None:
        core, interface = self._core, self._core.interface6
        source = next((ip for ip in interface.owned(core.now) if is_link_local6(ip)), None)
        if source is not None:
            self._reachability.say(self._message(core.macs.of(source)), source, ALL_NODES6)
            self._sent, self._last = self._sent + 1, core.now
        self._set(core.now + self._interval())

    def _interval(self) -> Duration:
        """RFC 4861 6.2.4: by luck from a third of the interval to all of it; at first shorter."""
        most = self._serve.advertisement_interval
        interval = most // 3 + self._core.rand.below(most - most // 3 + 1)
        return min(interval, MAX_INITIAL_INTERVAL) if self._sent < MAX_INITIAL else interval

    def _set(self, at: Instant) -> None:
        self._due = at
        self._core.timers.set(_TIMER, at, self._advertise)

    def _message(self, mac: bytes) -> RouterAdvertisement:
        serve = self._serve
        prefixes = (
            Prefix(
                prefix,
                64,
                ndp.ON_LINK | ndp.AUTONOMOUS,
                serve.prefix_lifetime // SECOND,
                serve.prefix_preferred // SECOND,
            )
            for prefix in serve.prefixes
        )
        options = (
            (ndp.SOURCE_MAC, mac),
            (ndp.MTU, self._core.config.mtu.to_bytes(6)),
            *((ndp.PREFIX, prefix.to_bytes()) for prefix in prefixes),
        )
        return RouterAdvertisement(serve.router_lifetime // SECOND, options, hop_limit=HOP_LIMIT)
