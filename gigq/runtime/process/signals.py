"""What signals do in a child process: those that stop a worker are left to it, and one asks the child to end.

The init system may send SIGTERM to every process of a service. Only the worker knows how long a job may go on then.
"""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Callable
from functools import partial
from types import FrameType

from gigq.runtime.forks import close_in_forks
from gigq.runtime.printing import flush
from gigq.runtime.signals import STOPPING, heeded

END: int = signal.SIGRTMAX - 3 if hasattr(signal, "SIGRTMAX") else getattr(signal, "SIGINFO", signal.SIGTERM)
"""The signal by which a worker asks a child to end during a job: one that nothing else uses. macOS has SIGINFO."""

GRACE = b"+"
"""The first byte of the file for the stack, if the job handles SIGTERM itself, and is to be given time."""


def set_up(stack: int, say_the_last: Callable[[], None]) -> None:
    """Ignore what stops a worker; at `END` write down where all threads stand, and die.

    With a handler, not by `SIG_IGN`, which every program that a job starts would inherit. A process that a job forks
    gets back what there was before: `multiprocessing` ends its processes by SIGTERM.

    Args:
        stack: a file to write to.
        say_the_last: sends the worker what the job has left behind until then.
    """
    before = {number: signal.getsignal(number) for number in heeded()}
    for number in before:
        signal.signal(number, _leave_it_to_the_worker)
        signal.siginterrupt(number, False)
    os.write(stack, b"\n")  # the place of GRACE
    signal.signal(END, partial(_end, stack, signal.getsignal(signal.SIGTERM), say_the_last))
    # Written by a handler in C, so also while a job in C holds the GIL; then Python's handler is called.
    faulthandler.register(END, stack, all_threads=True, chain=True)

    def restore() -> None:
        faulthandler.unregister(END)
        for number, handler in before.items():
            if signal.getsignal(number) is _leave_it_to_the_worker:
                signal.signal(number, handler)

    os.register_at_fork(after_in_child=restore)
    close_in_forks(stack)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)  # the worker has blocked them until now


def _leave_it_to_the_worker(number: int, frame: FrameType | None) -> None:
    """Do nothing. The worker gets the signal as well, and stops its jobs after their grace."""


def _end(
    stack: int, ours: object, say_the_last: Callable[[], None], number: int, frame: FrameType | None
) -> None:
    say_the_last()
    handles_it = signal.getsignal(signal.SIGTERM) is not ours
    if handles_it:
        os.pwrite(stack, GRACE, 0)
    os.killpg(os.getpgrp(), signal.SIGTERM)  # the job, if it handles that, and the processes that it has started
    if not handles_it:
        flush()
        os.kill(os.getpid(), signal.SIGKILL)
