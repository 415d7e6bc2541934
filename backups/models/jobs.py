"""Jobs: one backup that a host makes again and again."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from backups.models.addresses import address
from backups.models.hosts import Host
from backups.models.repositories import Repository
from backups.models.units import Unit


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs, by what they need."""

    def backing_up(self) -> "JobQuerySet":
        """The jobs that make backups; prune and check runs have jobs of their own."""
        return self.filter(is_backup=True, host__retired=None)

    def worst_first(self) -> "JobQuerySet":
        return self.order_by("-severity", "host__name", "name")

    def needing_a_look(self) -> "JobQuerySet":
        return self.filter(severity__gte=Job.SEVERITY[Job.State.WARNING])

    def awaited(self) -> "JobQuerySet":
        """Whose turn has come; whether a run answered it, only a look at the runs says."""
        return self.filter(due__lt=timezone.now() - Job.NOTICED_WITHIN)

    def held(self) -> "JobQuerySet":
        return self.exclude(hold="")


class Job(models.Model):
    """A unit with its timer, or a wrapped command; its newest run stands in its own columns."""

    class State(models.TextChoices):
        NEW = "new", "No backup yet"
        PAUSED = "paused", "Paused"
        CHANGED = "changed", "Arrived, unit changed since"
        LATE = "late", "Late"
        OFF = "off", "Timer is off"
        MASKED = "masked", "Timer is masked"
        GONE = "gone", "Timer was removed"
        OK = "ok", "Arrived"
        RUNNING = "running", "Running"
        WARNING = "warning", "Arrived with warnings"
        SKIPPED = "skipped", "Skipped by a condition"
        NEVER = "never", "Never reported"
        MISSED = "missed", "Missed"
        STUCK = "stuck", "Does not end"
        FAILED = "failed", "Failed"
        DIFFERS = "differs", "Host says ok, nothing arrived"

    class Rhythm(models.TextChoices):
        TIMER = "", "As its timer says"
        CRON = "cron", "A line of cron"
        CALENDAR = "calendar", "OnCalendar of systemd"
        HOURS = "hours", "Every so many hours"

    class Hold(models.TextChoices):
        NONE = "", "Watched"
        PAUSED = "paused", "Paused"
        SNOOZED = "snoozed", "Snoozed"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"

    # Written beside the state, so that the database sorts the worst first.
    SEVERITY = {
        State.OK: 0,
        State.NEW: 1,
        State.PAUSED: 1,
        State.CHANGED: 1,
        State.RUNNING: 2,
        State.LATE: 3,
        State.OFF: 4,
        State.MASKED: 4,
        State.GONE: 4,
        State.WARNING: 4,
        State.SKIPPED: 5,
        State.NEVER: 5,
        State.MISSED: 5,
        State.STUCK: 5,
        State.FAILED: 6,
        State.DIFFERS: 7,
    }
    # Of what somebody knows of already: below everything that needs a look.
    SEVERITY_OF_KNOWN = 3
    # A run that began tells so by the agent's own timer, every five minutes.
    NOTICED_WITHIN = timedelta(minutes=6)
    # The backup did not come: a missing run counts as a failed one.
    ABSENT = (State.MISSED, State.NEVER, State.SKIPPED)
    # The last backup is there, and none is missing.
    FINE = (State.OK, State.CHANGED)

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="jobs")
    name = models.CharField(max_length=255)
    is_backup = models.BooleanField(default=True)
    unit = models.OneToOneField(
        Unit, on_delete=models.SET_NULL, null=True, blank=True, related_name="job"
    )
    repository = models.ForeignKey(
        Repository, on_delete=models.SET_NULL, null=True, blank=True, related_name="jobs"
    )
    repository_url = models.CharField(
        max_length=500, blank=True, help_text="As the host names it, without password"
    )
    trusted = models.TextField(
        blank=True, help_text="PEM of the certificates that it trusts (--cacert), as its host says"
    )
    is_trust_known = models.BooleanField(
        default=False, help_text="Whether its host told; without --cacert the system is trusted"
    )
    timer = models.CharField(max_length=255, blank=True)
    schedule = models.CharField(max_length=500, blank=True, help_text="OnCalendar of its timer")
    timer_state = models.CharField(max_length=40, blank=True, help_text="As systemctl says")
    elapsed = models.DateTimeField(null=True, blank=True, help_text="Last elapse of its timer")
    rhythm = models.CharField(
        max_length=10, choices=Rhythm, blank=True, help_text="Stated by hand; empty: its timer's"
    )
    stated = models.CharField(max_length=200, blank=True, help_text="The rhythm, as it was stated")
    stated_at = models.DateTimeField(null=True, blank=True)
    due = models.DateTimeField(null=True, blank=True, help_text="When its next run is to begin")
    grace = models.DurationField(default=timedelta(hours=1))
    hold = models.CharField(max_length=12, choices=Hold, blank=True)
    held_since = models.DateTimeField(null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    held_by = models.CharField(max_length=150, blank=True)
    held_why = models.CharField(max_length=200, blank=True)
    held_state = models.CharField(
        max_length=10, blank=True, help_text="What was acknowledged: another state is news"
    )
    last_run = models.ForeignKey(
        "Run", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    last_arrived = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.NEW)
    severity = models.PositiveSmallIntegerField(default=1, db_index=True, editable=False)
    reason = models.TextField(blank=True, help_text="What its state means, as a sentence")

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["host", "name"]
        constraints = [models.UniqueConstraint(fields=["host", "name"], name="job_name_is_unique")]

    def __str__(self) -> str:
        return f"{self.host.name} {self.name}"

    def get_absolute_url(self) -> str:
        return address("hosts:show", self.host.name)

    @property
    def expected(self) -> str:
        """Its rhythm in words, stated by hand or learnt from its timer."""
        if self.rhythm == self.Rhythm.HOURS:
            return "every hour" if self.stated == "1" else f"every {self.stated} hours"
        return f"cron {self.stated}" if self.rhythm == self.Rhythm.CRON else self.calendar

    @property
    def calendar(self) -> str:
        return self.stated if self.rhythm == self.Rhythm.CALENDAR else self.schedule

    @property
    def shows_its_run(self) -> bool:
        """Whether its state is what its last run came to, not what the timer did."""
        off = (self.State.OFF, self.State.MASKED, self.State.GONE)
        by_timer = (*self.ABSENT, *off, self.State.LATE)
        return self.state not in by_timer

    @property
    def is_held(self) -> bool:
        return self.hold != self.Hold.NONE

    @property
    def patience(self) -> timedelta:
        """How long after its turn a run may come; a host that sleeps has days for it."""
        return max(self.grace, self.host.may_sleep or self.grace)

    def set_state(self, state: State, reason: str = "") -> None:
        self.state, self.severity, self.reason = state, self.SEVERITY[state], reason
        if self.is_held:
            self.severity = min(self.severity, self.SEVERITY_OF_KNOWN)
