"""Certificates: a server's key pairs, the served one and its predecessors."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from backups.models.servers import Server

# Time enough to renew one by hand, and to bring it to the hosts.
ENDS_SOON = timedelta(days=14)


class CertificateQuerySet(models.QuerySet["Certificate"]):
    """Certificates, by what is done with them."""

    def served(self) -> "CertificateQuerySet":
        """Those that the servers show now."""
        return self.filter(live_since__isnull=False, live_until__isnull=True)

    def ending(self) -> "CertificateQuerySet":
        return self.served().filter(not_after__lt=timezone.now() + ENDS_SOON)


class Certificate(models.Model):
    """A certificate with its chain; the served pair itself lies in the data directory."""

    class Origin(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        MADE = "made", "Made here"
        FOUND = "found", "Found on the server"

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="certificates")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the leaf, hexadecimal")
    subject = models.CharField(max_length=255)
    issuer = models.CharField(max_length=255)
    names = models.JSONField(default=list, help_text="Subject alternative names")
    key_kind = models.CharField(max_length=20)
    chain = models.TextField(help_text="PEM, leaf first")
    encrypted_key = models.BinaryField(blank=True, default=b"", editable=False)
    origin = models.CharField(max_length=10, choices=Origin)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    created = models.DateTimeField(auto_now_add=True)
    live_since = models.DateTimeField(null=True, blank=True)
    live_until = models.DateTimeField(null=True, blank=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        ordering = ["server", "-created"]
        constraints = [
            models.UniqueConstraint(
                fields=["server", "fingerprint"], name="certificate_is_kept_once"
            ),
            models.UniqueConstraint(
                fields=["server"],
                condition=Q(live_since__isnull=False, live_until__isnull=True),
                name="certificate_one_is_live",
            ),
            models.CheckConstraint(
                condition=Q(not_after__gt=F("not_before")), name="certificate_dates_are_in_order"
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def left(self) -> timedelta:
        return self.not_after - timezone.now()

    @property
    def state(self) -> str:
        if self.left < timedelta(0):
            return "failed"
        return "warning" if self.left < ENDS_SOON else "ok"

    @property
    def words(self) -> str:
        days = self.left.days
        return "Over" if days < 0 else f"{days} day{'s' * (days != 1)} left"
