"""The start of a child process: with which Python, with which files, and where that cannot work."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence

from gigq.runtime.context import current_job
from gigq.runtime.process.stdio import occupy
from gigq.runtime.signals import STOPPING

MARK = "GIGQ_CHILD"
"""An environment variable that a child removes at once: any other process that has it was started in its place."""

# Not python -m, because sys.path must be the worker's before the first import; and not a file, because paths.py would
# take that file's name for the running script's, and a module of this name could not be imported.
_BOOT = """
import sys
wire, tickets, life, stack, *sys.path = sys.argv[1:]
del sys.argv[1:]
from gigq.runtime.process.child import main
main(int(wire), int(tickets), int(life), int(stack))
"""

_PYTHON = re.compile(r"\.?(python|pypy|graalpy)", re.IGNORECASE)
"""How the name of a Python begins."""


def launch(files: Sequence[int], folder: str) -> subprocess.Popen[bytes]:
    """Start a child that has these files, its connections to this process.

    Raises:
        OSError: the system refused.
    """
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # as multiprocessing does
    path = [entry for entry in sys.path if isinstance(entry, str)]  # Python ignores anything else, too
    occupy()
    # The child inherits this, and unblocks them when it leaves them to the worker: none may kill it before.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        return subprocess.Popen(
            [python(), *flags, "-c", _BOOT, *map(str, files), *path],
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env=os.environ | {MARK: "1"},
            pass_fds=files,
            # So a terminal's Ctrl-C reaches only the worker; and the whole group can be killed at a deadline, with what
            # the job has started.
            start_new_session=True,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def python() -> str:
    """Return the program that children run: the Python of this process, even inside an application that embeds it."""
    own = sys.executable or ""  # empty, or the name of a server such as uwsgi, where Python is embedded
    if _PYTHON.match(os.path.basename(own)):
        return own
    names = (f"python{sys.version_info.major}.{sys.version_info.minor}", "python3", "python")
    found = [os.path.join(folder, "bin", name) for folder in (sys.prefix, sys.base_prefix) for name in names]
    return next((path for path in found if os.access(path, os.X_OK)), own)


def refuse_here() -> None:
    """Refuse to start children where that cannot work, or would never end.

    Raises:
        RuntimeError: on Windows, and inside a job.
        ValueError: in an application that would start itself instead of Python.
    """
    if os.name == "nt":  # its pipes and processes support neither poll nor pass_fds
        raise RuntimeError("mode='process' needs Unix; use threads, and a worker for each processor")
    if current_job().id is not None:
        raise RuntimeError(
            "a job would start a worker with mode='process'; "
            "in a script, put the start of the worker under if __name__ == '__main__':"
        )
    if _is_frozen() or MARK in os.environ:
        raise ValueError(
            f"mode is 'process', but {sys.executable!r} starts this application again instead of Python, because the "
            "application is frozen; use mode='thread'. A job that needs a process of its own can then start one with "
            "multiprocessing, if the application calls multiprocessing.freeze_support() first"
        )
    if not python():
        raise ValueError("mode is 'process', but sys.executable does not say where Python is; use mode='thread'")


def _is_frozen() -> bool:
    """Whether PyInstaller, cx_Freeze, py2app or Nuitka has made this application."""
    return bool(getattr(sys, "frozen", False)) or hasattr(sys.modules.get("__main__"), "__compiled__")
