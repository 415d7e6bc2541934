"""Holds: a job that is paused, snoozed or acknowledged, with who and why."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from backups.actions.events import Actor, record_event
from backups.actions.jobs import next_turn, refresh_job, release
from backups.engines.errors import EngineError
from backups.models import Job

_LONGEST = timedelta(days=366)


def pause_job(job: Job, *, why: str, by: Actor, until: datetime | None = None) -> Job:
    """Expect nothing of it, until then or until somebody resumes it."""
    return _hold(job, Job.Hold.PAUSED, why=why, by=by, until=until)


def snooze_job(job: Job, *, why: str, by: Actor, until: datetime) -> Job:
    """Ask nobody to look at it before then, whatever happens."""
    return _hold(job, Job.Hold.SNOOZED, why=why, by=by, until=until)


def acknowledge_job(job: Job, *, why: str, by: Actor) -> Job:
    """Somebody knows of what it has now; anything else is news again."""
    if job.severity <= Job.SEVERITY_OF_KNOWN and not job.is_held:
        raise EngineError(f"{job} has nothing to acknowledge: {job.get_state_display().lower()}.")
    return _hold(job, Job.Hold.ACKNOWLEDGED, why=why, by=by, until=None)


def resume_job(job: Job, *, by: Actor) -> Job:
    """Watch it as before; EngineError when nothing holds it."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job.pk)
        if not job.is_held:
            raise EngineError(f"{job} is neither paused, snoozed nor acknowledged.")
        if job.hold == Job.Hold.PAUSED:
            _expect_from_now(job)
        release(job)
        record_event(by, "resumed", job)
        refresh_job(job)
    return job


def _hold(job: Job, hold: Job.Hold, *, why: str, by: Actor, until: datetime | None) -> Job:
    now = timezone.now()
    if until is not None and not now < until <= now + _LONGEST:
        raise EngineError("The end must lie in the future, within a year.")
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job.pk)
        was_paused = job.hold == Job.Hold.PAUSED
        job.hold, job.held_by, job.held_why = hold, str(by)[:150], why.strip()[:200]
        job.held_since, job.held_until, job.held_state = now, until, job.state
        if was_paused and hold != Job.Hold.PAUSED:
            _expect_from_now(job)
        record_event(by, hold.value, job, sentence=job.held_why)
        refresh_job(job)
    return job


def _expect_from_now(job: Job) -> None:
    """Of turns that passed while it was paused, nobody expects a run any more."""
    now = timezone.now()
    if job.rhythm:
        job.stated_at = now
    elif job.due is not None and job.due < now:
        job.due = next_turn(job, now)
    job.save(update_fields=["stated_at", "due"])
