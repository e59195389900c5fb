#!/usr/bin/env python3
"""Our engine as a child: `vtap conform --target exec:'python3 examples/targets/python/adapter.py'`.

It speaks docs/targets.md. Yours differs in `make` and in which verbs are called.
"""

import sys
from dataclasses import is_dataclass
from pathlib import Path
from struct import Struct
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # from a clone, nothing is installed

from virtualtap import TapConfig, UsageError, VirtualTap

HEAD = Struct("!Ic")  # the length of what follows it, the kind
INSTANT = Struct("!Q")
NEVER = (1 << 64) - 1


def read() -> tuple[bytes, bytes]:
    """The next message, kind and body; the judge closes our stdin when the case is over."""
    head = sys.stdin.buffer.read(HEAD.size)
    if len(head) < HEAD.size:
        sys.exit(0)
    length, kind = HEAD.unpack(head)
    return kind, sys.stdin.buffer.read(length - 1)


def write(kind: bytes, body: bytes) -> None:
    sys.stdout.buffer.write(HEAD.pack(1 + len(body), kind) + body)


def value(text: str, form: Any, separator: str = ",") -> Any:
    """What the text means where this type is due."""
    if get_origin(form) is tuple:
        parts, forms = text.split(separator) if text else [], get_args(form)
        forms = forms[:1] * len(parts) if forms[-1] is Ellipsis else forms
        return tuple(value(part, one, "/") for part, one in zip(parts, forms, strict=True))
    if form is bytes:
        return bytes.fromhex(text)
    return form(int(text)) if form in (bool, int) else text


def configuration(told: dict[str, str], kind: Any = TapConfig, path: str = "") -> Any:
    """The configuration, or a part of it, from its lines `key=value`."""
    found: dict[str, Any] = {}
    for name, form in get_type_hints(kind).items():
        optional = get_origin(form) is UnionType  # `Ip | None`
        inner = get_args(form)[0] if optional else form
        text = told.get(path + name, "one of several lines")
        if optional and not text:
            found[name] = None
        elif is_dataclass(inner):
            found[name] = configuration(told, inner, f"{path}{name}.")
        else:
            found[name] = value(text, inner)
    return kind(**found)


def make(text: str) -> VirtualTap:
    told = dict(line.split("=", 1) for line in text.splitlines())
    assert told["schema"] == "1", f"schema {told['schema']} is not known here"
    return VirtualTap(configuration(told))


def answer(tap: VirtualTap, frame: bytes | None, packet: bytes | None) -> None:
    """All that came out, then the deadline."""
    for one in ([] if frame is None else [frame]) + tap.take_frames():
        write(b"F", one)
    for one in ([] if packet is None else [packet]) + tap.take_packets():
        write(b"P", one)
    deadline = tap.next_deadline()
    write(b"D", INSTANT.pack(NEVER if deadline is None else deadline))
    sys.stdout.buffer.flush()


def main() -> None:
    _, text = read()
    tap = make(text.decode())
    answer(tap, None, None)
    while True:
        kind, body = read()
        (now,), data = INSTANT.unpack_from(body), body[INSTANT.size :]
        frame = tap.ip_to_ethernet(data, now) if kind == b"P" else None
        packet = tap.ethernet_to_ip(data, now) if kind == b"F" else None
        if kind == b"T":
            tap.poll(now)
        if kind == b"R":
            try:
                tap.release(now)
            except UsageError as error:
                write(b"U", str(error).encode())
        answer(tap, frame, packet)


if __name__ == "__main__":
    main()
