"""Repositories on a server's disk, and the receipts of what arrived there."""

from django.db import models

from backups.models.servers import Server


class Repository(models.Model):
    """What the last look at the disk found; learnt without its password."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="repositories")
    path = models.CharField(max_length=255, blank=True, help_text="Below the data directory")
    user_name = models.CharField(max_length=100, blank=True)
    bytes = models.PositiveBigIntegerField(default=0)
    snapshot_count = models.PositiveIntegerField(default=0)
    last_arrived = models.DateTimeField(null=True, blank=True)
    first_seen = models.DateTimeField(auto_now_add=True)
    seen = models.DateTimeField(null=True, blank=True)
    is_gone = models.BooleanField(default=False)

    class Meta:
        ordering = ["server", "path"]
        verbose_name_plural = "repositories"
        constraints = [
            models.UniqueConstraint(fields=["server", "path"], name="repository_path_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.server.name}/{self.path}"


class Receipt(models.Model):
    """A snapshot file that appeared: the disk's word that a backup arrived."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="receipts")
    snapshot_id = models.CharField(max_length=64, help_text="Name of the file: its SHA-256")
    arrived = models.DateTimeField(help_text="Time of the file, on the server's clock")
    first_seen = models.DateTimeField(auto_now_add=True)
    is_gone = models.BooleanField(default=False, help_text="Forgotten since")

    class Meta:
        ordering = ["-arrived", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["repository", "snapshot_id"], name="receipt_is_kept_once"
            )
        ]
        indexes = [models.Index(fields=["snapshot_id"], name="receipt_by_snapshot")]

    def __str__(self) -> str:
        return self.snapshot_id[:8]
