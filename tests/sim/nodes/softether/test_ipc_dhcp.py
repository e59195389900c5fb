"""How the in-process client gets its address. Facts 3.6."""

import pytest

from sim.nodes.softether.ipc import IpcClient
from sim.nodes.softether.options import HubOptions
from tests import builders as b
from virtualtap import TapConfig, ip
from virtualtap.units import MS, SECOND
from virtualtap.wire import dhcp, ipv4
from virtualtap.wire.address import ANY4, BROADCAST, LIMITED_BROADCAST, Route
from virtualtap.wire.dhcp import Dhcp
from virtualtap.wire.ethernet import ARP
from virtualtap.wire.ipv4 import Ipv4
from virtualtap.wire.udp import Udp

LEASED, SERVER, MASK = ip("10.0.0.50"), b.PEER, ip("255.255.255.0")
GRANT = (
    (dhcp.SERVER_ID, SERVER),
    (dhcp.LEASE_TIME, (900).to_bytes(4)),
    (dhcp.MASK, MASK),
    (dhcp.ROUTER, b.GATEWAY),
)


class Talk:
    """A client and a server that says what it is told."""

    def __init__(self, seed: int = 0, host_name: str = "", **options: object) -> None:
        config = TapConfig(our_mac=b.OUR_MAC, dhcp=True, random_seed=seed)
        hub = HubOptions(**options)  # type: ignore[arg-type]  # as given
        self.client = IpcClient(config, options=hub, hub="HUB", host_name=host_name)
        self.times: list[int] = []

    def hear(self) -> list[Dhcp]:
        frames = self.client.take_frames()
        if any(frame[12:14] == ARP for frame in frames):
            self.client.ethernet_to_ip(b.arp_reply(target_ip=LEASED))
            frames += self.client.take_frames()
        return [message_of(frame) for frame in frames if frame[12:14] != ARP]

    def run(self, until: int) -> list[Dhcp]:
        """What it says until then, by its own timers."""
        said: list[Dhcp] = []
        while (due := self.client.next_deadline()) is not None and due <= until:
            self.client.poll(due)
            new = self.hear()
            self.times += [due // MS] * len(new)
            said += new
        self.client.poll(until)
        return said

    def say(
        self, kind: int, now: int, options: dhcp.Options = GRANT, **fields: int | bytes
    ) -> None:
        told = ((dhcp.KIND, bytes((kind,))), *options)
        xid = fields.pop("xid", self.client._dhcp._xid)
        given = {"your_ip": LEASED, **fields}
        made = Dhcp(dhcp.TO_CLIENT, xid, b.OUR_MAC, told, **given)
        body = Udp(67, 68, made.to_bytes()).between(SERVER, LEASED)
        packet = Ipv4(SERVER, LEASED, ipv4.UDP, body).to_bytes()
        self.came = self.client.ethernet_to_ip(b.frame(packet), now)

    def bind(self, options: dhcp.Options = GRANT) -> None:
        self.run(0)
        self.say(dhcp.OFFER, 0)
        self.hear()
        self.say(dhcp.ACK, 0, options)


def message_of(frame: bytes) -> Dhcp:
    return Dhcp.parse(frame[14 + 28 :])


def test_its_first_frame_is_a_discover_to_all_without_padding():
    talk = Talk()
    talk.client.poll(0)
    (frame,) = talk.client.take_frames()
    packet = Ipv4.parse(frame[14:])
    datagram = Udp.parse(packet.payload)
    assert (frame[:6], frame[6:12]) == (BROADCAST, b.OUR_MAC)
    assert (packet.source, packet.destination, packet.ttl) == (ANY4, LIMITED_BROADCAST, 128)
    assert (datagram.source_port, datagram.destination_port) == (68, 67)
    assert datagram.payload[-1] == dhcp.END
    assert len(datagram.payload) == 240 + 3 + 9 + 10 + 14 + 1
    made = Dhcp.parse(datagram.payload)
    assert (made.kind, made.secs, made.flags, made.client_mac) == (dhcp.DISCOVER, 0, 0, b.OUR_MAC)
    assert [code for code, _ in made.options] == [53, 61, 60, 55]
    assert made.value(dhcp.CLIENT_ID) == b"\x01" + b.OUR_MAC
    assert made.value(60) == b"MSFT 5.0"
    assert made.value(dhcp.PARAMETERS) == bytes((1, 15, 3, 6, 44, 46, 47, 31, 33, 121, 249, 43))


def test_it_tries_four_times_in_five_seconds_and_no_more():
    talk = Talk()
    said = talk.run(3600 * SECOND)
    assert talk.times == [0, 1566, 3132, 4698]
    assert len({made.xid for made in said}) == 1
    assert talk.client.next_deadline() is None
    assert talk.client.ip_to_ethernet(b.packet()) is None


def test_the_wait_for_an_offer_is_the_hubs_option():
    talk = Talk(DhcpDiscoverTimeoutMs=20_000)
    talk.run(60 * SECOND)
    assert talk.times == [0, 3000, 6000, 9000, 12_000, 15_000, 18_000]


def test_an_offer_is_requested_and_an_acknowledgement_is_used_at_once():
    talk = Talk()
    (discover,) = talk.run(0)
    talk.say(dhcp.OFFER, 10 * MS)
    (request,) = talk.hear()
    assert (request.kind, request.xid) == (dhcp.REQUEST, discover.xid)
    assert request.value(dhcp.SERVER_ID) == SERVER
    assert request.value(dhcp.REQUESTED_IP) == LEASED
    talk.say(dhcp.ACK, 20 * MS)
    assert talk.client.take_frames() == []  # no probe, no announcement
    assert (talk.came, talk.client.ip, talk.client.gateway) == (None, LEASED, b.GATEWAY)
    talk.client.ip_to_ethernet(b.packet(b.FAR, LEASED))
    assert talk.client.take_frames() == [b.arp_request(b.OUR_MAC, LEASED, b.GATEWAY)]


def test_the_request_too_is_tried_four_times():
    talk = Talk()
    talk.run(1 * SECOND)
    talk.say(dhcp.OFFER, 1 * SECOND)
    talk.hear()
    talk.run(60 * SECOND)
    assert talk.times == [0, 2566, 4132, 5698]
    assert talk.client.next_deadline() is None


def test_a_refusal_is_not_heard():
    talk = Talk()
    talk.run(0)
    talk.say(dhcp.OFFER, 0)
    talk.hear()
    talk.say(dhcp.NAK, 1, your_ip=ANY4)
    talk.say(dhcp.ACK, 2)
    assert talk.client.ip == LEASED


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        (GRANT, {"your_ip": ANY4}),
        (GRANT, {"your_ip": LIMITED_BROADCAST}),
        (GRANT[1:], {}),
        (GRANT[:2], {}),
        (((dhcp.MASK, ANY4), *GRANT[:2]), {}),
    ],
)
def test_an_unusable_offer_ends_it_all(options: dhcp.Options, fields: dict[str, bytes]):
    talk = Talk()
    talk.run(0)
    talk.say(dhcp.OFFER, 0, options, **fields)
    talk.say(dhcp.OFFER, 1)
    assert (talk.run(60 * SECOND), talk.client.ip) == ([], None)


