"""Looks at other threads."""

from __future__ import annotations

import subprocess
import sys
import threading

from gigq.runtime.frames import exception_of, frame_of

COLLECTIONS = """
import gc, inspect, sys, threading
from gigq.runtime import frames
from gigq.runtime.frames import exception_of, frame_of

lines, first = inspect.getsourcelines(frames._looked)
(looking,) = [first + number for number, line in enumerate(lines) if "return look()" in line]

def dive(depth):
    leave.wait() if depth == 0 else dive(depth - 1)

def note(phase, info):
    caller = sys._getframe(1)
    inside.append((caller.f_code.co_name, caller.f_lineno) == ("_looked", looking))

inside, leave = [], threading.Event()
gc.set_threshold(1)
for _ in range(20):
    leave.clear()
    threads = [threading.Thread(target=dive, args=(20,)) for _ in range(20)]
    for each in threads:
        each.start()
    gc.callbacks.append(note)
    frame_of(threads[0].ident)  # it has to make objects of the frames of all threads
    exception_of(threads[0].ident)
    gc.callbacks.remove(note)
    leave.set()
    for each in threads:
        each.join()
print(sum(inside), gc.isenabled())
"""


def test_no_garbage_is_collected_during_a_look_as_the_process_might_hang() -> None:
    run = subprocess.run([sys.executable, "-c", COLLECTIONS], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("0 True\n", "")


def test_a_thread_is_seen_where_it_is_and_with_what_it_handles() -> None:
    reached, leave = threading.Event(), threading.Event()

    def handle() -> None:
        try:
            raise ValueError("why")
        except ValueError:
            reached.set()
            leave.wait()

    thread = threading.Thread(target=handle)
    thread.start()
    reached.wait()
    frame, error = frame_of(thread.ident or 0), exception_of(thread.ident or 0)
    leave.set()
    thread.join()
    while frame is not None and frame.f_code is not handle.__code__:
        frame = frame.f_back
    assert frame is not None
    assert str(error) == "why"
    assert (frame_of(thread.ident or 0), exception_of(thread.ident or 0)) == (None, None)
