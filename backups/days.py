"""Thirty days of each job: what came, what failed, what did not come."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.utils import timezone
from oncalendar import OnCalendar, OnCalendarError

from backups.models import Job, Run

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
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    came = _states_by_day(jobs, first)
    return {job.pk: [_mark(job, day, came[job.pk]) for day in _days(first)] for job in jobs}


def _days(first: date) -> list[date]:
    return [first + timedelta(days=n) for n in range(DAYS)]


def _states_by_day(jobs: list[Job], first: date) -> dict[int, dict[date, str]]:
    start = timezone.make_aware(datetime.combine(first, datetime.min.time()))
    rows = Run.objects.filter(job__in=jobs, started__gte=start).values_list(
        "job_id", "started", "status", "verdict"
    )
    came: dict[int, dict[date, str]] = defaultdict(dict)
    for job_id, started, status, verdict in rows:
        day = timezone.localtime(started).date()
        state = state_of(status, verdict)
        came[job_id][day] = max(state, came[job_id].get(day, "off"), key=_RANK.index)
    return came


def state_of(status: str, verdict: str) -> str:
    """The word of the look for a run."""
    if status == Run.Status.RUNNING:
        return "running"
    if verdict == Run.Verdict.DIFFERS:
        return "missed"
    if status == Run.Status.SUCCEEDED:
        return "ok"
    return "warning" if status == Run.Status.WARNING else "failed"


def _mark(job: Job, day: date, came: dict[date, str]) -> Mark:
    state = came.get(day) or ("missed" if _was_due(job, day, came) else "off")
    return day, state, _WORDS[state]


def _was_due(job: Job, day: date, came: dict[date, str]) -> bool:
    """Whether its timer elapsed on a past day after its first known run."""
    if not job.schedule or day >= timezone.localdate() or not came or day < min(came):
        return False
    try:
        midnight = datetime.combine(day, datetime.min.time())
        return next(OnCalendar(job.schedule, midnight - timedelta(seconds=1))).date() == day
    except (OnCalendarError, StopIteration):
        return False
