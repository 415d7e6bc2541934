"""Thirty days of each job: what came, what failed, what did not come."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.db import connection
from django.db.models import IntegerField
from django.db.models.expressions import RawSQL
from django.utils import timezone

from backups.engines import rhythms
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
    days = _days()
    came = _states_by_day(jobs, days)
    return {job.pk: [_mark(job, day, came[job.pk]) for day in days] for job in jobs}


def added_by_day(job: Job, marks: Iterable[Mark]) -> list[int | None]:
    """Bytes that a job added on each of its days; None where a backup should have come."""
    added: dict[date, int] = defaultdict(int)
    rows = Run.objects.filter(job=job, started__gte=_midnight(_days()[0]))
    for started, count in rows.values_list("started", "bytes_added"):
        added[timezone.localtime(started).date()] += count or 0
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


def _days() -> list[date]:
    today = timezone.localdate()
    return [today - timedelta(days=DAYS - 1 - n) for n in range(DAYS)]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def _states_by_day(jobs: list[Job], days: list[date]) -> dict[int, dict[date, str]]:
    """The database takes the runs of a day together: a fleet has many thousands in a month."""
    rows = (
        Run.objects.filter(job__in=jobs, started__gte=_midnight(days[0]))
        .order_by()
        .annotate(day=_day_number(days))
        .values_list("job_id", "day", "status", "verdict")
        .distinct()
    )
    came: dict[int, dict[date, str]] = defaultdict(dict)
    for job_id, number, status, verdict in rows:
        day, state = days[number], state_of(status, verdict)
        came[job_id][day] = max(state, came[job_id].get(day, "off"), key=_RANK.index)
    return came


def _day_number(days: list[date]) -> RawSQL:
    """Which of the days a run began on.

    On SQLite TruncDate would call Python for each run, and thirty When() take longer to put
    together than the database takes to answer.
    """
    ends = [connection.ops.adapt_datetimefield_value(_midnight(day)) for day in days[1:]]
    whens = " ".join(f"WHEN backups_run.started < %s THEN {number}" for number in range(len(ends)))
    case = f"CASE {whens} ELSE {len(ends)} END"
    return RawSQL(case, ends, output_field=IntegerField())  # noqa: S611 (numbers alone are put in)


def _mark(job: Job, day: date, came: Mapping[date, str]) -> Mark:
    state = came.get(day) or ("missed" if _was_missed(job, day, came) else "off")
    return day, state, _WORDS[state]


def _was_missed(job: Job, day: date, came: Mapping[date, str]) -> bool:
    """Whether its turn came on that day, after the first run that we know of."""
    elapse = _turn_of(job, day)
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


def _turn_of(job: Job, day: date) -> datetime | None:
    """When a run is to begin on a day, if any is."""
    if job.rhythm == Job.Rhythm.HOURS:
        return _midnight(day) if job.stated.isdigit() and int(job.stated) <= 24 else None
    if job.rhythm == Job.Rhythm.CRON:
        return _first_turn(rhythms.CRON, job.stated, day)
    return _first_turn(rhythms.CALENDAR, job.calendar, day) if job.calendar else None


@lru_cache(maxsize=4096)
def _first_turn(kind: str, text: str, day: date) -> datetime | None:
    """A fleet shares few schedules, so most are known already."""
    turn = rhythms.next_after(kind, text, _midnight(day) - timedelta(seconds=1))
    return turn if turn and timezone.localtime(turn).date() == day else None
