"""What cannot be set: each setting that would leave a server that no product is."""

from collections.abc import Callable

import pytest

from sim.nodes.softether.nat_dhcp import DhcpServer
from sim.nodes.softether.options import HubOptions
from sim.nodes.softether.session import Terms
from sim.nodes.softether.vh_option import VhOption
from virtualtap.errors import UsageError
from virtualtap.wire.address import BROADCAST, NO_MAC, ip, mac

MULTICAST = mac("01:00:5e:00:00:01")


@pytest.mark.parametrize("card", [NO_MAC, BROADCAST, MULTICAST])
@pytest.mark.parametrize(
    "made", [lambda card: VhOption(MacAddress=card), lambda card: Terms(card=card)]
)
def test_a_card_has_a_mac_of_its_own(card: bytes, made: Callable[[bytes], object]):
    with pytest.raises(UsageError, match=card.hex(":")):
        made(card)


@pytest.mark.parametrize("address", ["0.0.0.0", "255.255.255.255", "224.0.0.1", "127.0.0.1"])
def test_the_virtual_host_has_the_address_of_a_host(address: str):
    with pytest.raises(UsageError, match=f"`Ip` is `{address}`"):
        VhOption(Ip=ip(address))


def test_a_mask_has_no_holes():
    for mask in ("255.0.255.0", "0.255.255.255", "255.255.255.1"):
        with pytest.raises(UsageError, match=f"`Mask` is `{mask}`"):
            VhOption(Mask=ip(mask))
        with pytest.raises(UsageError, match="`DhcpSubnetMask` is"):
            VhOption(DhcpSubnetMask=ip(mask))
        with pytest.raises(UsageError, match="`DefaultSubnet` is"):
            HubOptions(DefaultSubnet=ip(mask))
    for mask in ("255.255.255.255", "255.255.254.0", "0.0.0.0"):
        assert VhOption(Mask=ip(mask)).Mask == ip(mask)


@pytest.mark.parametrize("kind", [0, 0x05FF, 0x0800, 0x0806, 0x86DD, 0x10000])
def test_a_tag_has_a_type_that_nothing_else_has(kind: int):
    with pytest.raises(UsageError, match="`VlanTypeId` is `0x"):
        HubOptions(VlanTypeId=kind)


def test_leases_begin_before_they_end():
    backwards = {"DhcpLeaseIPStart": ip("192.168.30.20"), "DhcpLeaseIPEnd": ip("192.168.30.19")}
    with pytest.raises(UsageError, match=r"from `192\.168\.30\.20` to `192\.168\.30\.19`"):
        DhcpServer(VhOption(**backwards), None)
    DhcpServer(VhOption(**backwards, UseDhcp=False), None)
