"""What pages say: icons, states, times, sizes. Built into every template."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import NamedTuple

from django import template
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.template.context import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from typing_extensions import TypeIs

from backups.models.addresses import address
from backups.queries.policy import could_of_field

register = template.Library()

STATES = frozenset({"ok", "warning", "failed", "missed", "running", "off"})
PLACES = (
    ("overview", "Overview"),
    ("servers", "Servers"),
    ("users", "Users"),
    ("certificates", "Certificates"),
    ("hosts", "Hosts"),
    ("runs", "Runs"),
    ("repositories", "Repositories"),
    ("units", "Hardening"),
    ("events", "Events"),
    ("settings", "Settings"),
)
# Pages that are reached from another place, and belong to it.
_WITHIN = {"risks": "units"}
NOTHING = "\u2013"
_CODE = re.compile(r"`([^`\n]+)`")


class Place(NamedTuple):
    """A page of the navigation."""

    label: str
    url: str
    is_here: bool


class Navigation(NamedTuple):
    """All places, and the name of the one the reader is in."""

    places: list[Place]
    here: str


def is_absent(value: object) -> TypeIs[None]:
    """Whether there is nothing to say; for a variable it does not know, Django hands over ""."""
    return value is None or value == ""


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> Navigation:
    """The pages of the house, with the one the reader is on."""
    match = getattr(context.get("request"), "resolver_match", None)
    here = match.namespace if match else ""
    here = _WITHIN.get(here, here)
    places = [Place(label, address(f"{name}:index"), name == here) for name, label in PLACES]
    return Navigation(places, dict(PLACES).get(here, "All pages"))


@register.simple_tag
@cache
def sprite() -> str:
    """Address of the icons."""
    return static("icons.svg")


@register.simple_tag
def way(view: str, *names: object) -> str:
    """Lead to a page as `url` does; for lists, whose lines all lead to the same few."""
    return address(view, *map(str, names))


@register.simple_tag
@lru_cache(maxsize=1000)
def icon(name: str, label: str = "") -> SafeString:
    """Draw an icon from the sprite; one that stands alone needs its label."""
    said = format_html('role="img" aria-label="{}"', label) if label else 'aria-hidden="true"'
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" {}><use href="{}#{}"/></svg>',
        SafeString(said),
        sprite(),
        name,
    )


@register.simple_tag
def state(name: str, words: object) -> SafeString:
    """Say a state: its mark by the stylesheet, its word always."""
    shown = name if name in STATES else "off"
    said = conditional_escape(words)  # type: ignore[arg-type]
    return mark_safe(f'<span data-state="{shown}">{said}</span>')  # noqa: S308


@register.simple_tag
def notice(message: Message) -> SafeString:
    """Say a message of the last request in its state."""
    states = {constants.SUCCESS: "ok", constants.WARNING: "warning", constants.ERROR: "failed"}
    return state(states.get(message.level, "off"), message.message)


@register.simple_tag(takes_context=True)
def column(context: Context, field: str, label: str, kind: str = "") -> SafeString:
    """Head of a column that sorts: the first click ascending, the second descending."""
    query = context["request"].GET.copy()
    order = {field: "ascending", f"-{field}": "descending"}.get(query.get("sort", ""), "none")
    query["sort"] = f"-{field}" if order == "ascending" else field
    query.pop("before", None)
    query.pop("after", None)
    return format_html(
        '<th scope="col" aria-sort="{}"{}><a href="?{}">{}</a></th>',
        order,
        format_html(' class="{}"', kind) if kind else "",
        query.urlencode(),
        label,
    )


@register.filter
def ago(when: datetime | None) -> SafeString | str:
    """Say how long ago, or how long until: "3 h ago", "in 2 d"."""
    if not when:
        return "never"
    seconds = (timezone.now() - when).total_seconds()
    words = _span(abs(seconds))
    return _time(
        _local(when),
        f"{words} ago" if seconds >= 0 else f"in {words}",
        is_kept_fresh=True,
    )


@register.filter
def moment(when: datetime | None) -> SafeString | str:
    """Say a point in time as a person would: "today 02:10", "Sat 21 Nov, 02:16"."""
    if not when:
        return "never"
    local, now = _local(when), _local(timezone.now())
    name = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((local.date() - now.date()).days)
    if local > now and local.hour < 6 and local - now < timedelta(hours=24):
        name = "tonight"
    return _time(local, f"{name} {local:%H:%M}" if name else f"{_day(local, now)}, {local:%H:%M}")


@register.filter
def day(when: date | None) -> str:
    """Say a day: "Sat 21 Nov", with its year where it is another one."""
    if not when:
        return NOTHING
    local = timezone.localtime(when) if isinstance(when, datetime) else when
    return _day(local, timezone.localdate())


@register.filter
def size(count: float | None) -> str:
    """Say bytes in decimal units, as disks are sold: "1.1 GB"."""
    if is_absent(count):
        return NOTHING
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(amount) < 999.5 or unit == "TB":
            break
        amount /= 1000
    digits = 0 if unit == "B" or abs(amount) >= 99.95 else 1
    return f"{amount:,.{digits}f}".removesuffix(".0") + f"\u00a0{unit}"


@register.filter
def figure(number: float | None) -> str:
    """Say a count with its thousands apart: "48,210"."""
    return NOTHING if is_absent(number) else f"{number:,.0f}"


@register.filter
def duration(span: timedelta | float | None) -> str:
    """Say how long something took: "45 s", "11 min", "1 h 12 min"."""
    if is_absent(span):
        return NOTHING
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    if seconds < 90:
        digits = 0 if seconds >= 10 else 1
        return f"{seconds:.{digits}f}".removesuffix(".0") + "\u00a0s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes}\u00a0min"
    large, small, units = (*divmod(minutes, 60), "h min")
    if large >= 48:
        large, small, units = (*divmod(round(minutes / 60), 24), "d h")
    first, second = units.split()
    return f"{large}\u00a0{first}" + (f" {small}\u00a0{second}" if small else "")


@register.filter
def score(tenths: int | None) -> str:
    """Say an exposure kept in tenths: 46 is 4.6."""
    return NOTHING if is_absent(tenths) else f"{tenths // 10}.{tenths % 10}"


@register.filter
def change(tenths: int) -> str:
    """Say by how much an exposure changed."""
    sign = "\N{MINUS SIGN}" if tenths < 0 else "+"
    return f"{sign}{score(abs(tenths))}"


@register.filter
def from_to(scores: Sequence[int]) -> str:
    """Say how an exposure went, from the first to the last."""
    return f"From {score(scores[0])} to {score(scores[-1])}"


@register.filter
def could(field: str) -> str:
    """Say what an attacker could do while a row of systemd's table is open."""
    return could_of_field(field)


