"""Which errors have one cause: what differs from one failure to the next is left out."""

from __future__ import annotations

import pytest

from gigq.failing import MOST, key_of, without_values


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("ValueError: no user 42", "ValueError: no user …"),
        ("KeyError: 'ada'", "KeyError: '…'"),
        ('no file "a b.txt" here', "no file '…' here"),
        ("`x` is not y", "'…' is not y"),
        ("its worker vm-25598-6bc8 died", "its worker vm-… died"),
        ("its worker vm-4711-0ade died", "its worker vm-… died"),
        ("its worker vm-31-fade died", "its worker vm-… died"),
        ("can't open it, and don't ask", "can't open it, and don't ask"),
        ("can't open '/tmp/x'", "can't open '…'"),
        ("<Thing object at 0x7f3a9c2b10>", "<Thing object at …>"),
        ("job 01a22313-7a74-7087-bab5-fe51ab380dd2 is gone", "job … is gone"),
        ("commit deadbeef42 is missing", "commit … is missing"),
        ("a defaced facade", "a defaced facade"),  # hexadecimal letters are words, too
        ("charge ch_1MqLiJLkdIwHu7ix failed", "charge … failed"),
        ("utf8 and python3 stay words", "utf… and python… stay words"),
        ("at 10.0.0.1:5432 since 2026-01-31 09:00", "at … since … …"),
        ("/data/2026/part-00017.csv is empty", "/data/…/part-….csv is empty"),
        ("took 1.5 s, not 0.2 s", "took … s, not … s"),
        ("one\n  two\tthree ", "one two three"),
        ("'" + "x" * MOST, "'…'"),
        ("", ""),
    ],
)
def test_what_differs_from_one_failure_to_the_next_is_left_out(error: str, message: str) -> None:
    assert without_values(error) == message


@pytest.mark.parametrize("text", ["'" * 1_000_000, "0x" * 500_000, "a1" * 500_000, " " * 1_000_000, '"\n' * 500_000])
def test_an_error_of_any_length_takes_no_time(text: str) -> None:
    assert len(without_values(text)) <= 2 * MOST


def test_a_key_is_short_and_stays_the_same() -> None:
    assert key_of("m:f", "ValueError", "no") == "8db4e4c9"


def test_each_part_of_a_cause_makes_another_key() -> None:
    causes = [("m:f", "E", "no"), ("m:g", "E", "no"), ("m:f", None, "no"), ("m:f", "E", "yes"), ("m:f", "En", "o")]
    assert len({key_of(*cause) for cause in causes}) == len(causes)
