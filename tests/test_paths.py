"""The functions that a job can have, the paths that they get, and how a path leads back to its function."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import odd_functions
import pytest

import gigq
from gigq import NotImportable
from gigq.paths import NotFound, mismatch, path_of, resolve, takes, unwrapped
from gigq.unfit import not_plain

HERE = Path(__file__).parent
PATH = os.pathsep.join([str(Path(gigq.__file__).parents[1]), str(HERE)])


@pytest.mark.parametrize(
    ("function", "path"),
    [
        (odd_functions.plain, "odd_functions:plain"),
        (odd_functions.renamed, "odd_functions:plain"),
        (odd_functions.decorated, "odd_functions:decorated"),
        (odd_functions.decorated_task, "odd_functions:decorated_task"),
        (odd_functions.hello, "odd_functions:hello"),
        (odd_functions.hello.function, "odd_functions:hello"),
        (odd_functions.hello.options(priority="high"), "odd_functions:hello"),
        (odd_functions.Plain.static, "odd_functions:Plain.static"),
        (odd_functions.Child.static, "odd_functions:Plain.static"),
        (odd_functions.Plain().static, "odd_functions:Plain.static"),
        (odd_functions.Plain.static_task, "odd_functions:Plain.static_task"),
        (odd_functions.Plain.Inner.static, "odd_functions:Plain.Inner.static"),
        (odd_functions.replaced, "odd_functions:replaced"),
    ],
)
def test_a_function_has_a_path_that_leads_back_to_it(function: Callable[..., Any], path: str) -> None:
    assert path_of(function) == path
    assert resolve(path) is unwrapped(function)


@pytest.mark.parametrize(
    "text", ["a:b", "a.b:c", "a.b:C.d", "a.b.c", "send_email", "_private:_name", "größe:über", "a1:b2"]
)
def test_text_is_a_path_already(text: str) -> None:
    assert path_of(text) == text


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "a b",
        "a:",
        ":b",
        "a:b:c",
        "a..b",
        ".a",
        "a.",
        "a:b.",
        "1a:b",
        "a-b:c",
        "a:b()",
        "a:b\n",
        "a/b.py",
        "a:b; c",
    ],
)
def test_text_that_cannot_be_a_path_is_refused(text: str) -> None:
    with pytest.raises(NotImportable, match=r"is not a function's path such as package\.module:name"):
        path_of(text)


def test_empty_text_is_no_path() -> None:
    with pytest.raises(NotImportable, match="the path of a function must not be empty"):
        path_of("")


@pytest.mark.parametrize("text", ["__main__:f", "__main__.f", "__mp_main__:f"])
def test_text_that_means_something_different_in_every_process_is_refused(text: str) -> None:
    with pytest.raises(
        NotImportable, match="is a different module in every process; use the name of the script's own module"
    ):
        path_of(text)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (len, "len is a builtin; wrap it in a function of your own"),
        ("text".upper, r"str\.upper is a builtin"),
        (odd_functions.nameless, "<lambda> cannot be imported by name; use def at the top level of a module"),
        (
            odd_functions.closure,
            r"maker\.<locals>\.inside is defined inside another function; move it to the top level",
        ),
        (odd_functions.Plain().method, r"Plain\.method is a method, and its object cannot be stored"),
        (odd_functions.Plain.of_class, r"Plain\.of_class is a method"),
        (odd_functions.Plain.method, r"Plain\.method is a method, .* pass it what it needs"),
        (vars(odd_functions.Plain)["of_class"], r"Plain\.of_class is a method"),
        (vars(odd_functions.Plain)["static"], r"Plain\.static is a staticmethod object; put @staticmethod above"),
        (odd_functions.bound, r"^partial\(plain, …\) has no name to import; define a function that makes this call"),
        (odd_functions.cached, "^plain is a cache around a function; define a function that calls it"),
        (odd_functions.an_object, "^a Callable_ object is not a function; define one that calls it"),
        (odd_functions.Plain, "^Plain is a class; use a function that makes an object and calls it"),
        (json, "^json is a module; name a function in it"),
        (5, "^5 is int, not a function; use a function at the top level of a module"),
        (str.upper, r"str\.upper is a builtin; wrap it in a function of your own"),
        (odd_functions.unwrapped, r"^hiding\.<locals>\.wrapper stands for 'unwrapped', and has hidden its name: put "
            r"@functools\.wraps\(function\) above the def of that function in the decorator$"),
        (odd_functions.coroutine, "coroutine is async, and jobs are plain calls"),
        (odd_functions.asynchronous_generator, "asynchronous_generator is async"),
        (odd_functions.generator, "generator is a generator, and calling it would run nothing; return a list"),
        (odd_functions.first, "replaced is not what 'odd_functions:replaced' names; give it a name of its own"),
    ],
)
def test_a_function_that_a_worker_could_not_import_is_refused_with_the_reason(function: Any, reason: str) -> None:
    with pytest.raises(NotImportable, match=reason):
        path_of(function)


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (5, "is int, not a function"),
        ("odd_functions:plain", "is str, not a function"),
        (odd_functions.coroutine, "is async, and jobs are plain calls; wrap it: def job(): return asyncio.run(…)"),
        (odd_functions.generator, "is a generator, and calling it would run nothing; return a list"),
        (odd_functions.bound, None),
        (odd_functions.nameless, None),
        (len, None),
    ],
)
def test_a_handler_must_be_a_plain_function_too(handler: Any, reason: str | None) -> None:
    assert not_plain(handler) == reason


def test_a_function_whose_name_now_means_another_function_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def stranger() -> None:
        pass

    stranger.__module__, stranger.__qualname__ = "odd_functions", "plain"
    with pytest.raises(NotImportable, match="is not what 'odd_functions:plain' names"):
        path_of(stranger)


@pytest.mark.parametrize("replacement", [None, 5, len])
def test_a_function_whose_name_was_reassigned_is_refused(monkeypatch: pytest.MonkeyPatch, replacement: Any) -> None:
    module: dict[str, Any] = {"__name__": "odd_functions"}
    exec("def was_here(): pass", module)
    monkeypatch.setattr(odd_functions, "was_here", replacement, raising=False)
    with pytest.raises(NotImportable, match="is not what 'odd_functions:was_here' names"):
        path_of(module["was_here"])


def test_a_function_without_a_module_is_refused() -> None:
    module: dict[str, Any] = {}
    exec("def homeless(): pass", module)
    module["homeless"].__module__ = None
    with pytest.raises(NotImportable, match="homeless belongs to no module; move it into a [.]py file"):
        path_of(module["homeless"])


@pytest.mark.parametrize(
    ("path", "function"),
    [
        ("odd_functions:plain", odd_functions.plain),
        ("odd_functions.plain", odd_functions.plain),
        ("odd_functions.hello", odd_functions.hello.function),
        ("odd_functions:Plain.Inner.static", odd_functions.Plain.Inner.static),
        ("os.path:join", os.path.join),
        ("os.path.join", os.path.join),
        ("odd_functions:multiplier", odd_functions.multiplier),
    ],
)
def test_a_path_in_either_form_is_resolved(path: str, function: Any) -> None:
    assert resolve(path) is function


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("no_such_module:f", r"ModuleNotFoundError: No module named 'no_such_module'"),
        ("no_such_module.f", r"ModuleNotFoundError: No module named 'no_such_module'"),
        ("os.no_such:f", r"ModuleNotFoundError: No module named 'os.no_such'"),
        ("odd_functions:missing", r"AttributeError: module 'odd_functions' has no attribute 'missing'"),
        ("odd_functions:Plain.missing", "AttributeError: type object 'Plain' has no attribute 'missing'"),
        ("odd_functions:number", "'odd_functions:number' is int and cannot be called"),
        ("os.path", "'os.path' is module and cannot be called"),
        ("send_email", r"'send_email' is neither a handler of this worker nor a path such as package\.module:name"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused_with_the_reason(path: str, reason: str) -> None:
    with pytest.raises(NotImportable, match=reason):
        resolve(path)


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Writes the module `broken.module`."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    def write(source: str) -> None:
        (folder / "module.py").write_text(source)

    yield write
    for name in ("broken", "broken.module"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_dependency", "ModuleNotFoundError: No module named 'no_such_dependency'"),
        ("from gigq import NoSuchName", "ImportError: cannot import name 'NoSuchName'"),
        ("g = 1", "AttributeError: module 'broken.module' has no attribute 'f'"),
    ],
)
@pytest.mark.parametrize("path", ["broken.module:f", "broken.module.f"])
def test_what_an_import_does_not_find_is_named(
    broken: Callable[[str], None], source: str, reason: str, path: str
) -> None:
    broken(source)
    with pytest.raises(NotFound) as raised:
        resolve(path)
    assert raised.value.reason.startswith(reason)
    assert "start the worker where that import works, or give it a handler of this name" in str(raised.value)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("raise RuntimeError('not today')", RuntimeError),
        ("import sys; sys.exit(3)", SystemExit),
        ("def f(:", SyntaxError),
        ("def f(): f()\nf()", RecursionError),
        ("import sys; sys.no_such_name", AttributeError),
    ],
)
def test_what_else_a_module_raises_is_raised_and_the_next_attempt_imports_it_again(
    broken: Callable[[str], None], source: str, error: type[BaseException]
) -> None:
    broken(source)
    for _ in range(2):
        with pytest.raises(error):
            resolve("broken.module:f")
    broken("def f(): return 'mended after a while'")
    assert resolve("broken.module:f")() == "mended after a while"


def test_a_module_that_comes_later_is_found(broken: Callable[[str], None], tmp_path: Path) -> None:
    broken("import came_later\ndef f(): return came_later.value")
    with pytest.raises(NotFound):
        resolve("broken.module:f")
    (tmp_path / "came_later.py").write_text("value = 7")
    assert resolve("broken.module:f")() == 7
    sys.modules.pop("came_later")


def test_text_that_is_no_path_is_not_looked_for() -> None:
    with pytest.raises(NotImportable, match="cannot import 'no path', which is not a function's path") as raised:
        resolve("no path")
    assert not isinstance(raised.value, NotFound)


@pytest.mark.parametrize(
    ("function", "takes_it"),
    [
        (odd_functions.plain, False),
        (odd_functions.child, True),
        (odd_functions.keywords, False),
        (odd_functions.forwarding(odd_functions.keywords), False),
        (odd_functions.positional, False),
        (odd_functions.decorated, False),
        (odd_functions.decorated_child, True),
        (odd_functions.narrowed_child, False),
        (odd_functions.consumer, True),
        (odd_functions.bound, False),
        (odd_functions.multiplier, True),
        (odd_functions.an_object, False),
        (odd_functions.Plain().method, False),
        (dict, False),
        (max, False),
    ],
)
def test_a_function_takes_parent_results_if_it_has_a_parameter_of_that_name(function: Any, takes_it: bool) -> None:
    assert takes(function, "parent_results") is takes_it


@pytest.mark.parametrize(
    ("function", "args", "params", "problem"),
    [
        (odd_functions.child, [1], {"parent_results": {}}, None),
        (odd_functions.child, [1], {}, "missing a required argument: 'parent_results'"),
        (odd_functions.plain, [1, 2], {}, "too many positional arguments"),
        (odd_functions.plain, [1], {"a": 1}, "multiple values for argument 'a'"),
        (odd_functions.plain, [], {"b": 1}, "got an unexpected keyword argument 'b'"),
        (odd_functions.positional, [], {"parent_results": 1}, "parent_results"),
        (odd_functions.keywords, [], {"self": 1, "function": 2}, None),
        (odd_functions.decorated, [1, 2, 3], {"what": "ever"}, None),
        (odd_functions.narrowed_child, [1], {"parent_results": {}}, "got an unexpected keyword argument"),
    ],
)
def test_a_call_is_checked_against_the_signature(
    function: Any, args: list[Any], params: dict[str, Any], problem: str | None
) -> None:
    found = mismatch(function, args, params)
    assert (found is None) if problem is None else (problem in str(found))


# Functions of a script, in real processes: only a script can be `__main__`.

SCRIPT = """
import json, sys
from gigq import Job, JobQueue, task
from gigq.testing import drain

