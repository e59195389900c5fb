"""Configuration files on disk, as the product writes them."""

import pytest


@pytest.fixture
def given(tmp_path):
    """Files with these texts, as paths."""

    def write(*texts: str):
        paths = [tmp_path / f"file{i}.config" for i in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text("\ufeff" + text.replace("\n", "\r\n"), encoding="utf-8")
        return paths

    return write
