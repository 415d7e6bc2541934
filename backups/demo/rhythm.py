"""When the jobs of the made-up fleet ran, and when they are due again."""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from django.utils import timezone

from backups.demo.fleet import Member, Wish

# Runs a day that divide it evenly, so that a line of OnCalendar says them.
_STEPS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 96)
_DAY = 24 * 60
# What began less than this ago would not have ended yet.
_TAKES = timedelta(minutes=25)
_ONCE_A_DAY = {"differs", "missed", "running", "silent"}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The starts of one job, oldest first, and what its timer says."""

    starts: list[datetime] = field(repr=False)
    schedule: str = ""
    due: datetime | None = None


def rhythms_of(fleet: list[Member], wish: Wish, now: datetime) -> dict[str, Rhythm]:
    """By member; together they make about as many runs as were wished."""
    active = [member for member in fleet if not member.is_waiting]
    natural = {
        member.name: 1 if member.story in _ONCE_A_DAY else member.role.per_day for member in active
    }
    scale = wish.runs / (wish.days * sum(natural.values())) if wish.runs else 1.0
    rhythms = {}
    for member in active:
        random = Random(f"rhythm {wish.seed} {member.name}")  # noqa: S311
        count = max(1, round(natural[member.name] * scale * wish.days))
        make = _laptop if member.is_laptop else _timer
        rhythms[member.name] = make(member, count, wish.days, now, random)
    return rhythms


def _timer(member: Member, count: int, days: int, now: datetime, random: Random) -> Rhythm:
    per_day = next((step for step in _STEPS if step * days >= count), _STEPS[-1])
    spacing = _DAY // per_day
    first = _midnight(now) - timedelta(days=days) + timedelta(minutes=member.minute % spacing)
    planned = [first + timedelta(minutes=spacing * turn) for turn in range((days + 2) * per_day)]
    ended = now - _TAKES
    starts = [at + timedelta(seconds=random.randrange(90)) for at in planned if at <= ended]
    due = planned[len(starts)]
    return Rhythm(starts[-count:], _schedule(member.minute % spacing, per_day), due)


def _laptop(member: Member, count: int, days: int, now: datetime, random: Random) -> Rhythm:
    """When its person works and the lid is open; nothing is due at any time."""
    midnight = _midnight(now)
    mornings = [midnight - timedelta(days=day) for day in range(days, -1, -1)]
    worked = [day for day in mornings if day.weekday() < 5 and random.random() < 0.85] or mornings
    often = math.ceil(count / len(worked))
    starts = [
        day + timedelta(seconds=random.randrange(8 * 3600, 19 * 3600))
        for day in worked
        for _ in range(often)
    ]
    return Rhythm(sorted(at for at in starts if at < now - timedelta(hours=1))[-count:])


def weekly(start: datetime, now: datetime) -> Rhythm:
    """Sunday mornings since the start."""
    midnight = _midnight(now)
    sunday = midnight - timedelta(days=(midnight.weekday() + 1) % 7) + timedelta(hours=5)
    sundays = [sunday + timedelta(weeks=week) for week in range(-60, 3)]
    past = [at for at in sundays if start < at <= now]
    return Rhythm(past, "Sun *-*-* 05:00:00", next(at for at in sundays if at > now))


def _schedule(minute: int, per_day: int) -> str:
    """OnCalendar of a timer that elapses evenly."""
    if per_day == 1:
        return f"*-*-* {minute // 60:02}:{minute % 60:02}:00"
    if per_day < 24:
        return f"*-*-* {minute // 60:02}/{24 // per_day}:{minute % 60:02}:00"
    step = "" if per_day == 24 else f"/{_DAY // per_day}"
    return f"*-*-* *:{minute:02}{step}:00"


def _midnight(now: datetime) -> datetime:
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
