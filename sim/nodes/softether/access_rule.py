"""One rule of an access list, by the product's names, and what it matches. Hub.h:ACCESS, Hub.c.

IsPacketMaskedByAccessList, CmpAccessList, AddAccessListEx: the comparison, the order, and what
becomes of values that are out of range.
"""

from dataclasses import dataclass
from struct import pack

from sim.nodes.softether.identity import is_polling, sha0
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.packet import L3, L4, Packet
from sim.nodes.softether.parsing import key_of
from sim.nodes.softether.session import Session
from virtualtap.errors import UsageError
from virtualtap.wire.address import ANY4, LIMITED_BROADCAST, NO_MAC, Ip, Mac

HUB_ACCESSLIST_DELAY_MAX = 10_000  # Hub.h; milliseconds
HUB_ACCESSLIST_JITTER_MAX = 100  # Hub.h; percent of the delay
HUB_ACCESSLIST_LOSS_MAX = 100  # Hub.h; percent
_MAX_USERNAME_LEN = _MAX_REDIRECT_URL_LEN = 255  # Cedar.h
_NAMED_BY_FILE = ("include:", "exclude:")
_SYN, _ACK = 0x02, 0x10


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRule:
    """What a frame has to be, all at once, and what becomes of it then.

    Addresses and masks have 4 bytes, of an IPv6 rule 16; empty, they are not looked at. Protocol
    and ports of 0 neither. Users are users or groups. UsageError for an address of the other
    family, and for a list of users in a file.
    """

    Priority: int = 0  # the lowest is asked first
    Active: bool = True
    Discard: bool = False
    IsIPv6: bool = False
    SrcIpAddress: Ip = b""
    SrcSubnetMask: Ip = b""
    DestIpAddress: Ip = b""
    DestSubnetMask: Ip = b""
    Protocol: int = 0
    SrcPortStart: int = 0
    SrcPortEnd: int = 0
    DestPortStart: int = 0
    DestPortEnd: int = 0
    SrcUsername: str = ""
    DestUsername: str = ""
    CheckSrcMac: bool = False
    SrcMacAddress: Mac = NO_MAC
    SrcMacMask: Mac = NO_MAC
    CheckDstMac: bool = False
    DstMacAddress: Mac = NO_MAC
    DstMacMask: Mac = NO_MAC
    CheckTcpState: bool = False
    Established: bool = False
    Delay: int = 0  # milliseconds
    Jitter: int = 0  # percent of the delay
    Loss: int = 0  # percent
    RedirectUrl: str = ""

    def __post_init__(self) -> None:
        length = 16 if self.IsIPv6 else 4
        for name in ("SrcIpAddress", "SrcSubnetMask", "DestIpAddress", "DestSubnetMask"):
            if len(getattr(self, name)) not in (0, length):
                raise UsageError(
                    f"`{name}` of an access rule has {len(getattr(self, name))} bytes",
                    f"give {length} bytes, or set `IsIPv6` as the address is",
                )
        for user in (self.SrcUsername, self.DestUsername):
            if user.lower().startswith(_NAMED_BY_FILE):
                raise UsageError(
                    f"an access rule names its users by a file: `{user:.60}`",
                    "give one user or group for each rule",
                )
        self._correct("SrcPortEnd", max(self.SrcPortEnd, self.SrcPortStart))
        self._correct("DestPortEnd", max(self.DestPortEnd, self.DestPortStart))
        self._correct("Delay", min(max(self.Delay, 0), HUB_ACCESSLIST_DELAY_MAX))
        self._correct("Jitter", min(max(self.Jitter, 0), HUB_ACCESSLIST_JITTER_MAX))
        self._correct("Loss", min(max(self.Loss, 0), HUB_ACCESSLIST_LOSS_MAX))

    def _correct(self, name: str, value: int) -> None:
        object.__setattr__(self, name, value)

    def order(self) -> tuple[int, bool, bytes]:
        """Priority, pass before discard, then byte for byte as the rule lies in memory."""
        four = not self.IsIPv6
        ips = (self.SrcIpAddress, self.SrcSubnetMask, self.DestIpAddress, self.DestSubnetMask)
        ports = self.SrcPortStart, self.SrcPortEnd, self.DestPortStart, self.DestPortEnd
        parts = (
            pack("<?I?", self.Active, self.Priority, self.Discard),
            *(ip.ljust(4, b"\0") if four else bytes(4) for ip in ips),
            pack("<5I", self.Protocol, *ports),
            _hash(self.SrcUsername) + b"\0",
            self.SrcUsername.encode().ljust(_MAX_USERNAME_LEN + 1, b"\0"),
            b"\0" + _hash(self.DestUsername),
            self.DestUsername.encode().ljust(_MAX_USERNAME_LEN + 1, b"\0"),
            pack("<?6s6s", self.CheckSrcMac, self.SrcMacAddress, self.SrcMacMask),
            pack("<?6s6s", self.CheckDstMac, self.DstMacAddress, self.DstMacMask),
            pack("<??3I", self.CheckTcpState, self.Established, self.Delay, self.Jitter, self.Loss),
            self.RedirectUrl.encode().ljust(_MAX_REDIRECT_URL_LEN + 1, b"\0"),
            pack("<?", self.IsIPv6),
            *(bytes(16) if four else ip.ljust(16, b"\0") for ip in ips),
        )
        return self.Priority, self.Discard, b"".join(parts)


