"""Which step a call is, and whether it is called as before."""

from __future__ import annotations

from contextlib import suppress
from contextvars import copy_context
from datetime import date
from threading import Thread
from typing import Any

import pytest

from gigq.errors import StepChanged
from gigq.runtime.step_names import ARGUMENTS_LIMIT, NAME_LIMIT, StepCall, StepNames, described


def reach(names: StepNames, name: str, *args: Any, **params: Any) -> StepCall:
    return names.reach(name, args, params)


def named(*steps: StepCall) -> list[tuple[str, int]]:
    return [(step.name, step.occurrence) for step in steps]


def in_a_thread(names: StepNames, name: str) -> StepCall | Exception:
    """What a thread of the job reaches, with the context copied."""
    found: list[StepCall | Exception] = []

    def run() -> None:
        try:
            found.append(reach(names, name))
        except (RuntimeError, ValueError) as error:
            found.append(error)

    thread = Thread(target=copy_context().run, args=(run,))
    thread.start()
    thread.join()
    return found[0]


def test_the_calls_of_one_name_are_counted_from_one() -> None:
    names = StepNames()

    assert named(reach(names, "a"), reach(names, "b"), reach(names, "a")) == [("a", 1), ("b", 1), ("a", 2)]


def test_a_step_inside_another_one_has_its_name_before_its_own_and_a_count_of_its_own() -> None:
    names = StepNames()
    first = reach(names, "inner")
    with names.inside(reach(names, "outer")):
        inner = reach(names, "inner")
        with names.inside(inner):
            innermost = reach(names, "inner")
    last = reach(names, "inner")

    assert named(first, inner, innermost, last) == [
        ("inner", 1), ("outer/inner", 1), ("outer/inner/inner", 1), ("inner", 2),
    ]  # fmt: skip
    assert [first.depth, inner.depth, innermost.depth, last.depth] == [0, 1, 2, 0]


def test_a_step_inside_the_second_call_of_another_one_does_not_depend_on_whether_the_first_was_remembered() -> None:
    fresh, replay = StepNames(), StepNames()
    with fresh.inside(reach(fresh, "outer")):
        reach(fresh, "inner")
    reach(replay, "outer")
    found = []
    for names in (fresh, replay):
        with names.inside(reach(names, "outer")):
            found.append(reach(names, "inner"))

    assert found[0] == found[1]
    assert named(found[0]) == [("outer[2]/inner", 1)]


def test_a_name_is_taken_by_the_thread_that_uses_it_first() -> None:
    names = StepNames()
    reach(names, "fetch")

    refused = in_a_thread(names, "fetch")
    other = in_a_thread(names, "fetch b.html")

    assert str(refused) == (
        "another thread of this job has used the step name 'fetch' before, so that the order of the calls is left to "
        "chance; in threads give each step a name of its own, such as f'fetch {item}'"
    )
    assert isinstance(other, StepCall)
    assert reach(names, "fetch").occurrence == 2  # what was refused is not counted


def test_a_thread_that_a_step_starts_names_its_steps_as_inside_that_step() -> None:
    names = StepNames()
    with names.inside(reach(names, "outer")):
        step = in_a_thread(names, "inner")

    assert isinstance(step, StepCall)
    assert (step.name, step.depth) == ("outer/inner", 1)


def test_the_steps_of_a_job_that_runs_inside_a_step_of_another_one_are_its_own() -> None:
    outer, inner = StepNames(), StepNames()
    with outer.inside(reach(outer, "run the other job")):
        assert named(reach(inner, "a")) == [("a", 1)]
        assert not inner.is_inside_one
        assert outer.is_inside_one


def test_a_name_with_a_slash_is_refused_where_a_step_inside_another_has_the_same() -> None:
    names = StepNames()
    with names.inside(reach(names, "a")):
        reach(names, "b")

    with pytest.raises(RuntimeError, match="two steps of this job have the full name 'a/b', one inside another"):
        reach(names, "a/b")


def fails(names: StepNames, name: str, *args: Any) -> StepCall:
    step = reach(names, name, *args)
    with suppress(OSError), names.trying(step):
        raise OSError
    return step


def test_a_call_that_is_tried_again_after_it_failed_has_the_same_number() -> None:
    names = StepNames()
    calls = [fails(names, "fetch", "a"), fails(names, "fetch", "a"), reach(names, "fetch", "a")]
    calls += [reach(names, "fetch", "a"), fails(names, "fetch", "b"), fails(names, "other", "b")]
    calls.append(reach(names, "fetch", "b"))

    assert [step.occurrence for step in calls] == [1, 1, 1, 2, 3, 1, 3]


