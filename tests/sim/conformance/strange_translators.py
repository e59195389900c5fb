"""Wrong translators, for `--target python:tests.sim.conformance.strange_translators:NAME`."""

import os
import sys

from virtualtap import VirtualTap

NOT_CALLABLE = "a text"


class Deaf(VirtualTap):
    """Answers no ARP."""

    def take_frames(self):
        return [frame for frame in super().take_frames() if frame[12:14] != b"\x08\x06"]


class Talker(VirtualTap):
    """Gives text where bytes are due."""

    def take_frames(self):
        return ["a frame"]


class Thrower(VirtualTap):
    """Raises on every frame."""

    def ethernet_to_ip(self, frame, now=None):
        raise RuntimeError(f"\x1b[31m{len(frame)} | bytes")


def leaver(_config):
    """Wants to end the whole run."""
    sys.exit(0)


class Late(VirtualTap):
    """Wants to be polled at an instant that has passed, for ever."""

    def next_deadline(self):
        return 0


class Wordless(VirtualTap):
    """Raises what cannot even be told."""

    def ethernet_to_ip(self, frame, now=None):
        raise Unspeakable


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError


class Sure(VirtualTap):
    """Asserts, and says nothing."""

    def ethernet_to_ip(self, frame, now=None):
        raise AssertionError


def nobody(_config):
    """Makes nothing."""


def vanisher(_config):
    """Ends the process as if all were well."""
    os._exit(0)
