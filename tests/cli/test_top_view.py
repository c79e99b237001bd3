"""`gigq top`: what the screen shows of a queue, at any size, and what keys make of it. Without a terminal."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gigq.cli.columns import width_of
from gigq.cli.top.pieces import Look
from gigq.cli.top.scene import Crew, FailureLine, JobLine, Minute, QueueLine, Scene
from gigq.cli.top.state import DO, FILTER, QUIT, State, pressed
from gigq.cli.top.view import View, view
from gigq.status import Phase

NOW = datetime(2026, 11, 28, 14, 2, 10, tzinfo=UTC)
HOSTILE = "\x1b[2J\x1b]0;mine\x07\u202etxt\x9b31m\nline\x00"


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def job(number: int, name: str = "", phase: Phase = Phase.RUNNING, **changes: Any) -> JobLine:
    made = JobLine(f"0193a4c1-7b1c-7def-8123-{number:012x}", name or f"job {number}", phase, "app:work", "mail")
    return made._replace(worker="box:41", at=ago(60 * number + 63), **changes)


QUEUES = (
    QueueLine("default", False, 12, 3, 4, None, ago(200)),
    QueueLine("mail", True, 1204, 12, 2, 8, ago(4000)),
)
FAILURES = (
    FailureLine("a1", "app.mail:send", "SMTPServerDisconnected: closed after n s", 1231, 31, ago(125), job(7).id),
    FailureLine("b2", "app.ml:train", "ValueError: cannot reshape", 33, 0, ago(4000), job(8).id),
)
SCENE = Scene(
    NOW,
    "/srv/jobs.db",
    Crew(4, 16, 16),
    ("1,204 ready jobs of queue mail wait because it is paused since 09:12.",),
    frozenset({"1,204 ready jobs of queue mail wait because it is paused since 09:12."}),
    QUEUES,
    tuple(job(number, share=number / 10) for number in range(9)),
    "9",
    FAILURES,
    (job(20, "digest", Phase.READY, priority=5), job(21, "nightly", Phase.SCHEDULED)._replace(at=ago(-7300))),
    minutes=(Minute(3, 1), *[Minute(0, 0)] * 57, Minute(120, 0), Minute(60, 30)),
)
EMPTY = Scene(NOW, "jobs.db", sentences=("Nothing is waiting.",), minutes=(Minute(0, 0),) * 60)


def seen(
    scene: Scene = SCENE, state: State | None = None, *, rows: int = 24, columns: int = 80, **options: Any
) -> View:
    look = Look(is_unicode=options.pop("is_unicode", True))
    return view(scene, state or State(), NOW, rows=rows, columns=columns, look=look, **options)


def text(found: View) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in found.lines]


def after(keys: Sequence[str], scene: Scene = SCENE, state: State | None = None, **options: Any) -> State:
    """The state after keys, which asked for nothing to be done."""
    state = state or State()
    for key in keys:
        found = seen(scene, state)
        state, effect = pressed(found.state, key, found.panes, page=found.page, **options)
        assert effect is None, effect
    return state


def test_the_whole_screen_at_80_by_24() -> None:
    assert text(seen(state=State(chosen={"running": job(3).id}))) == [
        " jobs.db                                          4 workers   live   14:02 UTC",
        " ! 1,204 ready jobs of queue mail wait because it is paused since 09:12.",
        " ○ 1,216 ready   ▶ 6 running   ✕ 1,264 failed in 24 h   ◷ 15 scheduled",
        " done    ▁                                                         █▄ 183",
        " failed  ▇                                                          ▆ 31",
        "         60 min ago                                               now max 120",
        " queues 2                   state          ready    running  scheduled  oldest",
        " default                    ▶ running         12          4          3      3m",
        " mail                       ‖ paused       1,204        2/8         12      1h",
        "",
        " running 9 · 1-4               id        progress            elapsed      left",
        " ▶ job 0                       00000000                0 %      1:03         -",
        " ▶ job 1                       00000001  █▎           10 %      2:03     18:27",
        " ▶ job 2                       00000002  ██▍          20 %      3:03     12:12",
        "▸▶ job 3                       00000003  ███▋         30 %      4:03      9:27",
        " failures 2                error                               count      last",
        " ✕ app.mail:send           SMTPServerDisconnected: closed a…   1,231    2m ago",
        " ✕ app.ml:train            ValueError: cannot reshape             33    1h ago",
        "",
        " next                  id        queue                                  starts",
        " ○ digest              00000014  mail                                      now",
        " ◷ nightly             00000015  mail                                    in 2h",
        "",
        " q quit  ? help  Tab pane  Enter open  K cancel  R requeue  / filter",
    ]


def test_a_small_screen_shows_the_pane_with_the_focus() -> None:
    assert text(seen(state=State(pane="failures"), rows=10, columns=40)) == [
        " jobs.db                live  14:02 UTC",
        " ! 1,204 ready jobs of queue mail wait…",
        " ○ 1,216 ready   ▶ 6 running",
        " failures 2            count      last",
        " ✕ send SMTPServerD…   1,231    2m ago",
        " ✕ train ValueError…      33    1h ago",
        "",
        "",
        "",
        " q quit  ? help  Tab pane  Enter open",
    ]


def test_a_queue_without_jobs_says_how_to_begin() -> None:
    found = text(seen(EMPTY._replace(is_empty=True, minutes=())))
    assert [line.strip() for line in found if "gigq" in line] == [
        "Submit one: gigq submit package.module:function",
        "Run it:     gigq worker",
        "More:       gigq --help",
    ]


def test_each_pane_says_why_it_is_empty() -> None:
    found = "\n".join(text(seen(EMPTY)))
    for each in ("no queue has", "nothing is running: start a worker with", "no failures in", "no job is ready"):
        assert each in found
    assert "no job matches" in "\n".join(text(seen(EMPTY._replace(filter="queue:nowhere"))))
    cut = EMPTY._replace(filter="nowhere", searched=214_000)
    assert "none of the newest 214,000 jobs matches" in "\n".join(text(seen(cut)))


@pytest.mark.parametrize(
    ("rows", "columns"), [(1, 1), (2, 3), (3, 20), (10, 40), (24, 80), (25, 139), (60, 200), (200, 500)]
)
@pytest.mark.parametrize("is_unicode", [True, False])
def test_it_fits_any_size_whatever_the_jobs_carry(rows: int, columns: int, is_unicode: bool) -> None:
    wide = job(1, "日本語のとても長い名前" * 20)._replace(queue="👨‍👩‍👧" * 30, worker="é" * 80)
    scene = SCENE._replace(
        sentences=(HOSTILE * 9, "two", "three"), running=(job(0, HOSTILE), wide, job(2, "x" * 10_000)),
        failures=(FAILURES[0]._replace(function=HOSTILE, error=HOSTILE * 50),), filter=HOSTILE,
        queues=(QUEUES[0]._replace(name=HOSTILE),), path=f"/{HOSTILE}", next=(job(4, HOSTILE),),
    )  # fmt: skip
    states = [State(), State(shows_help=True), State(typed=HOSTILE), State(notice=HOSTILE * 9), State(is_whole=True)]
    states += [after(["Down", "K"], scene), after(["Tab", "Down", "R"], scene)]
    for state in states:
        found = seen(scene, state, rows=rows, columns=columns, is_unicode=is_unicode)
        assert len(found.lines) == rows
        for line in found.lines:
            assert width_of(line) < max(2, columns)
            shown = "".join(text for text, _ in line)
            assert all(letter.isprintable() or letter == "\u200d" for letter in shown), shown
            assert is_unicode or shown.isascii()


def test_numbers_that_do_not_fit_are_left_out_whole() -> None:
    for columns in range(20, 80):
        line = text(seen(columns=columns))[2]
        assert not line or line.endswith(("ready", "running", "failed in 24 h", "scheduled")), line


def test_times_of_running_jobs_go_on_while_nothing_is_read() -> None:
    later = view(SCENE, State(), NOW + timedelta(seconds=2), rows=24, columns=80, look=Look(is_unicode=True))
    assert "      1:05" in text(later)[11]


def test_what_there_was_no_time_to_read_is_not_said_to_be_nothing() -> None:
    unread = Scene(NOW, "jobs.db", queues=QUEUES, unread=frozenset({"crew", "sentences", "failures", "next"}))
    found = text(seen(unread))
    assert sum("there was no time to read them" in line for line in found) == 2
    assert "- workers" in found[0] and "no time to read what holds jobs back" in found[1]
    assert "- failed in 24 h" in found[2]
    assert not [line for line in found if "no job is ready" in line or "no failures" in line]


def test_what_went_wrong_with_the_file_is_said_and_the_rest_stays() -> None:
    found = text(seen(SCENE._replace(trouble="jobs.db was deleted while it was open")))
    assert "not live" in found[0]
    assert found[1] == " as of 14:02:10: jobs.db was deleted while it was open"
    assert any("job 0" in line for line in found)


# keys

ONLY = "only failed, timed-out and cancelled jobs can be requeued"


def test_what_is_chosen_stays_chosen_while_its_line_moves() -> None:
    state = after(["Down", "Down"])
    assert state.chosen["running"] == job(1).id
    moved = SCENE._replace(running=(*SCENE.running[1:], job(30)))
    found = seen(moved, state)
    assert next(line for line in text(found) if line.startswith("▸")).split()[1:3] == ["job", "1"]
    assert after(["Down"], moved, state).chosen["running"] == job(2).id


def test_after_what_was_chosen_has_gone_nothing_else_is_chosen_until_an_arrow_is_pressed() -> None:
    state = after(["Down", "Down", "Down"])
    gone = SCENE._replace(running=SCENE.running[:2] + SCENE.running[3:])
    found = seen(gone, state)
    assert not any(line.startswith("▸") for line in text(found))
    assert after(["K"], gone, found.state).notice == "choose a line first, with the arrow keys"
    assert after(["Down"], gone, found.state).chosen["running"] == job(3).id


def test_a_long_pane_scrolls_with_what_is_chosen() -> None:
    found = seen(state=after(["Down"] * 9))
    assert "running 9 · 6-9" in text(found)[10]
    assert text(found)[14].startswith("▸▶ job 8")
    assert text(seen(state=after(["End", "PageUp"])))[11].startswith("▸▶ job 4")
    assert after(["End"]).chosen["running"] == job(8).id
    assert after(["End", "Home"]).chosen["running"] == job(0).id


def test_tab_walks_the_panes_both_ways() -> None:
    assert [after(["Tab"] * number).pane for number in range(5)] == ["running", "failures", "next", "queues", "running"]
    assert after(["Shift-Tab"]).pane == "queues"


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        (["Down", "K"], "Cancel job job 0 (00000000), which is running on box:41?"),
        (["Tab", "Tab", "Down", "K"], "Cancel job digest (00000014), and all jobs that depend on it?"),
        (["Tab", "Down", "R"], "Requeue the 31 jobs that have failed for good with app.mail:send: SMTPServerDisc"),
        (["Shift-Tab", "Down", "p"], "Pause queue 'default'? What runs goes on (4), what is ready waits (12)."),
        (["Shift-Tab", "Down", "Down", "p"], "Resume queue 'mail', in which 1,204 are ready?"),
        (["Down", "p"], "Pause queue 'mail', that of job job 0 (00000000)?"),
    ],
)
def test_what_changes_something_asks_first_and_names_what_it_changes(keys: list[str], asked: str) -> None:
    state = after(keys)
    assert state.question and state.question.text.startswith(asked)
    foot = " ".join(line.strip() for line in text(seen(state=state))[-4:])
    assert asked[:60] in foot and foot.endswith("y/N")
    for key in ("n", "Enter", "Escape", " ", "K", "q"):
        assert after([key], state=state).notice == "nothing was done"
    assert pressed(state, "y", {}, page=1)[1] is not None
    assert pressed(state, "y", {}, page=1)[1].kind == DO  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("phase", "key", "why"),
    [
        (Phase.COMPLETED, "K", "job x (00000001) has ended; there is nothing to cancel"),
        (Phase.COMPLETED, "R", f"job x (00000001) has completed; {ONLY}"),
        (Phase.RUNNING, "R", f"job x (00000001) is running; {ONLY}"),
    ],
)
def test_what_cannot_be_done_is_not_asked_but_explained(phase: Phase, key: str, why: str) -> None:
    scene = SCENE._replace(running=(job(1, "x", phase),), filter="name:x")
    assert after(["Down", key], scene).notice == why


@pytest.mark.parametrize("key", ["p", "R", "K"])
def test_read_only_nothing_can_be_asked_for(key: str) -> None:
    state = after(["Down", key], is_read_only=True)
    assert state.question is None and state.notice.startswith("--read-only")
    found = "\n".join(text(seen(is_read_only=True)))
    assert "read-only" in found and "cancel" not in found


def test_a_filter_is_typed_corrected_and_taken_away() -> None:
    state = after(["/", *"queue:maik", "Backspace", "l"])
    assert text(seen(state=state))[-1] == " / queue:mail_"
    typed, effect = pressed(state, "Enter", {}, page=1)
    assert effect and (effect.kind, effect.filter, typed.typed) == (FILTER, "queue:mail", None)
    filtered = State(filter="queue:mail")
    assert pressed(filtered, "Escape", {}, page=1)[1] == effect._replace(filter="")
    assert after(["/", "Ctrl-U"], state=filtered).typed == ""


def test_enter_on_a_queue_shows_its_jobs() -> None:
    state = after(["Shift-Tab", "Down"])
    found = seen(state=state)
    _, effect = pressed(state, "Enter", found.panes, page=1)
    assert effect and effect.filter == "queue:default"


def test_enter_opens_a_job_and_q_goes_back_before_it_quits() -> None:
    state = after(["Down", "Enter"])
    assert state.opened and state.opened.job_id == job(0).id
    assert after(["Tab", "Down", "Enter"]).opened.job_id == job(7).id  # type: ignore[union-attr]
    story = [[(f"line {number}", "")] for number in range(100)]
    found = seen(state=state, story=story)
    assert text(found)[3] == " line 0"
    down, _ = pressed(state, "PageDown", found.panes, page=found.page, lines=100)
    assert text(seen(state=down, story=story))[3] == f" line {found.page}"
    assert after(["q"], state=state).opened is None
    assert pressed(State(), "q", found.panes, page=1)[1].kind == QUIT  # type: ignore[union-attr]


def test_in_an_opened_job_the_keys_are_about_that_job_also_when_it_stands_for_many() -> None:
    opened = after(["Tab", "Down", "Enter"])
    state, _ = pressed(opened, "R", seen(state=opened).panes, page=1, opened=job(7, "the last one", Phase.FAILED))
    assert state.question and state.question.text == "Requeue job the last one (00000007), which has failed?"


def test_no_key_surprises() -> None:
    """Any keys in any order leave a screen that can be drawn, and do nothing without a question and a yes."""
    keys = ["Tab", "Shift-Tab", "Up", "Down", "PageUp", "PageDown", "Home", "End", "Enter", "Escape", "Backspace"]
    keys += [*"jkqpRKz?/hyYn é日", "Ctrl-L", "Ctrl-U", "Ctrl-D"]
    for seed in range(5):
        chance, state = random.Random(seed), State()
        for _ in range(80):
            scene = SCENE._replace(running=SCENE.running[: chance.randrange(10)], is_empty=chance.random() < 0.05)
            found = seen(scene, state, rows=chance.choice((3, 10, 24)), columns=chance.choice((20, 80, 160)))
            before = found.state
            state, effect = pressed(before, chance.choice(keys), found.panes, page=found.page, lines=3)
            assert not effect or effect.kind != DO or before.question
