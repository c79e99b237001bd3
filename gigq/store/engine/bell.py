"""How whoever has stored something to do wakes the workers: a FIFO beside the file."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

HAS_FIFOS = hasattr(os, "mkfifo")


class Bell:
    """The FIFO ``<file>-bell``. Nothing depends on it but how soon an idle worker looks.

    Opened for reading and writing, it never reports an end of file when another process goes. A byte in it wakes all
    who wait, and one of them takes it out; who misses it looks again at its polling interval.
    """

    def __init__(self, path: str) -> None:
        # By the name behind all links, as SQLite names its own files: all who use the file must hear the same bell.
        self._path = f"{os.path.realpath(path)}-bell"
        self._file: int | None = None

    def ring(self) -> None:
        """Wake who listens; without a listener it does nothing, and it never waits."""
        if not (HAS_FIFOS and os.access(self._path, os.F_OK)):  # most often nobody listens; an exception takes longer
            return
        with suppress(OSError):  # ENXIO, ENOENT: nobody listens any more. EAGAIN: it has rung often enough.
            file = _open_fifo(self._path, os.O_WRONLY)
            try:
                os.write(file, b".")
            finally:
                os.close(file)

    def listen(self) -> int | None:
        """Return the file to wait on, made and opened anew where it is missing; None where there are no FIFOs."""
        if not HAS_FIFOS:
            return None
        if self._file is None or not self._is_current():
            old, self._file = self._file, self._open()
            if old is not None:
                os.close(old)  # not before: the new one would get its number, and be taken for it
        return self._file

    def clear(self) -> bool:
        """Take out what has rung, and tell whether anything had."""
        if self._file is None:
            return False
        with suppress(BlockingIOError):
            return bool(os.read(self._file, 4096))
        return False

    def close(self) -> None:
        """Listen no more."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def remove(self) -> None:
        """Take the FIFO away, for a copied folder should hold none."""
        with suppress(OSError):
            os.unlink(self._path)

    def _open(self) -> int | None:
        with suppress(OSError):  # a folder that cannot be written: the queue is looked at instead
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
    """Open a FIFO, and nothing else that someone may have put in its place.

    In a folder that others may write, such as ``/tmp``, a link would have us write into a file of ours that it names,
    and a plain file would always be ready to be read, so that a worker never waits.

    Raises:
        OSError: it is no FIFO, or cannot be opened.
    """
    file = os.open(path, mode | os.O_NONBLOCK | os.O_NOFOLLOW)
    if not stat.S_ISFIFO(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(f"{path!r} is not a FIFO")
    return file
