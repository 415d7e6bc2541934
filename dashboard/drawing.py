"""Figures as SVG text: drawn by the server, sized by the stylesheet, read aloud as a sentence."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

Mark = tuple[date, str, str]

# The shape of a day, eight units wide: height and fill carry the state, colour only repeats it.
DAYS = {
    "ok": (1.0, "13h6v5h-6z"),
    "warning": (1.0, "7h6v11h-6z"),
    "failed": (1.0, "0h6v18h-6z"),
    "missed": (1.5, ".5h5v17h-5z"),
    "running": (1.5, "13.5h5v4h-5z"),
    "off": (3.0, "16h2v2h-2z"),
}
_OPEN = frozenset({"warning", "failed", "missed"})
WORDS = {
    "ok": "arrived",
    "warning": "with warnings",
    "failed": "failed",
    "missed": "missed",
    "running": "running",
}
KEY = (
    ("ok", "arrived", "M0 9h6v5h-6z"),
    ("warning", "arrived with warnings", "M0 5h6v9h-6z"),
    ("failed", "failed", "M0 0h6v14h-6z"),
    ("missed", "did not come", "M.5 .5h5v13h-5z"),
    ("past failed", "made good since", "M0 0h6v14h-6z"),
    ("off", "none expected", "M2 12h2v2h-2z"),
)


class Scale(NamedTuple):
    """What stands beside a chart: the height of its top, the words along its edges."""

    high: float
    up: Sequence[str]
    ticks: Sequence[str]


def in_words(marks: Sequence[Mark]) -> str:
    """Say the marks: "28 arrived, 2 missed"."""
    counts = Counter(state for _, state, _ in marks)
    if counts["ok"] == len(marks) > 1:
        return f"all {len(marks)} arrived"
    said = [f"{counts[state]} {word}" for state, word in WORDS.items() if counts[state]]
    return ", ".join(said) or "none expected"


def days(marks: Sequence[Mark], what: str = "") -> SafeString:
    """Draw one line of days, oldest first: one path for each state."""
    paths: dict[str, str] = {}
    states = _with_past(marks)
    for place, state in enumerate(states):
        paths[state] = paths.get(state, "") + _day(state, place)
    open_ones = _still_open(marks, states) if _OPEN & paths.keys() else ""
    sentence = f"{what}, {len(marks)} days: {in_words(marks)}{open_ones}"
    return format_html(
        '<svg class="days" viewBox="0 0 {} 18" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}</svg>',
        8 * len(marks),
        sentence.removeprefix(", "),
        _paths(paths.items()),
    )


def matrix(rows: Sequence[Sequence[Mark]], what: str = "") -> SafeString:
    """Draw many lines of days as one dense field: an outage of all reads as one vertical line."""
    paths: dict[str, list[str]] = {}
    for line, marks in enumerate(rows):
        for place, state in enumerate(_with_past(marks)):
            if state != "off":
                shape = f"M{8 * place + 1} {4 * line}h6v3h-6z"
                paths.setdefault(state, []).append(shape)
    width = 8 * max((len(marks) for marks in rows), default=1)
    return format_html(
        '<svg class="matrix" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        width,
        4 * max(len(rows), 1),
        f"{what}: {in_words([mark for marks in rows for mark in marks])}".removeprefix(": "),
        _paths((state, "".join(shapes)) for state, shapes in paths.items()),
    )


def key() -> SafeString:
    """Explain the marks, once on a page."""
    return format_html(
        '<p class="key">{}</p>',
        format_html_join(
            "",
            '<span><svg class="days" viewBox="0 0 6 14" aria-hidden="true">'
            '<path class="{}" d="{}"/></svg>{}</span>',
            ((state, shape, word) for state, word, shape in KEY),
        ),
    )


def spark(values: Sequence[float], label: str, high: float | None = None) -> SafeString:
    """Draw the run of a few values, small enough to stand in a row; from 0 where `high` is said."""
    low = min(values, default=0) if high is None else 0
    high = max(values, default=0) if high is None else high
    return format_html(
        '<svg class="spark" viewBox="0 0 100 20" preserveAspectRatio="none" role="img"'
        ' aria-label="{}"><path d="{}"/></svg>',
        label,
        _line([(value - low) / ((high - low) or 1) for value in values], 100, 18, top=1),
    )


def bars(
    values: Sequence[float | None], scale: Scale, sentence: str, band: Sequence[float] = ()
) -> SafeString:
    """Draw a bar for each value; None is one that should have been there, and stands hollow."""
    step = 600 / max(len(values), 1)
    full, hollow = [], []
    for place, value in enumerate(values):
        left, wide = place * step + step / 8, step * 0.75
        if value is None:
            hollow.append(f"M{left:.1f} 100V30h{wide:.1f}V100z")
        elif value:
            full.append(f"M{left:.1f} 100V{_height(value, scale.high):.1f}h{wide:.1f}V100z")
    usual = ""
    if band:
        low, high = (_height(edge, scale.high) for edge in band)
        usual = f"M0 {high:.1f}H600V{low:.1f}H0z"
    paths = (
        ("band", usual),
        ("grid", "M0 .5H600M0 99.5H600"),
        ("fill", "".join(full)),
        ("failed", "".join(hollow)),
    )
    return _chart(f"0 0 600 {100}", paths, scale, sentence)


def line(
    values: Sequence[float],
    scale: Scale,
    sentence: str,
    *,
    limit: float | None = None,
    forecast: Sequence[float] = (),
    is_stepped: bool = False,
) -> SafeString:
    """Draw values over time, a dashed limit across, and where they go if nothing changes."""
    count = len(values) + len(forecast)
    until = 400 * (len(values) - 1) / max(count - 1, 1)
    shares = [value / scale.high for value in values]
    ahead = [value / scale.high for value in (*values[-1:], *forecast)]
    dash = "" if limit is None else f"M0 {_height(limit, scale.high):.1f}H400"
    if forecast:
        dash += _line(ahead, 400 - until, 100, left=until)
    grid = "M0 .5H400M0 99.5H400" + "M0 50H400" * (len(scale.up) == 3)
    paths = (
        ("grid", grid),
        ("dash", dash),
        ("line", _line(shares, until, 100, is_stepped=is_stepped)),
    )
    return _chart("0 0 400 100", paths, scale, sentence)


def dots(scores: Iterable[int], policy: int | None, bad: int, sentence: str) -> SafeString:
    """Draw a dot for each score in tenths, stacked; where they are too many, a column for all."""
    columns = Counter(min(score, 99) // 2 for score in scores)
    highest = max(columns.values(), default=0)
    fill: list[str] = []
    red: list[str] = []
    for column, count in sorted(columns.items()):
        shapes = red if column * 2 >= bad else fill
        x = 7 + 7.6 * column
        if highest <= 13:
            shapes.extend(
                f"M{x:.1f} {94.5 - 7.5 * n:.1f}a3 3 0 1 0 6 0a3 3 0 1 0-6 0" for n in range(count)
            )
        else:
            shapes.append(f"M{x:.1f} 100v-{max(96 * count / highest, 1.5):.1f}h6V100z")
    paths = (
        ("line", "M0 101H400"),
        ("dash", "" if policy is None else f"M{14.6 + 7.6 * (policy // 2):.1f} 4V100"),
        ("fill", "".join(fill)),
        ("bad", "".join(red)),
    )
    scale = Scale(10, (), ("0 closed", "5", "10 open"))
    return _chart("0 0 400 104", paths, scale, sentence, kind="dots")


def round_up(value: float) -> float:
    """The next figure a person would put at the top of a scale."""
    power = 1.0
    while value / power > 10:
        power *= 10
    while 0 < value / power <= 1:
        power /= 10
    return next(
        (step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8) if step * power >= value), 10 * power
    )


def scale_for(
    values: Iterable[float | None], ticks: Sequence[str], said: Callable[[float], str]
) -> Scale:
    """A scale from nothing to just above the highest of the values."""
    high = round_up(max((value for value in values if value is not None), default=0) or 1)
    return Scale(high, (said(high), "0"), ticks)


def _with_past(marks: Sequence[Mark]) -> list[str]:
    """The states, with "past" before those that a later arrival has made good."""
    states = [state if state in DAYS else "off" for _, state, _ in marks]
    last = max((place for place, state in enumerate(states) if state == "ok"), default=-1)
    return [
        f"past {state}" if place < last and state in _OPEN else state
        for place, state in enumerate(states)
    ]


def _still_open(marks: Sequence[Mark], states: Sequence[str]) -> str:
    """The last three that nothing has made good, by name: who cannot see them wants to know."""
    said = [
        f"{day.day} {day:%b} {label}"
        for (day, _, label), state in zip(marks, states, strict=True)
        if label and state in _OPEN
    ]
    return f" ({'; '.join(said[-3:])})" if said else ""


@cache
def _day(state: str, place: int) -> str:
    left, shape = DAYS[state.removeprefix("past ")]
    return f"M{8 * place + left:g} {shape}"


def _height(value: float, high: float) -> float:
    return 100 - 100 * min(max(value / high, 0), 1)


def _line(
    shares: Sequence[float],
    width: float,
    height: float,
    *,
    left: float = 0,
    top: float = 0,
    is_stepped: bool = False,
) -> str:
    step = width / max(len(shares) - 1, 1)
    path = ""
    for place, share in enumerate(shares):
        x, y = left + place * step, top + height * (1 - min(max(share, 0), 1))
        if is_stepped and path:
            path += f"H{x:.1f}V{y:.1f}"
        else:
            path += f"{'L' if path else 'M'}{x:.1f} {y:.1f}"
    return path


def _paths(paths: Iterable[tuple[str, str]]) -> SafeString:
    # Numbers and our own words only: nothing here to escape, and it is drawn once for each row.
    return mark_safe("".join(f'<path class="{kind}" d="{path}"/>' for kind, path in paths if path))  # noqa: S308


def _chart(
    view: str,
    paths: Iterable[tuple[str, str]],
    scale: Scale,
    sentence: str,
    kind: str = "",
) -> SafeString:
    shape = format_html(' class="{}"', kind) if kind else mark_safe(' preserveAspectRatio="none"')
    edges = [("up", scale.up), ("ticks", scale.ticks)]
    return format_html(
        '<figure class="chart"><svg{} viewBox="{}" role="img" aria-label="{}">{}</svg>{}'
        "<figcaption>{}</figcaption></figure>",
        shape,
        view,
        sentence,
        _paths(paths),
        format_html_join(
            "",
            '<ol class="{}" aria-hidden="true">{}</ol>',
            (
                (name, format_html_join("", "<li>{}</li>", ((word,) for word in words)))
                for name, words in edges
                if words
            ),
        ),
        sentence,
    )
