"""The last job of a queue that this user submitted or looked at, which `-` names; it is kept with the user's files."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from zlib import crc32


def remember(queue: str, job_id: str) -> None:
    """Note the job that a command was about. Where that cannot be written, nothing happens.

    Args:
        queue: the path of the queue's file.
        job_id: the job's whole ID.
    """
    directory, file = _place(queue)
    if not _is_ours(directory):
        return
    temporary = f"{file}.{os.getpid()}"
    with suppress(OSError, ValueError):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        try:
            with open(temporary, "w", encoding="ascii") as opened:
                json.dump([_name_of(queue), job_id], opened)
            os.replace(temporary, file)  # in one piece: another command may be reading it
        finally:
            with suppress(OSError):  # it is there only if something has failed
                os.unlink(temporary)


def recall(queue: str) -> str | None:
    """Return the ID that was last remembered of a queue; None if there is none, or if it cannot be read."""
    _, file = _place(queue)
    with suppress(OSError, ValueError):
        with open(file, encoding="ascii") as opened:
            found = json.load(opened)
        if isinstance(found, list) and len(found) == 2 and found[0] == _name_of(queue) and isinstance(found[1], str):
            return found[1]
    return None


def _place(queue: str) -> tuple[str, str]:
    """Return the folder and the file in which the last job of a queue is kept."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):  # as the specification of these folders says
        state = os.path.join(os.path.expanduser("~"), ".local", "state")
    directory = os.path.join(state, "gigq")
    # Two queues may have the same sum: then the later one wins, for the file also says which queue it is about.
    return directory, os.path.join(directory, f"last-{crc32(os.fsencode(_name_of(queue))):08x}.json")


def _name_of(queue: str) -> str:
    return os.path.realpath(queue)


def _is_ours(directory: str) -> bool:
    """Whether the folder, or the one in which it will be made, belongs to this user.

    Under sudo it may be another one's, who could not write there any more.
    """
    if not os.path.isabs(directory) or not hasattr(os, "geteuid"):
        return os.path.isabs(directory)
    with suppress(OSError, ValueError):
        while not os.path.exists(directory):
            directory = os.path.dirname(directory)
        return os.stat(directory).st_uid == os.geteuid()
    return False
