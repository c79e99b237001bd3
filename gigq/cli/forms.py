"""The forms of an answer: lines for people, JSON, a line of JSON for each record, a format of one's own, or IDs."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from gigq.cleaning import clean
from gigq.cli.exits import UsageError

LINES, JSON, JSON_LINES, FORMAT, IDS = "lines", "json", "jsonl", "format", "quiet"

JSON_VERSION = 1
"""Raised when a field that --json prints is removed, or gets another meaning; new fields do not raise it."""


class Form(NamedTuple):
    """The form in which an answer is wanted.

    Attributes:
        kind: one of the constants above.
        fields: the fields that JSON is to have; None for all.
        template: the format of one's own, such as ``{id} {name}``.
    """

    kind: str = LINES
    fields: tuple[str, ...] | None = None
    template: str = ""
    is_checked: bool = False
    """Whether the command has all the fields, though not in every answer: one that is missing is null then."""

    @property
    def is_for_people(self) -> bool:
        """Whether people read it."""
        return self.kind == LINES


def checked(form: Form, known: Sequence[str] | None) -> Form:
    """Refuse fields that the answer of a command does not have, before the command does anything.

    Args:
        known: the fields of the command's records; None if they are not known beforehand.

    Raises:
        UsageError: such a field was typed.
    """
    if known is None or (form.fields is None and not form.template):
        return form
    names = form.fields if form.fields is not None else names_in(form.template)
    for name in names:
        if not known:
            raise UsageError(f"there is no field {name!r}: this command answers with something else than records")
        if name not in known:
            from gigq.cli.wording import perhaps

            guess = perhaps(name, among=known)
            raise UsageError(f"there is no field {name!r}{guess or '; there are ' + ', '.join(map(repr, known))}")
    return form._replace(is_checked=True)


def names_in(template: str) -> tuple[str, ...]:
    """Return the names of the fields in a format.

    Raises:
        UsageError: it is no format.
    """
    from string import Formatter  # only here: few command lines have a format

    try:
        parts = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
        names = [re.split(r"[.\[]", name)[0] for name in parts]
    except ValueError as error:
        raise UsageError(f"--format: {template!r} is not a format such as '{{id}} {{name}}': {error}") from None
    if not all(names) or any(name.isdecimal() for name in names):
        raise UsageError(f"--format: {template!r} has braces without the name of a field; type {{{{ for a brace")
    return tuple(names)


def written(form: Form, value: Any) -> Iterator[str]:
    """Yield the lines of a value in a form for programs.

    Raises:
        UsageError: the value has not the fields that the form names.
    """
    value = plain(value)
    if form.kind == FORMAT:
        yield from (_formatted(form, each) for each in (value if isinstance(value, list) else [value]))
    elif form.kind == JSON_LINES:
        yield from (as_json(_chosen(form, each)) for each in (value if isinstance(value, list) else [value]))
    else:
        yield as_json([_chosen(form, each) for each in value] if isinstance(value, list) else _chosen(form, value))


def as_json(value: Any) -> str:
    """Return a value as JSON on one line, in ASCII, with null for NaN and infinities: JSON has no words for them."""
    from gigq.codec import standard  # only here: the help needs nothing of it

    return json.dumps(standard(value)).replace("\x7f", "\\u007f")


def plain(value: Any) -> Any:
    """Return a value with dicts in the place of records."""
    if hasattr(value, "as_dict"):
        return value.as_dict()
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def _chosen(form: Form, value: Any) -> Any:
    return value if form.fields is None else _fields(form, form.fields, value)


def _fields(form: Form, names: Iterable[str], value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError("there are no fields to choose from: this command answers with something else than records")
    for name in names:
        if name not in value and not form.is_checked:
            raise UsageError(f"there is no field {name!r}; there are {', '.join(map(repr, value))}")
    return {name: value.get(name) for name in names}


def _formatted(form: Form, value: Any) -> str:
    values = {name: _safe(each) for name, each in _fields(form, names_in(form.template), value).items()}
    try:
        return form.template.replace("\\t", "\t").format_map(values)
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise UsageError(f"--format: {form.template!r} does not fit: {error}") from None


def _safe(value: Any) -> Any:
    """The value with texts that can do nothing on a terminal; None is empty, as in a table."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): _safe(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_safe(each) for each in value]
    return "" if value is None else value