def matches(
    rule: AccessRule,
    packet: Packet,
    source: Session,
    target: Session | None,
    options: HubOptions,
) -> bool:
    """Whether the rule is about this packet on its way to `target`; None: it has just come in."""
    if not (_are_macs(rule, packet, options) and _are_users(rule, source, target)):
        return False
    if packet.l3 is L3.ARP and not options.ApplyIPv4AccessListOnArpPacket:
        return False
    return _are_addresses(rule, packet) and _is_transport(rule, packet)


def simple_name(user: str) -> str:
    """A user without his Windows domain, in capitals, as the product compares them."""
    return user.rpartition("\\")[2].partition("@")[0].strip().upper()


def _hash(user: str) -> bytes:
    name = simple_name(user)
    return sha0(name.encode())[:8] if name else bytes(8)


def _are_macs(rule: AccessRule, packet: Packet, options: HubOptions) -> bool:
    if rule.CheckSrcMac:
        source = key_of(options)(packet.frame)[0]  # of a BPDU the bridge inside
        if not _is_masked(source, rule.SrcMacAddress, rule.SrcMacMask):
            return False
    target = packet.frame[:6]
    return not rule.CheckDstMac or _is_masked(target, rule.DstMacAddress, rule.DstMacMask)


def _are_users(rule: AccessRule, source: Session, target: Session | None) -> bool:
    if rule.SrcUsername and not _is_user(rule.SrcUsername, source):
        return False
    return not rule.DestUsername or (target is not None and _is_user(rule.DestUsername, target))


def _is_user(name: str, session: Session) -> bool:
    terms = session.terms
    return simple_name(name) in (simple_name(terms.user), simple_name(terms.group))


def _are_addresses(rule: AccessRule, packet: Packet) -> bool:
    for ip, mask, given in (
        (rule.SrcIpAddress, rule.SrcSubnetMask, packet.source),
        (rule.DestIpAddress, rule.DestSubnetMask, packet.target),
    ):
        if not (any(ip) or any(mask)):
            continue
        if given is None or len(given) != (16 if rule.IsIPv6 else 4):
            return False
        if packet.l3 is L3.ARP and not _is_told(packet, given):
            return False
        if not _is_masked(given, ip, mask):
            return False
    return True


def _is_told(packet: Packet, ip: Ip) -> bool:
    """Whether an address in an ARP is one that a rule may be about: none of a hub's questions."""
    return ip not in (ANY4, LIMITED_BROADCAST) and not is_polling(packet.source_mac, ip)


def _is_transport(rule: AccessRule, packet: Packet) -> bool:
    """Protocol, ports and state. Each asks for a packet of the rule's own family."""
    ports = rule.SrcPortEnd or rule.DestPortEnd
    if not (rule.Protocol or ports or rule.CheckTcpState):
        return True
    if packet.l3 is not (L3.IPV6 if rule.IsIPv6 else L3.IPV4):
        return False
    if rule.Protocol and packet.protocol != rule.Protocol:
        return False
    if ports and not _are_ports(rule, packet):
        return False
    if not rule.CheckTcpState:
        return True
    established = packet.flags & (_SYN | _ACK) != _SYN
    return packet.l4 is L4.TCP and rule.Established is established


def _are_ports(rule: AccessRule, packet: Packet) -> bool:
    if packet.l4 not in (L4.TCP, L4.UDP):
        return False
    source = not rule.SrcPortEnd or rule.SrcPortStart <= packet.source_port <= rule.SrcPortEnd
    target = not rule.DestPortEnd or rule.DestPortStart <= packet.target_port <= rule.DestPortEnd
    return source and target


def _is_masked(value: bytes, wanted: bytes, mask: bytes) -> bool:
    bits = int.from_bytes(mask)
    return int.from_bytes(value) & bits == int.from_bytes(wanted) & bits
