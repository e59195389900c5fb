"""Which cases a profile does not follow, and what it does instead; docs/conformance.md tells."""

from typing import NamedTuple


class Otherwise(NamedTuple):
    """Cases that these profiles have another manner for. Ids are separated by white space."""

    profiles: tuple[str, ...]
    manner: str
    ids: str


OTHERWISE = (
    Otherwise(
        ("linux", "softether-ipc"),
        "a message from our own address is ignored",
        """
        arp/lost-address-is-not-announced-again arp/announcement-of-ours-is-met
        arp/reply-from-ours-is-met arp/request-from-ours-is-met
        arp/echo-of-our-announcement-is-harmless arp/slow-conflicts-are-met
        arp/fast-conflict-is-given-in-to arp/lost-address-sends-no-packet
        arp/lost-address-receives-no-packet arp/lost-address-lets-nothing-wait
        arp/lost-address-is-probed-for arp/never-defending-gives-up-at-once
        arp/always-defending-stays dhcp/contested-lease-of-the-host-is-lost
        dhcp/contested-address-is-declined hosts/host-is-defended
        hosts/lost-host-leaves-the-others hosts/admitted-host-is-defended
        museum/conflict-is-met
        """,
    ),
    Otherwise(
        ("rfc826", "predecessor"),
        "a message from our own address is one like others",
        """
        arp/lost-address-is-not-announced-again arp/announcement-of-ours-is-met
        arp/reply-from-ours-is-met arp/request-from-ours-is-met
        arp/echo-of-our-announcement-is-harmless arp/slow-conflicts-are-met
        arp/fast-conflict-is-given-in-to arp/lost-address-sends-no-packet
        arp/lost-address-receives-no-packet arp/lost-address-lets-nothing-wait
        arp/lost-address-is-probed-for arp/never-defending-gives-up-at-once
        arp/always-defending-stays dhcp/contested-lease-of-the-host-is-lost
        dhcp/contested-address-is-declined hosts/host-is-defended
        hosts/lost-host-leaves-the-others hosts/admitted-host-is-defended
        museum/conflict-is-met
        """,
    ),
    Otherwise(
        ("rfc826", "linux", "predecessor"),
        "any sender's MAC is believed",
        """
        arp/claim-from-a-group-is-harmless arp/sender-mac-of-all arp/sender-mac-of-a-group
        arp/sender-mac-of-nobody arp/reply-says-all arp/reply-says-a-group arp/reply-says-nobody
        arp/request-carries-our-mac arp/reply-carries-our-mac ndp/impossible-mac-is-not-answered
        ndp/impossible-mac-answers-nothing
        museum/group-is-no-mac museum/everyone-gets-no-answer
        """,
    ),
    Otherwise(
        ("linux",),
        "a frame may come from a group, or from our own MAC",
        """
        arp/link-source-of-all arp/link-source-of-a-group arp/link-source-is-our-mac
        ethernet/own-frame-is-left-alone ethernet/group-source-is-left-alone
        ethernet/broadcast-source-is-left-alone ethernet/zero-source-is-left-alone
        hosts/frame-from-the-hosts-mac-is-refused ipv4/own-group-packet-is-not-looped
        """,
    ),
    Otherwise(
        ("linux", "softether-ipc"),
        "frames in the form of RFC 1042 are not read",
        """
        ethernet/snap-is-read ethernet/snap-ends-at-its-length
        ethernet/snap-of-1500-bytes-is-read ethernet/snap-request-is-answered-in-ethernet-ii
        ethernet/ethernet-ii-is-sent ethernet/tag-around-snap-is-read
        """,
    ),
    Otherwise(
        ("softether-ipc",),
        "tagged frames are not read",
        """
        ethernet/priority-tag-is-read ethernet/priority-tag-around-ipv6-is-read
        ethernet/request-with-priority-tag-is-answered ethernet/padding-of-a-tagged-frame-is-cut
        museum/priority-tag-hides-nothing
        """,
    ),
    Otherwise(
        ("linux",),
        "who is silent is doubted, asked again and forgotten",
        """
        arp/busy-neighbor-is-asked-for-again arp/old-mac-is-not-used
        dhcp/renewal-is-answered-by-unicast dhcp/renewal-is-repeated
        dhcp/renewal-is-not-repeated-within-a-minute ndp/stale-unused
        ndp/delay-asks-from-elsewhere reassembly/sender-is-told reassembly/overlap-discards-all
        reassembly/sender-is-told-in-ipv6 reassembly/nobody-is-told-without-the-first-in-ipv6
        reassembly/nobody-is-told-about-a-group reassembly/nobody-is-told-about-an-error-in-ipv6
        reassembly/sender-of-a-question-is-told
        reassembly/fragments-for-others-are-left-alone-in-ipv6
        museum/renewal-is-repeated-at-half museum/entry-ends museum/flood-outlives-an-entry
        """,
    ),
    Otherwise(
        ("linux",),
        "an unasked reply makes no entry",
        """
        arp/unasked-replier-to-us-is-added arp/reply-to-our-address-at-a-wrong-mac-is-taken
        gateway/taken-address-is-not-offered
        """,
    ),
    Otherwise(
        ("rfc826", "linux"),
        "who is off our subnet gets an entry",
        """
        arp/sender-off-the-subnet-is-not-added
        museum/stranger-off-the-subnet-is-not-stored
        """,
    ),
    Otherwise(
        ("linux", "softether-ipc"),
        "each neighbour is asked for at once",
        """
        arp/burst-stays-below-a-hubs-limit
        """,
    ),
    Otherwise(
        ("linux",),
        "who asks at our address is answered without a MAC",
        """
        ndp/solicitation-at-our-address-is-answered ndp/solicitation-from-link-local-is-answered
        ndp/stranger-without-option-is-asked-first
        """,
    ),
    Otherwise(
        ("rfc826", "linux"),
        "a sender with our broadcast address is answered",
        """
        arp/sender-ip-of-our-broadcast
        """,
    ),
    Otherwise(
        ("rfc826",),
        "no packet waits for an answer",
        """
        arp/far-packet-goes-to-the-gateway arp/claimed-address-carries-packets
        arp/held-packet-is-released arp/held-packets-keep-their-order arp/latest-packet-is-held
        arp/oldest-packet-goes arp/each-neighbor-has-its-own-packets
        arp/held-packet-is-released-once arp/far-packets-wait-together
        arp/awaited-neighbor-keeps-its-place arp/more-packets-do-not-ask-again
        arp/answer-ends-the-asking arp/new-packet-asks-anew arp/asking-is-paced-across-eviction
        arp/packets-wait-for-the-turn arp/idle-neighbor-is-asked-for-again
        arp/busy-neighbor-is-asked-for-again arp/old-mac-is-not-used arp/reply-of-other-hardware
        arp/reply-of-other-protocol arp/reply-of-other-hardware-length
        arp/reply-of-other-protocol-length arp/operation-zero arp/operation-unassigned
        arp/operation-swapped arp/reply-after-reply arp/request-after-reply
        arp/request-resolves-what-waits arp/second-reply-counts
        arp/announcement-resolves-what-waits arp/reply-to-all-resolves-what-waits
        arp/probe-does-not-resolve-what-waits arp/reply-of-another-resolves-nothing
        arp/router-of-a-route-is-learned dhcp/leased-tap-sends dhcp/host-s-release-waits
        dhcp/renewal-asks-for-the-server-s-mac
        ethernet/question-and-what-waited-leave-with-our-tag gateway/packet-reaches-the-client
        hosts/held-packets-leave-each-from-its-own-mac ipv4/gateway-is-asked-for
        ipv4/held-packet-leaves-in-fragments
        museum/requests-update-as-replies-do museum/request-lets-packets-go museum/group-is-no-mac
        museum/entry-ends museum/first-ping-is-answered museum/burst-arrives-whole
        museum/first-packet-is-not-broadcast museum/fragments-wait-together
        museum/silent-address-silences-no-other museum/flood-outlives-an-entry
        museum/silent-target-slows-nobody museum/lost-request-is-no-end
        museum/request-bears-our-name
        """,
    ),
    Otherwise(
        ("predecessor",),
        "nobody is asked: what is unresolved goes to everyone",
        """
        arp/unknown-neighbor-is-asked-for arp/gateway-is-asked-for-what-is-far
        arp/far-packet-goes-to-the-gateway arp/without-an-address-the-packet-lends-its-own
        arp/claimed-address-carries-packets arp/held-packet-is-released
        arp/held-packets-keep-their-order arp/latest-packet-is-held arp/oldest-packet-goes
        arp/each-neighbor-has-its-own-packets arp/held-packet-is-released-once
        arp/far-packets-wait-together arp/awaited-neighbor-keeps-its-place
        arp/more-packets-do-not-ask-again arp/requests-are-a-second-apart
        arp/lost-request-is-repeated arp/three-requests-are-enough arp/answer-ends-the-asking
        arp/new-packet-asks-anew arp/asking-is-paced-across-giving-up
        arp/asking-is-paced-across-eviction arp/everyone-gets-a-turn
        arp/packets-wait-for-the-turn arp/idle-neighbor-is-asked-for-again
        arp/busy-neighbor-is-asked-for-again arp/old-mac-is-not-used
        arp/request-of-other-hardware arp/reply-of-other-hardware arp/request-of-other-protocol
        arp/reply-of-other-protocol arp/request-of-other-hardware-length
        arp/reply-of-other-hardware-length arp/request-of-other-protocol-length
        arp/reply-of-other-protocol-length arp/request-cut-short arp/request-of-nothing
        arp/reverse-arp-is-another-type arp/operation-zero arp/operation-unassigned
        arp/operation-of-reverse-and-inverse-arp arp/operation-swapped arp/link-source-of-all
        arp/link-source-of-a-group arp/link-source-is-our-mac
        arp/announcement-of-a-stranger-adds-nobody arp/reply-to-all-adds-nobody
        arp/reply-to-another-adds-nobody arp/request-for-another-adds-nobody
        arp/packets-add-nobody arp/reply-after-reply arp/request-after-reply
        arp/request-resolves-what-waits arp/second-reply-counts
        arp/announcement-resolves-what-waits arp/reply-to-all-resolves-what-waits
        arp/probe-does-not-resolve-what-waits arp/reply-of-another-resolves-nothing
        arp/router-of-a-route-is-learned dhcp/leased-tap-sends dhcp/mask-and-router-are-learned
        dhcp/routes-are-learned dhcp/host-s-release-waits dhcp/mask-says-who-is-on-link
        dhcp/router-is-the-gateway dhcp/first-router-is-preferred
        dhcp/without-router-only-neighbors dhcp/route-leads-to-its-router
        dhcp/longest-route-is-taken dhcp/route-without-router-is-on-link
        dhcp/mtu-is-the-server-s dhcp/tiny-mtu-is-not-believed dhcp/long-routes-are-read
        dhcp/renewal-asks-for-the-server-s-mac dhcp/any-server-rebinds
        ethernet/frames-with-packets-teach-nothing
        ethernet/question-and-what-waited-leave-with-our-tag
        gateway/request-is-in-the-routers-name gateway/passing-packets-teach-nothing
        gateway/packet-reaches-the-client hosts/request-is-in-the-name-of-the-host
        hosts/request-for-a-stranger-is-in-our-name hosts/admitted-host-is-answered-for
        hosts/stranger-is-not-admitted-unasked hosts/sender-off-the-subnet-is-not-admitted
        hosts/request-carries-the-hosts-mac hosts/held-packets-leave-each-from-its-own-mac
        ipv4/on-link-destination-is-asked-for-itself ipv4/gateway-is-asked-for
        ipv4/longer-route-leads ipv4/route-without-router-is-on-link
        ipv4/prefix-decides-what-a-broadcast-is ipv4/network-of-two-has-no-broadcast
        ipv4/held-packet-leaves-in-fragments reassembly/unknown-sender-is-asked-for
        museum/overheard-sender-is-not-stored museum/requests-update-as-replies-do
        museum/request-lets-packets-go museum/sender-of-a-packet-is-asked-for
        museum/group-is-no-mac museum/entry-ends museum/new-address-has-new-neighbors
        museum/first-ping-is-answered museum/burst-arrives-whole
        museum/others-go-on-while-one-waits museum/first-packet-is-not-broadcast
        museum/fragments-wait-together museum/silent-address-makes-no-storm
        museum/flood-protection-lasts museum/silent-address-silences-no-other
        museum/flood-outlives-an-entry museum/silent-target-slows-nobody
        museum/lost-request-is-no-end museum/request-bears-our-name
        """,
    ),
    Otherwise(
        ("rfc826", "softether-ipc"),
        "a request is sent once",
        """
        arp/requests-are-a-second-apart arp/lost-request-is-repeated
        arp/three-requests-are-enough
        museum/lost-request-is-no-end
        """,
    ),
    Otherwise(
        ("softether-ipc",),
        "everything that is heard makes an entry, IPv4 packets too",
        """
        arp/announcement-of-a-stranger-adds-nobody arp/reply-to-all-adds-nobody
        arp/reply-to-another-adds-nobody arp/request-for-another-adds-nobody
        arp/packets-add-nobody arp/packets-move-nobody dhcp/host-s-release-waits
        ethernet/frames-with-packets-teach-nothing gateway/passing-packets-teach-nothing
        museum/overheard-sender-is-not-stored museum/sender-of-a-packet-is-asked-for
        museum/first-ping-is-answered museum/noise-costs-no-peer
        """,
    ),
    Otherwise(
        ("softether-ipc",),
        "use prolongs an entry",
        """
        arp/busy-neighbor-is-asked-for-again
        museum/flood-outlives-an-entry museum/entry-ends
        """,
    ),
    Otherwise(
        ("softether-ipc",),
        "the second byte says what a group is",
        """
        ipv4/host-chooses-where-no-group-is-said ipv4/other-group-of-the-same-mac-is-left-alone
        """,
    ),
    Otherwise(
        ("tc8",),
        "an announcement makes an entry",
        """
        arp/announcement-of-a-stranger-adds-nobody arp/reply-to-all-adds-nobody
        """,
    ),
)

_MANNERS: dict[str, dict[str, str]] = {}
for _each in OTHERWISE:
    for _id in _each.ids.split():
        _MANNERS.setdefault(_id, {}).update(dict.fromkeys(_each.profiles, _each.manner))


def manners(case_id: str) -> dict[str, str]:
    """Profile → what it does instead, for those that do not follow this case."""
    return _MANNERS.get(case_id, {})
