"""Runs: one time of a job, as the host told it and as the disk showed it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q, QuerySet

from backups.models.addresses import address
from backups.models.jobs import Job
from backups.models.repositories import Receipt

_FEW = 50
# What a line of a list shows: to read the others took longer than to find the runs.
_LISTED = (
    *("key", "kind", "status", "verdict", "started", "finished", "reported", "exit_code"),
    *("signal", "result", "percent", "bytes_done", "bytes_total", "seconds_left"),
    *("bytes_added", "bytes_processed", "files_processed", "snapshot_id"),
    *("job__name", "job__host__name", "receipt__snapshot_id"),
)


class RunQuerySet(models.QuerySet["Run"]):
    """Runs, by time and by result."""

    def backups(self) -> "RunQuerySet":
        return self.filter(kind=Run.Kind.BACKUP)

    def running(self) -> "RunQuerySet":
        return self.filter(status=Run.Status.RUNNING)

    def since(self, moment: datetime) -> "RunQuerySet":
        return self.filter(started__gte=moment)

    def waiting_for_the_disk(self) -> "RunQuerySet":
        return self.filter(verdict=Run.Verdict.WAITING)

    def listed(self) -> "RunQuerySet":
        """With what a line of a list shows."""
        return self.select_related("job__host", "receipt").only(*_LISTED)

    def of(self, jobs: QuerySet[Job]) -> "RunQuerySet":
        """The runs of some jobs, in the form that is quick for their number."""
        pks = list(jobs.values_list("pk", flat=True))
        if len(pks) <= _FEW:
            return self.filter(job__in=pks)
        # The sum hides the column from its index: among the newest of all runs, those of many
        # jobs are found at once, while the index would bring all that they ever did.
        return self.alias(any_job=F("job_id") + 0).filter(any_job__in=pks)

    def newest_of(self, jobs: Iterable[Job], count: int) -> "RunQuerySet":
        """The last runs of a few jobs, chosen within the index alone."""
        chosen = Run.objects.filter(job__in=[job.pk for job in jobs]).values("pk")[:count]
        return self.filter(pk__in=chosen)

    def differing(self) -> "RunQuerySet":
        return self.filter(verdict=Run.Verdict.DIFFERS)

    def before(self, started: datetime, pk: int) -> "RunQuerySet":
        """The keyset page after (started, pk), in the form that databases answer by the index."""
        return self.filter(Q(started__lte=started) & ~Q(started=started, pk__gte=pk))

    def after(self, started: datetime, pk: int) -> "RunQuerySet":
        """What follows (started, pk), the next one first."""
        later = self.filter(Q(started__gte=started) & ~Q(started=started, pk__lte=pk))
        return later.order_by("started", "id")


class Run(models.Model):
    """What a host reported of one run; one row however often it is reported."""

    class Kind(models.TextChoices):
        BACKUP = "backup", "Backup"
        FORGET = "forget", "Forget"
        PRUNE = "prune", "Prune"
        CHECK = "check", "Check"
        RESTORE = "restore", "Restore"
        OTHER = "other", "Other"

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        WARNING = "warning", "Succeeded with warnings"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        LOST = "lost", "Never ended"

    class Verdict(models.TextChoices):
        NONE = "none", "Nothing to compare"
        WAITING = "waiting", "Waiting for the disk"
        AGREED = "agreed", "Agreed"
        DIFFERS = "differs", "They differ"
        UNSEEN = "unseen", "No disk of this house"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="runs")
    key = models.CharField(max_length=64, help_text="InvocationID, or the wrapper's own")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.BACKUP)
    status = models.CharField(max_length=10, choices=Status)
    reason = models.TextField(blank=True, help_text="What the end means, as a sentence")
    advice = models.TextField(blank=True)
    verdict = models.CharField(max_length=10, choices=Verdict, default=Verdict.NONE)
    receipt = models.ForeignKey(
        Receipt, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    started = models.DateTimeField()
    finished = models.DateTimeField(null=True, blank=True)
    received = models.DateTimeField(auto_now_add=True)
    reported = models.DateTimeField(auto_now=True, help_text="Last word of it")
    exit_code = models.SmallIntegerField(null=True, blank=True)
    signal = models.CharField(max_length=20, blank=True)
    result = models.CharField(max_length=40, blank=True, help_text="systemd's Result")
    restic = models.CharField(max_length=50, blank=True)
    snapshot_id = models.CharField(max_length=64, blank=True)
    files_new = models.PositiveBigIntegerField(null=True, blank=True)
    files_changed = models.PositiveBigIntegerField(null=True, blank=True)
    files_processed = models.PositiveBigIntegerField(null=True, blank=True)
    bytes_added = models.PositiveBigIntegerField(null=True, blank=True)
    bytes_processed = models.PositiveBigIntegerField(null=True, blank=True)
    percent = models.PositiveSmallIntegerField(null=True, blank=True)
    bytes_done = models.PositiveBigIntegerField(null=True, blank=True)
    bytes_total = models.PositiveBigIntegerField(null=True, blank=True)
    seconds_left = models.PositiveIntegerField(null=True, blank=True)
    errors = models.JSONField(default=list, blank=True, help_text="[item, message]")
    log = models.TextField(blank=True, help_text="Last lines of its output, secrets removed")

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-started", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["job", "key"], name="run_is_kept_once"),
            models.CheckConstraint(
                condition=Q(status="running", finished__isnull=True) | ~Q(status="running"),
                name="run_running_has_not_finished",
            ),
            models.CheckConstraint(
                condition=Q(percent__isnull=True) | Q(percent__lte=100),
                name="run_percent_is_a_percentage",
            ),
        ]
        indexes = [
            models.Index(fields=["-started", "-id"], name="run_newest"),
            models.Index(fields=["job", "-started", "-id"], name="run_newest_of_job"),
            # What is rare would else be looked for through the whole book.
            models.Index(fields=["status", "-started", "-id"], name="run_newest_by_status"),
            models.Index(fields=["kind", "-started", "-id"], name="run_newest_by_kind"),
            models.Index(fields=["snapshot_id"], name="run_by_snapshot"),
            models.Index(
                fields=["verdict"], condition=Q(verdict="waiting"), name="run_waiting_for_the_disk"
            ),
            models.Index(fields=["verdict"], condition=Q(verdict="differs"), name="run_differing"),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.started:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return address("runs:show", self.pk)

    @property
    def duration(self) -> timedelta | None:
        return self.finished - self.started if self.finished else None

    @property
    def rate(self) -> float | None:
        """Bytes per second so far."""
        seconds = (self.reported - self.started).total_seconds()
        return self.bytes_done / seconds if self.bytes_done and seconds > 0 else None
