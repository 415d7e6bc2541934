"""Expectations: when a job is to run, where its host has no timer that tells."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from backups.actions.events import Actor, record_event
from backups.actions.jobs import next_turn, refresh_job
from backups.engines import rhythms
from backups.engines.errors import EngineError
from backups.models import Job

_GRACE = (timedelta(minutes=5), timedelta(days=31))


def expect_runs(
    job: Job, rhythm: str, stated: str = "", *, grace: timedelta | None = None, by: Actor
) -> Job:
    """State a rhythm by hand, or leave it to the timer; EngineError when it cannot be read."""
    stated, now = stated.strip() if rhythm else "", timezone.localtime()
    if rhythm:
        rhythms.check(rhythm, stated, now)
    if grace is not None and not _GRACE[0] <= grace <= _GRACE[1]:
        raise EngineError("A run may be late by 5 minutes to 31 days.")
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job.pk)
        if (rhythm, stated) != (job.rhythm, job.stated):
            job.due = None if rhythm else next_turn(job, now)
            job.rhythm, job.stated, job.stated_at = rhythm, stated, now if rhythm else None
        job.grace = grace or job.grace
        job.save(update_fields=["rhythm", "stated", "stated_at", "grace", "due"])
        record_event(by, "set the schedule of", job, sentence=job.expected)
        refresh_job(job)
    return job
