"""Values read back as they were written, or are refused with their place."""

from __future__ import annotations

import json
import math
import sys
from collections import OrderedDict, namedtuple
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from typing import Any

import pytest

from gigq import NotSerializable
from gigq.codec import PARAMS_LIMIT, RESULT_LIMIT, decode, encode, encode_object

LONE = "\ud800"


class Colour(Enum):
    RED = "red"


# str() of it is "Word.RED"; its value must be stored all the same.
class Word(str, Enum):  # noqa: UP042
    RED = "red"


class Level(IntEnum):
    HIGH = 7


def written(value: object, *, name: str = "params", limit: int = PARAMS_LIMIT) -> str:
    return encode(value, name=name, limit=limit)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -1,
        2**63,
        -(10**4000),
        0.1,
        -0.0,
        5e-324,
        1.7976931348623157e308,
        "",
        "plain",
        'quote " backslash \\ newline \n nul \0 delete \x7f',
        "ünïcödé 日本語 𝄞 \u2028\u2029 \ufeff",
        "\U0010ffff",
        [],
        {},
        {"": {"": []}},
        {"ключ": [1, [2, [3]]], "\0": None},
        [[[], {}], {"a": {"b": {"c": [None, True]}}}],
    ],
)
def test_a_value_reads_back_as_it_was_written(value: object) -> None:
    back = decode(written(value))
    assert back == value
    assert repr(back) == repr(value)


@pytest.mark.parametrize(
    ("value", "back"),
    [
        ((1, (2, 3)), [1, [2, 3]]),
        (namedtuple("Point", "x y")(1, 2), [1, 2]),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (Word.RED, "red"),
        ({Word.RED: Word.RED}, {"red": "red"}),
        (Level.HIGH, 7),
    ],
)
def test_a_tuple_and_an_enum_become_their_nearest_equivalents_in_json(value: object, back: object) -> None:
    assert decode(written(value)) == back


def test_keys_keep_their_order() -> None:
    assert list(decode(written({"b": 1, "a": 2, "c": 3}))) == ["b", "a", "c"]


def test_json_is_compact_and_readable() -> None:
    assert written({"city": "Zürich", "n": [1, 2.5, None, True]}) == '{"city":"Zürich","n":[1,2.5,null,true]}'


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"user": {"avatar": b"png"}}, 'params["user"]["avatar"] is a bytes object, which JSON cannot hold'),
        ({"a": [1, {"b": {2}}]}, 'params["a"][1]["b"] is a set object, which JSON cannot hold'),
        ({"a": (0, (1, object()))}, 'params["a"][1][1] is an object object, which JSON cannot hold'),
        ({"at": datetime(2026, 1, 1, tzinfo=UTC)}, 'params["at"] is a datetime object, which JSON cannot hold'),
        ({"file": PurePosixPath("/")}, 'params["file"] is a PurePosixPath object, which JSON cannot hold'),
        ({"price": Decimal("1.5")}, 'params["price"] is a Decimal object, which JSON cannot hold'),
        ({"colour": Colour.RED}, 'params["colour"] is a Colour object, which JSON cannot hold'),
        ({"z": 1j}, 'params["z"] is a complex object, which JSON cannot hold'),
        ({"f": len}, 'params["f"] is a builtin_function_or_method object, which JSON cannot hold'),
        ({"g": (i for i in ())}, 'params["g"] is a generator object, which JSON cannot hold'),
        ({"e": ...}, 'params["e"] is an ellipsis object, which JSON cannot hold'),
        (frozenset(), "params is a frozenset object, which JSON cannot hold"),
        ({"x": math.nan}, 'params["x"] is nan, which JSON cannot hold'),
        ({"x": [math.inf]}, 'params["x"][0] is inf, which JSON cannot hold'),
        ({"x": {"y": -math.inf}}, 'params["x"]["y"] is -inf, which JSON cannot hold'),
        ({"x": LONE}, 'params["x"] is text with a lone surrogate, which UTF-8 cannot hold'),
        ({"x": [f"plain {LONE} text"]}, 'params["x"][0] is text with a lone surrogate, which UTF-8 cannot hold'),
        ({"x": {LONE: 1}}, r"""params["x"] has the key '\ud800' with a lone surrogate, which UTF-8 cannot hold"""),
        ({"x": {1: "a"}}, 'params["x"] has the key 1, and keys must be text: use str(key)'),
        ({None: "a"}, "params has the key None, and keys must be text: use str(key)"),
        ({"x": {True: 1}}, 'params["x"] has the key True, and keys must be text: use str(key)'),
        ({"x": {(1, 2): 1}}, 'params["x"] has the key (1, 2), and keys must be text: use str(key)'),
        ({"x": {b"k": 1}}, """params["x"] has the key b'k', and keys must be text: use str(key)"""),
        ({"x": [10**4300]}, 'params["x"][0] is an integer of more than 4,200 digits: pass it as text'),
        ({"x": -(10**5000)}, 'params["x"] is an integer of more than 4,200 digits: pass it as text'),
        ({'say "hi"\n': b""}, r'params["say \"hi\"\n"] is a bytes object, which JSON cannot hold'),
        ({"Zürich": b""}, 'params["Zürich"] is a bytes object, which JSON cannot hold'),
        ([0, 1, b""], "params[2] is a bytes object, which JSON cannot hold"),
    ],
)
def test_the_message_names_the_place(value: object, message: str) -> None:
    with pytest.raises(NotSerializable) as raised:
        written(value)
    assert str(raised.value) == message


