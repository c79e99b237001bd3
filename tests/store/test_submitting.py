"""New jobs are stored in order and complete, whether by one statement or by many."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from store.verbs import File

from gigq import Job, UnknownParent


def job(name: str, **options: object) -> Job:
    return Job(name, "functions:nothing", id=name, **options)  # type: ignore[arg-type]


def rows(file: File) -> list[dict[str, object]]:
    with file.queue.database.read() as tx:
        return [dict(row) for row in tx.rows("SELECT * FROM jobs ORDER BY seq")]


def test_jobs_of_all_kinds_are_stored_in_the_order_given(file: File) -> None:
    kinds: list[dict[str, object]] = [
        {},
        {},
        {"tags": ["t"]},
        {"delay": 5},
        {},
        {"unique_key": "k"},
        {"dependencies": ["0"]},
    ]
    jobs = [job(str(number), **kinds[number % len(kinds)] if number < len(kinds) else {}) for number in range(300)]
    assert file.queue.submit_many(jobs) == [str(number) for number in range(300)]
    assert [row["id"] for row in rows(file)] == [str(number) for number in range(300)]


def test_a_plain_job_is_stored_as_one_with_tags_is(file: File) -> None:
    file.queue.submit_many([job("plain"), job("tagged", tags=["t"]), *(job(str(number)) for number in range(100))])
    plain, tagged, *many = ({**row, "seq": 0, "id": "", "name": ""} for row in rows(file))
    assert plain == tagged
    assert all(each == plain for each in many)


@pytest.mark.parametrize("number", [1, 47, 48, 49, 100])
def test_jobs_that_are_stored_already_are_left_as_they_are(file: File, number: int) -> None:
    file.queue.submit_many(job(str(each)) for each in range(0, number, 2))
    before = rows(file)
    file.clock.advance(1)
    assert file.queue.submit_many(job(str(each)) for each in range(number)) == [str(each) for each in range(number)]
    after = rows(file)
    assert after[: len(before)] == before
    assert sorted(str(row["id"]) for row in after) == sorted(str(each) for each in range(number))


def test_the_same_job_twice_in_one_call_is_stored_once(file: File) -> None:
    assert file.queue.submit_many([job("a"), job("a"), job("b", tags=["t"]), job("b", tags=["t"])]) == [
        "a",
        "a",
        "b",
        "b",
    ]
    assert [row["id"] for row in rows(file)] == ["a", "b"]


@pytest.mark.parametrize("number", [1, 47, 48, 49, 100, 145])
def test_an_id_knows_whether_its_job_was_stored_by_this_call(file: File, number: int) -> None:
    file.queue.submit_many([job(str(each)) for each in range(0, number, 3)])
    ids = file.queue.submit_many([job(str(each)) for each in range(number)])
    assert [each.is_new for each in ids] == [each % 3 > 0 for each in range(number)]
    assert [each.is_new for each in file.queue.submit_many([job("new"), *(job(each) for each in ids), job("new")])] == [
        True, *[False] * (number + 1),
    ]  # fmt: skip


def test_of_a_job_that_comes_twice_in_one_call_the_first_is_new(file: File) -> None:
    plain = [job(str(each % 30)) for each in range(100)]
    ids = file.queue.submit_many([*plain, job("t", tags=["t"]), job("t", tags=["t"]), *plain])
    assert [each.is_new for each in ids] == [*[True] * 30, *[False] * 70, True, False, *[False] * 100]


def test_an_id_is_not_new_if_it_is_that_of_the_job_that_has_the_key(file: File) -> None:
    first = file.queue.submit(job("first", unique_key="k"))
    again = file.queue.submit(job("first", unique_key="k"))
    second = file.queue.submit(job("second", unique_key="k"))
    assert first == again == second == "first"
    assert [each.is_new for each in (first, again, second)] == [True, False, False]
    child = job("child", dependencies=[first])
    assert [file.queue.submit(child).is_new for _ in range(2)] == [True, False]


@pytest.mark.parametrize("tags", [[], ["t"]])
def test_an_id_that_comes_again_without_its_key_is_that_of_the_job_stored_then(file: File, tags: list[str]) -> None:
    """The id of the job that has the key was returned, as if that had been new; and its children got that parent."""
    keyed = [job("first", unique_key="k"), job("second", unique_key="k")]
    ids = file.queue.submit_many([*keyed, job("second", tags=tags), job("child", dependencies=["second"])])
    assert [(each, each.is_new) for each in ids] == [
        ("first", True), ("first", False), ("second", True), ("child", True),
    ]  # fmt: skip
    assert file.value("SELECT id FROM jobs WHERE seq = (SELECT parent FROM job_dependencies)") == "second"


def test_an_id_is_ordinary_text(file: File) -> None:
    job_id = file.queue.submit(job("job"))
    assert (repr(job_id), json.dumps([job_id]), {job_id: 1}["job"]) == ("'job'", '["job"]', 1)
    for same in (pickle.loads(pickle.dumps(job_id)), copy.deepcopy(job_id)):
        assert (same, same.is_new) == ("job", True)


def test_an_unknown_parent_among_many_stores_nothing(file: File) -> None:
    jobs = [*(job(str(number)) for number in range(60)), job("child", dependencies=["unknown"])]
    with pytest.raises(UnknownParent, match="'unknown'"):
        file.queue.submit_many(jobs)
    assert rows(file) == []


def test_a_child_may_follow_its_parent_among_plain_jobs(file: File) -> None:
    file.queue.submit_many([job("a"), job("parent"), job("child", dependencies=["parent"]), job("b")])
    assert [(row["id"], row["blockers"]) for row in rows(file)] == [("a", 0), ("parent", 0), ("child", 1), ("b", 0)]
