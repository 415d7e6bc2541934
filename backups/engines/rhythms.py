"""Rhythms: when a job is due, by its timer's OnCalendar, a line of cron, or hours apart."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from cronsim import CronSim, CronSimError
from oncalendar import OnCalendar, OnCalendarError

from backups.engines.errors import EngineError

CRON, CALENDAR, HOURS = "cron", "calendar", "hours"

# cronsim knows the five fields alone.
_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MOST_HOURS = 24 * 366
_EXAMPLES = {
    CRON: "Write five fields, as in 15 2 * * *.",
    CALENDAR: "Write it as OnCalendar= takes it, as in Mon..Fri 02:15.",
    HOURS: f"Write a whole number of hours from 1 to {_MOST_HOURS}.",
}


def check(kind: str, text: str, now: datetime) -> None:
    """EngineError, with an example, when it cannot be read or never comes."""
    if len(text) > 200 or next_after(kind, text, now) is None:
        raise EngineError(f"This says no time that comes. {_EXAMPLES[kind]}")


def next_after(kind: str, text: str, moment: datetime) -> datetime | None:
    """The first turn after a moment; None when there is none, or it cannot be read."""
    if kind == HOURS:
        hours = int(text) if re.fullmatch(r"[0-9]{1,5}", text.strip()) else 0
        return moment + timedelta(hours=hours) if 0 < hours <= _MOST_HOURS else None
    return min(_turns(kind, text, moment), default=None)


def _turns(kind: str, text: str, moment: datetime) -> Iterator[datetime]:
    """Of a timer with several lines each; those that count from a start have no calendar."""
    for part in text.split("; ") if kind == CALENDAR else [text]:
        if (turn := _next(kind, part.strip(), moment)) is not None:
            yield turn


@lru_cache(maxsize=8192)
def _next(kind: str, text: str, moment: datetime) -> datetime | None:
    """A fleet shares few rhythms, so most are known already."""
    try:
        if kind == CRON:
            return next(CronSim(_NAMED.get(text, text), moment))
        turn: datetime = next(OnCalendar(text, moment))
    except (CronSimError, OnCalendarError, StopIteration, ValueError, OverflowError):
        return None
    return turn
