"""Configuration files on disk, as the product writes them; and captures, imported."""

import pytest

from sim.foreign.capture_world import world_of
from tests.sim.foreign.field import captured


@pytest.fixture
def given(tmp_path):
    """Files with these texts, as paths."""

    def write(*texts: str):
        paths = [tmp_path / f"file{i}.config" for i in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text("\ufeff" + text.replace("\n", "\r\n"), encoding="utf-8")
        return paths

    return write


@pytest.fixture
def heard(tmp_path):
    """The import of a capture of these frames, each with its time in microseconds."""

    def make(*frames, link_type=1, name="field.pcap"):
        return world_of([captured(tmp_path / name, *frames, link_type=link_type)], tmp_path)

    return make
