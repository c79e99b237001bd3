"""Each kind of object that JSON lacks is refused by its full name, with the way to convert it."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import datetime
import decimal
import fractions
import io
import pathlib
import types
import uuid
from enum import Enum
from typing import Any

import pytest

from gigq.foreign import complaint


class Colour(Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int


class Model:
    def model_dump(self, mode: str) -> dict[str, Any]:
        return {"mode": mode}


class Plain:
    pass


def of(module: str, name: str, *bases: type, **attributes: object) -> Any:
    """An object of a class with the name that one of another package has, which is not installed here."""
    return type(name, bases, {"__module__": module, **attributes})()


SCALAR = of("numpy", "generic").__class__
INTEGER = of("numpy", "integer", SCALAR).__class__


@pytest.mark.parametrize(
    ("value", "name", "remedy"),
    [
        (datetime.datetime(2026, 1, 1), "datetime.datetime", "x.isoformat()"),
        (datetime.date(2026, 1, 1), "datetime.date", "x.isoformat()"),
        (datetime.time(12), "datetime.time", "x.isoformat()"),
        (datetime.timedelta(1), "datetime.timedelta", "x.total_seconds()"),
        (decimal.Decimal(1), "decimal.Decimal", "str(x) or float(x)"),
        (fractions.Fraction(1, 2), "fractions.Fraction", "str(x) or float(x)"),
        (uuid.UUID(int=0), "uuid.UUID", "str(x)"),
        (pathlib.PurePosixPath("/"), "pathlib.PurePosixPath", "str(x)"),
        (pathlib.Path("/"), "pathlib.PosixPath", "str(x)"),
        (Colour.RED, f"{__name__}.Colour", "x.value"),
        (1j, "complex", "[x.real, x.imag]"),
        (b"", "bytes", "x.decode(), or base64.b64encode(x).decode() if it is not text"),
        (bytearray(), "bytearray", "x.decode(), or base64.b64encode(x).decode() if it is not text"),
        ({1}, "set", "sorted(x) or list(x)"),
        (frozenset(), "frozenset", "sorted(x) or list(x)"),
        ({}.keys(), "dict_keys", "sorted(x) or list(x)"),
        ({}.values(), "dict_values", "list(x)"),
        (range(3), "range", "list(x)"),
        (collections.deque(), "collections.deque", "list(x)"),
        (types.MappingProxyType({}), "mappingproxy", "dict(x)"),
        (collections.UserDict(), "collections.UserDict", "dict(x)"),
        (ValueError("no"), "ValueError", "str(x)"),
        (Point(1), f"{__name__}.Point", "dataclasses.asdict(x)"),
        (Model(), f"{__name__}.Model", 'x.model_dump(mode="json")'),
        (len, "builtin_function_or_method", "its name, as text"),
        (Plain, "type", "its name, as text"),
        (asyncio.Future, "type", "its name, as text"),
        (of("numpy", "int64", INTEGER, item=int), "numpy.int64", "int(x) or x.item()"),
        (of("numpy", "int64"), "numpy.int64", "int(x) or x.item()"),
        (of("numpy", "uint8"), "numpy.uint8", "int(x) or x.item()"),
        (of("numpy", "float32"), "numpy.float32", "float(x) or x.item()"),
        (of("numpy", "bool_"), "numpy.bool_", "bool(x)"),
        (of("numpy", "bool"), "numpy.bool", "bool(x)"),
        (of("numpy", "ndarray", tolist=list), "numpy.ndarray", "x.tolist()"),
        (
            of("numpy.ma.core", "MaskedArray", of("numpy", "ndarray").__class__),
            "numpy.ma.core.MaskedArray",
            "x.tolist()",
        ),
        (of("numpy", "datetime64", SCALAR), "numpy.datetime64", "str(x)"),
        (of("numpy", "void", SCALAR), "numpy.void", "x.item()"),
        (of("pandas.core.frame", "DataFrame"), "pandas.core.frame.DataFrame", 'x.to_dict("records")'),
        (of("pandas.core.series", "Series"), "pandas.core.series.Series", "x.tolist()"),
        (of("pandas._libs.missing", "NAType"), "pandas.missing.NAType", "None"),
        (of("polars.dataframe.frame", "DataFrame"), "polars.dataframe.frame.DataFrame", "x.to_dicts()"),
        (of("torch", "Tensor", tolist=list), "torch.Tensor", "x.tolist()"),
        (of("attrs_user", "Row", __attrs_attrs__=()), "attrs_user.Row", "attrs.asdict(x)"),
        (of("orders", "Order", to_dict=dict), "orders.Order", "x.to_dict()"),
    ],
)
def test_the_name_and_the_remedy_of_each_kind(value: object, name: str, remedy: str) -> None:
    assert complaint(value) == f"is of type {name}, which JSON cannot hold: use {remedy}"


@pytest.mark.parametrize("value", [object(), Plain(), types, ..., of("numpy", "x", __module__=None)])
def test_other_objects_are_referred_to_default(value: object) -> None:
    assert complaint(value).endswith(": convert it, or give default=, a function as json.dumps takes it")


def test_a_file_is_read() -> None:
    assert complaint(io.StringIO()).endswith(": use x.read(), or the name of the file")
