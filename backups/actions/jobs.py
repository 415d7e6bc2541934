"""Jobs: how each stands, from its newest run, its timer, and what is expected of it."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_tasks import task

from backups.actions.day_sums import count_missing, sum_day
from backups.actions.run_texts import write_text
from backups.engines import rhythms
from backups.models import Job, Run

# The state of a timer that its host tells no more.
GONE = "gone"
# A run that its host no longer mentions, though the host itself reports, has ended unseen.
_LOST_AFTER = timedelta(minutes=15)
# No run is stuck before this; after it, a run is that takes so many times the longest one.
_STUCK_AFTER = timedelta(hours=6)
_TIMES, _ENOUGH = 4, 3
# The first backups of a large machine over a thin line; there is nothing to compare them with.
_FIRST_TAKES = timedelta(days=2)
_UNMET = ("exec-condition", "condition")

_WRITTEN = [
    *("last_run", "last_arrived", "repository", "due", "state", "severity", "reason"),
    *("hold", "held_since", "held_until", "held_by", "held_why", "held_state"),
]


def refresh_job(job: Job, *, now: datetime | None = None, newest: Run | None = None) -> None:
    """Write how the job stands; called in the transaction that changed what it rests on."""
    now = now or timezone.now()
    run = newest or job.runs.defer("log", "errors", "advice").first()
    job.last_run = run
    if job.rhythm:
        job.due = stated_due(job, run)
    if job.hold == Job.Hold.PAUSED and _is_over(job, now):
        release(job)
    state, reason = standing(job, run, now)
    if job.is_held and (_is_over(job, now) or _is_news(job, state)):
        release(job)
    if state in Job.ABSENT and job.state not in Job.ABSENT and job.due is not None:
        count_missing(job, timezone.localdate(job.due))
    job.set_state(state, reason)
    job.save(update_fields=_WRITTEN)


def release(job: Job) -> None:
    job.hold = job.held_by = job.held_why = job.held_state = ""
    job.held_since = job.held_until = None


def stated_due(job: Job, run: Run | None) -> datetime | None:
    """The first turn that no run has answered yet, by the rhythm that somebody stated."""
    moments = [moment for moment in (job.stated_at, run and run.started) if moment]
    if not moments:
        return None
    return rhythms.next_after(job.rhythm, job.stated, timezone.localtime(max(moments)))


def next_turn(job: Job, now: datetime) -> datetime | None:
    """As well as its schedule tells; its host says it anew with its next report."""
    if not job.timer or job.timer_state in ("masked", GONE):
        return None
    turn = rhythms.next_after(rhythms.CALENDAR, job.schedule, timezone.localtime(now))
    return turn or now + timedelta(days=1)


@task(queue_name="checks")
def judge_jobs() -> None:
    """What time alone changes: runs that never ended, backups that did not come, ends of a hold."""
    now = timezone.now()
    for pk in (
        Run.objects.running().filter(reported__lt=now - _LOST_AFTER).values_list("pk", flat=True)
    ):
        _lose_if_lost(pk, now)
    waiting = Q(pk__in=Job.objects.awaited().exclude(state__in=Job.ABSENT).values("pk"))
    long = Q(state=Job.State.RUNNING, last_run__started__lt=now - _STUCK_AFTER)
    candidates = Job.objects.filter(waiting | long | Q(held_until__lt=now))
    for job in candidates.select_related("host", "unit", "last_run"):
        is_over = job.is_held and _is_over(job, now)
        if is_over or standing(job, job.last_run, now)[0] != job.state:
            with transaction.atomic():
                # Read anew under a lock: a report may have come since.
                for locked in Job.objects.select_for_update().filter(pk=job.pk):
                    refresh_job(locked)


def _lose_if_lost(pk: int, now: datetime) -> None:
    with transaction.atomic():
        run = Run.objects.select_for_update().running().filter(pk=pk).first()
        if run is None or not _is_lost(run):
            return
        run.status, run.finished = Run.Status.LOST, now
        run.reason = "It never ended: its host reports, but no longer knows of this run."
        run.save(update_fields=["status", "finished", "reason"])
        write_text(run, is_new=False)
        sum_day(run.job, run.started)
        refresh_job(Job.objects.select_for_update().get(pk=run.job_id))


def _is_lost(run: Run) -> bool:
    """Its host reports, and no longer of it; without an agent, it tells of the job's next run."""
    host = run.job.host
    if not host.has_agent:
        return run.job.runs.filter(started__gt=run.started).exists()
    return host.reported is not None and host.reported >= run.reported + _LOST_AFTER


