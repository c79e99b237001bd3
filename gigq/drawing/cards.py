"""Cards: a queue or a job as a piece of HTML for a notebook, with a ground and a style of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b

from gigq.drawing.looks import DARK, LIGHT, LOOKS, Ground
from gigq.drawing.marks import sign_of
from gigq.drawing.style import FONT, scoped
from gigq.drawing.words import shortened
from gigq.markup import Content, Markup, element, joined
from gigq.status import Phase

_SHAPES = (
    f".card{{{FONT};font-size:13px;line-height:18px;display:inline-block;max-width:100%;box-sizing:border-box;"
    "padding:14px 18px;border-radius:8px;border-width:1px;border-style:solid;overflow:auto;"
    "font-variant-numeric:tabular-nums;text-align:left}",
    ".title{font-size:16px;line-height:22px;font-weight:600}",
    ".line,.phases{margin-top:6px}",
    ".phase{margin-right:16px;white-space:nowrap}",
    ".phase svg{width:12px;height:12px;margin-right:6px;vertical-align:-1px;fill:none}",
    ".sign{stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}",
    ".dashed{stroke-dasharray:1.4 2.4}",
    "table{border-collapse:collapse;margin:8px 0 0;background:none;font-size:13px}",
    "th,td{padding:2px 16px 2px 0;border:none;text-align:left;vertical-align:top;background:none;font-weight:400;"
    "max-width:560px;overflow-wrap:anywhere;white-space:pre-wrap}",
    "td.number,th.number{text-align:right}",
)

_LONGEST_TITLE = 200


def card(title: str, *blocks: Content) -> Markup:
    """Return a card with a title."""
    head = element("div", shortened(title, _LONGEST_TITLE, len), class_="title")
    body = element("div", head, *blocks, class_="card")
    scope = f"gigq-{blake2b(str(body).encode(), digest_size=6).hexdigest()}"
    return element("div", element("style", _style(scope)), body, class_=scope)


def shown(make: Callable[[], Markup], what: str) -> str:
    """Return a card as HTML, or one that says why there is none: a notebook hides what raises, or shows a traceback."""
    try:
        return str(make())
    except Exception as error:
        return str(card(what, warning(f"cannot be shown: {error or type(error).__name__}")))


def line(text: str) -> Markup:
    """Return one line of muted text."""
    return element("div", text, class_="line muted")


def warning(text: str) -> Markup:
    """Return one line about what is wrong."""
    return element("div", text, class_="line warning")


def phase(of: Phase, text: str | None = None) -> Markup:
    """Return a phase with its sign; `text` holds its word, and is that word if it is left out."""
    return element("span", sign_of(of), of.value if text is None else text, class_=f"phase {of}")


def phases(items: Iterable[tuple[Phase, str]]) -> Markup:
    """Return phases side by side."""
    return element("div", *(joined(phase(of, text), " ") for of, text in items), class_="phases")


def table(titles: Sequence[str], rows: Iterable[Sequence[Content]]) -> Markup:
    """Return a table; numbers are on the right, and so are the titles over them."""
    cells = list(rows)
    numbers = {column for row in cells for column, cell in enumerate(row) if isinstance(cell, int)}
    head = (
        element("th", title, class_="number muted" if column in numbers else "muted", scope="col")
        for column, title in enumerate(titles)
    )
    return element("table", element("tr", *head), *(_row(row) for row in cells))


def fields(items: Iterable[tuple[str, Content]]) -> Markup:
    """Return a table of names and values, without those that are None."""
    return element(
        "table",
        *(
            element("tr", element("th", name, class_="muted", scope="row"), element("td", value))
            for name, value in items
            if value is not None
        ),
    )


def _row(cells: Sequence[Content]) -> Markup:
    return element(
        "tr", *(element("td", _cell(cell), class_="number" if isinstance(cell, int) else None) for cell in cells)
    )


def _cell(cell: Content) -> Content:
    return f"{cell:,}" if isinstance(cell, int) else cell


def _style(scope: str) -> str:
    light = [*_SHAPES, *_colours(LIGHT, is_dark=False)]
    dark = list(_colours(DARK, is_dark=True))
    return f"{scoped(scope, light)}@media (prefers-color-scheme:dark){{{scoped(scope, dark)}}}"


def _colours(ground: Ground, *, is_dark: bool) -> Iterator[str]:
    yield f".card{{background:{ground.panel};border-color:{ground.hairline}}}"
    yield f".title,td,.line{{color:{ground.text}}}"
    yield f".muted{{color:{ground.muted}}}"
    yield f".warning{{color:{ground.warning}}}"
    for each in Phase:
        colour = LOOKS[each].dark if is_dark else LOOKS[each].light
        yield f".{each}{{color:{colour}}}"
        yield f".{each} .sign{{stroke:{colour}}}"
        yield f".{each} .filled{{fill:{colour}}}"
