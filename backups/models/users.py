"""Users: the entries of a server's `.htpasswd`."""

from django.db import models
from django.urls import reverse

from backups.models.servers import Server


class User(models.Model):
    """What `.htpasswd` cannot hold: notes, dates, and the hash of a disabled entry."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="users")
    name = models.CharField(max_length=100)
    note = models.CharField(max_length=200, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    rotated = models.DateTimeField(null=True, blank=True)
    expires = models.DateTimeField(null=True, blank=True)
    live_since = models.DateTimeField(
        null=True, blank=True, help_text="When a real sign-in proved the last change"
    )
    last_seen = models.DateTimeField(null=True, blank=True)
    disabled = models.DateTimeField(null=True, blank=True)
    disabled_hash = models.CharField(
        max_length=255, blank=True, help_text="Kept while the entry is out of the file"
    )

    class Meta:
        ordering = ["server", "name"]
        constraints = [
            models.UniqueConstraint(fields=["server", "name"], name="user_name_is_unique"),
            models.CheckConstraint(
                condition=models.Q(disabled__isnull=True) | ~models.Q(disabled_hash=""),
                name="user_disabled_keeps_its_hash",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("users:show", args=[self.server.name, self.name])

    @property
    def is_disabled(self) -> bool:
        return self.disabled is not None
