"""Whether a file lies where SQLite's locks and shared memory cannot be relied on: on another machine's disk."""

from __future__ import annotations

import os
from functools import cache

MOUNTS = "/proc/self/mountinfo"
"""Where Linux tells what is mounted; elsewhere nothing is known, and nothing said."""

QUIET = "GIGQ_NETWORK_FILES"
"""The environment variable that is ``ok`` where someone knows that only one machine uses the file."""

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
"""File systems that other machines may write too, or the host of this one: WAL needs memory that all users share."""


@cache
def warn_of_network(path: str, device: int, mounts: str = MOUNTS) -> None:
    """Log a warning, once a file and process, if the file lies on a network file system. Safe from any thread.

    Args:
        path: of the file, for the message.
        device: its ``st_dev``.
        mounts: where to read what is mounted.
    """
    kind = kind_of(device, _text_of(mounts))
    if kind in NETWORK and os.environ.get(QUIET) != "ok":
        from gigq.logs import logger  # only here: importing logging takes longer than opening the file

        logger("store").warning(
            "%r lies on a network file system (%s), where SQLite's locks may fail and the file may be damaged; "
            "move it to a local disk, or set %s=ok if only one machine uses it",
            path, kind, QUIET,
        )  # fmt: skip


def kind_of(device: int, mounts: str) -> str | None:
    """Return the type of the file system with this ``st_dev``, or None where the text does not tell it.

    Args:
        mounts: as in ``/proc/self/mountinfo``, see proc(5). By the device, and not by the folder: then links and
            mounts that hide others need no thought.
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
