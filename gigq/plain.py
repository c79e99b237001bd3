"""Records as plain values that JSON can hold."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from gigq.clock import to_text


def as_plain(record: Any) -> dict[str, Any]:
    """Return the fields of a named tuple as plain values: words as text, instants as ISO-8601 text in UTC."""
    return {name: _plain(value) for name, value in zip(record._fields, record, strict=True)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, StrEnum):
        return value.value
    if hasattr(value, "as_dict"):
        return value.as_dict()
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
