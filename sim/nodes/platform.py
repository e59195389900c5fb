"""How a platform hands IP packets to a tunnel: XNU utun, Android VpnService, Linux WireGuard.

All three are point-to-point interfaces: nobody broadcasts there, and no program looks for its
neighbors by multicast. What else differs is in `PLATFORMS`, with its sources.
"""

from dataclasses import dataclass

from sim.reasons import Reason
from virtualtap.wire.address import LIMITED_BROADCAST, Ip

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Platform:
    """The MTU of the interface, and what a process of the tunnel may hold."""

    name: str
    mtu: int
    batch: int | None  # packets of one read; None: all that wait
    memory: int | None  # bytes, then the process is killed; None: no ceiling of its own

    def refuses(self, packet: bytes, broadcast: Ip | None) -> str | None:
        """Why a packet never gets into the tunnel; `broadcast` is the subnet's."""
        if len(packet) > self.mtu:
            return Reason.TOO_BIG
        if packet[0] >> 4 == 6:
            return Reason.NOT_TUNNELED if _is_near6(packet[24:40]) else None
        to = packet[16:20]
        near = to in (LIMITED_BROADCAST, broadcast) or to[:3] == b"\xe0\0\0"
        return Reason.NOT_TUNNELED if near else None


PLATFORMS = {
    platform.name: platform
    for platform in (
        # XNU bsd/net/if_utun.c: IFF_POINTOPOINT, 1500 bytes; mDNSResponder leaves out such
        # interfaces. NEPacketTunnelFlow.readPackets gives all that wait. 50 MiB: Apple Developer
        # Forums 73148, of iOS 15 and later.
        Platform("ios", mtu=1500, batch=None, memory=50 * _MIB),
        # VpnService.Builder.establish: each read retrieves one packet. The interface is brought up
        # without IFF_MULTICAST: com_android_server_connectivity_Vpn.cpp. 1500: drivers/net/tun.c.
        Platform("android", mtu=1500, batch=1, memory=None),
        # drivers/net/wireguard: device.c, IFF_POINTOPOINT | IFF_NOARP, 1500 less 80 bytes;
        # messages.h, MAX_STAGED_PACKETS
        Platform("wireguard", mtu=1420, batch=128, memory=None),
    )
}


def _is_near6(to: Ip) -> bool:
    """Multicast to the interface or the link. RFC 4291 2.7."""
    return to[0] == 0xFF and to[1] & 0xF in (1, 2)
