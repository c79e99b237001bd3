"""The checks of values: the values that each accepts, and its message for others."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable
from datetime import timedelta
from enum import Enum, IntEnum
from functools import partial
from types import MappingProxyType
from typing import Any

import pytest

from gigq import checks
from gigq.checks import MOST_INTEGER


# str() of it is "Word.ONE"; its value is meant.
class Word(str, Enum):  # noqa: UP042
    ONE = "one"


class Number(IntEnum):
    TWO = 2


to_a_million = partial(checks.whole, least=1, most=1_000_000, or_else=", or None for no limit")
share = partial(checks.between, least=0.0, most=1.0)
colour = partial(checks.one_of, choices=("red", "blue"))
choice = partial(checks.one_of, choices=(True, False, None))


@pytest.mark.parametrize(
    ("check", "given", "kept"),
    [
        (checks.text, "a", "a"),
        (checks.text, "é", "é"),
        (checks.text, Word.ONE, "one"),
        (checks.any_text, "", ""),
        (checks.sequence, [1, 2], (1, 2)),
        (checks.sequence, {3}, (3,)),
        (checks.sequence, (each for each in "ab"), ("a", "b")),
        (checks.texts, ["b", "a", "b", Word.ONE], ("b", "a", "one")),
        (checks.texts, "mail", ("mail",)),
        (checks.texts, Word.ONE, ("one",)),
        (checks.texts, [], ()),
        (checks.several, "ab", ("ab",)),
        (checks.several, [5, "a"], (5, "a")),
        (checks.mapping, {"a": 1}, {"a": 1}),
        (checks.mapping, MappingProxyType({"a": 1}), {"a": 1}),
        (checks.mapping, ChainMap({"a": 1}), {"a": 1}),
        (colour, "red", "red"),
        (choice, False, False),
        (choice, None, None),
        (to_a_million, 1, 1),
        (to_a_million, 1_000_000, 1_000_000),
        (to_a_million, Number.TWO, 2),
        (partial(checks.whole, least=0), MOST_INTEGER, MOST_INTEGER),
        (checks.count, 0, 0),
        (share, 1, 1.0),
        (share, 0.5, 0.5),
        (checks.positive_seconds, timedelta(minutes=1), 60.0),
        (checks.positive_seconds, 1e-6, 1e-6),
    ],
)
def test_a_value_is_kept_in_one_form(check: Callable[[Any, str], Any], given: Any, kept: Any) -> None:
    found = check(given, "it")
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("check", "wrong", "message"),
    [
        (checks.text, "", "it must not be empty"),
        (checks.text, 5, "it is 5; it must be text"),
        (checks.any_text, b"a", "it is b'a'; it must be text"),
        (
            checks.any_text,
            "\ud800",
            r"it is '\ud800'; it must be text without lone surrogates, which UTF-8 cannot hold",
        ),
        (checks.sequence, "ab", "it is 'ab'; it must be a list"),
        (checks.sequence, {"a": 1}, "it is {'a': 1}; it must be a list"),
        (checks.sequence, None, "it is None; it must be a list"),
        (checks.texts, ["a", ""], "an entry of it must not be empty"),
        (checks.texts, "", "it must not be empty"),
        (checks.texts, b"ab", "it is b'ab'; it must be text, or a list of texts"),
        (checks.texts, {"a": 1}, "it is {'a': 1}; it must be text, or a list of texts"),
        (checks.texts, 5, "it is 5; it must be text, or a list of texts"),
        (checks.mapping, [("a", 1)], "it is [('a', 1)]; it must be a dict"),
        (colour, "green", 'it is \'green\'; it must be "red" or "blue"'),
        (choice, 1, "it is 1; it must be True, False or None"),
        (choice, "True", "it is 'True'; it must be True, False or None"),
        (to_a_million, 0, "it is 0; it must be a whole number from 1 to 1,000,000, or None for no limit"),
        (to_a_million, True, "it is True; it must be a whole number from 1 to 1,000,000, or None for no limit"),
        (to_a_million, 1.0, "it is 1.0; it must be a whole number from 1 to 1,000,000, or None for no limit"),
        (checks.count, -1, "it is -1; it must be a whole number from 0 up"),
        (checks.count, MOST_INTEGER + 1, "it is 9223372036854775808; it must be a whole number from 0 to "),
        (share, 1.1, "it is 1.1; it must be a number from 0 to 1"),
        (share, float("nan"), "it is nan; it must be a number from 0 to 1"),
        (share, False, "it is False; it must be a number from 0 to 1"),
        (checks.positive_seconds, 0, "it is 0; it must be more than 0"),
        (checks.positive_seconds, -1, "it is -1; it must be seconds from 0 up, a timedelta, or text"),
    ],
)
def test_any_other_value_is_refused_with_its_name_and_what_it_must_be(
    check: Callable[[Any, str], Any], wrong: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        check(wrong, "it")


def test_none_passes_what_is_optional() -> None:
    assert checks.optional(None, "it", checks.text) is None
    assert checks.optional("a", "it", checks.text) == "a"


def test_two_values_that_exclude_each_other_are_refused() -> None:
    checks.not_both(one=None, other=0)
    with pytest.raises(ValueError, match=r"^one and other were both given; give one$"):
        checks.not_both(one=0, other=0)


def test_an_unknown_name_is_refused_with_the_name_that_was_perhaps_meant() -> None:
    checks.known(["red"], among=["red", "blue"], what="colour")
    with pytest.raises(TypeError, match=r"^there is no colour 'rde'; did you mean 'red'\?$"):
        checks.known(["rde"], among=["red", "blue"], what="colour")
    with pytest.raises(TypeError, match=r"^there is no colour 'xyz'; there are red, blue$"):
        checks.known(["xyz"], among=["red", "blue"], what="colour")
