"""Jobs: how each stands, from its newest run and its timer."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from backups.models import Job, Run

# A run that its host no longer mentions, though the host itself reports, has ended unseen.
_LOST_AFTER = timedelta(minutes=15)


def refresh_job(job: Job, *, now: datetime | None = None) -> None:
    """Write how the job stands; called in the transaction that changed what it rests on."""
    run = job.runs.order_by("-started", "-id").first()
    job.last_run = run
    job.set_state(*_standing(job, run, now or timezone.now()))
    job.save(
        update_fields=["last_run", "last_arrived", "repository", "state", "severity", "reason"]
    )


@task(queue_name="checks")
def judge_jobs() -> None:
    """What time alone changes: runs that never ended, backups that did not come."""
    now = timezone.now()
    for pk in (
        Run.objects.running().filter(reported__lt=now - _LOST_AFTER).values_list("pk", flat=True)
    ):
        _lose_if_lost(pk, now)
    overdue = Job.objects.overdue().exclude(state=Job.State.MISSED)
    for pk in overdue.values_list("pk", flat=True):
        with transaction.atomic():
            # Read anew under a lock: a report may have come since.
            for job in Job.objects.select_for_update().filter(pk=pk):
                refresh_job(job)


def _lose_if_lost(pk: int, now: datetime) -> None:
    with transaction.atomic():
        run = Run.objects.select_for_update().running().filter(pk=pk).first()
        if run is None:
            return
        heard = run.job.host.reported
        if heard is None or heard < run.reported + _LOST_AFTER:
            return
        run.status, run.finished = Run.Status.LOST, now
        run.reason = "It never ended: its host reports, but no longer knows of this run."
        run.save(update_fields=["status", "finished", "reason"])
        refresh_job(run.job)


def _standing(job: Job, run: Run | None, now: datetime) -> tuple[Job.State, str]:
    if run is not None and run.status == Run.Status.RUNNING:
        return Job.State.RUNNING, "Running"
    if job.due is not None and job.due + job.grace < now and not _came(run, job.due):
        return Job.State.MISSED, f"No run came since it was due on {job.due:%d %b at %H:%M}."
    state, reason = _standing_by_run(run)
    if job.timer and job.due is None and state in {Job.State.NEW, Job.State.OK}:
        return Job.State.OFF, f"{job.timer} is off: no further run is due."
    return state, reason


def _came(run: Run | None, due: datetime) -> bool:
    return run is not None and run.started >= due


def _standing_by_run(run: Run | None) -> tuple[Job.State, str]:
    if run is None:
        return Job.State.NEW, "No run has been reported yet."
    if run.verdict == Run.Verdict.DIFFERS:
        return Job.State.DIFFERS, "The host reports success, but nothing arrived on the disk."
    if run.status == Run.Status.WARNING:
        return Job.State.WARNING, run.reason
    if run.status != Run.Status.SUCCEEDED:
        return Job.State.FAILED, run.reason
    return Job.State.OK, _SUCCESS[Run.Verdict(run.verdict)]


_SUCCESS = {
    Run.Verdict.NONE: "Succeeded",
    Run.Verdict.WAITING: "Succeeded, the disk is being asked",
    Run.Verdict.AGREED: "Arrived",
    Run.Verdict.DIFFERS: "",
    Run.Verdict.UNSEEN: "Succeeded, to a disk outside this house",
}
