"""Daily sums: what each job came to on each day; they stay when its runs are forgotten."""

from django.db import models

from backups.models.jobs import Job


class DaySum(models.Model):
    """One job on one day of the house's calendar, written as its runs are reported."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    state = models.CharField(max_length=10, help_text="The most telling, a word of the look")
    runs = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    missed = models.PositiveIntegerField(default=0, help_text="Runs that did not come")
    bytes_added = models.PositiveBigIntegerField(default=0)
    seconds = models.PositiveIntegerField(default=0, help_text="That its runs took together")

    class Meta:
        ordering = ["job", "-day"]
        constraints = [models.UniqueConstraint(fields=["job", "day"], name="day_sum_is_kept_once")]
        indexes = [
            models.Index(fields=["day"], condition=models.Q(missed__gt=0), name="day_with_a_miss")
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.day}"
