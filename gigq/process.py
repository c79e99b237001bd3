"""The identity of this process, and the test whether another process on this machine has ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gigq.liveness import ProcessIdentity


def this_process() -> ProcessIdentity:
    """Return the identity of this process. It is another one after a fork."""
    return ProcessIdentity(
        machine_id=_machine_id(), boot_id=_boot_id(), pid_namespace=_pid_namespace(), pid=os.getpid()
    )


def is_gone(pid: int) -> bool:
    """Whether the process with this pid has certainly ended: there is none, or it is a zombie."""
    if sys.platform == "win32":  # os.kill(pid, 0) would end it there
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    # The name of the process is in parentheses and may itself contain any; the state follows the last of them.
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1] in (["Z"], ["X"])


def _machine_id() -> str:
    return _read("/etc/machine-id") or _read("/var/lib/dbus/machine-id")


def _boot_id() -> str:
    if sys.platform == "darwin":
        asked = subprocess.run(["sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=False)
        return asked.stdout.strip()
    return _read("/proc/sys/kernel/random/boot_id")


def _pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return ""