print("loaded")

class NoLuck(Exception):
    pass

def hello(name):
    return f"hello {name}"

@task(max_attempts=2, retry_on=[NoLuck])
def unlucky():
    raise NoLuck

@task(max_attempts=2, no_retry_on=[NoLuck])
def hopeless():
    raise NoLuck

def submit():
    with JobQueue("jobs.db") as queue:
        queue.submit(Job("hello", hello, {"name": "you"}))
        unlucky.submit(queue)
        hopeless.submit(queue)

def work():
    with JobQueue("jobs.db") as queue:
        drain(queue)

def show():
    with JobQueue("jobs.db") as queue:
        assert queue.check() == []
        keys = ("function", "status", "result", "attempts")
        print(json.dumps([[job[key] for key in keys] for job in queue.list_jobs()]))

if __name__ == "__main__":
    for step in sys.argv[1:]:
        globals()[step]()
"""

RAN = [
    ["tasks:hopeless", "failed", None, 1],
    ["tasks:unlucky", "failed", None, 2],
    ["tasks:hello", "completed", "hello you", 1],
]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[str]]:
    """Runs Python in the folder of `tasks.py`, and returns the lines that it printed."""
    (tmp_path / "tasks.py").write_text(SCRIPT)

    def run(*arguments: str, stdin: str | None = None) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": PATH},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


@pytest.mark.parametrize(
    "start",
    [
        ["tasks.py"],
        ["./tasks.py"],
        ["-m", "tasks"],
        ["-c", "import sys, tasks\nfor step in sys.argv[1:]: vars(tasks)[step]()"],
    ],
)
def test_another_process_runs_what_a_script_submits(run: Any, start: list[str]) -> None:
    run(*start, "submit")
    assert json.loads(run("-c", "import tasks; tasks.work(); tasks.show()")[-1]) == RAN


@pytest.mark.parametrize("start", [["tasks.py"], ["-m", "tasks"]])
def test_a_script_runs_what_another_process_submits(run: Any, start: list[str]) -> None:
    run("-c", "import tasks; tasks.submit()")
    assert json.loads(run(*start, "work", "show")[-1]) == RAN


@pytest.mark.parametrize("start", [["tasks.py"], ["-m", "tasks"]])
def test_a_script_that_runs_its_own_jobs_is_not_imported_twice(run: Any, start: list[str]) -> None:
    lines = run(*start, "submit", "work", "show")
    assert lines[:-1] == ["loaded"]
    assert json.loads(lines[-1]) == RAN


def test_a_child_of_multiprocessing_submits_under_the_script_s_name(run: Any, tmp_path: Path) -> None:
    main = """
