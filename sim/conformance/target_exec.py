"""A child process as a Translator: messages on its stdin and stdout, as docs/targets.md says."""

import os
import select
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from struct import Struct
from typing import Any

from sim.conformance.script import Make
from sim.conformance.verdicts import Unsupported
from virtualtap.config import TapConfig
from virtualtap.errors import UsageError
from virtualtap.units import Instant

SCHEMA = 1
INIT, PACKET, FRAME, TIME, RELEASE = b"I", b"P", b"F", b"T", b"R"
DEADLINE, UNSUPPORTED = b"D", b"U"  # these two end an answer
_LENGTH = Struct("!I")  # of what follows it: the kind and the body
_INSTANT = Struct("!Q")
_NEVER = (1 << 64) - 1
_MESSAGE_MAX = 65_600  # the kind and the longest IP packet in its frame fit
_ANSWER_MAX = 4096  # messages; four times what the engine's outbox holds
_ANSWER_BYTES_MAX = 8 * 2**20
_POLLS_MAX = 1000  # at one instant
_WORDS_MAX = 300
_GRACE_S = 0.2


class ProtocolError(Exception):
    """The child said what docs/targets.md does not allow."""


class ChildEnded(Exception):
    """The child is gone, or says no more; the text says how, and its last words on stderr."""


def exec_target(command: str, hint: str) -> Make:
    """The command, in the words of a shell, but without one. UsageError where there is none."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"cannot read `exec:{command:.100}`: {error}".lower(), hint) from None
    if not words or shutil.which(words[0]) is None:
        raise UsageError(f"there is no command `{words[0] if words else '':.100}`", hint)
    return lambda config: ExecTranslator(words, config)


def config_text(config: TapConfig) -> bytes:
    """The body of `init`: a line `key=value` for each field, `schema` first."""
    return "".join((f"schema={SCHEMA}\n", *_lines(config, ""))).encode()


def _lines(config: Any, path: str) -> Iterator[str]:
    for each in fields(config):
        value = getattr(config, each.name)
        if is_dataclass(value):
            yield from _lines(value, f"{path}{each.name}.")
        else:
            yield f"{path}{each.name}={_text(value, ',')}\n"


def _text(value: object, separator: str) -> str:
    if isinstance(value, tuple):
        return separator.join(_text(one, "/") for one in value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool):
        return str(int(value))
    assert value is None or isinstance(value, int | str), f"no form is defined for {value!r}"
    return "" if value is None else str(value)


class ExecTranslator:
    """A child that was told the configuration. It ends with the process group that it is in."""

    takes_at_once = True  # whatever it says: it is never left with more than one answer

    def __init__(self, words: list[str], config: TapConfig) -> None:
        self._child = _Child(words)
        self._frames: list[bytes] = []
        self._packets: list[bytes] = []
        self._deadline: Instant | None = None
        self._now: Instant = 0
        self._polls = 0  # at `_now`
        self._ask(INIT, config_text(config))

    def ip_to_ethernet(self, packet: bytes, now: Instant | None = None) -> bytes | None:
        self._tell(PACKET, now, packet)
        return None

    def ethernet_to_ip(self, frame: bytes, now: Instant | None = None) -> bytes | None:
        self._tell(FRAME, now, frame)
        return None

    def poll(self, now: Instant) -> None:
        self._polls = self._polls + 1 if now == self._now else 0
        if self._polls > _POLLS_MAX:
            raise ProtocolError(f"the deadline stays at {self._deadline}, and it is {now}")
        self._tell(TIME, now)

    def release(self, now: Instant | None = None) -> None:
        self._tell(RELEASE, now)

    def next_deadline(self) -> Instant | None:
        return self._deadline

    def take_frames(self) -> list[bytes]:
        taken, self._frames = self._frames, []
        return taken

    def take_packets(self) -> list[bytes]:
        taken, self._packets = self._packets, []
        return taken

    def _tell(self, kind: bytes, now: Instant | None, data: bytes = b"") -> None:
        self._now = self._now if now is None else now
        self._ask(kind, _INSTANT.pack(self._now) + data)

    def _ask(self, kind: bytes, body: bytes) -> None:
        """Say one message and take the whole answer in."""
        self._child.write(_LENGTH.pack(1 + len(body)) + kind + body)
        room = _ANSWER_BYTES_MAX
        for _ in range(_ANSWER_MAX):
            kind, body = self._child.message()
            if kind == DEADLINE:
                self._deadline = _deadline(body)
                return
            if kind == UNSUPPORTED:
                raise Unsupported(
                    body[:_WORDS_MAX].decode(errors="replace") or "it does not say why"
                )
            if kind not in (FRAME, PACKET):
                raise ProtocolError(f"no answer is of the kind {kind!r}")
            (self._frames if kind == FRAME else self._packets).append(body)
            if (room := room - len(body)) < 0:
                break
        raise ProtocolError(f"an answer of more than {_ANSWER_MAX} messages, or 8 MiB")


def _deadline(body: bytes) -> Instant | None:
    if len(body) != _INSTANT.size:
        raise ProtocolError(f"a deadline needs {_INSTANT.size} bytes, got {len(body)}")
    instant: Instant = _INSTANT.unpack(body)[0]
    return None if instant == _NEVER else instant


class _Child:
    """The process, and what it said that nobody has read yet."""

    def __init__(self, words: list[str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(  # noqa: S603  # the user named the command
            words, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe
        )
        streams = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._stdin, self._stdout, self._stderr = (one.fileno() for one in streams if one)
        self._open = [self._stdout, self._stderr]
        self._said = bytearray()
        self._last_words = b""  # on stderr

    def write(self, data: bytes) -> None:
        """Blocks while the child does not read: who waits for both has a limit of time."""
        try:
            while data:
                data = data[os.write(self._stdin, data) :]
        except BrokenPipeError:
            raise self._ended("no longer reads") from None

    def message(self) -> tuple[bytes, bytes]:
        """The next message: kind and body."""
        (length,) = _LENGTH.unpack(self._take(_LENGTH.size))
        if not 1 <= length <= _MESSAGE_MAX:
            raise ProtocolError(f"a message has a length from 1 to {_MESSAGE_MAX}, got {length}")
        said = self._take(length)
        return said[:1], said[1:]

    def _take(self, count: int) -> bytes:
        while len(self._said) < count:
            self._hear()
        taken = bytes(self._said[:count])
        del self._said[:count]
        return taken

    def _hear(self) -> None:
        """Wait for something on stdout; what is said on stderr meanwhile is kept, its end alone."""
        for stream in select.select(self._open, [], [])[0]:
            data = os.read(stream, 65_536)
            if stream == self._stderr:
                self._last_words = (self._last_words + data)[-_WORDS_MAX:]
                if not data:
                    self._open.remove(stream)
            elif data:
                self._said += data
            else:
                raise self._ended("closed its stdout")

    def _ended(self, what: str) -> ChildEnded:
        """How it ended; `what` it did instead if it lives on."""
        try:
            status = self._process.wait(_GRACE_S)
            what = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        except subprocess.TimeoutExpired:
            what = f"it {what}"
        os.set_blocking(self._stderr, False)
        while select.select([self._stderr], [], [], 0)[0]:
            data = os.read(self._stderr, 65_536)
            if not data:
                break
            self._last_words = (self._last_words + data)[-_WORDS_MAX:]
        lines = self._last_words.decode(errors="replace").split("\n")
        words = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return ChildEnded(f"{what}: {words}" if words else what)
