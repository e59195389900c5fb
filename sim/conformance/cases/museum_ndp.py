"""Exhibits: neighbor discovery, as it went wrong elsewhere. RFC 4861, RFC 4862."""

from sim.conformance.cases.ndp_dad import probe
from sim.conformance.frames import frame, packet6, wrapped
from sim.conformance.frames6 import LINK_LOCAL, dad, na, ns, our_na, our_ns
from sim.conformance.museum import exhibit
from sim.conformance.packets import meet6
from sim.conformance.script import (
    OTHER_MAC,
    PEER6,
    PEER_MAC,
    US6,
    Script,
)
from virtualtap.units import SECOND
from virtualtap.wire.address import ALL_NODES6, ip, multicast_mac6, solicited_node

DETECTION, SENDING = "RFC 4862, 5.4.2", "RFC 4861, 7.2.2"
NEAR6, GROUP6 = ip("fe80::9"), ip("ff02::fb")


@exhibit("SoftEtherVPN/SoftEtherVPN#1250", "RFC 4861, 4.3", "a solicitation asks for the neighbor")
def target_is_the_neighbor(tap: Script) -> None:
    """Solicitations were sent to the group of the neighbor and also for it: nobody answered."""
    tap.host(packet6()).expect(our_ns(PEER6))
    tap.lan(na()).expect(wrapped(packet6()))


@exhibit(
    "SoftEtherVPN/SoftEtherVPN#1343", "RFC 4861, 7.1.1", "a question for a group has no answer"
)
def group_is_not_answered_for(tap: Script) -> None:
    """Solicitations for a group reached the link; that nobody answered them was right."""
    tap.lan(ns(solicited_node(US6), to=US6)).expect().lan(ns()).expect(our_na())


@exhibit("smoltcp-rs/smoltcp#419", SENDING, "the neighbor is asked for, not oneself")
def solicitation_is_not_for_ourselves(tap: Script) -> None:
    """The address to be found and the one that asks had changed places."""
    tap.host(packet6()).expect(our_ns(PEER6, by=US6))


@exhibit(
    "podman-container-tools/podman#23561", "RFC 4861, 5.2", "a link-local peer is its own next hop"
)
def link_local_peer_is_asked_for(tap: Script) -> None:
    """At the start the answer to a link-local peer asked for somebody else."""
    tap.start(our_ip6=(LINK_LOCAL, US6)).at(0).forget()
    tap.lan(frame(packet6(LINK_LOCAL, source=NEAR6), source=OTHER_MAC)).forget()
    back = packet6(NEAR6, source=LINK_LOCAL)
    tap.host(back).expect(our_ns(NEAR6, by=LINK_LOCAL))


@exhibit(
    "podman-container-tools/podman#12098", "RFC 4862, 5.4", "detection that is off takes no time"
)
def address_is_there_at_once(tap: Script) -> None:
    """A program started before its address could be used: detection took one or two seconds."""
    tap.at(0).lan(ns()).expect(our_na())
    tap.at(4 * SECOND).expect()


@exhibit(
    "inet-framework/inet#1119", "RFC 4862, 5.4", "as many probes as configured, none where none"
)
def no_probe_where_none_is_wanted(tap: Script) -> None:
    """With detection off one probe was sent all the same."""
    tap.start(dad=False).at(30 * SECOND).expect().lan(ns()).expect(our_na())


@exhibit("inet-framework/inet#1179", DETECTION, "luck decides when the first probe leaves")
def first_probe_is_delayed(tap: Script) -> None:
    """The delay by luck came after the probe: after a power failure all probed at one moment."""
    at_once = []
    for seed in range(4):
        begin = tap.now
        at_once.append(tap.start(dad=True, random_seed=seed).at(begin).frames() != ())
        if not at_once[-1]:
            tap.at(begin + SECOND).expect(dad())
    assert not all(at_once), "each probe left at once"


@exhibit("inet-framework/inet#1171", "RFC 4862, 5.4", "a configured address is probed for, too")
def configured_address_is_probed(tap: Script) -> None:
    """Only addresses that had been formed were probed, not those that were configured."""
    probe(tap)
    tap.lan(na(0, of=US6, says=OTHER_MAC, at=OTHER_MAC, to=ALL_NODES6))
    tap.at(10 * SECOND).expect().lan(ns()).expect()


@exhibit("zephyrproject-rtos/zephyr#92303", SENDING, "more than one packet waits for an answer")
def several_packets_wait(tap: Script) -> None:
    """One packet waited for an advertisement; all that followed it were thrown away."""
    three = [packet6(payload=bytes(size)) for size in (1, 2, 3)]
    for each in three:
        tap.host(each)
    tap.expect(our_ns())
    tap.lan(na()).expect(*map(wrapped, three))


@exhibit("SoftEtherUnofficial/TapTun", "RFC 2464, 7", "IPv6 goes to a MAC or to its group")
def ipv6_is_not_broadcast(tap: Script) -> None:
    """Every IPv6 packet was broadcast to all stations."""
    meet6(tap).host(packet6()).expect(wrapped(packet6(), PEER_MAC))
    tap.host(packet6(GROUP6)).expect(wrapped(packet6(GROUP6), multicast_mac6(GROUP6)))
