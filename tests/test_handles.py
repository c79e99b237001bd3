"""Short ids."""

from __future__ import annotations

import pytest

from gigq.handles import can_mean, short, shorts, typed
from gigq.job_ids import new_job_id

UUID = "01939a3e-5c2e-7f41-8a55-0123456789ab"


@pytest.mark.parametrize(
    ("job_id", "shown"),
    [(UUID, "456789ab"), ("nightly-report-2026", "nightly-report-2026"), ("x", "x"), ("", ""), ("a" * 21, "a" * 8)],
)
def test_an_id_is_shown_by_its_end_unless_it_is_short(job_id: str, shown: str) -> None:
    assert short(job_id) == shown


def test_jobs_that_would_share_a_handle_are_shown_whole() -> None:
    other = "01939a3e-5c2e-7f42-8a55-0123456789ab"
    assert shorts([UUID, other, "mail", UUID]) == [UUID, other, "mail", UUID]
    assert shorts([UUID, UUID, "mail"]) == ["456789ab", "456789ab", "mail"]


def test_the_ends_of_a_thousand_ids_made_together_differ() -> None:
    assert {len(each) for each in shorts([new_job_id() for _ in range(1000)])} == {8}


@pytest.mark.parametrize(
    ("handle", "job_id", "can"),
    [
        ("456789ab", UUID, True), ("456789AB", UUID, True), ("9ab", UUID, False), ("89ab", UUID, True),
        ("01939a3e", UUID, True), ("5c2e", UUID, False), (UUID, UUID, True), ("x", "x", True), ("", "x", False),
        ("Mail", "mail-2026", False), ("mail", "mail-2026", True), ("2026", "mail-2026", True),
    ],
)  # fmt: skip
def test_a_handle_means_jobs_whose_id_begins_or_ends_with_it(handle: str, job_id: str, can: bool) -> None:
    assert can_mean(handle, job_id) is can


@pytest.mark.parametrize("text", ["89ab", " 89ab\n", "…89ab", "...89ab", "89ab…"])
def test_what_surrounds_a_copied_handle_is_left_out(text: str) -> None:
    assert typed(text) == "89ab"