def test_a_call_for_the_next_item_after_one_that_failed_has_a_number_of_its_own() -> None:
    names = StepNames()
    calls = [fails(names, "fetch", "a"), reach(names, "fetch", "b"), reach(names, "fetch", "a")]

    assert [step.occurrence for step in calls] == [1, 2, 3]


@pytest.mark.parametrize("args", [(), (object(),)])
def test_calls_whose_arguments_say_nothing_are_all_counted(args: tuple[Any, ...]) -> None:
    names = StepNames()
    calls = [fails(names, "fetch", *args), fails(names, "fetch", *args), reach(names, "fetch", *args)]

    assert [step.occurrence for step in calls] == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "the name of a step must not be empty"),
        (None, "the name of a step is None; it must be text"),
        (date.today, "the name of a step is <built-in method today of type object at .*; it must be text"),
        ("\ud800", "lone surrogates"),
        ("n" * (NAME_LIMIT + 1), "has a name of 501 characters; 500 are allowed"),
    ],
)
def test_a_name_must_be_text_of_a_reasonable_length(name: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        reach(StepNames(), name)


def test_equal_arguments_have_equal_fingerprints_whatever_the_order_of_keys() -> None:
    assert described([{"a": 1, "b": 2}], {"x": 1, "y": 2}) == described([{"b": 2, "a": 1}], {"y": 2, "x": 1})
    assert described([(1, 2)], {}) == described([[1, 2]], {})
    assert len({described(args, params)[0] for args, params in [([], {}), ([1], {}), ([], {"a": 1}), (["1"], {})]}) == 4


@pytest.mark.parametrize("value", [object(), date(2026, 1, 1), {1, 2}, {1: "a", "b": 2}, b"bytes"])
def test_arguments_that_json_lacks_are_not_compared(value: object) -> None:
    assert described([value], {}) == (None, None)


@pytest.mark.parametrize(
    ("args", "params", "shown"),
    [
        ([], {}, "[]"),
        (["a.html"], {}, '["a.html"]'),
        ([], {"url": "a.html"}, '{"url":"a.html"}'),
        (["ä", 1], {"depth": 2}, '["ä",1] {"depth":2}'),
        (["\ud800"], {}, '["\\ud800"]'),
    ],
)
def test_arguments_are_shown_as_json(args: list[Any], params: dict[str, Any], shown: str) -> None:
    assert described(args, params)[1] == shown


def test_of_long_arguments_the_beginning_is_shown_and_the_whole_compared() -> None:
    (first, shown), (second, also_shown) = described(["x" * 1000], {}), described(["x" * 1001], {})

    assert shown == also_shown == '["' + "x" * (ARGUMENTS_LIMIT - 3) + "…"
    assert first != second


def check(step: StepCall, *, depth: int = 0, args: tuple[Any, ...]) -> None:
    fingerprint, arguments = described(args, {})
    step.check_unchanged(depth=depth, fingerprint=fingerprint, arguments=arguments)


def test_a_step_with_other_arguments_has_changed_and_the_message_shows_both_and_what_to_do() -> None:
    names = StepNames()
    for _ in range(2):
        reach(names, "fetch", "c.html")
    step = reach(names, "fetch", "b.html")

    check(step, args=("b.html",))
    with pytest.raises(StepChanged) as raised:
        check(step, args=("a.html",))

    assert str(raised.value) == (
        "step 'fetch' (3rd time) was remembered for [\"a.html\"] and is now called for [\"b.html\"]; name each, such "
        "as f'fetch {item}', take what may change from a step of its own, or forget it with requeue_job(id, "
        "from_step='fetch')"
    )


def test_arguments_that_differ_only_where_they_are_not_shown_have_changed() -> None:
    with pytest.raises(StepChanged, match="which differs further on"):
        check(reach(StepNames(), "fetch", "x" * 1000), args=("x" * 1001,))


@pytest.mark.parametrize(("then", "now"), [(object(), "a"), ("a", object()), (object(), object())])
def test_what_cannot_be_compared_has_not_changed(then: object, now: object) -> None:
    check(reach(StepNames(), "fetch", now), args=(then,))


def test_a_step_that_was_remembered_inside_another_one_is_no_step_at_the_top() -> None:
    with pytest.raises(StepChanged, match="was remembered inside another step and is now called at the top of the job"):
        check(reach(StepNames(), "a/b"), depth=1, args=())


@pytest.mark.parametrize(
    ("occurrence", "words"),
    [(1, "step 'a'"), (2, "step 'a' (2nd time)"), (11, "step 'a' (11th time)"), (21, "step 'a' (21st time)"),
     (1012, "step 'a' (1,012th time)"), (1003, "step 'a' (1,003rd time)")],
)  # fmt: skip
def test_a_step_is_called_by_its_name_and_which_time_it_is(occurrence: int, words: str) -> None:
    assert StepCall("a", occurrence, 0, None, None).title == words
