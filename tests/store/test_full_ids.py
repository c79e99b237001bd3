"""The id that an incomplete one means."""

from __future__ import annotations

import pickle

import pytest
from store.verbs import File

from gigq import AmbiguousId, Job, JobNotFound, ReadTooLong


def test_the_beginning_or_the_end_of_an_id_is_enough(file: File) -> None:
    ids = file.queue.submit_many(Job("job", "m:f") for _ in range(300))
    assert {file.queue.full_id(each[-8:]) for each in ids} == set(ids)
    assert file.queue.full_id(ids[0][-8:].upper()) == ids[0]
    assert file.queue.full_id(ids[0][:-1]) == ids[0]


def test_a_complete_id_means_its_own_job(file: File) -> None:
    for job_id in ("report", "report-2", "my-report"):
        file.submit(id=job_id)
    assert file.queue.full_id("report") == "report"


@pytest.mark.parametrize("handle", ["abc", "xyz", "cdeg", "c*ef", "????", "[c]def", "\0def", "x" * 2_000, "ABCD"])
def test_what_no_id_begins_or_ends_with_is_not_found(file: File, handle: str) -> None:
    file.submit(id="0-abcdef-abc")
    file.submit(id="1-abcdef")
    with pytest.raises(JobNotFound):
        file.queue.full_id(handle)


@pytest.mark.parametrize("end", ["*[x]", "a?b*", "[abc", "\\x41", "%_%_", "'; --", "a\0bcd", "ü ß🎉", "y" * 2_000])
def test_an_id_may_end_with_any_text(file: File, end: str) -> None:
    job_id = file.submit(id=f"first {end}")
    file.submit(id="first xxxx")
    assert file.queue.full_id(end) == job_id


def test_an_ambiguous_one_lists_the_jobs_that_it_may_mean(file: File) -> None:
    file.submit("build", id="2026-report")
    file.fail(file.submit("send", id="report-of-may", priority=1))
    with pytest.raises(AmbiguousId) as caught:
        file.queue.full_id("report")
    assert [tuple(each) for each in caught.value.candidates] == [
        ("report-of-may", "send", "failed"), ("2026-report", "build", "pending"),
    ]  # fmt: skip
    assert str(caught.value) == (
        "2 jobs have ids that begin or end with 'report'; give more of it: "
        "report-of-may ('send', failed); 2026-report ('build', pending)"
    )
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.candidates) == (str(caught.value), caught.value.candidates)


def test_of_many_only_ten_are_listed(file: File) -> None:
    file.queue.submit_many(Job("job", "m:f", id=f"{number:02}-same") for number in range(30))
    with pytest.raises(AmbiguousId, match="several jobs have ids that begin or end with 'same'") as caught:
        file.queue.full_id("same")
    assert str(caught.value).endswith("; 20-same ('job', pending); and others")
    assert [each.id for each in caught.value.candidates] == [f"{number}-same" for number in range(29, 19, -1)]


def test_it_stops_when_its_time_is_over(file: File) -> None:
    file.queue.submit_many(Job("job", "m:f") for _ in range(3_000))
    with pytest.raises(ReadTooLong):
        file.queue.full_id("zzzz", within=0)