@register.filter
def with_code(sentence: str) -> SafeString:
    """Set what stands between backticks as code; an odd one stays as it is."""
    parts = _CODE.split(sentence)
    return format_html_join(
        "",
        "{}",
        ((format_html("<code>{}</code>", p) if n % 2 else p,) for n, p in enumerate(parts)),
    )


def _local(when: datetime) -> datetime:
    """The house has one zone: to look for another for each cell takes longer than to say it."""
    return when.astimezone(timezone.get_default_timezone())


def _span(seconds: float) -> str:
    for limit, unit, length in ((90, "s", 1), (5400, "min", 60), (129600, "h", 3600)):
        if seconds < limit:
            return f"{seconds // length:.0f} {unit}"
    whole_days = int(seconds // 86400)
    return f"{whole_days} d" if whole_days < 730 else f"{whole_days // 365} years"


def _day(when: date, today: date) -> str:
    if when.year == today.year:
        return f"{when:%a} {when.day} {when:%b}"
    return f"{when.day} {when:%b %Y}"


def _time(local: datetime, words: str, *, is_kept_fresh: bool = False) -> SafeString:
    # Our own words and figures: nothing to escape, and a list has hundreds of them.
    return mark_safe(  # noqa: S308
        f'<time datetime="{local.isoformat(timespec="seconds")}" title="{local:%Y-%m-%d %H:%M:%S}"'
        f"{' data-ago' if is_kept_fresh else ''}>{words}</time>"
    )