if __name__ == "__main__":
    import multiprocessing
    child = multiprocessing.get_context("spawn").Process(target=submit)
    child.start()
    child.join()
    work()
    show()
"""
    (tmp_path / "tasks.py").write_text(SCRIPT.partition("if __name__")[0] + main)
    assert json.loads(run("tasks.py")[-1]) == RAN


def test_a_module_in_a_package_keeps_its_full_name(run: Any, tmp_path: Path) -> None:
    package = tmp_path / "shop" / "mail"
    package.mkdir(parents=True)
    (package / "tasks.py").write_text(SCRIPT)
    run("-m", "shop.mail.tasks", "submit")
    shown = run("-c", "import shop.mail.tasks as tasks; tasks.work(); tasks.show()")[-1]
    assert json.loads(shown) == [[path.replace("tasks:", "shop.mail.tasks:"), *rest] for path, *rest in RAN]


REFUSED = """
from gigq import NotImportable
from gigq.paths import path_of
def f(): pass
try:
    path_of(f)
except NotImportable as error:
    print(error)
else:
    print("accepted as", path_of(f))
"""


NOTEBOOK = f"""
import sys, types
sys.modules["ipykernel"] = types.ModuleType("ipykernel")
exec(compile({REFUSED!r}, "/tmp/ipykernel_1/2.py", "exec"))
"""
"""What a notebook's kernel is to gigq: a program without a file, in which this module is loaded."""


