"""Risks that the house accepts: rows of systemd's table that stay open on purpose, for a time."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from backups.models.units import Unit


class RiskQuerySet(models.QuerySet["AcceptedRisk"]):
    """Accepted risks, by what they hold for."""

    def in_force(self) -> "RiskQuerySet":
        return self.filter(until__gte=timezone.localdate())

    def of(self, unit: Unit) -> "RiskQuerySet":
        """Its own, and those of the whole house."""
        return self.filter(Q(unit=unit) | Q(unit=None))

    def of_the_house(self) -> "RiskQuerySet":
        return self.filter(unit=None)


class AcceptedRisk(models.Model):
    """One row that may stay open, why, and until when somebody has to look again."""

    unit = models.ForeignKey(
        Unit,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="risks",
        help_text="Empty for the whole house",
    )
    field = models.CharField(max_length=100, help_text="The row, by systemd's name for it")
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField()
    until = models.DateField(help_text="The last day on which it is accepted")

    objects = RiskQuerySet.as_manager()

    class Meta:
        ordering = ["until", "field"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "field"], name="risk_of_a_unit_is_one"),
            models.UniqueConstraint(
                fields=["field"], condition=Q(unit=None), name="risk_of_the_house_is_one"
            ),
        ]

    def __str__(self) -> str:
        return self.field

    @property
    def is_in_force(self) -> bool:
        return self.until >= timezone.localdate()

    @property
    def state(self) -> str:
        return "ok" if self.is_in_force else "warning"
