"""Certificates: a server's key pairs, the served one and its predecessors."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from backups.models.present import Now
from backups.models.servers import Server

# Time enough to renew one by hand, and to bring it to the hosts.
ENDS_SOON = timedelta(days=14)
# Every host has to be given the next one.
AUTHORITY_ENDS_SOON = timedelta(days=90)
# Days left at which something is to be said, the last first.
THRESHOLDS = (1, 7, 14, 30)


def stage_of(not_after: datetime) -> str:
    """The threshold that was passed last: "30", "14", "7", "1", "over", or "" before the first."""
    left = not_after - timezone.now()
    if left < timedelta(0):
        return "over"
    return next((str(days) for days in THRESHOLDS if left <= timedelta(days=days)), "")


def printed(fingerprint: str) -> str:
    """As people compare it: in groups of four."""
    return " ".join(fingerprint[n : n + 4] for n in range(0, 64, 4)).upper()


class CertificateQuerySet(models.QuerySet["Certificate"]):
    """Certificates, by what is done with them."""

    def served(self) -> "CertificateQuerySet":
        """Those that the servers show now."""
        return self.filter(live_since__isnull=False, live_until__isnull=True)

    def shown_last(self) -> "CertificateQuerySet":
        """The one that was shown last before all others, then those that never were."""
        return self.order_by(F("live_since").desc(nulls_last=True), "-created", "-id")

    def ending(self, now: Now | None = None) -> "CertificateQuerySet":
        return self.served().filter(not_after__lt=(now or timezone.now()) + ENDS_SOON)


class Certificate(models.Model):
    """A certificate with its chain; the served pair itself lies in the data directory."""

    class Origin(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        MADE = "made", "Made here"
        SELF_SIGNED = "self", "Signs itself"
        REQUESTED = "requested", "Signed on request"
        WATCHED = "watched", "From a watched folder"
        FOUND = "found", "Found on the server"

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="certificates")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the leaf, hexadecimal")
    subject = models.CharField(max_length=255)
    issuer = models.CharField(max_length=255)
    names = models.JSONField(default=list, help_text="Subject alternative names")
    key_kind = models.CharField(max_length=20)
    chain = models.TextField(help_text="PEM, leaf first")
    root = models.TextField(blank=True, help_text="PEM of what its chain leads to, if known")
    encrypted_key = models.BinaryField(blank=True, default=b"", editable=False)
    origin = models.CharField(max_length=10, choices=Origin)
    by_name = models.CharField(max_length=150, blank=True)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    created = models.DateTimeField(auto_now_add=True)
    live_since = models.DateTimeField(null=True, blank=True)
    live_until = models.DateTimeField(null=True, blank=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        ordering = ["server", "-created", "-id"]
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

    def get_absolute_url(self) -> str:
        return reverse("certificates:show", args=[self.server.name, self.pk])

    @property
    def is_live(self) -> bool:
        return self.live_since is not None and self.live_until is None

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

    @property
    def print(self) -> str:
        return printed(self.fingerprint)


class AuthorityQuerySet(models.QuerySet["Authority"]):
    """Certificate authorities of this house; the newest makes the certificates."""

    def ending(self, now: Now | None = None) -> "AuthorityQuerySet":
        """The newest, once hosts need time to learn of the next: what it signed ends with it."""
        newest = self.order_by("-created", "-id")[:1].values("pk")
        soon = (now or timezone.now()) + AUTHORITY_ENDS_SOON
        return self.filter(pk__in=newest, not_after__lt=soon)

    def current(self) -> "Authority | None":
        return self.filter(not_after__gt=timezone.now()).order_by("-created", "-id").first()


class Authority(models.Model):
    """A private certificate authority: who trusts it trusts every server of the house."""

    name = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, unique=True)
    chain = models.TextField(help_text="PEM of its certificate")
    encrypted_key = models.BinaryField(editable=False)
    by_name = models.CharField(max_length=150)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    created = models.DateTimeField(auto_now_add=True)

    objects = AuthorityQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name_plural = "authorities"

    def __str__(self) -> str:
        return self.name

    @property
    def print(self) -> str:
        return printed(self.fingerprint)

    @property
    def ends_soon(self) -> bool:
        return self.not_after < timezone.now() + AUTHORITY_ENDS_SOON


class SigningRequest(models.Model):
    """A key that waits for its certificate, which somebody else signs."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="signing_requests")
    names = models.JSONField(default=list)
    pem = models.TextField()
    encrypted_key = models.BinaryField(editable=False)
    by_name = models.CharField(max_length=150)
    created = models.DateTimeField(auto_now_add=True)
    answer = models.OneToOneField(
        Certificate, on_delete=models.SET_NULL, null=True, blank=True, related_name="request"
    )

    class Meta:
        ordering = ["-created", "-id"]

    def __str__(self) -> str:
        return ", ".join(self.names)


class Handshake(models.Model):
    """What the port of a server showed when it was asked last, whatever lies in its files."""

    server = models.OneToOneField(Server, on_delete=models.CASCADE, related_name="handshake")
    fingerprint = models.CharField(max_length=64, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    version = models.CharField(max_length=10, blank=True, help_text="TLS, as it was agreed on")
    stage = models.CharField(max_length=4, blank=True, help_text="Threshold of days passed last")
    problem = models.TextField(blank=True, help_text="What is wrong with it, as a sentence")
    looked = models.DateTimeField()

    class Meta:
        ordering = ["server"]

    def __str__(self) -> str:
        return f"handshake of {self.server}"


class Watch(models.Model):
    """A folder that another tool renews a certificate into; a new pair there is applied."""

    server = models.OneToOneField(Server, on_delete=models.CASCADE, related_name="watch")
    directory = models.CharField(max_length=1024)
    seen = models.CharField(max_length=64, blank=True, help_text="Digest of the files judged last")
    problem = models.TextField(blank=True, help_text="Why they were not applied, as a sentence")
    looked = models.DateTimeField(null=True, blank=True)
    by_name = models.CharField(max_length=150)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["server"]
        verbose_name_plural = "watches"

    def __str__(self) -> str:
        return self.directory
