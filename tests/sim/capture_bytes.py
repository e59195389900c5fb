"""Captures made by hand, in both byte orders. draft-ietf-opsawg-pcap, -pcapng."""

from struct import pack

MICROSECONDS, NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
Options = tuple[tuple[int, bytes], ...]


def pcap_header(
    order: str = "<", magic: int = MICROSECONDS, link_type: int = 1, version: tuple = (2, 4)
) -> bytes:
    return pack(f"{order}IHHiIII", magic, *version, 0, 0, 262144, link_type)


def pcap_record(
    data: bytes,
    order: str = "<",
    seconds: int = 0,
    fraction: int = 0,
    original: int | None = None,
) -> bytes:
    original = len(data) if original is None else original
    return pack(f"{order}IIII", seconds, fraction, len(data), original) + data


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    length = pack(f"{order}I", 12 + len(body))
    return pack(f"{order}I", kind) + length + body + length


def options(chosen: Options, order: str = "<") -> bytes:
    data = b"".join(
        pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)
        for code, value in chosen
    )
    return data + bytes(4) if chosen else b""


def section(order: str = "<", version: tuple = (1, 0), chosen: Options = ()) -> bytes:
    body = pack(f"{order}IHHq", 0x1A2B3C4D, *version, -1) + options(chosen, order)
    return block(0x0A0D0D0A, body, order)


def interface(
    order: str = "<", link_type: int = 1, snap_length: int = 0, chosen: Options = ()
) -> bytes:
    body = pack(f"{order}HHI", link_type, 0, snap_length) + options(chosen, order)
    return block(1, body, order)


def enhanced(
    data: bytes,
    order: str = "<",
    number: int = 0,
    ticks: int = 0,
    original: int | None = None,
) -> bytes:
    original = len(data) if original is None else original
    head = pack(f"{order}IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), original)
    return block(6, head + data, order)


def obsolete(data: bytes, order: str = "<", number: int = 0, ticks: int = 0) -> bytes:
    high, low = ticks >> 32, ticks & 0xFFFFFFFF
    head = pack(f"{order}HHIIII", number, 0xFFFF, high, low, len(data), len(data))
    return block(2, head + data, order)


def simple(data: bytes, order: str = "<", original: int | None = None) -> bytes:
    original = len(data) if original is None else original
    return block(3, pack(f"{order}I", original) + data, order)
