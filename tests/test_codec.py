"""Values read back as they were written, or are refused with their place."""

from __future__ import annotations

import json
import math
import re
import sys
from collections import OrderedDict, namedtuple
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pytest

from gigq import NotSerializable
from gigq.codec import PARAMS_LIMIT, RESULT_LIMIT, decode, encode, encode_object, standard

LONE = "\ud800"
NOON = datetime(2026, 1, 1, tzinfo=UTC)


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
        ([Level.HIGH, Word.RED] * 20, [7, "red"] * 20),
        ({1: "a", 2.5: "b", True + 1: "c", None: "d"}, {"1": "a", "2.5": "b", "2": "c", "null": "d"}),
        ({False: 0, True: 1}, {"false": 0, "true": 1}),
        ({Level.HIGH: 1, math.inf: 2, -math.inf: 3}, {"7": 1, "Infinity": 2, "-Infinity": 3}),
        ({"rows": {1: {2: {3: 4}}}}, {"rows": {"1": {"2": {"3": 4}}}}),
    ],
)
def test_a_tuple_an_enum_and_a_key_become_what_json_makes_of_them(value: object, back: object) -> None:
    assert decode(written(value)) == back


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, [math.nan], {"x": {"y": [math.inf, -math.inf, 1.5]}}, [math.nan] * 20]
)
def test_nan_and_the_infinities_come_back(value: object) -> None:
    assert repr(decode(written(value))) == repr(value)


def test_the_json_of_nan_is_that_of_json5() -> None:
    assert written([math.nan, math.inf, -math.inf]) == "[NaN,Infinity,-Infinity]"


def test_other_programs_are_shown_null_for_nan_and_the_infinities() -> None:
    value = {"a": [math.nan, (1.5, math.inf)], "b": {"c": -math.inf, "d": "NaN"}, "e": None}
    assert standard(value) == {"a": [None, [1.5, None]], "b": {"c": None, "d": "NaN"}, "e": None}


def test_keys_keep_their_order() -> None:
    assert list(decode(written({"b": 1, "a": 2, "c": 3}))) == ["b", "a", "c"]


def test_json_is_compact_and_readable() -> None:
    assert written({"city": "Zürich", "n": [1, 2.5, None, True]}) == '{"city":"Zürich","n":[1,2.5,null,true]}'


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"user": {"avatar": b"png"}},
            'params["user"]["avatar"] is of type bytes, which JSON cannot hold: use x.decode(), or',
        ),
        (
            {"a": [1, {"b": {2}}]},
            'params["a"][1]["b"] is of type set, which JSON cannot hold: use sorted(x) or list(x)',
        ),
        (
            {"a": (0, (1, object()))},
            'params["a"][1][1] is of type object, which JSON cannot hold: convert it, or give default=',
        ),
        ({"g": [(i for i in ())]}, 'params["g"][0] is of type generator, which JSON cannot hold: use list(x)'),
        ({"x": LONE}, 'params["x"] is text with a lone surrogate, which UTF-8 cannot hold'),
        ({"x": [f"plain {LONE} text"]}, 'params["x"][0] is text with a lone surrogate, which UTF-8 cannot hold'),
        ({"x": {LONE: 1}}, r"""params["x"] has the key '\ud800' with a lone surrogate, which UTF-8 cannot hold"""),
        ({"x": [1] * 20 + [{LONE}]}, 'params["x"][20] is of type set'),
        (
            {"x": {1: "a", "1": "b"}},
            """params["x"] has the keys 1 and '1', and both are '1' in JSON, which has only text""",
        ),
        ({None: "a", "null": 1}, "params has the keys None and 'null', and both are 'null' in JSON"),
        ({"x": {True: 1, "true": 2}}, """params["x"] has the keys True and 'true', and both are 'true' in JSON"""),
        ({"x": {0.5: 1, "0.5": 2}}, """params["x"] has the keys 0.5 and '0.5', and both are '0.5' in JSON"""),
        ({"x": {math.nan: 1, "NaN": 2}}, """params["x"] has the keys nan and 'NaN', and both are 'NaN' in JSON"""),
        ({"x": {(1, 2): 1}}, 'params["x"] has the key (1, 2), and keys must be text, numbers, True, False or None'),
        (
            {"x": {b"k": 1}},
            """params["x"] has the key b'k', and keys must be text, numbers, True, False or None: use str(""",
        ),
        ({"x": [10**4300]}, 'params["x"][0] is an integer of more than 4,200 digits: pass it as text'),
        ({"x": -(10**5000)}, 'params["x"] is an integer of more than 4,200 digits: pass it as text'),
        ({'say "hi"\n': b""}, r'params["say \"hi\"\n"] is of type bytes, which JSON cannot hold'),
        ({"Zürich": b""}, 'params["Zürich"] is of type bytes, which JSON cannot hold'),
        ([0, 1, b""], "params[2] is of type bytes, which JSON cannot hold"),
    ],
)
def test_the_message_names_the_place(value: object, message: str) -> None:
    with pytest.raises(NotSerializable) as raised:
        written(value)
    assert str(raised.value).startswith(message)


