"""The lock that is held while a module is imported late, so that no fork comes in between."""

from __future__ import annotations

import threading

IMPORTING = threading.RLock()
"""The child of a fork would find the module locked by a thread that it does not have, and wait for ever when it needs
that module itself. So a fork waits for this lock."""
