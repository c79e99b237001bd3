"""A folder where nothing can be written."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder, and the same folder where nothing can be written: for root the bits of a mode do not count."""
    folder, frozen = tmp_path / "folder", tmp_path / "frozen"
    folder.mkdir()
    frozen.mkdir()
    try:
        bound = subprocess.run(["mount", "--bind", str(folder), str(frozen)], capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"this system cannot mount a folder: {error}")
    if bound.returncode:
        pytest.skip(f"a folder cannot be mounted here: {bound.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(frozen)], check=True)
        yield folder, frozen
    finally:
        if subprocess.run(["umount", str(frozen)], capture_output=True).returncode:
            subprocess.run(["umount", "-l", str(frozen)], check=True)