def test_the_first_fault_is_named() -> None:
    with pytest.raises(NotSerializable, match=r'^result\["a"\]\[1\] is of type set'):
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
    ("value", "place"),
    [
        (itself_in_a_list(), "[0]"),
        (itself_in_a_dict(), '["me"][0]'),
        (itself_twice(), "[0]"),
        ([itself_in_a_list()], "[0][0]"),
    ],
)
def test_a_value_that_contains_itself_is_refused(value: object, place: str) -> None:
    with pytest.raises(NotSerializable, match=f"^{re.escape(f'params{place} contains itself')}$"):
        written(value)


@pytest.mark.parametrize(
    "value", [nested(201), nested(100_000), {"a": nested(200)}, [nested(150), [nested(50), nested(200)]]]
)
def test_a_value_that_is_nested_too_deeply_is_refused(value: object) -> None:
    with pytest.raises(NotSerializable, match=r"^params is nested more than 200 deep$"):
        written(value)


def test_a_part_that_is_not_too_deep_in_one_place_may_be_in_another() -> None:
    part = nested(150)
    assert decode(written([part, part])) == [part, part]
    with pytest.raises(NotSerializable, match="nested more than 200 deep"):
        written([part, deepened(part, levels=60)])


def deepened(value: object, *, levels: int) -> object:
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("kind", [list, tuple, dict])
def test_a_value_that_shares_its_parts_costs_its_size(kind: type) -> None:
    value: object = 1
    for _ in range(150):
        value = {"a": value, "b": value} if kind is dict else kind([value, value])
    with pytest.raises(
        NotSerializable, match=r"^params has at least [0-9,]{50,} bytes of JSON, and the limit is 1,000,000;"
    ):
        written(value)


@pytest.mark.parametrize(
    "value", [["x" * 100_000] * 100_000, [["x" * 900_000] * 20] * 90_000, [[1] * 100_000] * 100_000]
)
def test_a_value_with_the_same_part_in_many_places_is_refused_without_writing_it(value: object) -> None:
    with pytest.raises(NotSerializable, match="has at least"):
        written(value)


def test_a_value_that_json_lacks_costs_its_size_too() -> None:
    value: object = {1}
    for _ in range(150):
        value = [value, value]
    with pytest.raises(NotSerializable, match="is of type set, which JSON cannot hold"):
        written(value)
    with pytest.raises(NotSerializable, match="has at least"):
        encode(value, name="params", limit=PARAMS_LIMIT, default=list)


@pytest.fixture
def deep_stack() -> Iterator[None]:
    """Raise the recursion limit of this process, as some programs do."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


@pytest.fixture
def wide_integers() -> Iterator[None]:
    """Let this process write integers of any length, as some programs do."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(before)


@pytest.mark.usefixtures("wide_integers")
def test_a_writer_of_wider_integers_writes_none_that_others_cannot_read() -> None:
    with pytest.raises(NotSerializable, match=r"^params\[1\] is an integer of more than 4,200 digits"):
        written([1, 10**5000])


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


def converted(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set):
        return sorted(value)
    raise TypeError(f"no {type(value).__name__}")


def test_default_converts_what_json_lacks() -> None:
    value = {"at": NOON, "in": [{NOON}, {3: {2, 1}}], "plain": 1}
    text = encode(value, name="params", limit=1000, default=converted)
    assert decode(text) == decode(json.dumps(value, default=converted))


def test_default_is_called_once_for_each_object() -> None:
    asked = list[object]()

    def default(value: object) -> object:
        asked.append(value)
        return ["converted"]

    thing, other = {1}, {2}
    text = encode([thing, thing, [thing, other]], name="x", limit=1000, default=default)
    assert decode(text) == [["converted"], ["converted"], [["converted"], ["converted"]]]
    assert asked == [thing, other]


@pytest.mark.parametrize(
    ("default", "message"),
    [
        (
            converted,
            r"^x\[1\] is of type decimal.Decimal, .*: use str\(x\) or .* \(default raised TypeError: no Decimal\)$",
        ),
        (lambda value: value, r"^x\[1\] is of type decimal.Decimal, .* \(default returned it as it was\)$"),
        (lambda value: Decimal(value + 1), r"^x is nested more than 200 deep$"),
        (lambda value: {"me": value}, r'^x\[1\]\["me"\] contains itself$'),
        (lambda value: {1: 1, "1": 2}, r"^x\[1\] has the keys 1 and '1'"),
        (lambda value: LONE, r"^x\[1\] is text with a lone surrogate"),
        (lambda value: "x" * 1000, r"^x has 1,006 bytes of JSON, and the limit is 1,000"),
    ],
)
def test_a_default_that_does_not_help_is_refused(default: Any, message: str) -> None:
    with pytest.raises(NotSerializable, match=message):
        encode([1, Decimal(1)], name="x", limit=1000, default=default)


def test_the_error_of_default_is_the_cause() -> None:
    with pytest.raises(NotSerializable) as raised:
        encode(Decimal(1), name="x", limit=1000, default=converted)
    assert isinstance(raised.value.__cause__, TypeError)


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
