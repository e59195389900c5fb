"""What a kernel is asked in ARP, stimulus by stimulus: frames for it, and for a model. RFC 826."""

from collections.abc import Iterator
from struct import pack

from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, NO_MAC, Ip, Mac, ip, mac
from virtualtap.wire.arp import REPLY, REQUEST
from virtualtap.wire.ethernet import ARP, tag

OURS, PEER, THIRD = ip("10.0.0.1"), ip("10.0.0.2"), ip("10.0.0.3")
OUR_MAC, PEER_MAC = mac("02:00:00:00:00:01"), mac("02:bb:00:00:00:02")
OLD_MAC, QUIET_MAC = mac("02:bb:00:00:00:0e"), mac("02:bb:00:00:00:03")  # QUIET: another host
GROUP_MAC, GROUP_FRAME_MAC = mac("01:00:00:00:00:aa"), mac("01:00:5e:00:00:01")
OFF_LINK, OUR_BROADCAST = ip("192.168.7.7"), ip("10.0.0.255")
GROUP, LOOPBACK = ip("224.0.0.1"), ip("127.0.0.1")
ETHERNET_IPV4 = (1, 0x0800, 6, 4)  # hardware and protocol types, and their lengths


def message(
    operation: int = REQUEST,
    *,
    sender_mac: Mac = PEER_MAC,
    sender: Ip = PEER,
    target_mac: Mac = NO_MAC,
    target: Ip = OURS,
    to: Mac = BROADCAST,
    link_source: Mac = PEER_MAC,
    kind: tuple[int, int, int, int] = ETHERNET_IPV4,
) -> bytes:
    """One ARP message in its frame: unless told otherwise, the peer asks for our address."""
    head = pack("!HHBBH", *kind, operation)
    return to + link_source + ARP + head + sender_mac + sender + target_mac + target


def reply(
    sender_mac: Mac = PEER_MAC,
    *,
    sender: Ip = PEER,
    to: Mac = OUR_MAC,
    target_mac: Mac = OUR_MAC,
    target: Ip = OURS,
) -> bytes:
    """The peer tells us where it is."""
    return message(
        REPLY, sender_mac=sender_mac, sender=sender, target_mac=target_mac, target=target, to=to
    )


def stimuli() -> Iterator[tuple[str, bytes]]:
    """Names and frames; 57 of them."""
    asks = message()
    yield "request for our address, to all", asks
    yield "the same, padded to 60 bytes", asks.ljust(60, b"\0")
    yield "the same, with 18 bytes of garbage behind", asks + bytes(range(0xA0, 0xB2))
    yield "the same, to our MAC", message(to=OUR_MAC)
    yield "the same, to another host's MAC", message(to=QUIET_MAC)
    yield "the same, to a group's MAC", message(to=GROUP_FRAME_MAC)
    yield "request for another address", message(target=THIRD)
    yield "request whose target MAC is ours already", message(target_mac=OUR_MAC)
    yield "probe for our address", message(sender=ANY4)
    yield "probe for another address", message(sender=ANY4, target=THIRD)
    yield from _announcements()
    yield from _senders()
    yield from _hardware()
    yield from _shapes()


def _announcements() -> Iterator[tuple[str, bytes]]:
    yield "announcement by request, to all", message(target=PEER)
    yield "announcement by reply, to all", reply(to=BROADCAST, target_mac=NO_MAC, target=PEER)
    yield "announcement by request, to our MAC", message(target=PEER, to=OUR_MAC)
    yield "unasked reply to us", reply()
    yield "unasked reply to us, to all", reply(to=BROADCAST)
    yield "unasked reply to another", reply(target=THIRD)
    yield "announcement of our address by another", message(sender=OURS)
    yield "the same by reply", reply(sender=OURS, to=BROADCAST, target_mac=NO_MAC)
    yield "request in the name of our address", message(sender=OURS, target=PEER)
    yield "request that says our own MAC", message(sender_mac=OUR_MAC)
    yield "request of a MAC that is not its frame's", message(link_source=QUIET_MAC)


