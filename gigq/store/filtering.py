"""Filters as conditions of SQL on a row of `jobs`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from gigq.clock import to_text
from gigq.codec import encode_texts
from gigq.filters import Filters
from gigq.store.engine.searching import needles_of, search_for
from gigq.store.tables import phase_of

EVERY = "1"
"""The condition that every job passes."""

# First in the names alone: that takes less time where most jobs pass.
_IS_FOUND = """
    (instr(lower(name), :search)
     OR gigq_finds(
          CAST(:search AS BLOB),
          CAST(:separator AS BLOB),
          CAST(
              id || :separator || name || :separator || description || :separator || function || :separator
              || coalesce(error, '') || :separator || args || :separator || params AS BLOB)))"""

# The last attempt of most jobs went well, and these have no error. In ASCII SQLite itself knows the case.
_HAS_ERROR = """
    (error IS NOT NULL
     AND (instr(lower(error), :error_search)
          OR (length(error) <> length(CAST(error AS BLOB))
              AND gigq_finds(CAST(:error_search AS BLOB), CAST(:error_separator AS BLOB), CAST(error AS BLOB)))
          OR :error = (SELECT error_type
                         FROM executions
                        WHERE job_seq = jobs.seq AND completed_at IS NOT NULL
                        ORDER BY id DESC
                        LIMIT 1)))"""

_EQUAL = ("queue", "name", "priority", "worker_id")
_FROM = (("since", "created_at"), ("ended_since", "completed_at"))
_BEFORE = (("until", "created_at"), ("ended_until", "completed_at"))


def where(filters: Filters, *, now: str) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a condition, of fixed texts and names alone, and the values of the names.

    Args:
        now: the instant at which the phase of a job is asked for.
    """
    found, values = list[str](), {"now": now}
    for condition, names in _conditions(filters):
        found.append(condition)
        values.update(names)
    return " AND ".join(found) or EVERY, values


def named(name: str, values: Collection[Any]) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a list of named values, ``(:name0, :name1)``, and these."""
    names = [f"{name}{number}" for number in range(len(values))]
    return f"({', '.join(f':{each}' for each in names)})", dict(zip(names, values, strict=True))


def _conditions(filters: Filters) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the condition of each filter that was given, and the values of its names."""
    yield from _of_words(filters)
    if filters.ids is not None:
        yield "id IN (SELECT value FROM json_each(:ids))", {"ids": encode_texts(filters.ids)}
    for column in _EQUAL:
        value = getattr(filters, column)
        if value is not None:
            yield f"{column} = :{column}", {column: value}
    if filters.function is not None:
        these, values = named("function", spellings(filters.function))
        yield f"function IN {these}", values
    for name, column in _FROM:
        if (instant := getattr(filters, name)) is not None:
            yield f"{column} >= :{name}", {name: to_text(instant)}
    for name, column in _BEFORE:
        if (instant := getattr(filters, name)) is not None:
            yield f"{column} < :{name}", {name: to_text(instant)}
    yield from _of_texts(filters)


def _of_words(filters: Filters) -> Iterator[tuple[str, dict[str, Any]]]:
    if filters.statuses is not None:
        these, values = named("status", filters.statuses)
        yield f"status IN {these}", values
    if filters.phases is not None:
        these, values = named("phase", filters.phases)
        yield f"{phase_of(':now')} IN {these}", values
    if filters.tags:
        these, values = named("tag", filters.tags)
        tagged = f"SELECT count(*) FROM job_tags WHERE job_seq = jobs.seq AND tag IN {these}"
        yield f"({tagged}) = :tags", values | {"tags": len(filters.tags)}
    if filters.workflow is not None:
        belongs = "workflow_seq = (SELECT seq FROM job_workflows WHERE id = :workflow)"
        yield belongs, {"workflow": filters.workflow}


def _of_texts(filters: Filters) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what takes longest, which is therefore asked last."""
    if filters.error is not None:
        yield _HAS_ERROR, {"error": filters.error, **search_for(filters.error, prefix="error_")}
    for number, (path, wanted) in enumerate(filters.args):
        yield from _of_argument(f"arg{number}", path, wanted)
    if filters.search is not None:
        yield _IS_FOUND, search_for(filters.search)


def _of_argument(name: str, path: str, wanted: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what a job with such an argument has in its JSON somewhere, which SQLite sees at once; then the rest."""
    for number, needle in enumerate(needles_of(path, wanted)):
        each = f"{name}_{number}"
        yield f"(instr(params, :{each}) OR instr(args, :{each}))", {each: needle}
    columns = "CAST(args AS BLOB), CAST(params AS BLOB)"
    yield f"gigq_has({columns}, :{name}, :{name}_value)", {name: path, f"{name}_value": wanted}


def spellings(function: str) -> list[str]:
    """Return a function as it may be in the file: what is written with dots alone is mostly kept with a colon."""
    parts = function.replace(":", ".").split(".")
    found = [".".join(parts[:number]) + ":" + ".".join(parts[number:]) for number in range(len(parts) - 1, 0, -1)]
    return list(dict.fromkeys([function, *found, ".".join(parts)]))
