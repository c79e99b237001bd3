"""The screen as one line: for pipes, for programs, and for terminals that are read out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gigq.cli.top.scene import Scene
from gigq.clock import to_text

EVERY = 10.0
"""Seconds from one line to the next."""


def values(scene: Scene, now: datetime) -> dict[str, Any]:
    """Return what a line says as plain values, for programs."""
    ended = scene.minutes[-2] if len(scene.minutes) > 1 else None  # the last one is not over
    return {
        "at": to_text(now),
        "workers": scene.crew.workers,
        "ready": sum(each.ready for each in scene.queues),
        "running": sum(each.running for each in scene.queues),
        "scheduled": sum(each.scheduled for each in scene.queues),
        "completed_last_minute": ended.completed if ended else 0,
        "failed_last_minute": ended.failed if ended else 0,
        "sentences": list(scene.sentences),
        "trouble": scene.trouble or None,
    }


def line(scene: Scene, now: datetime) -> str:
    """Return a line for people: the time, the numbers, and what is not getting on."""
    if scene.trouble:
        return f"{now:%H:%M:%S} UTC  not live: {scene.trouble}"
    told = values(scene, now)
    numbers = ", ".join(f"{told[name]:,} {name}" for name in ("ready", "running", "scheduled"))
    minute = f"last minute {told['completed_last_minute']:,} done, {told['failed_last_minute']:,} failed"
    workers = f"{told['workers']:,} worker{'' if told['workers'] == 1 else 's'}"
    return f"{now:%H:%M:%S} UTC  {workers}; {numbers}; {minute}. {' '.join(scene.sentences)}".rstrip()
