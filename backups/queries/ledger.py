"""The ledger of jobs: each with its thirty days and its state in words."""

from dataclasses import dataclass
from functools import cached_property

from django.db.models import QuerySet

from backups.models import Job
from backups.queries.days import Mark, days_of, nights_since

# Of the five tables that a line is joined from, what none of its columns shows would take half
# of the time of a page.
_LEFT_OUT = [
    *("trusted", "is_trust_known", "stated_at", "held_state", "elapsed", "repository_url"),
    *("timer", "timer_state", "grace", "held_by", "held_why", "held_until"),
]
_SHOWN = {
    "host": ["name", "systemd", "may_sleep", "retired", "enrolled"],
    "last_run": ["status", "started", "percent", "bytes_added"],
    "unit": ["host_id", "name", "exposure", "level", "finding"],
    "repository": ["bytes"],
}
_COLUMNS = [
    *(f.name for f in Job._meta.concrete_fields if f.name not in _LEFT_OUT),
    *(f"{table}__{name}" for table, names in _SHOWN.items() for name in names),
]

STATES = {
    Job.State.NEW: "off",
    Job.State.PAUSED: "off",
    Job.State.OFF: "warning",
    Job.State.MASKED: "warning",
    Job.State.GONE: "warning",
    Job.State.OK: "ok",
    Job.State.CHANGED: "ok",
    Job.State.LATE: "warning",
    Job.State.RUNNING: "running",
    Job.State.WARNING: "warning",
    Job.State.SKIPPED: "missed",
    Job.State.NEVER: "missed",
    Job.State.MISSED: "missed",
    Job.State.STUCK: "failed",
    Job.State.FAILED: "failed",
    Job.State.DIFFERS: "failed",
}

# Shorter than on a page of its own.
_LABELS = {
    Job.State.DIFFERS: "Nothing arrived",
    Job.State.WARNING: "With warnings",
    Job.State.SKIPPED: "Skipped",
    Job.State.CHANGED: "Arrived, unit changed",
}


@dataclass(frozen=True)
class Line:
    """One job of the ledger."""

    job: Job
    marks: list[Mark]

    @property
    def state(self) -> str:
        return STATES[Job.State(self.job.state)]

    @property
    def is_plain(self) -> bool:
        return self.state in ("ok", "off") or self.is_known

    @property
    def is_known(self) -> bool:
        """Snoozed or acknowledged: it is as it is, and somebody knows."""
        is_ill = Job.SEVERITY[Job.State(self.job.state)] > Job.SEVERITY_OF_KNOWN
        return self.job.is_held and is_ill

    @cached_property
    def words(self) -> str:
        """The state with what a reader asks next: how far, for how long."""
        job = self.job
        if job.state == Job.State.RUNNING:
            percent = job.last_run.percent if job.last_run else None
            return "Running" if percent is None else f"Running, {percent} %"
        if job.state == Job.State.OK:
            return job.reason or "Arrived"
        label = _LABELS.get(Job.State(job.state), job.get_state_display())
        if self.is_known:
            return f"{label}, {job.hold}"
        nights = nights_since(self.marks, self.days_state)
        return f"{label}, {nights} days" if nights > 1 and not self.is_plain else label

    @property
    def days_state(self) -> str:
        """On the strip, what only the host claims did not come."""
        return "missed" if self.job.state == Job.State.DIFFERS else self.state


def ledger_of(jobs: QuerySet[Job]) -> list[Line]:
    """The jobs of a query as lines, in its order."""
    rows = list(jobs.select_related(*_SHOWN).only(*_COLUMNS))
    days = days_of(rows)
    return [Line(job, days[job.pk]) for job in rows]
