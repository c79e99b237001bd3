"""Jobs of the tests of child processes, which import them as `process_functions`."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from typing import Any


def pid() -> int:
    return os.getpid()


def echo(value: Any) -> Any:
    return value


def count(text: str) -> int:
    return len(text)


def letters(count: int) -> str:
    return "ü" * count


def first_says(there: str, back: str) -> str:
    """Write to one FIFO and read from another. Returns only if another job does the opposite at the same time."""
    with open(there, "w") as sender:
        sender.write("hello")
    with open(back) as receiver:
        return receiver.read()


def then_says(there: str, back: str) -> str:
    with open(there) as receiver:
        heard = receiver.read()
    with open(back, "w") as sender:
        sender.write("and to you")
    return heard


def hang(gate: str, stubborn: bool = False) -> None:
    """Write this process's id to the gate, and never return. The gate stays open as long as the process lives."""
    if stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _enter(gate)
    while True:
        threading.Event().wait(0.05)  # not for ever: Python misses a signal that comes just before it begins to wait


def hang_in_c(gate: str) -> None:
    """Write this process's id to the gate, and never return to Python, nor let another thread run."""
    _enter(gate)
    sum(range(10**15))


def hang_in_a_process_of_its_own(gate: str) -> None:
    """Start another process that holds the gate, and wait for it."""
    code = "import sys; sys.path[:0] = sys.argv[2:]; import process_functions as p; p.hang(sys.argv[1], True)"
    subprocess.run([sys.executable, "-c", code, gate, *sys.path], check=True)


def wait_for_bytes(gate: str, until: str) -> None:
    """Write this process's id to the gate, and return when another FIFO has been written to."""
    _enter(gate)
    with open(until, "rb") as receiver:
        receiver.read(1)


def clean_up_when_stopped(gate: str, path: str) -> None:
    """Write this process's id to the gate, and write to a file when SIGTERM comes."""

    def clean_up(number: int, frame: object) -> None:
        with open(path, "a") as file:
            file.write("cleaned up\n")
        sys.exit(1)

    signal.signal(signal.SIGTERM, clean_up)
    _enter(gate)
    while True:
        threading.Event().wait(0.05)  # not for ever: Python misses a signal that comes just before it begins to wait


def fall(depth: int, gate: str) -> None:
    """Call itself this often, and then hang."""
    if depth:
        fall(depth - 1, gate)
    hang(gate)


def end_another_process(number: int) -> int:
    """Start another program, send it a signal, and return its exit code."""
    with subprocess.Popen(["sleep", "60"]) as program:
        program.send_signal(number)
        return program.wait()


def dispositions_of_another_process() -> dict[str, int]:
    """Return which signals another program finds blocked and ignored, as sets of bits."""
    found = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout
    lines = dict(line.split(":\t") for line in found.splitlines())
    return {name: int(lines[name], 16) for name in ("SigBlk", "SigIgn")}


def print_much(count: int, program: str) -> int:
    """Print lines to both streams, and then let another program print some, too."""
    for _ in range(count):
        print("x" * 99, flush=True)
        print("y" * 99, file=sys.stderr, flush=True)
    return subprocess.run([program, "done"], check=True).returncode


def environment(name: str) -> str | None:
    return os.environ.get(name)


def sleep() -> None:
    threading.Event().wait(60)


def exit_now(code: int) -> None:
    os._exit(code)


def crash() -> None:
    ctypes.string_at(0)


def close_all_files() -> None:
    os.closerange(3, 1000)
    signal.pause()


def write_to_every_socket(text: str) -> None:
    """Write to this process's connection to its worker, among others, and never return."""
    for number in os.listdir("/proc/self/fd"):
        if _is_open(number) and os.readlink(f"/proc/self/fd/{number}").startswith("socket:"):
            os.write(int(number), text.encode())
    signal.pause()


def fork_and_return() -> int:
    """Return twice: in this process, and in a copy of it that must not answer."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return child


def open_files() -> list[str]:
    return [os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if _is_open(number)]


def signals() -> dict[str, bool]:
    names = ("SIGINT", "SIGTERM")
    return {name: signal.getsignal(getattr(signal, name)) is signal.SIG_IGN for name in names}


def say(text: str) -> None:
    print(text)


def place() -> list[Any]:
    return [os.getcwd(), sys.argv, sys.stdin.read() if sys.stdin else None]


def _is_open(number: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{number}")


def _enter(gate: str) -> None:
    os.write(os.open(gate, os.O_WRONLY), f"{os.getpid()}\n".encode())
