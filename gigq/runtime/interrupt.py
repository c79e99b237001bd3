"""Raise an exception inside another thread."""

from __future__ import annotations

import ctypes


def interrupt(thread_id: int, exception: type[BaseException]) -> None:
    """Raise an exception in a thread, at its next step of Python code. A call into C is not interrupted."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(exception))
