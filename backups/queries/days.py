"""Thirty days of each job: what came, what failed, what did not come."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils import timezone

from backups.engines import rhythms
from backups.models import DaySum, Job, Run

DAYS = 30
Mark = tuple[date, str, str]

_WORDS = {
    "ok": "arrived",
    "warning": "with warnings",
    "failed": "failed",
    "missed": "did not come",
    "running": "running",
    "off": "none expected",
}
# Of several runs on one day the most telling is drawn; a failure that later succeeded is not.
_RANK = ["off", "missed", "failed", "warning", "ok", "running"]


def days_of(jobs: Iterable[Job]) -> dict[int, list[Mark]]:
    """For each job's id its marks, oldest first: (day, state, word)."""
    jobs = list(jobs)
    days = _days()
    came = _states_by_day(jobs, days)
    return {job.pk: [_mark(job, day, came[job.pk]) for day in days] for job in jobs}


def added_by_day(job: Job, marks: Iterable[Mark]) -> list[int | None]:
    """Bytes that a job added on each of its days; None where a backup should have come."""
    added: dict[date, int] = defaultdict(int)
    rows = DaySum.objects.filter(job=job, day__gte=_days()[0])
    added.update(rows.values_list("day", "bytes_added"))
    return [None if state in ("failed", "missed") else added[day] for day, state, _ in marks]


def nights_since(marks: Iterable[Mark], state: str) -> int:
    """For how many expected days in a row, to this day, a job has been in a state."""
    nights = 0
    for _, found, _ in reversed(list(marks)):
        if found not in (state, "off"):
            break
        nights += found == state
    return nights


def state_of(status: str, verdict: str) -> str:
    """The word of the look for a run."""
    if status == Run.Status.RUNNING:
        return "running"
    if verdict == Run.Verdict.DIFFERS:
        return "missed"
    if status == Run.Status.SUCCEEDED:
        return "ok"
    return "warning" if status == Run.Status.WARNING else "failed"


def telling(states: Iterable[str]) -> str:
    """Of several on one day the one that is drawn."""
    return max(states, key=_RANK.index, default="off")


def _days() -> list[date]:
    today = timezone.localdate()
    return [today - timedelta(days=DAYS - 1 - n) for n in range(DAYS)]


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def _states_by_day(jobs: list[Job], days: list[date]) -> dict[int, dict[date, str]]:
    """By the daily sums; what goes on now is in none of them yet."""
    rows = DaySum.objects.filter(job__in=[job.pk for job in jobs], day__gte=days[0]).order_by()
    came: dict[int, dict[date, str]] = defaultdict(dict)
    for job_id, day, state in rows.values_list("job_id", "day", "state"):
        came[job_id][day] = state
    for job in jobs:
        if job.state in (Job.State.RUNNING, Job.State.STUCK) and job.last_run is not None:
            came[job.pk][timezone.localdate(job.last_run.started)] = "running"
    return came


def _mark(job: Job, day: date, came: Mapping[date, str]) -> Mark:
    state = came.get(day) or ("missed" if _was_missed(job, day, came) else "off")
    return day, state, _WORDS[state]


def _was_missed(job: Job, day: date, came: Mapping[date, str]) -> bool:
    """Whether its turn came on that day, after the first run that we know of."""
    elapse = turn_of(job, day)
    if day == timezone.localdate():
        # A run of today may still be on its way; whether it is late, its state says.
        is_over = elapse is None or elapse < timezone.now()
        return job.state in Job.ABSENT and is_over
    if job.hold == Job.Hold.PAUSED and job.held_since:
        elapse = None if day >= timezone.localdate(job.held_since) else elapse
    # A host that may sleep has days for it; that it slept too long is said of today.
    return elapse is not None and job.host.is_always_on and _is_known_since(job, day, came)


def _is_known_since(job: Job, day: date, came: Mapping[date, str]) -> bool:
    if came:
        return day >= min(came)
    return job.last_run is not None and timezone.localtime(job.last_run.started).date() < day


def turn_of(job: Job, day: date) -> datetime | None:
    """When a run is to begin on a day, if any is."""
    if job.rhythm == Job.Rhythm.HOURS:
        return midnight(day) if job.stated.isdigit() and int(job.stated) <= 24 else None
    if job.rhythm == Job.Rhythm.CRON:
        return _first_turn(rhythms.CRON, job.stated, day)
    return _first_turn(rhythms.CALENDAR, job.calendar, day) if job.calendar else None


@lru_cache(maxsize=4096)
def _first_turn(kind: str, text: str, day: date) -> datetime | None:
    """A fleet shares few schedules, so most are known already."""
    turn = rhythms.next_after(kind, text, midnight(day) - timedelta(seconds=1))
    return turn if turn and timezone.localtime(turn).date() == day else None