def standing(job: Job, run: Run | None, now: datetime) -> tuple[Job.State, str]:
    """The state with the sentence that says what it means."""
    if job.host.is_retired:
        return Job.State.PAUSED, "Its host is retired: nothing is expected of it."
    if run is not None and run.status == Run.Status.RUNNING:
        return _going_on(job, run, now)
    if job.hold == Job.Hold.PAUSED:
        why = f": {job.held_why.rstrip('.')}" if job.held_why else ""
        return Job.State.PAUSED, f"Paused by {job.held_by}{why}."
    is_open = job.due is not None and not (run is not None and run.started >= job.due)
    if is_open and job.due is not None and job.due + job.patience < now:
        return _absence(job, run, job.due)
    state, reason = _standing_by_run(run)
    if state not in {Job.State.NEW, Job.State.OK}:
        return state, reason
    if not job.rhythm and job.timer and (off := _off(job)):
        return off
    is_late = is_open and job.due is not None and job.due + Job.NOTICED_WITHIN < now
    if is_late and job.due is not None and job.host.is_always_on:
        return Job.State.LATE, _late(job, job.due)
    if run and job.unit and job.unit.was_changed_after(run.started) and job.unit.text_changed:
        changed = _when(job.unit.text_changed)
        return Job.State.CHANGED, f"Its unit was changed {changed} and has not run since."
    return state, reason


def _going_on(job: Job, run: Run, now: datetime) -> tuple[Job.State, str]:
    """A run that takes far longer than any before it has come to a stop."""
    spent = now - run.started
    if spent > _STUCK_AFTER:
        ended = job.runs.exclude(pk=run.pk).filter(finished__isnull=False)
        spans = [end - start for start, end in ended.values_list("started", "finished")[:20] if end]
        most = max(spans, default=timedelta()) if len(spans) >= _ENOUGH else _FIRST_TAKES
        if spent > max(_STUCK_AFTER, _TIMES * most):
            hours = int(spent.total_seconds() // 3600)
            return Job.State.STUCK, f"It has run for {hours} hours, far longer than any before it."
    return Job.State.RUNNING, run.reason or "Running"


def _absence(job: Job, run: Run | None, due: datetime) -> tuple[Job.State, str]:
    """A run that did not come; a timer that elapsed all the same says where it was lost."""
    if job.elapsed is not None and job.elapsed >= due and not job.rhythm:
        return Job.State.SKIPPED, (
            f"Its timer elapsed {_when(job.elapsed)}, but no run began: a `Condition…=` line of "
            "the unit was not met, or the unit cannot be loaded."
        )
    if run is None:
        return Job.State.NEVER, f"It was due {_when(due)} and has never reported a run."
    return Job.State.MISSED, f"No run came since it was due {_when(due)}."


def _late(job: Job, due: datetime) -> str:
    return f"Due {_when(due)}; it counts as missed from {_when(due + job.patience)[3:]} on."


def _off(job: Job) -> tuple[Job.State, str] | None:
    """What its timer's own state says."""
    if job.timer_state == "masked":
        return Job.State.MASKED, f"{job.timer} is masked: nothing can start it."
    if job.timer_state == GONE:
        return Job.State.GONE, f"{job.timer} was removed: nothing starts it any more."
    if job.due is None:
        return Job.State.OFF, f"{job.timer} is off: no further run is due."
    if job.timer_state == "disabled":
        sentence = "is disabled: it ends with the next start of its machine."
        return Job.State.OFF, f"{job.timer} {sentence}"
    return None


def _standing_by_run(run: Run | None) -> tuple[Job.State, str]:
    if run is None:
        return Job.State.NEW, "No run has been reported yet."
    if run.verdict == Run.Verdict.DIFFERS:
        return Job.State.DIFFERS, "The host reports success, but nothing arrived on the disk."
    if run.status == Run.Status.WARNING:
        return Job.State.WARNING, run.reason
    if run.status == Run.Status.CANCELLED and run.result in _UNMET:
        return Job.State.SKIPPED, run.reason
    if run.status != Run.Status.SUCCEEDED:
        return Job.State.FAILED, run.reason
    return Job.State.OK, _SUCCESS[Run.Verdict(run.verdict)]


def _is_over(job: Job, now: datetime) -> bool:
    return job.held_until is not None and job.held_until <= now


def _is_news(job: Job, state: Job.State) -> bool:
    """What was acknowledged has ended, or something else has come up."""
    if job.hold != Job.Hold.ACKNOWLEDGED:
        return False
    is_ill = Job.SEVERITY[state] > Job.SEVERITY_OF_KNOWN
    return state in Job.FINE or (is_ill and state != job.held_state)


def _when(moment: datetime) -> str:
    return f"on {timezone.localtime(moment):%d %b at %H:%M}"


_SUCCESS = {
    Run.Verdict.NONE: "Succeeded",
    Run.Verdict.WAITING: "Succeeded, the disk is being asked",
    Run.Verdict.AGREED: "Arrived",
    Run.Verdict.DIFFERS: "",
    Run.Verdict.UNSEEN: "Succeeded, to a disk outside this house",
}
