"""What a hub's IP table learns from a frame, and what it refuses. Hub.c:StorePacket."""

from sim.nodes.softether.identity import is_polling
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import L3, L4, Packet
from sim.nodes.softether.session import Session
from sim.nodes.softether.tables import IpTable, MacTable
from virtualtap.units import Instant
from virtualtap.wire.address import (
    ANY4,
    LIMITED_BROADCAST,
    Ip,
    is_link_local6,
    is_unicast6,
)

_PRIVATE = (  # Hub.c:IsIPPrivate: first address, bits
    *((0x0A000000, 8), (0xAC100000, 12), (0xC0A80000, 16), (0xA9FE0000, 16), (0x64400000, 10)),
)
_ROUTER_MESSAGES = (133, 134)  # solicitation and advertisement
_DHCP6 = (546, 547)
_MESSAGE_TYPE, _PAD, _END, _ACK = 53, 0, 255, 5  # RFC 2132 9.6
_COOKIE_AT, _COOKIE = 236, b"\x63\x82\x53\x63"


def learn(
    packet: Packet, ips: IpTable, session: Session, options: HubOptions, now: Instant
) -> str | None:
    """Whose address this is, by its sender. A reason where the frame is to be dropped."""
    address = packet.source
    if address is None or is_polling(packet.source_mac, address):
        return None
    if packet.l3 is L3.IPV6:
        if not is_unicast6(address):
            return None
        managed = is_link_local6(address) or not options.ManageOnlyLocalUnicastIPv6
        exempt = _looks_for_configuration(packet)
        return ips.learn6(address, packet.source_mac, session, now, managed=managed, exempt=exempt)
    if address in (ANY4, LIMITED_BROADCAST) or packet.dhcp:
        return None
    managed = is_private(address) or not options.ManageOnlyPrivateIP
    return ips.learn4(address, packet.source_mac, session, now, managed=managed)


def snoop(packet: Packet, macs: MacTable, ips: IpTable, now: Instant) -> None:
    """A DHCP server's acknowledgement puts the address in, if the client's MAC is known, untagged.

    The MAC stored is where the frame goes, perhaps to all. StorePacketFilterByPolicy.
    """
    message = packet.dhcp
    if message[:3] != b"\x02\x01\x06" or not _is_ack(message):  # reply, Ethernet, 6 bytes
        return
    granted = message[16:20]
    client = macs.lookup((message[28:34], 0))
    if client is not None and granted not in (ANY4, LIMITED_BROADCAST):
        ips.granted(granted, packet.frame[:6], client, now)


def is_private(address: Ip) -> bool:
    """Whether ManageOnlyPrivateIP lets a hub keep this IPv4 address."""
    value = int.from_bytes(address)
    return any(value >> (32 - bits) == first >> (32 - bits) for first, bits in _PRIVATE)


def _looks_for_configuration(packet: Packet) -> bool:
    if packet.l4 is L4.ICMP:
        return packet.flags in _ROUTER_MESSAGES
    return packet.l4 is L4.UDP and packet.target_port in _DHCP6


def _is_ack(message: bytes) -> bool:
    if message[_COOKIE_AT : _COOKIE_AT + 4] != _COOKIE:
        return False
    at = _COOKIE_AT + 4
    while at < len(message) and message[at] != _END:
        if message[at] == _PAD:
            at += 1
            continue
        if message[at] == _MESSAGE_TYPE:
            return message[at + 2 : at + 3] == bytes((_ACK,))
        at += 2 + (message[at + 1] if at + 1 < len(message) else 0)
    return False
