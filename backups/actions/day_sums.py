"""Daily sums: written as runs are reported, so that no page counts them again."""

import logging
import time
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.utils import timezone
from django_tasks import task

from backups.models import DaySum, Job, Run
from backups.queries.days import midnight, state_of, telling, turn_of

logger = logging.getLogger(__name__)

# Of a run, as `values_list` gives it.
FIELDS = ("started", "finished", "status", "verdict", "bytes_added")
_Row = tuple[datetime, datetime | None, str, str, int | None]
_SUMS = ("state", "runs", "failed", "missed", "bytes_added", "seconds")
# What the columns hold: a host may claim that it ran for two hundred years.
_MOST, _MOST_BYTES = 2**31 - 1, 2**63 - 1
_BAD = ("failed", "missed")
_BATCH = 500
_MOST_BATCHES = 400


def sum_day(job: Job, moment: datetime) -> None:
    """Count the day of a moment again; called in the transaction that changed one of its runs."""
    day = timezone.localdate(moment)
    ended = Run.objects.filter(
        job=job,
        started__gte=midnight(day),
        started__lt=midnight(day + timedelta(days=1)),
        finished__isnull=False,
    )
    found = list(sums_of(job.pk, ended.order_by("started").values_list(*FIELDS)))
    if not found:
        # One that seemed lost goes on after all.
        DaySum.objects.filter(job=job, day=day, missed=0).delete()
        return
    # What was missed stays so, unless the first run of that day is the one that was missed.
    kept = {"missed"} if found[0].runs > 1 else set()
    DaySum.objects.bulk_create(
        found,
        update_conflicts=True,
        unique_fields=["job", "day"],
        update_fields=[name for name in _SUMS if name not in kept],
    )


def sums_of(job_id: int, rows: Iterable[_Row]) -> Iterator[DaySum]:
    """The sums of one job's runs, which come in the order of their start."""
    for day, runs in groupby(rows, lambda row: timezone.localdate(row[0])):
        yield _sum(job_id, day, list(runs))


def count_missing(job: Job, day: date) -> None:
    """A run that did not come counts as failed on the day when it was due."""
    found, is_new = DaySum.objects.get_or_create(
        job=job, day=day, defaults={"state": "missed", "missed": 1}
    )
    if not is_new and not found.missed:
        found.missed, found.state = 1, telling([found.state, "missed"])
        found.save(update_fields=["missed", "state"])


@task(queue_name="checks")
def count_missing_days() -> None:
    """Of jobs that are missing for longer, each day anew, once it is over."""
    today = timezone.localdate()
    absent = Job.objects.backing_up().filter(state__in=Job.ABSENT).select_related("host")
    for job in absent:
        since = timezone.localdate(job.due) if job.due else today
        for back in (1, 2, 3):
            day = today - timedelta(days=back)
            if day > since and turn_of(job, day) and job.host.is_always_on:
                count_missing(job, day)


@task(queue_name="checks")
def forget_old_runs() -> None:
    """Runs go after some time, but the last one of each job and the daily sums stay."""
    if not settings.RUNS_KEPT_DAYS:
        return
    before = timezone.now() - timedelta(days=settings.RUNS_KEPT_DAYS)
    old = Run.objects.filter(started__lt=before).exclude(
        pk__in=Job.objects.exclude(last_run=None).values("last_run")
    )
    for _ in range(_MOST_BATCHES):
        begun = time.monotonic()
        pks = list(old.order_by("started").values_list("pk", flat=True)[:_BATCH])
        # No job points at them: Django would look for that once more, and read each of them.
        Run.objects.filter(pk__in=pks)._raw_delete(old.db)
        if len(pks) < _BATCH:
            return
        # A few at a time, and half of the time for the reports that wait meanwhile.
        time.sleep(time.monotonic() - begun)
    logger.info("More old runs are left; they go with the next turn.")


def _sum(job_id: int, day: date, rows: list[_Row]) -> DaySum:
    states = [state_of(status, verdict) for _, _, status, verdict, _ in rows]
    return DaySum(
        job_id=job_id,
        day=day,
        state=telling(states),
        runs=len(rows),
        failed=sum(state in _BAD for state in states),
        bytes_added=min(sum(added or 0 for *_, added in rows), _MOST_BYTES),
        seconds=min(sum(_seconds(started, finished) for started, finished, *_ in rows), _MOST),
    )


def _seconds(started: datetime, finished: datetime | None) -> int:
    return max(0, int((finished - started).total_seconds())) if finished else 0
