"""Events: who did what, when, with what result."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q


class EventQuerySet(models.QuerySet["Event"]):
    """Events, newest first."""

    def before(self, at: datetime, pk: int) -> "EventQuerySet":
        return self.filter(Q(at__lte=at) & ~Q(at=at, pk__gte=pk))


class Event(models.Model):
    """A line of the house's book; it is only ever added to."""

    class Result(models.TextChoices):
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"
        FAILED = "failed", "Failed"

    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    by_name = models.CharField(max_length=150)
    verb = models.CharField(max_length=40)
    noun = models.CharField(max_length=40)
    name = models.CharField(max_length=255, help_text="Which one, as it was called then")
    result = models.CharField(max_length=10, choices=Result, default=Result.DONE)
    sentence = models.TextField(blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["-at", "-id"], name="event_newest")]

    def __str__(self) -> str:
        return f"{self.by_name} {self.verb} {self.noun} {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise TypeError("An event is never rewritten.")
        super().save(*args, **kwargs)
