"""DHCP of others: dnsmasq lends the engine an address, SecureNAT lends dhclient one. RFC 2131."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic_ns

from sim.live.fidelity import Row, Section
from sim.live.kernel import heard, open_in
from sim.live.namespace import Namespace
from sim.live.packages import environment, unpack
from sim.live.softether import until
from virtualtap.config import TapConfig
from virtualtap.lease import Lease
from virtualtap.tap import VirtualTap
from virtualtap.wire.address import ip_text, mac

CLIENT = ("isc-dhcp-client",)
SERVER = (
    *("dnsmasq-base", "libnftables1", "libnetfilter-conntrack3", "libnfnetlink0", "libnftnl11"),
    *("libxtables12", "libjansson4", "libedit2", "libbsd0", "libmd0", "libmnl0", "libdbus-1-3"),
    *("libidn2-0", "libunistring2", "libgmp10", "libhogweed6", "libnettle8"),
)
_MAC = mac("02:00:5e:60:00:01")
_HOST, _MASK = "10.5.0.1", "255.255.255.0"
_PATIENCE = 15  # seconds
_TEXT = "dnsmasq in a namespace of its own, on a TAP whose other end is the engine."


def dnsmasq(namespace: Namespace, device: str, place: Path) -> "subprocess.Popen[bytes]":
    """A DHCP server on a device that has `10.5.0.1/24`; its leases are in `place / "leases"`."""
    root = unpack(*SERVER)
    options = [
        *(
            "--keep-in-foreground",
            "--no-ping",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--port=0",
        ),
        *(f"--interface={device}", "--bind-interfaces", "--user=root", "--pid-file="),
        *(f"--dhcp-range=10.5.0.50,10.5.0.60,{_MASK},2m", f"--dhcp-leasefile={place}/leases"),
        *(f"--dhcp-option=3,{_HOST}", f"--dhcp-option=6,{_HOST}", "--dhcp-option=26,1400"),
    ]
    command = [str(root / "usr/sbin/dnsmasq"), *options]
    process = namespace.start(command, env=environment(root))
    until(lambda: _listens(namespace), "dnsmasq does not listen", _PATIENCE)
    return process


def dhclient(namespace: Namespace, device: str) -> str:
    """The address that ISC's client is lent on a device, or nothing. It changes nothing there."""
    root = unpack(*CLIENT)
    with tempfile.TemporaryDirectory() as place:
        leases = Path(place, "leases")
        files = ["-sf", "/bin/true", "-lf", str(leases), "-pf", str(Path(place, "number"))]
        command = [str(root / "sbin/dhclient"), "-1", "-d", "-cf", "/dev/null", *files, device]
        process = namespace.start(command, env=environment(root))
        try:
            return until(lambda: _lent(leases), "dhclient is lent nothing", _PATIENCE)
        except TimeoutError:
            return ""
        finally:
            process.kill()  # in the foreground: it has no children, and gives nothing back
            process.wait()


def engine_lease(fd: int) -> VirtualTap:
    """A tap that has asked for a lease on a TAP's descriptor until it had one, or not."""
    tap = VirtualTap(TapConfig(our_mac=_MAC, dhcp=True, dhcp_delay_max=0))
    end = monotonic_ns() + _PATIENCE * 10**9
    while tap.lease is None and monotonic_ns() < end:
        tap.poll(monotonic_ns())
        _say(fd, tap)
        for frame in heard(fd, 0.2, enough=1):
            tap.ethernet_to_ip(frame, monotonic_ns())
            _say(fd, tap)
    return tap


def sections() -> Iterator[Section]:
    """The engine and dnsmasq; about five seconds. Missing where it cannot be."""
    yield Section("The engine and dnsmasq", _TEXT, _rows())


def _rows() -> list[Row]:
    with ExitStack() as stack:
        space = stack.enter_context(Namespace("dnsmasq"))
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fd = open_in(space, "tap", "lan0")
        stack.callback(os.close, fd)
        space.ip("link", "set", "lan0", "up")
        space.ip("address", "add", f"{_HOST}/24", "dev", "lan0")
        dnsmasq(space, "lan0", place)
        tap = engine_lease(fd)
        lease = tap.lease
        if lease is None:
            return [Row("dnsmasq lends an address", "yes", "no", same=False)]
        written = place / "leases"
        mine = f" {ip_text(lease.ip)} "
        until(lambda: mine in written.read_text(), "dnsmasq notes no lease", _PATIENCE)
        rows = _lease_rows(lease)
        tap.release(monotonic_ns())
        _say(fd, tap)
        is_back = _becomes(lambda: mine not in written.read_text())
        return [*rows, Row("a released lease is given back", "yes", _yes(is_back), is_back)]


def _lease_rows(lease: Lease) -> list[Row]:
    expected = {
        "the server": (_HOST, ip_text(lease.server)),
        "the mask": ("/24", f"/{lease.prefix_length}"),
        "the router": (_HOST, "none" if lease.gateway is None else ip_text(lease.gateway)),
        "the name server": (_HOST, ", ".join(map(ip_text, lease.dns))),
        "the MTU": ("1400", str(lease.mtu)),
    }
    in_range = 50 <= lease.ip[3] <= 60
    lent = Row("dnsmasq lends an address", "10.5.0.50 to .60", ip_text(lease.ip), in_range)
    return [
        lent,
        *(
            Row(f"{what} is taken", one, other, one == other)
            for what, (one, other) in expected.items()
        ),
    ]


def _say(fd: int, tap: VirtualTap) -> None:
    for frame in tap.take_frames():
        os.write(fd, frame)


def _listens(namespace: Namespace) -> bool:
    """Whether somebody has the port of DHCP's servers, 67."""
    with namespace.entered():
        return ":0043 " in Path("/proc/thread-self/net/udp").read_text()


def _lent(leases: Path) -> str:
    text = leases.read_text() if leases.exists() else ""
    return text.partition("fixed-address ")[2].partition(";")[0]


def _becomes(happens: Callable[[], bool]) -> bool:
    try:
        until(happens, "it does not", 5)
    except TimeoutError:
        return False
    return True


def _yes(happens: bool) -> str:
    return "yes" if happens else "no"
