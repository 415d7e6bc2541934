"""Jobs: one backup that a host makes again and again."""

from datetime import timedelta

from django.db import models
from django.urls import reverse
from django.utils import timezone

from backups.models.hosts import Host
from backups.models.repositories import Repository
from backups.models.units import Unit


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs, by what they need."""

    def backing_up(self) -> "JobQuerySet":
        """The jobs that make backups; prune and check runs have jobs of their own."""
        return self.filter(is_backup=True)

    def worst_first(self) -> "JobQuerySet":
        return self.order_by("-severity", "host__name", "name")

    def needing_a_look(self) -> "JobQuerySet":
        return self.filter(severity__gte=Job.SEVERITY[Job.State.WARNING])

    def overdue(self) -> "JobQuerySet":
        due = models.ExpressionWrapper(
            models.F("due") + models.F("grace"), output_field=models.DateTimeField()
        )
        return self.alias(over=due).filter(over__lt=timezone.now())


class Job(models.Model):
    """A unit with its timer, or a wrapped command; its newest run stands in its own columns."""

    class State(models.TextChoices):
        NEW = "new", "No backup yet"
        OFF = "off", "Timer is off"
        OK = "ok", "Arrived"
        RUNNING = "running", "Running"
        WARNING = "warning", "Arrived with warnings"
        MISSED = "missed", "Missed"
        FAILED = "failed", "Failed"
        DIFFERS = "differs", "Host says ok, nothing arrived"

    # Written beside the state, so that the database sorts the worst first.
    SEVERITY = {
        State.OK: 0,
        State.NEW: 1,
        State.RUNNING: 2,
        State.OFF: 3,
        State.WARNING: 4,
        State.MISSED: 5,
        State.FAILED: 6,
        State.DIFFERS: 7,
    }

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
    due = models.DateTimeField(null=True, blank=True, help_text="Next elapse of its timer")
    grace = models.DurationField(default=timedelta(hours=1))
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
        return reverse("hosts:show", args=[self.host.name])

    def set_state(self, state: State, reason: str = "") -> None:
        self.state, self.severity, self.reason = state, self.SEVERITY[state], reason
