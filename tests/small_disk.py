"""A file system in memory that can be filled up to the last byte, and freed again."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

MEGABYTE = 1 << 20


class CannotMount(Exception):
    """This system does not let us mount a file system."""


class Disk:
    """A disk mounted at an empty folder.

    Raises:
        CannotMount: with the reason; it takes Linux and its root.
    """

    def __init__(self, folder: Path, *, megabytes: int) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        options = f"size={megabytes}m,mode=700"
        try:
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True
            )
        except OSError as error:
            raise CannotMount(str(error)) from None
        if done.returncode:
            raise CannotMount(done.stderr.strip())

    @property
    def is_full(self) -> bool:
        """Whether it was filled and not freed."""
        return self._ballast.exists()

    def fill(self, *, leave: int = 0) -> None:
        """Leave only so many bytes."""
        file = os.open(self._ballast, os.O_WRONLY | os.O_CREAT, 0o600)
        with suppress(OSError):
            while os.write(file, bytes(MEGABYTE)):
                pass
        os.ftruncate(file, os.fstat(file).st_size - leave)
        os.close(file)

    def free(self) -> None:
        """Give the space back."""
        self._ballast.unlink()

    def unmount(self) -> None:
        """Take it away, with what is on it, also from processes that still use it."""
        if subprocess.run(["umount", str(self.folder)], capture_output=True).returncode:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)
