"""A FIFO next to the file as the bell, where the system cannot tell a process that a file was touched."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

HAS_FIFOS = hasattr(os, "mkfifo")


class Fifo:
    """The FIFO ``.<file>-bell``: its name keeps it out of what a shell makes of ``<file>*``.

    It is opened for reading and writing, and so never reports an end of file when another process closes it. A byte in
    it wakes all workers that wait, and one of them takes it out; a worker that misses it looks again at its polling
    interval.
    """

    is_first = True  # the first that waits takes the byte out, and most others go on waiting

    def __init__(self, path: str) -> None:
        # The name behind all links, as SQLite names its own files, so that all users of the file use the same bell.
        folder, name = os.path.split(os.path.realpath(path))
        self._path = os.path.join(folder, f".{name}-bell")
        self._file: int | None = None

    def ring(self) -> None:
        """Wake the workers that listen; if none does, do nothing. It never waits."""
        if not (HAS_FIFOS and os.access(self._path, os.F_OK)):  # quicker than the exception where nobody listens
            return
        with suppress(OSError):  # ENXIO, ENOENT: nobody listens any more. EAGAIN: it has rung often enough.
            file = _open_fifo(self._path, os.O_WRONLY)
            try:
                os.write(file, b".")
            finally:
                os.close(file)

    def listen(self) -> int | None:
        """Return the file to wait on, which is made and opened if it is missing; None without FIFOs."""
        if not HAS_FIFOS:
            return None
        if self._file is None or not self._is_current():
            old, self._file = self._file, self._open()
            if old is not None:
                os.close(old)  # not before, or the new one would get the same number and be mistaken for it
        return self._file

    def clear(self) -> bool:
        """Take the rings out, and return whether there were any."""
        if self._file is None:
            return False
        with suppress(BlockingIOError):
            return bool(os.read(self._file, 4096))
        return False

    def close(self) -> None:
        """Stop listening."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def remove(self) -> None:
        """Delete the FIFO, because a copied folder should contain none."""
        with suppress(OSError):
            os.unlink(self._path)

    def _open(self) -> int | None:
        with suppress(OSError):  # a folder that cannot be written: workers poll instead
            with suppress(FileExistsError):
                os.mkfifo(self._path, 0o600)
            return _open_fifo(self._path, os.O_RDWR)
        return None

    def _is_current(self) -> bool:
        try:
            there, here = os.stat(self._path), os.fstat(self._file or 0)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _open_fifo(path: str, mode: int) -> int:
    """Open a FIFO, but nothing else that somebody may have put in its place.

    In a folder that others may write to, such as ``/tmp``, a link could make us write into a file of ours, and a plain
    file is always ready to be read, so that a worker would never wait.

    Raises:
        OSError: it is not a FIFO, or cannot be opened.
    """
    file = os.open(path, mode | os.O_NONBLOCK | os.O_NOFOLLOW)
    if not stat.S_ISFIFO(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(f"{path!r} is not a FIFO")
    return file