@pytest.mark.parametrize(
    ("start", "stdin", "reason"),
    [
        (
            ["-c", REFUSED],
            None,
            "was defined by python -c, which no worker can import; move it into a .py file, and run or import that",
        ),
        (
            ["-"],
            REFUSED,
            "was read from standard input, which no worker can import; save the program as a .py file, and run that",
        ),
        (
            ["-i", "-q", "-W", "ignore"],
            f"exec(compile({REFUSED!r}, '<stdin>', 'single' if 0 else 'exec'))",
            "was typed at a prompt, which no worker can import; move it into a .py file, and import it from there",
        ),
        (
            ["-c", NOTEBOOK],
            None,
            "was defined in a notebook, which no worker can import; move it into a .py file beside the notebook "
            "(%%writefile does that), and import it from there",
        ),
    ],
    ids=["-c", "standard input", "prompt", "notebook"],
)
def test_a_function_that_was_never_in_a_file_is_refused_with_its_own_remedy(
    run: Any, start: list[str], stdin: str | None, reason: str
) -> None:
    assert run(*start, stdin=stdin) == [f"f {reason}"]


@pytest.mark.parametrize(
    ("file", "start", "reason"),
    [
        (
            "load-files.py",
            "load-files.py",
            "'load-files.py', and that is no name that Python can import; rename the file to 'load_files.py'",
        ),
        (
            "2024_load.py",
            "2024_load.py",
            "'2024_load.py', and that is no name that Python can import; rename the file to 'load_2024.py'",
        ),
        (
            "my.script.py",
            "my.script.py",
            "'my.script.py', and that is no name that Python can import; rename the file to 'my_script.py'",
        ),
        (
            "script.txt",
            "script.txt",
            "'script.txt', and only a name that ends in .py can be imported; rename the file to 'script.py'",
        ),
        (
            "2026.py",
            "2026.py",
            "'2026.py', and that is no name that Python can import; rename the file to 'tasks_2026.py'",
        ),
        *(
            (
                "app/__main__.py",
                start,
                "a __main__.py that was run by its path, and has no name to import it by; "
                "run it with python -m, or move the function into a module beside it",
            )
            for start in ("app", "app/__main__.py")
        ),
    ],
)
def test_a_function_of_a_script_that_cannot_be_imported_is_refused_with_its_own_remedy(
    run: Any, tmp_path: Path, file: str, start: str, reason: str
) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(REFUSED)
    assert run(start) == [f"f was defined in {reason}"]


def test_a_function_of_a_package_that_is_run_is_in_its_main_module(run: Any, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text(REFUSED)
    assert run("-m", "app") == ["accepted as app.__main__:f"]
