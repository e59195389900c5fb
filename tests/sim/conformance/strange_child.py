"""A child that speaks docs/targets.md wrongly, in the way that its argument names."""

import os
import subprocess
import sys
import time
from struct import Struct

HEAD = Struct("!Ic")
NEVER = bytes([255]) * 8


def read():
    head = sys.stdin.buffer.read(HEAD.size)
    if not head:
        sys.exit(0)
    length, kind = HEAD.unpack(head)
    return kind, sys.stdin.buffer.read(length - 1)


def write(kind, body):
    sys.stdout.buffer.write(HEAD.pack(1 + len(body), kind) + body)


def say(data):
    sys.stdout.buffer.write(data)


def words(*lines):
    sys.stderr.write("\n".join(lines))
    sys.stderr.flush()


def start_another():
    """One that outlives us, and holds what the argument names open."""
    stream = os.open(sys.argv[2], os.O_WRONLY)
    os.write(stream, b"here ")
    subprocess.Popen(["sleep", "60"], stdout=stream)
    write(b"D", NEVER)


def flood():
    while True:
        write(b"F", bytes(60_000))


WAYS = {
    "silent": lambda: write(b"D", NEVER),
    "unsupported": lambda: write(b"U", b"it knows no \xff"),
    "unsaid": lambda: write(b"U", b""),
    "garbage": lambda: say(b"Hello, world"),
    "endless": lambda: [say(b"\xff" * 4), sys.stdout.flush(), time.sleep(60)],
    "empty": lambda: say(bytes(5)),
    "unknown": lambda: write(b"Z", b""),
    "short": lambda: write(b"D", b"soon"),
    "talks": lambda: [write(b"F", b"x") for _ in range(5000)],
    "floods": flood,
    "late": lambda: write(b"D", bytes(8)),
    "leaves": lambda: [words("first", " then\x1b this ", "", ""), sys.exit(7)],
    "leaves quietly": lambda: sys.exit(0),
    "dies": lambda: os.kill(os.getpid(), 11),
    "deaf": lambda: [os.close(0), write(b"D", NEVER), sys.stdout.flush(), time.sleep(60)],
    "mute": lambda: [os.close(1), time.sleep(60)],
    "hangs": lambda: time.sleep(60),
    "shouts": lambda: [words("x" * 300_000, "loud"), sys.exit(1)],
    "parent": start_another,
}

if __name__ == "__main__":
    while True:
        read()
        WAYS[sys.argv[1]]()
        sys.stdout.flush()
