"""How a command opens the queue."""

from __future__ import annotations

LOOK, CHANGE, CREATE, NOTHING, BY_ITSELF = "look", "change", "create", "nothing", "by itself"
"""To look, to change it, to change it and create its file where there is none, not at all, or by itself, which may
create the file. With the last two a command gets no queue."""
