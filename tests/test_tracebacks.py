"""Tracebacks for people."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable

import pytest

from gigq.tracebacks import folded


def text_of(function: Callable[[], object]) -> str:
    try:
        function()
    except Exception:
        return traceback.format_exc()
    raise AssertionError


def test_frames_of_libraries_are_one_line_and_own_ones_stay() -> None:
    def load() -> object:
        return json.loads("{")

    lines = folded(text_of(load))
    assert lines[0] == "Traceback (most recent call last):"
    assert [line.strip() for line in lines if "frames in" in line] == ["… 3 frames in json"]
    assert 'return json.loads("{")' in "\n".join(lines)
    assert lines[-1].startswith("json.decoder.JSONDecodeError: Expecting property name")


def frames(*files: str, repeats: int = 0) -> str:
    found = ["Traceback (most recent call last):"]
    for file in files:
        found += [f'  File "{file}", line 3, in f', "    f(x)", "    ~^^^"]
        found += [f"  [Previous line repeated {repeats} more times]"] * bool(repeats)
    return "\n".join([*found, "ValueError: no"])


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("/usr/lib/python3.11/json/decoder.py", "json"),
        ("/usr/local/lib/python3.13/random.py", "random"),
        ("/home/ann/venv/lib/python3.12/site-packages/httpx/_client.py", "httpx"),
        ("/usr/lib/python3/dist-packages/requests/api.py", "requests"),
        (r"C:\Python312\Lib\site-packages\httpx\_client.py", "httpx"),
        ("<frozen importlib._bootstrap>", "importlib"),
    ],
)
def test_what_is_a_library_is_told_by_its_file(file: str, name: str) -> None:
    assert folded(frames("/home/ann/app.py", file, file, repeats=7)) == [
        *frames("/home/ann/app.py", repeats=7).splitlines()[:-1],
        f"  … 2 frames in {name}",
        "ValueError: no",
    ]


def test_several_libraries_in_a_row_are_one_line() -> None:
    text = frames("/a/site-packages/x/y.py", "/home/ann/app.py", "/a/site-packages/x/y.py", "/a/lib/python3.11/ssl.py")
    assert [line for line in folded(text) if "…" in line] == ["  … 1 frame in x", "  … 2 frames in x, ssl"]


def test_a_traceback_without_own_frames_and_any_other_text_stay_as_they_are() -> None:
    for text in (frames("/a/site-packages/x/y.py", "<frozen os>"), "no traceback\n  at all", ""):
        assert folded(text) == text.splitlines()


def test_chains_and_groups_are_folded_part_by_part() -> None:
    def chain() -> None:
        try:
            json.loads("{")
        except ValueError as error:
            raise KeyError("a") from error

    def group() -> None:
        errors = []
        for function in (chain, lambda: json.loads("]")):
            try:
                function()
            except Exception as error:
                errors.append(error)
        raise ExceptionGroup("both", errors)

    lines = folded(text_of(group))
    assert [line for line in lines if "frames in" in line] == ["    |   … 3 frames in json"] * 2
    assert any(line.startswith("    | The above exception") for line in lines)
    assert lines[-1] == "    +------------------------------------"
