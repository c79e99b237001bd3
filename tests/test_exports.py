"""The public names of the package, each imported when it is first used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gigq


def loaded_by(code: str) -> set[str]:
    """The modules that a new interpreter has loaded after it has run this code."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    environment = {"PYTHONPATH": str(Path(gigq.__file__).parents[1])}
    return set(
        subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, check=True, text=True
        ).stdout.split()
    )


def test_importing_the_package_imports_no_other_module_of_it() -> None:
    assert {each for each in loaded_by("import gigq") if each.startswith("gigq")} == {"gigq", "gigq.version"}


def test_importing_the_package_imports_nothing_expensive() -> None:
    expensive = {"dataclasses", "inspect", "json", "logging", "sqlite3", "threading"}

    assert (loaded_by("import gigq") - loaded_by("")) & expensive == set()


def test_a_script_that_submits_jobs_loads_no_worker() -> None:
    loaded = loaded_by(
        "from gigq import Job, JobQueue\nwith JobQueue(':memory:') as queue:\n    queue.submit(Job('a', 'm.f'))"
    )

    assert "gigq.store.submitting" in loaded
    assert {each for each in loaded if each.startswith("gigq.worker")} == set()


@pytest.mark.parametrize("name", gigq.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(gigq, name) is not None


def test_a_star_import_brings_every_public_name() -> None:
    names: dict[str, object] = {}
    exec("from gigq import *", names)

    assert set(gigq.__all__) <= names.keys()


def test_a_name_that_does_not_exist_is_an_ordinary_import_error() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Queue'"):
        exec("from gigq import Queue")
    with pytest.raises(AttributeError, match="module 'gigq' has no attribute 'Queue'"):
        gigq.Queue  # type: ignore[attr-defined]  # noqa: B018


def test_dir_lists_every_public_name() -> None:
    assert set(gigq.__all__) <= set(dir(gigq))


def test_a_type_checker_sees_the_names_where_they_are_imported_from() -> None:
    tree = ast.parse(Path(gigq.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]

    assert {alias.name: f"{node.module}" for node in imports for alias in node.names} == {
        name: f"gigq.{module}" for name, module in gigq._MODULE_OF.items()
    }
    assert {*gigq._MODULE_OF, "__version__"} == set(gigq.__all__)
    assert sorted(gigq.__all__) == gigq.__all__
