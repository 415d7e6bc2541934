"""Operations: long pieces of Resthouse's own work."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from backups.models.servers import Server


class OperationQuerySet(models.QuerySet["Operation"]):
    """Operations, by state."""

    def open(self) -> "OperationQuerySet":
        return self.filter(state__in=[Operation.State.QUEUED, Operation.State.RUNNING])

    def claimable(self) -> "OperationQuerySet":
        """Waiting, or left behind by a worker that stopped renewing its lease."""
        return self.filter(Q(state=Operation.State.QUEUED) | self._lapsed())

    def lapsed(self) -> "OperationQuerySet":
        return self.filter(self._lapsed())

    @staticmethod
    def _lapsed() -> Q:
        return Q(state=Operation.State.RUNNING, lease_until__lt=timezone.now())


class Operation(models.Model):
    """One piece of work with its progress; survives the worker that did it."""

    class Kind(models.TextChoices):
        CREATE_SERVER = "create_server", "Create server"
        BUILD_IMAGE = "build_image", "Build image"
        START_SERVER = "start_server", "Start server"
        STOP_SERVER = "stop_server", "Stop server"
        RESTART_SERVER = "restart_server", "Restart server"
        REMOVE_SERVER = "remove_server", "Remove server"
        CHANGE_SERVER = "change_server", "Change server"
        APPLY_CERTIFICATE = "apply_certificate", "Apply certificate"
        UPGRADE_SERVER = "upgrade_server", "Upgrade server"
        RETURN_SERVER = "return_server", "Put server back"
        ERASE_SERVER = "erase_server", "Erase data"

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting for a worker"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Done"
        FAILED = "failed", "Failed"

    kind = models.CharField(max_length=20, choices=Kind)
    subject = models.CharField(max_length=255)
    server = models.ForeignKey(
        Server, on_delete=models.SET_NULL, null=True, blank=True, related_name="operations"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    by_name = models.CharField(max_length=150)
    wanted = models.JSONField(default=dict, blank=True, help_text="What is to be changed to what")
    former = models.JSONField(
        default=dict, blank=True, help_text="How it was before, written before anything was changed"
    )
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    step = models.CharField(max_length=300, blank=True, help_text="What it does now, as a sentence")
    percent = models.PositiveSmallIntegerField(null=True, blank=True)
    log = models.TextField(blank=True)
    problem = models.TextField(blank=True, help_text="Why it failed, as a sentence")
    problem_code = models.CharField(max_length=40, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["server"],
                condition=Q(state__in=["queued", "running"]),
                name="operation_one_per_server",
                violation_error_message="Another operation on this server is not finished yet.",
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease_until__isnull=False),
                name="operation_running_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"]) | Q(finished__isnull=False),
                name="operation_ended_has_finished",
            ),
            models.CheckConstraint(
                condition=Q(percent__isnull=True) | Q(percent__lte=100),
                name="operation_percent_is_a_percentage",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject}"

    def get_absolute_url(self) -> str:
        return reverse("operations:show", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def tail(self) -> str:
        """The last lines of its log, for who watches it."""
        return "\n".join(self.log.splitlines()[-8:])
