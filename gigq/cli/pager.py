"""Long reads in a pager: `less`, or what GIGQ_PAGER or PAGER names; only where they do not fit on the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from gigq.cli.terminal import Terminal

_DEFAULT = "less -FRX"
"""It ends at once if all fits, shows colours, and leaves what was read on the screen."""


def show(lines: Sequence[str], terminal: Terminal, environ: Mapping[str, str]) -> bool:
    """Show lines in the pager, and return whether that was done; if not, they are to be printed.

    They are printed where they fit, where nobody wants a pager (``GIGQ_PAGER=``), and where it cannot be started.

    Args:
        lines: cleaned.
    """
    command = pager_in(environ)
    if not command or terminal.is_dumb or terminal.is_accessible or _rows(lines, terminal.width) < terminal.height:
        return False
    if command == _DEFAULT and not _is_there("less", environ):
        return False  # nobody asked for it: a shell's complaint would be noise
    return _piped("".join(f"{line}\n" for line in lines), command, environ)


def pager_in(environ: Mapping[str, str]) -> str:
    """Return the command of the pager; empty for none."""
    for name in ("GIGQ_PAGER", "PAGER"):
        if name in environ:
            return "" if environ[name].strip() == "cat" else environ[name].strip()
    return _DEFAULT


def _rows(lines: Sequence[str], width: int) -> int:
    """The lines of the screen that they take: a long one is continued on the next."""
    return sum(max(1, -(-len(line) // width)) for line in lines)


def _is_there(program: str, environ: Mapping[str, str]) -> bool:
    import shutil

    return shutil.which(program, path=environ.get("PATH")) is not None


def _piped(text: str, command: str, environ: Mapping[str, str]) -> bool:
    import signal
    import subprocess  # only here: it takes long to import

    # As git does: without these a pager of one's own shows colours as letters, and waits where all fits.
    variables = {"LESS": "FRX", "LV": "-c"} | dict(environ)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pager's: it ends a search there
    try:
        done = subprocess.run(
            command, shell=True, input=text.encode(errors="backslashreplace"), env=variables,
            preexec_fn=_heed_ctrl_c if os.name == "posix" else None,
        )  # fmt: skip
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGINT, before)
    return done.returncode not in (126, 127)  # the shell's words for a program that is not there


def _heed_ctrl_c() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
