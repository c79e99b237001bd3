"""A warning where SQLite's locks and shared memory cannot be relied on: on a network file system."""

from __future__ import annotations

import os
from functools import cache

MOUNTS = "/proc/self/mountinfo"
"""Where Linux lists what is mounted; on other systems nothing is known, and there is no warning."""

QUIET = "GIGQ_NETWORK_FILES"
"""The environment variable to set to ``ok`` if only one machine uses the file."""

NETWORK = frozenset(
    [
        "9p",
        "afs",
        "afpfs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse.davfs2",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.grpcfuse",
        "fuse.osxfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "fuse.vmhgfs-fuse",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "prl_fs",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
    ]
)
"""File systems that other machines may write to, or the host of this one: WAL needs memory that all users share."""


@cache
def warn_of_network(path: str, device: int, mounts: str = MOUNTS) -> None:
    """Log a warning, once per file and process, if a file is on a network file system. Safe to call from any thread.

    Args:
        path: of the file, for the message.
        device: its ``st_dev``.
        mounts: the file that lists what is mounted.
    """
    kind = network_kind(device, mounts)
    if kind is not None:
        from gigq.logs import logger  # only here: importing logging takes longer than opening the file

        logger("store").warning(
            "%r is on a network file system (%s), where SQLite's locks may fail and the file may be damaged; "
            "move it to a local disk, or set %s=ok if only one machine uses it",
            path, kind, QUIET,
        )  # fmt: skip


def network_kind(device: int, mounts: str = MOUNTS) -> str | None:
    """Return the type of the file system with this ``st_dev`` if it is one of a network, and nobody says it is fine."""
    kind = kind_of(device, _text_of(mounts))
    return kind if kind in NETWORK and os.environ.get(QUIET) != "ok" else None


def kind_of(device: int, mounts: str) -> str | None:
    """Return the type of the file system with this ``st_dev``, or None where the text does not list it.

    By the device and not by the folder, so that links, and mounts that hide others, need no thought.

    Args:
        mounts: as in ``/proc/self/mountinfo``; see proc(5).
    """
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        mount, _, rest = line.partition(" - ")
        if mount.split(" ")[2:3] == [wanted]:
            return rest.split(" ")[0] or None
    return None


def _text_of(mounts: str) -> str:
    try:
        with open(mounts, errors="replace") as file:
            return file.read()
    except OSError:
        return ""
