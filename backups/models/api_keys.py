"""Keys by which an operator's scripts speak to the API."""

from django.conf import settings
from django.db import models


class ApiKey(models.Model):
    """A personal key; it may do what its operator may, and is kept as SHA-256 alone."""

    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys"
    )
    note = models.CharField(max_length=200, blank=True)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created", "-id"]

    def __str__(self) -> str:
        return self.note or f"key of {self.operator}"
