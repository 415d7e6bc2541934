"""Samples: what the container of a server used, taken by the worker and kept for a day."""

from django.db import models

from backups.models.servers import Server


class Sample(models.Model):
    """One look; the rates are those of the time since the look before."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="samples")
    at = models.DateTimeField()
    cpu = models.FloatField(help_text="percent of one processor")
    memory = models.PositiveBigIntegerField(help_text="bytes, without the engine's page cache")
    received = models.PositiveBigIntegerField(help_text="bytes per second from the network")
    sent = models.PositiveBigIntegerField(help_text="bytes per second to the network")
    read = models.PositiveBigIntegerField(help_text="bytes per second from disk")
    written = models.PositiveBigIntegerField(help_text="bytes per second to disk")
    uploads = models.PositiveIntegerField(help_text="under way")

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["server", "at"], name="sample_is_taken_once")
        ]

    def __str__(self) -> str:
        return f"{self.server} {self.at:%H:%M:%S}"
