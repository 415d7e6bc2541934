"""Slots: which periodic work was handed out for which time."""

from django.db import models


class Slot(models.Model):
    """One turn of a schedule; being unique, it lets any number of schedulers run."""

    schedule = models.CharField(max_length=40)
    at = models.DateTimeField()
    task_id = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "at"], name="slot_is_handed_out_once")
        ]

    def __str__(self) -> str:
        return f"{self.schedule} {self.at:%H:%M:%S}"
