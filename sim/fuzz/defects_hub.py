"""Defects of what forwards: SoftEther hubs, switches."""

from collections.abc import Callable

from sim.fuzz.defects import plants
from sim.link import Direction
from sim.node import Port
from sim.nodes.softether.egress import Sending
from sim.nodes.softether.hub import Hub
from sim.nodes.softether.polling import Polling
from sim.nodes.softether.server import SoftEtherServer
from sim.nodes.softether.session import Session
from sim.nodes.softether.tables import Key, MacEntry, MacTable
from sim.nodes.switch import Switch
from sim.reasons import Reason
from virtualtap.units import Instant
from virtualtap.wire.address import Ip, Mac, solicited_node


@plants(Hub, "_flood", law="one-copy")
def floods_back(right: Callable[..., None], hub: Hub, sending: Sending) -> None:
    """What is for everyone goes to its sender, too."""
    right(hub, sending)
    if sending.source is not None:
        sending.give(sending.source)


@plants(Sending, "give", law="one-copy")
def floods_twice(
    right: Callable[..., None], sending: Sending, target: Session, *, monitoring: bool = False
) -> None:
    """Who gets a copy of a flooded frame gets another."""
    right(sending, target, monitoring=monitoring)
    right(sending, target, monitoring=monitoring)


@plants(Polling, "_question", law="well-formed", thread="SoftEtherVPN/SoftEtherVPN#1250")
def polls_a_group(right: Callable[..., bytes], polling: Polling, address: Ip, mac: Mac) -> bytes:
    """The hub's neighbor solicitation asks for the multicast address."""
    return right(polling, solicited_node(address) if len(address) == 16 else address, mac)


@plants(MacTable, "_add", law="tables-bounded")
def keeps_every_mac(
    right: Callable[..., str | None], table: MacTable, key: Key, session: Session, now: Instant
) -> str | None:
    """The table of MACs has no limit."""
    why = right(table, key, session, now)
    if why != Reason.MAC_TABLE_FULL:
        return why
    table._entries[key] = MacEntry(session, now)
    table._count(session, 1)
    return None


@plants(MacTable, "learn", law="switched-right")
def keeps_the_old_session(
    right: Callable[..., str | None], table: MacTable, key: Key, session: Session, now: Instant
) -> str | None:
    """A station that is heard elsewhere is believed to be where it was."""
    known = table.lookup(key)
    return right(table, key, session if known is None else known, now)


@plants(Switch, "receive", law="switched-right")
def remembers_nobody(right: Callable[..., None], switch: Switch, port: Port, data: bytes) -> None:
    """A switch floods what it could send to one."""
    right(switch, port, data)
    switch.forget()


@plants(SoftEtherServer, "_carry", law="ledger")
def counts_what_it_does_not_send(
    right: Callable[..., None], server: SoftEtherServer, ways: list[Direction], frame: bytes
) -> None:
    """Of a flood's copies the last is not sent, and is counted all the same."""
    right(server, ways[:-1], frame)
