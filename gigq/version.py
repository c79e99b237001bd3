"""The version of this package."""

from __future__ import annotations

VERSION = "1.0.0.dev0"