def test_the_first_fault_is_named() -> None:
    with pytest.raises(NotSerializable, match=r'^result\["a"\]\[1\] is a set'):
        encode({"a": [0, set()], "b": b""}, name="result", limit=RESULT_LIMIT)


def itself_in_a_list() -> object:
    value: list[object] = []
    value.append(value)
    return value


def itself_in_a_dict() -> object:
    value: dict[str, object] = {}
    value["me"] = [value]
    return value


def itself_twice() -> object:
    value: list[object] = []
    value += [value, value, value]
    return value


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value", [itself_in_a_list(), itself_in_a_dict(), itself_twice(), nested(201), nested(100_000)]
)
def test_a_value_that_contains_itself_or_is_too_deep_is_refused(value: object) -> None:
    with pytest.raises(NotSerializable, match=r"^params contains itself, or is nested more than 200 deep$"):
        written(value)


@pytest.fixture
def deep_stack() -> Iterator[None]:
    """Raise the recursion limit of this process, as some programs do."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("deep_stack")
def test_a_writer_with_a_higher_recursion_limit_writes_nothing_that_others_cannot_read() -> None:
    with pytest.raises(NotSerializable, match="nested more than 200 deep"):
        written(nested(1500))


def test_the_deepest_value_that_is_written_can_be_read() -> None:
    value = nested(200)
    assert decode(written(value)) == value


def test_the_same_value_in_two_places_does_not_contain_itself() -> None:
    shared = {"a": [1]}
    assert decode(written([shared, shared])) == [shared, shared]


def test_a_key_that_cannot_even_be_shown_is_refused() -> None:
    with pytest.raises(NotSerializable, match="params cannot be written as JSON"):
        written({10**5000: 1})


@pytest.mark.parametrize(("text", "limit"), [("a" * 98, 100), ("é" * 49, 100), ("𝄞" * 25, 102), ("\n" * 49, 100)])
def test_a_value_at_the_limit_is_written(text: str, limit: int) -> None:
    assert len(written(text, limit=limit).encode()) == limit


@pytest.mark.parametrize("text", ["a" * 99, "é" * 50, "𝄞" * 25, "\n" * 50])
def test_the_limit_counts_bytes_not_characters(text: str) -> None:
    with pytest.raises(NotSerializable, match="and the limit is 100"):
        written(text, limit=100)


def test_a_value_that_is_too_large_is_refused_with_its_size_and_advice() -> None:
    with pytest.raises(NotSerializable) as raised:
        encode({"csv": "x" * 1_000_000}, name="params", limit=PARAMS_LIMIT)
    assert str(raised.value) == (
        "params has 1,000,010 bytes of JSON, and the limit is 1,000,000; "
        "store the data elsewhere and pass a reference, such as a path or a key"
    )


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"a": 1},
        {"b": [1, {"c": None}], "a": "ü"},
        {'say "hi" \\ \n ü': True},
    ],
)
def test_an_object_is_written_from_values_that_are_already_json(entries: dict[str, Any]) -> None:
    text = encode_object((key, written(value)) for key, value in entries.items())
    assert json.loads(text) == entries
    assert list(decode(text)) == list(entries)
