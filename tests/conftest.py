"""Fixtures, and how hard Hypothesis tries: `--hypothesis-profile ci` tries harder."""

import gc
from pathlib import Path

import pytest
from hypothesis import settings

from tests.builders import SHARED, a_tap
from virtualtap import VirtualTap

settings.register_profile("dev", max_examples=40, deadline=None)
settings.register_profile("ci", max_examples=400, deadline=None, derandomize=True)
settings.load_profile("dev")


@pytest.fixture
def tap() -> VirtualTap:
    """A dual-stack tap on the small LAN, at time 0, that knows nobody."""
    return a_tap()


@pytest.fixture
def captures() -> Path:
    """The folder of real and hostile captures, which is not part of the project."""
    folder = SHARED / "captures"
    if not folder.is_dir():
        pytest.skip("no captures beside the project")
    return folder


def pytest_collection_finish() -> None:
    """What was imported and collected stays: a full collection, or a fork, need not touch it."""
    gc.collect()
    gc.freeze()
