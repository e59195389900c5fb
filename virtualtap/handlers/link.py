"""Which frames are for us, and in which clothes they come. RFC 894, 1042, 1122 2.3, IEEE 802.1Q."""

from virtualtap.core import Core
from virtualtap.errors import WireError
from virtualtap.stats import DropReason
from virtualtap.wire import ethernet
from virtualtap.wire.address import is_group
from virtualtap.wire.ethernet import HEADER_LEN, LENGTH_MAX, VLAN


class LinkHandler:
    """The Ethernet station: destination filter, VLAN, SNAP. All handlers see Ethernet II.

    Without `vlan_id`: untagged frames, and those whose tag only says a priority (VID 0). With it:
    only frames of that VLAN, and `Core` tags all that is sent.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._ours, self._vlan_id = core.macs.ours, core.config.vlan_id or 0
        self._reads_tags = bool(self._vlan_id) or core.manners.reads_priority_tags

    def accept(self, frame: bytes) -> bytes | None:
        """The frame as Ethernet II without a tag, or None, counted, where it is not for us."""
        refused = self._refusal(frame)
        if refused is None:
            vlan_id = 0
            if self._reads_tags and frame[12:14] == VLAN:
                vlan_id, frame = ethernet.untagged(frame)
            if vlan_id == self._vlan_id:
                return frame if frame[12] > LENGTH_MAX >> 8 else self._from_802_3(frame)
            refused = DropReason.WRONG_VLAN
        self._core.drop(refused)
        return None

    def _refusal(self, frame: bytes) -> DropReason | None:
        if len(frame) < HEADER_LEN:
            raise WireError(f"Ethernet needs {HEADER_LEN} bytes, got {len(frame)}")
        source = frame[6:12]
        if self._core.manners.checks_link_source:
            if source in self._ours:
                return DropReason.OWN_FRAME
            if is_group(source) or not any(source):
                return DropReason.MALFORMED  # IEEE 802.3 3.2.3: a source is one station
        if frame[:6] not in self._ours and not is_group(frame):
            return DropReason.NOT_FOR_US
        return None

    def _from_802_3(self, frame: bytes) -> bytes | None:
        is_length = (frame[12] << 8 | frame[13]) <= LENGTH_MAX
        reads = is_length and self._core.manners.reads_snap
        plain = ethernet.from_snap(frame) if reads else None
        if plain is None:
            self._core.drop(DropReason.UNSUPPORTED)
        return plain
