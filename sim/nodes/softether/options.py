"""The options of a hub, by the product's names. Server.c:SiSetDefaultHubOption, Hub.c."""

from dataclasses import dataclass

from sim.nodes.softether import valid
from sim.nodes.softether.constants import DEFAULT_FLOODING_QUEUE_LENGTH
from virtualtap.wire.address import Ip, ip

_GATEWAY, _MASK = ip("192.168.30.1"), ip("255.255.255.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubOptions:
    """What an administrator may set of a hub, as the product sets it. UsageError: `valid`."""

    # addresses and polling
    NoArpPolling: bool = False
    NoIPv6AddrPolling: bool = False
    NoIpTable: bool = False
    ManageOnlyPrivateIP: bool = True
    ManageOnlyLocalUnicastIPv6: bool = True
    DisableIPParsing: bool = False
    NoManageVlanId: bool = False
    VlanTypeId: int = 0x8100
    DisableCheckMacOnLocalBridge: bool = False
    FixForDLinkBPDU: bool = False
    NoLookBPDUBridgeId: bool = False
    # filters of the whole hub
    FilterPPPoE: bool = False
    FilterOSPF: bool = False
    FilterIPv4: bool = False
    FilterIPv6: bool = False
    FilterNonIP: bool = False
    FilterBPDU: bool = False
    ApplyIPv4AccessListOnArpPacket: bool = False
    # privacy
    DropBroadcastsInPrivacyFilterMode: bool = True
    DropArpInPrivacyFilterMode: bool = True
    AllowSameUserInPrivacyFilterMode: bool = False
    # floods
    BroadcastStormDetectionThreshold: int = 0  # 0: 32
    BroadcastLimiterStrictMode: bool = False
    FloodingSendQueueBufferQuota: int = DEFAULT_FLOODING_QUEUE_LENGTH  # bytes; 0: no quota
    DetectDormantSessionInterval: int = 0  # seconds; 0: never
    # what frames become
    AdjustTcpMssValue: int = 0  # bytes; 0: as the session's
    DisableAdjustTcpMss: bool = False
    DisableCorrectIpOffloadChecksum: bool = False
    RemoveDefGwOnDhcpForLocalhost: bool = True
    # in-process clients, SecureNAT
    DefaultGateway: Ip = _GATEWAY
    DefaultSubnet: Ip = _MASK
    DhcpDiscoverTimeoutMs: int = 5000
    UseHubNameAsDhcpUserClassOption: bool = False
    SecureNAT_RandomizeAssignIp: bool = False
    SecureNAT_MaxTcpSessionsPerIp: int = 0
    SecureNAT_MaxTcpSynSentPerIp: int = 0
    SecureNAT_MaxUdpSessionsPerIp: int = 0
    SecureNAT_MaxDnsSessionsPerIp: int = 0
    SecureNAT_MaxIcmpSessionsPerIp: int = 0
    DisableUserModeSecureNAT: bool = False
    # the rest
    MaxSession: int = 0  # 0: no limit
    DisableUdpFilterForLocalBridgeNic: bool = False

    def __post_init__(self) -> None:
        valid.tag("VlanTypeId", self.VlanTypeId)
        valid.mask("DefaultSubnet", self.DefaultSubnet)
