"""Exhibits: leases, as clients and servers mishandled them. RFC 2131, RFC 2132."""

from sim.conformance.dhcp_client import answer, asks_for, said, server
from sim.conformance.dhcp_server import bind, discover, question, renewal, reply, request, seconds
from sim.conformance.museum import exhibit
from sim.conformance.script import PEER_MAC, Script
from virtualtap.units import SECOND
from virtualtap.wire import dhcp
from virtualtap.wire.address import BROADCAST, LIMITED_BROADCAST

T1, FLAG, TIMES = 1800 * SECOND, "RFC 2131, 4.1", "RFC 2131, 4.4.5"


@exhibit("smoltcp-rs/smoltcp#1029", TIMES, "times out of order are replaced by the usual ones")
def odd_times_are_not_believed(tap: Script) -> None:
    """A renewal time beyond the lease made the client subtract more than there was, and die."""
    asked = bind(tap, {dhcp.RENEWAL_TIME: seconds(4000), dhcp.REBINDING_TIME: seconds(100)})
    renewal(tap, asked.at + T1)


@exhibit("smoltcp-rs/smoltcp#307", TIMES, "before T1 nothing is asked")
def nothing_is_asked_before_t1(tap: Script) -> None:
    """Whatever the server had said, the lease was renewed every sixty seconds."""
    asked = bind(tap, {dhcp.RENEWAL_TIME: seconds(900)})
    renewal(tap, asked.at + 900 * SECOND)


@exhibit("smoltcp-rs/smoltcp#744", TIMES, "at T2 everyone is asked")
def everyone_is_asked_at_t2(tap: Script) -> None:
    """A client whose server was gone asked it until the lease ended, and nobody else."""
    asked = bind(tap)
    tap.at(asked.at + 3150 * SECOND - 1).forget().at(asked.at + 3150 * SECOND)
    again = question(tap, dhcp.REQUEST)
    assert (again.to, again.packet.destination) == (BROADCAST, LIMITED_BROADCAST)


@exhibit(
    "zephyrproject-rtos/zephyr#74095", TIMES, "a renewal is repeated after half of what is left"
)
def renewal_is_repeated_at_half(tap: Script) -> None:
    """Renewals were repeated like first requests, a few times in quick succession."""
    asked = renewal(tap, bind(tap).at + T1)
    tap.at(asked.at + 674 * SECOND).expect().at(asked.at + 675 * SECOND).forget()
    assert sum(each.at > asked.at for each in tap.exchange if not each.into) > 0


@exhibit("smoltcp-rs/smoltcp#1061", "RFC 2131, 4.4.1", "the request bears the id of the offer")
def request_bears_the_offers_id(tap: Script) -> None:
    """Each REQUEST had a new transaction id, by which servers did not know it."""
    asked = discover(tap)
    tap.lan(reply(asked, dhcp.OFFER))
    assert question(tap, dhcp.REQUEST).message.xid == asked.message.xid


@exhibit("tass-belgium/picotcp#96", FLAG, "who hears unicast does not ask for broadcasts")
def no_broadcast_is_asked_for(tap: Script) -> None:
    """The client always asked for broadcasts, though it could hear more."""
    assert request(tap).message.flags == 0


@exhibit("smoltcp-rs/smoltcp#548", "RFC 2131, 2", "the flag is the highest bit of sixteen")
def flag_is_the_highest_bit(tap: Script) -> None:
    """The broadcast flag was read and written at the wrong end of its field."""
    server(tap).lan(said(dhcp.DISCOVER, flags=1)).at(2 * SECOND)
    assert answer(tap, dhcp.OFFER).to == PEER_MAC


@exhibit("tass-belgium/picotcp#111", FLAG, "who asks for broadcasts gets them")
def broadcast_is_sent_when_asked_for(tap: Script) -> None:
    """The server answered to an address that its client could not receive at yet."""
    server(tap).lan(said(dhcp.DISCOVER, flags=dhcp.BROADCAST_FLAG)).at(2 * SECOND)
    offered = answer(tap, dhcp.OFFER)
    assert (offered.to, offered.packet.destination) == (BROADCAST, LIMITED_BROADCAST)
    tap.lan(said(dhcp.REQUEST, options=asks_for(offered.ip), flags=dhcp.BROADCAST_FLAG))
    assert answer(tap, dhcp.ACK).to == BROADCAST
