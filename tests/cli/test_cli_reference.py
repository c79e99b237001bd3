"""The reference page of the command line."""

from __future__ import annotations

from pathlib import Path

import reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference.page(), f"stale: run {Path(reference.__file__).name} again"
