"""What pages draw: days, bars, lines, dots. Built into every template."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.utils.safestring import SafeString

from dashboard import drawing
from dashboard.templatetags.ui import duration, size

register = template.Library()


@register.filter
def in_words(marks: Sequence[drawing.Mark]) -> str:
    """Say the marks of a line of days."""
    return drawing.in_words(marks)


@register.simple_tag
def days(marks: Sequence[drawing.Mark], what: str = "") -> SafeString:
    """Draw a line of days from (date, state, label), oldest first."""
    return drawing.days(marks, what)


@register.simple_tag
def matrix(rows: Sequence[Sequence[drawing.Mark]], what: str = "") -> SafeString:
    """Draw the days of many plain hosts as one field."""
    return drawing.matrix(rows, what)


@register.simple_tag
def key() -> SafeString:
    """Explain the marks of the days."""
    return drawing.key()


@register.simple_tag
def spark(values: Sequence[float], label: str, high: float | None = None) -> SafeString:
    """Draw a few values within a row."""
    return drawing.spark(values, label, high)


@register.simple_tag
def bars(
    values: Sequence[float | None],
    sentence: str,
    ticks: str | Sequence[str] = (),
    band: Sequence[float] = (),
    unit: str = "",
) -> SafeString:
    """Draw bars with their scale; ticks are words for the edge, "25 Oct|8 Nov|today"."""
    scale = drawing.scale_for([*values, *band], _words(ticks), _unit(unit))
    return drawing.bars(values, scale, sentence, band)


@register.simple_tag
def line(
    values: Sequence[float],
    sentence: str,
    ticks: str | Sequence[str] = (),
    **options: Any,
) -> SafeString:
    """Draw a line; options are unit, high, limit, forecast and is_stepped."""
    said, high = _unit(options.pop("unit", "")), options.pop("high", None)
    forecast = options.get("forecast", ())
    scale = drawing.scale_for([*values, *forecast], _words(ticks), said)
    if high is not None:
        scale = drawing.Scale(high, (said(high), said(high / 2), "0"), _words(ticks))
    return drawing.line(values, scale, sentence, **options)


@register.simple_tag
def dots(
    scores: Iterable[int], sentence: str, policy: int | None = None, bad: int = 90
) -> SafeString:
    """Draw the spread of exposures in tenths; from `bad` on they are red."""
    return drawing.dots(scores, policy, bad, sentence)


def _words(ticks: str | Sequence[str]) -> Sequence[str]:
    return ticks.split("|") if isinstance(ticks, str) else ticks


def _unit(name: str) -> Any:
    said = {"size": size, "duration": duration, "score": lambda tenths: f"{tenths / 10:g}"}
    return said.get(name, lambda value: f"{value:,g}")
