"""Forks of a process that runs jobs: each ends where the function that forked it ends, and does nothing else."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from contextlib import suppress
from typing import NoReturn


def end_fork() -> NoReturn:
    """End this process, as Python ends one whose script has returned, or has raised what is being raised now.

    Like the processes of `multiprocessing` it runs none of the exit handlers that it inherited: they are about files
    and connections that its parent goes on using.
    """
    code = 1
    try:
        code = _exit_code(sys.exception())
        _join_threads()
        _flush()
    finally:
        os._exit(code)


def close_in_forks(file: int) -> None:
    """Have forks of this process close a file. Not forks of forks: there another file may have its number."""
    files = [file]

    def close() -> None:
        while files:
            with suppress(OSError):
                os.close(files.pop())

    os.register_at_fork(after_in_child=close)


def _exit_code(error: BaseException | None) -> int:
    if error is None:
        return 0
    if not isinstance(error, SystemExit):
        traceback.print_exception(error)
        return 1
    if error.code is None or isinstance(error.code, int):
        return (error.code or 0) & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def _join_threads() -> None:
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