def test_an_answer_to_another_or_of_another_kind_is_not_awaited():
    talk = Talk()
    talk.run(0)
    talk.say(dhcp.OFFER, 0, xid=1)
    talk.say(dhcp.ACK, 0)
    assert talk.hear() == []
    body = Udp(67, 68, b"nonsense").between(SERVER, LEASED)
    nonsense = Ipv4(SERVER, LEASED, ipv4.UDP, body).to_bytes()
    assert talk.client.ethernet_to_ip(b.frame(nonsense)) is None
    assert talk.client.ethernet_to_ip(b.frame(b.packet(LEASED, SERVER))) is None
    talk.say(dhcp.OFFER, 0)
    assert [made.kind for made in talk.hear()] == [dhcp.REQUEST]


@pytest.mark.parametrize(("told", "seconds"), [(None, 3600), (0, 3600), (2, 5), (900, 900)])
def test_a_lease_has_at_least_five_seconds_and_by_default_an_hour(told: int | None, seconds: int):
    options = tuple(one for one in GRANT if one[0] != dhcp.LEASE_TIME)
    if told is not None:
        options += ((dhcp.LEASE_TIME, told.to_bytes(4)),)
    talk = Talk()
    talk.bind(options)
    assert talk.client.next_deadline() == seconds * SECOND // 3


def test_it_renews_each_third_of_the_lease_and_looks_at_no_answer():
    talk = Talk()
    talk.bind()
    said = talk.run(1199 * SECOND)
    assert talk.times == [0, 300_000, 600_000, 900_000]
    for made in said:
        assert (made.kind, made.client_ip) == (dhcp.REQUEST, LEASED)
        assert made.value(dhcp.REQUESTED_IP) == LEASED
        assert made.value(dhcp.SERVER_ID) is None
    assert len({made.xid for made in said}) == 3
    talk.say(dhcp.NAK, 1199 * SECOND)
    assert talk.came is not None  # the host's, as any packet
    assert talk.client.ip == LEASED


def test_a_renewal_goes_to_the_server_alone():
    talk = Talk()
    talk.bind()
    talk.client.ethernet_to_ip(b.arp_request(b.PEER_MAC, SERVER, LEASED))
    talk.client.take_frames()
    talk.client.poll(300 * SECOND)  # and its entry is over: it asks, and the renewal waits
    assert talk.client.take_frames() == [b.arp_request(b.OUR_MAC, LEASED, SERVER)]
    talk.client.ethernet_to_ip(b.arp_reply(target_ip=LEASED))
    (frame,) = talk.client.take_frames()
    assert (frame[:6], frame[26:34]) == (b.PEER_MAC, LEASED + SERVER)


def test_a_lease_is_given_back_once_to_everybody():
    talk = Talk()
    talk.bind()
    talk.client.release(1)
    (frame,) = talk.client.take_frames()
    made = message_of(frame)
    assert (frame[:6], made.kind, made.client_ip) == (BROADCAST, dhcp.RELEASE, LEASED)
    assert talk.client.next_deadline() is None


def test_a_host_that_has_a_name_says_it_twice():
    (made,) = Talk(host_name="phone").run(0)
    assert made.value(dhcp.HOST_NAME) == b"phone"
    assert made.value(dhcp.CLIENT_ID) == b"phone/02-00-5E-00-00-01"


def test_the_hubs_name_is_told_where_its_option_says_so():
    (made,) = Talk(UseHubNameAsDhcpUserClassOption=True).run(0)
    assert made.value(77) == b"HUB"


def test_classless_routes_are_used_those_of_microsoft_too():
    route = Route(ip("192.0.2.0"), 24, ip("10.0.0.9"))
    for code in (dhcp.ROUTES, 249):
        talk = Talk()
        talk.bind((*GRANT, (code, dhcp.route_bytes((route,)))))
        assert talk.client.routes == (route,)


def test_the_transaction_id_is_drawn_from_the_seed():
    ids = [Talk(seed).run(0)[0].xid for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]
