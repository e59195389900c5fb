"""A session in a VLAN: its frames get a tag on the way in and lose it on the way out. Hub.c.

VLanInsertTag, VLanRemoveTag: only the outer tag counts, and priority bits are 0.
"""


def insert(frame: bytes, vlan_id: int, tpid: int) -> bytes:
    """The frame with one more tag, whether it has one or not; four bytes longer.

    What is shorter than a header gets none.
    """
    if len(frame) < 14:
        return frame
    return frame[:12] + tpid.to_bytes(2) + vlan_id.to_bytes(2) + frame[12:]


def remove(frame: bytes, vlan_id: int, tpid: int) -> bytes | None:
    """The frame without its outer tag; None where it has none, or that of another VLAN."""
    if len(frame) < 18 or frame[12:14] != tpid.to_bytes(2):
        return None
    if ((frame[14] << 8) | frame[15]) & 0x0FFF != vlan_id:
        return None
    return frame[:12] + frame[16:]
