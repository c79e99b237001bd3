"""What a process asks the kernel for: to heed the modes of files although it is root's, and to die with its parent."""

from __future__ import annotations

import ctypes
import os
import signal

_VERSION_3 = 0x20080522
_DAC_RIGHTS = (1, 2)
_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def heed_modes() -> None:
    """Give up, for this process and its children, the right to read and write where modes forbid it. Linux only.

    See capabilities(7): `CAP_DAC_OVERRIDE` and `CAP_DAC_READ_SEARCH` leave the set in force, and the bound of what a
    new program gets.
    """
    if os.geteuid():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = _Header(_VERSION_3, 0), (_Sets * 2)()
    for right in _DAC_RIGHTS:
        _must(libc.prctl(_PR_CAPBSET_DROP, right, 0, 0, 0))
    _must(libc.capget(ctypes.byref(header), sets))
    for right in _DAC_RIGHTS:
        sets[0].effective &= ~(1 << right)
        sets[0].permitted &= ~(1 << right)
    _must(libc.capset(ctypes.byref(header), sets))


def die_with_parent() -> None:
    """Have this process killed when the one that started it ends. Linux only."""
    _must(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))


def _must(answer: int) -> None:
    if answer:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