def _senders() -> Iterator[tuple[str, bytes]]:
    yield "request from off the link", message(sender=OFF_LINK)
    yield "request from 255.255.255.255", message(sender=LIMITED_BROADCAST)
    yield "request from our broadcast address", message(sender=OUR_BROADCAST)
    yield "request from a group", message(sender=GROUP)
    yield "request from 127.0.0.1", message(sender=LOOPBACK)
    yield "request for 127.0.0.1", message(target=LOOPBACK)
    yield "request for 255.255.255.255", message(target=LIMITED_BROADCAST)
    yield "request for our broadcast address", message(target=OUR_BROADCAST)
    yield "request for a group", message(target=GROUP)


def _hardware() -> Iterator[tuple[str, bytes]]:
    yield "request of MAC ff:ff:ff:ff:ff:ff", message(sender_mac=BROADCAST)
    yield "request of a group's MAC", message(sender_mac=GROUP_MAC)
    yield "request of MAC zero", message(sender_mac=NO_MAC)
    yield "request in a frame from ff:ff:ff:ff:ff:ff", message(link_source=BROADCAST)
    yield "request in a frame from a group", message(link_source=GROUP_MAC)
    for name, kind in (
        ("hardware type 6", (6, 0x0800, 6, 4)),
        ("hardware type 0", (0, 0x0800, 6, 4)),
        ("hardware type 32", (32, 0x0800, 6, 4)),
        ("protocol type 0x0806", (1, 0x0806, 6, 4)),
        ("protocol type 0x86dd", (1, 0x86DD, 6, 4)),
        ("hardware length 8", (1, 0x0800, 8, 4)),
        ("hardware length 0", (1, 0x0800, 0, 4)),
        ("protocol length 16", (1, 0x0800, 6, 16)),
        ("protocol length 6", (1, 0x0800, 6, 6)),
    ):
        yield f"request with {name}", message(kind=kind)


def _shapes() -> Iterator[tuple[str, bytes]]:
    asks = message()
    yield "request cut to 41 bytes", asks[:41]
    yield "request cut to 28 bytes", asks[:28]
    yield "request cut to its frame's header", asks[:14]
    for operation, name in (
        (0, "operation 0"),
        (3, "operation 3, of RARP"),
        (8, "operation 8, of InARP"),
        (9, "operation 9, of InARP"),
        (25, "operation 25"),
        (0x0100, "operation 1 with its bytes swapped"),
    ):
        yield name, message(operation)
    yield "RARP's Ethernet type", asks[:12] + b"\x80\x35" + message(3)[14:]
    yield "request with a priority tag", asks[:12] + tag(0) + asks[12:]
    yield "request in VLAN 5", asks[:12] + tag(5) + asks[12:]
    snap = b"\xaa\xaa\x03\x00\x00\x00" + asks[12:]
    yield "request in the form of RFC 1042", asks[:12] + len(snap).to_bytes(2) + snap


def answers() -> Iterator[tuple[str, tuple[bytes, ...]]]:
    """What comes when we have asked for the peer, by name; 14 of them."""
    yield "the usual reply", (reply(),)
    yield "reply to all", (reply(to=BROADCAST),)
    yield "reply with a wrong target MAC", (reply(target_mac=QUIET_MAC),)
    yield "reply with a wrong target address", (reply(target=THIRD),)
    yield "announcement by request", (message(target=PEER),)
    yield "announcement by reply", (reply(to=BROADCAST, target_mac=NO_MAC, target=PEER),)
    yield "request of the peer for us", (message(),)
    yield "probe of the peer", (message(sender=ANY4),)
    yield "two replies of two MACs, 50 ms apart", (reply(), reply(OLD_MAC))
    yield "reply of a group's MAC", (reply(GROUP_MAC),)
    yield "reply of MAC ff:ff:ff:ff:ff:ff", (reply(BROADCAST),)
    yield "reply of MAC zero", (reply(NO_MAC),)
    yield "reply of our own MAC", (reply(OUR_MAC),)
    yield LOCKED, (reply(), reply(OLD_MAC))


LOCKED = "two replies of two MACs, 50 ms apart, `locktime` 1 s"
