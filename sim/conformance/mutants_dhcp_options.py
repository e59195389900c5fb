"""Wrong DHCP clients: how they read options that stand in several places."""

from sim.conformance.mutants import mutant
from sim.conformance.wrong_clients import hearing, reading, said, saying
from virtualtap.config import TapConfig
from virtualtap.handlers.dhcp import DhcpHandler
from virtualtap.tap import VirtualTap
from virtualtap.wire import dhcp
from virtualtap.wire.dhcp import Dhcp

_AT, _OVERLOAD = dhcp.HEADER_LEN, b"\x34\x01"
_SERVER, _AN_HOUR, _COOKIE = b"\n\0\0\1", b"\0\0\x0e\x10", bytes((99, 130, 83, 99))
_NAME, _FILE = slice(44, 108), slice(108, 236)


def _overloading(data: bytes, mask: int) -> bytes:
    """The message with fewer of its fields overloaded."""
    place = data.find(_OVERLOAD, _AT)
    return (
        data
        if place < 0
        else data[: place + 2] + bytes((data[place + 2] & mask,)) + data[place + 3 :]
    )


@mutant
def dhcp_reads_no_overloaded_file(config: TapConfig) -> VirtualTap:
    return reading(config, lambda data, ours: _overloading(data, 2))


@mutant
def dhcp_reads_no_overloaded_name(config: TapConfig) -> VirtualTap:
    return reading(config, lambda data, ours: _overloading(data, 1))


@mutant
def dhcp_always_reads_the_file(config: TapConfig) -> VirtualTap:
    def wrong(data: bytes, _: DhcpHandler) -> bytes:
        return data if _OVERLOAD in data else data[:_AT] + _OVERLOAD + b"\1" + data[_AT:]

    return reading(config, wrong)


@mutant
def dhcp_reads_the_name_first(config: TapConfig) -> VirtualTap:
    def wrong(data: bytes, _: DhcpHandler) -> bytes:
        if _OVERLOAD + b"\3" not in data:
            return data
        return data[:44] + data[_FILE][:64] + data[_NAME].ljust(128, b"\0") + data[236:]

    return reading(config, wrong)


@mutant
def dhcp_joins_nothing(config: TapConfig) -> VirtualTap:
    def wrong(data: bytes, _: DhcpHandler) -> bytes:
        last: dict[int, bytes] = {}
        at = _AT
        while at + 1 < len(data) and data[at] != dhcp.END:
            length = 0 if data[at] == dhcp.PAD else data[at + 1] + 1
            last[data[at]] = data[at : at + 1 + length]
            at += 1 + length
        return data[:_AT] + b"".join(last.values()) + b"\xff"

    return reading(config, wrong)


@mutant
def dhcp_demands_the_end_mark(config: TapConfig) -> VirtualTap:
    return reading(config, lambda data, ours: data if b"\xff" in data[_AT:] else None)


@mutant
def dhcp_refuses_unknown_options(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: DhcpHandler) -> Dhcp | None:
        return None if any(code > 128 for code, _ in message.options) else message

    return hearing(config, wrong)


@mutant
def dhcp_knows_no_pads(config: TapConfig) -> VirtualTap:
    return reading(config, lambda data, ours: data if data[_AT : _AT + 1] != b"\0" else None)


@mutant
def dhcp_reads_beyond_the_end(config: TapConfig) -> VirtualTap:
    return reading(
        config, lambda data, ours: data[:_AT] + data[_AT:].replace(b"\xff\x36", b"\0\x36")
    )


def _an_offer(ours: DhcpHandler) -> bytes:
    """What a client may see in bytes that are none."""
    options = ((dhcp.KIND, b"\2"), (dhcp.SERVER_ID, _SERVER), (dhcp.LEASE_TIME, _AN_HOUR))
    mac = ours._core.config.our_mac
    xid = max(0, ours._xid)
    return Dhcp(dhcp.TO_CLIENT, xid, mac, options, your_ip=b"\n\0\0\x32").to_bytes()


@mutant
def dhcp_takes_bootp_for_an_offer(config: TapConfig) -> VirtualTap:
    return reading(config, lambda data, ours: data if any(data[_AT:]) else _an_offer(ours))


@mutant
def dhcp_takes_any_cookie(config: TapConfig) -> VirtualTap:
    return reading(config, lambda data, ours: data[: _AT - 4] + _COOKIE + data[_AT:])


@mutant
def dhcp_takes_short_messages(config: TapConfig) -> VirtualTap:
    return reading(config, lambda data, ours: data if len(data) >= _AT else _an_offer(ours))


@mutant
def dhcp_forgives_an_overrun(config: TapConfig) -> VirtualTap:
    return reading(config, lambda data, ours: data.replace(b"\x0f\x20abc", b"\xff"))


@mutant
def dhcp_reads_short_numbers(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: DhcpHandler) -> Dhcp:
        value = message.value(dhcp.LEASE_TIME)
        return message if value is None else said(message, option_51=value.rjust(4, b"\0"))

    return hearing(config, wrong)


@mutant
def dhcp_wants_less_in_its_request(config: TapConfig) -> VirtualTap:
    def wrong(message: Dhcp, _: DhcpHandler) -> Dhcp:
        return said(message, option_55=b"\x79\1\3") if message.kind == dhcp.REQUEST else message

    return saying(config, wrong)
