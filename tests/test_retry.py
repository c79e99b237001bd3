"""The wait before a retry, and the exceptions that are worth one."""

from __future__ import annotations

import math

import pytest

from gigq import GigqError, JobTimeout, QueueBusy
from gigq.paths import names_of
from gigq.retry import RetryRule, is_worth_retrying, longest_wait, wait_after_release

HOUR = 3600.0


def rule(delay: float = 0.0, backoff: float = 1.0, max_delay: float = HOUR, jitter: float = 0.0) -> RetryRule:
    return RetryRule(delay=delay, backoff=backoff, max_delay=max_delay, jitter=jitter)


@pytest.mark.parametrize(
    ("numbers", "failures", "wait"),
    [
        (rule(), 1, 0),
        (rule(delay=5), 1, 5),
        (rule(delay=5), 100, 5),
        (rule(delay=1, backoff=2), 1, 1),
        (rule(delay=1, backoff=2), 2, 2),
        (rule(delay=1, backoff=2), 3, 4),
        (rule(delay=1, backoff=2), 12, 2048),
        (rule(delay=1, backoff=2), 13, HOUR),
        (rule(delay=0.5, backoff=1.5), 3, 1.125),
        (rule(delay=10, backoff=3, max_delay=300), 4, 270),
        (rule(delay=10, backoff=3, max_delay=300), 5, 300),
        (rule(delay=7200), 1, HOUR),
        (rule(delay=5, max_delay=0), 1, 0),
        # The power is larger than any float
        (rule(delay=1, backoff=2), 1026, HOUR),
        (rule(delay=1e-300, backoff=1e6), 60, HOUR),
        (rule(delay=1e300, backoff=1e6, max_delay=1e308), 3, 1e308),
        (rule(delay=1, backoff=2), 2**62, HOUR),
        (rule(delay=1, backoff=1), 2**62, 1),
        (rule(delay=0, backoff=2), 1026, 0),
        (rule(delay=0, backoff=1e6), 2**62, 0),
    ],
)
def test_the_wait_grows_up_to_the_maximum(numbers: RetryRule, failures: int, wait: float) -> None:
    assert numbers.wait(failures, chance=0.5) == pytest.approx(wait)


@pytest.mark.parametrize(
    ("delay", "given", "longest"),
    [(0, None, HOUR), (10, None, HOUR), (HOUR, None, HOUR), (6 * HOUR, None, 6 * HOUR), (10, 60, 60), (0, 0, 0)],
)
def test_the_longest_wait_that_was_not_given_is_never_shorter_than_the_first(
    delay: float, given: float | None, longest: float
) -> None:
    assert longest_wait(delay, given) == longest


@pytest.mark.parametrize(
    ("jitter", "chance", "share"),
    [(0.0, 0.9, 1.0), (0.25, 0.0, 1.0), (0.25, 1.0, 0.75), (0.25, 0.5, 0.875), (1.0, 1.0, 0.0), (1.0, 0.25, 0.75)],
)
def test_jitter_only_shortens_the_wait(jitter: float, chance: float, share: float) -> None:
    assert rule(delay=100, jitter=jitter).wait(1, chance=chance) == pytest.approx(100 * share)


def test_jitter_shortens_the_maximum_too() -> None:
    assert rule(delay=1, backoff=10, max_delay=60, jitter=0.5).wait(9, chance=1.0) == pytest.approx(30)


@pytest.mark.parametrize("failures", [1, 2, 50, 51, 52, 53, 54, 400, 10_000])
@pytest.mark.parametrize("delay", [0.0, 5e-324, 1.0, 1e308])
@pytest.mark.parametrize("backoff", [1.0, 1.0000001, 1e6])
def test_a_wait_is_always_between_zero_and_the_maximum(failures: int, delay: float, backoff: float) -> None:
    wait = rule(delay=delay, backoff=backoff, max_delay=1e9, jitter=1.0).wait(failures, chance=0.3)
    assert math.isfinite(wait)
    assert 0 <= wait <= 1e9


class Outer:
    class Error(ConnectionError):
        """An exception whose name has a dot of its own."""


@pytest.mark.parametrize(
    ("exception", "names"),
    [
        (KeyError, {"KeyError", "builtins.KeyError", "LookupError", "Exception", "builtins.BaseException"}),
        (JobTimeout, {"JobTimeout", "gigq.errors.JobTimeout", "BaseException"}),
        (QueueBusy, {"QueueBusy", "gigq.errors.QueueBusy", "GigqError", "gigq.errors.GigqError", "Exception"}),
        (Outer.Error, {"Outer.Error", f"{__name__}.Outer.Error", "ConnectionError", "OSError", "builtins.OSError"}),
        (SystemExit, {"SystemExit", "BaseException"}),
    ],
)
def test_an_exception_is_known_by_its_bases_too(exception: type[BaseException], names: set[str]) -> None:
    assert names <= names_of(exception)


@pytest.mark.parametrize(
    ("exception", "name"),
    [
        (KeyError, "ValueError"),
        (KeyError, "object"),
        (KeyError, "keyerror"),
        (Outer.Error, "Error"),
        (GigqError, "JobTimeout"),
        (JobTimeout, "Exception"),
        (SystemExit, "Exception"),
    ],
)
def test_an_exception_is_not_known_by_other_names(exception: type[BaseException], name: str) -> None:
    assert name not in names_of(exception)


def test_a_base_class_that_is_not_an_exception_gives_no_name() -> None:
    class Mixin:
        pass

    class Mixed(Mixin, ValueError):
        pass

    assert not [name for name in names_of(Mixed) if name.endswith("Mixin")]


@pytest.mark.parametrize(
    ("exception", "retry_on", "no_retry_on", "is_worth_it"),
    [
        (ValueError, [], [], True),
        (SystemExit, [], [], True),
        (ValueError, ["ValueError"], [], True),
        (ValueError, ["builtins.ValueError"], [], True),
        (ValueError, ["KeyError"], [], False),
        (ValueError, ["KeyError", "ValueError"], [], True),
        (UnicodeError, ["ValueError"], [], True),
        (ValueError, ["UnicodeError"], [], False),
        (ValueError, [], ["ValueError"], False),
        (ValueError, [], ["Exception"], False),
        (ValueError, [], ["KeyError"], True),
        (UnicodeError, ["ValueError"], ["UnicodeError"], False),
        (UnicodeError, ["UnicodeError"], ["ValueError"], False),
        (ValueError, ["ValueError"], ["ValueError"], False),
        (ConnectionResetError, ["OSError"], ["TimeoutError"], True),
    ],
)
def test_an_exception_is_retried_if_it_is_wanted_and_not_refused(
    exception: type[BaseException], retry_on: list[str], no_retry_on: list[str], is_worth_it: bool
) -> None:
    assert is_worth_retrying([names_of(exception)], retry_on=retry_on, no_retry_on=no_retry_on) is is_worth_it


@pytest.mark.parametrize(("delay", "wait"), [(0.0, 0.1), (0.05, 0.1), (1.0, 1.0), (600.0, 600.0)])
def test_a_job_that_gives_itself_back_pauses_for_a_tenth_of_a_second_at_least(delay: float, wait: float) -> None:
    assert wait_after_release(delay) == wait
