"""Objects that JSON lacks: what each kind of them is called, and how to convert it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

_BY_CLASS = {
    "datetime.datetime": "x.isoformat()",
    "datetime.date": "x.isoformat()",
    "datetime.time": "x.isoformat()",
    "datetime.timedelta": "x.total_seconds()",
    "decimal.Decimal": "str(x) or float(x)",
    "fractions.Fraction": "str(x) or float(x)",
    "uuid.UUID": "str(x)",
    "pathlib.PurePath": "str(x)",
    "zoneinfo.ZoneInfo": "str(x)",
    "enum.Enum": "x.value",
    "complex": "[x.real, x.imag]",
    "bytes": "x.decode(), or base64.b64encode(x).decode() if it is not text",
    "bytearray": "x.decode(), or base64.b64encode(x).decode() if it is not text",
    "memoryview": "bytes(x).decode(), or base64.b64encode(x).decode() if it is not text",
    "BaseException": "str(x)",
    "numpy.ndarray": "x.tolist()",
    "numpy.bool": "bool(x)",
    "numpy.bool_": "bool(x)",
    "numpy.integer": "int(x) or x.item()",
    "numpy.floating": "float(x) or x.item()",
    "numpy.datetime64": "str(x)",
    "numpy.timedelta64": "str(x)",
    "numpy.generic": "x.item()",
    "pandas.DataFrame": 'x.to_dict("records")',
    "pandas.Series": "x.tolist()",
    "pandas.Index": "x.tolist()",
    "pandas.NAType": "None",
    "pandas.NaTType": "None",
    "polars.DataFrame": "x.to_dicts()",
    "polars.Series": "x.to_list()",
}
"""Classes by the name of the package that has them, and how to convert them and their subclasses."""

_BY_ATTRIBUTE = {
    "__dataclass_fields__": "dataclasses.asdict(x)",
    "__attrs_attrs__": "attrs.asdict(x)",
    "model_dump": 'x.model_dump(mode="json")',
    "__await__": "asyncio.run(x)",
    "tolist": "x.tolist()",
    "to_list": "x.to_list()",
    "isoformat": "x.isoformat()",
    "item": "x.item()",
    "_asdict": "x._asdict()",
    "to_dict": "x.to_dict()",
    "read": "x.read(), or the name of the file",
}
"""What a class may have by which its objects can be converted, the surest first."""

_OTHERWISE = "convert it, or give default=, a function as json.dumps takes it"


def complaint(value: object) -> str:
    """Return what is wrong with an object that JSON lacks, and what to do about it, as the rest of a sentence."""
    remedy = _remedy(value)
    return f"is of type {_name(type(value))}, which JSON cannot hold: {f'use {remedy}' if remedy else _OTHERWISE}"


def _remedy(value: object) -> str | None:
    kind = type(value)
    by_class = [_BY_CLASS[each] for each in map(_short_name, kind.__mro__) if each in _BY_CLASS]
    if by_class:
        return by_class[0]
    if str(kind.__module__).partition(".")[0] == "numpy":  # before its classes had common bases, or without them
        return _of_numpy(kind.__qualname__)
    by_attribute = [remedy for name, remedy in _BY_ATTRIBUTE.items() if hasattr(kind, name)]
    if by_attribute:
        return by_attribute[0]
    return "its name, as text" if callable(value) else _of_collection(value)


def _of_numpy(name: str) -> str:
    if name.startswith(("int", "uint")):
        return _BY_CLASS["numpy.integer"]
    return _BY_CLASS["numpy.floating" if name.startswith("float") else "numpy.generic"]


def _of_collection(value: object) -> str | None:
    if isinstance(value, Set):
        return "sorted(x) or list(x)"
    if isinstance(value, Mapping):
        return "dict(x)"
    return "list(x)" if isinstance(value, Iterable) else None


def _name(kind: type) -> str:
    """Return the full name of a class, without the private parts of its module's name."""
    first, *rest = str(kind.__module__).split(".")
    parts = [] if first == "builtins" else [first, *(each for each in rest if not each.startswith("_"))]
    return ".".join([*parts, kind.__qualname__])


def _short_name(kind: type) -> str:
    """Return the name of a class with that of its package, wherever in that it is defined."""
    package = str(kind.__module__).partition(".")[0]
    return kind.__qualname__ if package == "builtins" else f"{package}.{kind.__qualname__}"
