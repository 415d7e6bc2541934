"""Units of hosts, and how exposed systemd finds them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import models

from backups.models.addresses import address
from backups.models.hosts import Host

# What enrolment adds to a backup unit, so that its end is told at once.
HOOK = "resthouse-report@"


class UnitQuerySet(models.QuerySet["Unit"]):
    """Units, by what they have."""

    def without_hook(self) -> "UnitQuerySet":
        """Backup units that came after the enrolment; the agent's own timer tells of them."""
        with_a_job = self.filter(job__isnull=False).exclude(text="")
        return with_a_job.exclude(text__contains=HOOK).defer("text")


class Unit(models.Model):
    """A systemd service of a host; the newest score stands in its own columns."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="units")
    name = models.CharField(max_length=255)
    text = models.TextField(blank=True, help_text="`systemctl cat`, secrets removed")
    text_changed = models.DateTimeField(null=True, blank=True)
    text_known = models.DateTimeField(null=True, blank=True, help_text="When it was first told")
    needs_reload = models.BooleanField(default=False)
    exposure = models.PositiveSmallIntegerField(null=True, blank=True, help_text="tenths, 0 to 100")
    level = models.CharField(max_length=20, blank=True)
    finding = models.TextField(blank=True, help_text="The worst thing its lint found")
    assessed = models.DateTimeField(null=True, blank=True)
    seen = models.DateTimeField(null=True, blank=True)
    # Of its two newest assessments, so that a list need not read them.
    change = models.SmallIntegerField(
        null=True, blank=True, help_text="In tenths, since the score before"
    )
    worst = models.JSONField(default=list, blank=True, help_text="The lines that would close most")

    objects = UnitQuerySet.as_manager()

    # Set for the units of a list, by queries.unit_trends.
    trend: Sequence[int] = ()

    class Meta:
        ordering = ["host", "name"]
        constraints = [
            models.UniqueConstraint(fields=["host", "name"], name="unit_name_is_unique"),
            models.CheckConstraint(
                condition=models.Q(exposure__isnull=True) | models.Q(exposure__lte=100),
                name="unit_exposure_is_tenths",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return address("units:show", self.host.name, self.name)

    def was_changed_after(self, moment: datetime) -> bool:
        """Its first text is no change."""
        changed, known = self.text_changed, self.text_known
        return bool(changed and known and known < changed and moment < changed)

    @property
    def state(self) -> str:
        """The state of its score; a wrong line is worse than any figure."""
        if self.finding:
            return "failed"
        if self.exposure is None:
            return "off"
        return "failed" if self.exposure >= 90 else "warning" if self.exposure >= 50 else "ok"

    @property
    def verdict(self) -> str:
        """systemd's word for its score, not shouted."""
        if self.exposure is None:
            return "not scored" if self.host.systemd else "not applicable"
        return self.level if self.level == "OK" else self.level.lower()


class Assessment(models.Model):
    """One scoring of a unit; kept only when something differs from the one before."""

    class Mode(models.TextChoices):
        ONLINE = "online", "on the host"
        OFFLINE = "offline", "offline"
        TEXT = "text", "on the host, as text"

    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="assessments")
    at = models.DateTimeField()
    exposure = models.PositiveSmallIntegerField(help_text="tenths, 0 to 100")
    level = models.CharField(max_length=20)
    mode = models.CharField(max_length=10, choices=Mode)
    systemd = models.CharField(max_length=100)
    text_hash = models.CharField(max_length=64, help_text="SHA-256 of the unit's text")
    rows = models.JSONField(default=list, help_text="[field, is_set, weight, badness, range, text]")
    findings = models.JSONField(default=list, help_text="[code, severity, line, sentence, fix]")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["unit", "-at"], name="assessment_by_unit")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(exposure__lte=100), name="assessment_exposure_is_tenths"
            )
        ]

    def __str__(self) -> str:
        return f"{self.exposure // 10}.{self.exposure % 10} {self.level}"
