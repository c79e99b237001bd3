"""Modules that are imported when they are first used."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import gigq.queue.job_queue
from gigq.lazy import LazyModule


def test_a_lazy_module_is_imported_when_an_attribute_of_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needed_late.py").write_text("ANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)

    module = LazyModule("needed_late")
    assert "needed_late" not in sys.modules

    assert module.ANSWER == 42
    assert "needed_late" in sys.modules
    monkeypatch.delitem(sys.modules, "needed_late")


def test_an_attribute_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'json' has no attribute 'nothing'"):
        _ = LazyModule("json").nothing


def test_a_type_checker_sees_the_modules_that_are_loaded_late() -> None:
    tree = ast.parse(Path(gigq.queue.job_queue.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imported = {
        alias.name: f"{node.module}.{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name.islower()
    }

    lazy = {name: each for name, each in vars(gigq.queue.job_queue).items() if isinstance(each, LazyModule)}

    assert {name: vars(each)["_name"] for name, each in lazy.items()} == imported
