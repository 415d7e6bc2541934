"""Servers: a rest-server container and its data directory."""

import re
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse

from backups.engines import data_directory
from backups.engines.container_spec import Spec
from backups.engines.errors import EngineError
from backups.engines.restserver import Options

_IMAGE = re.compile(r"[A-Za-z0-9][\w.:/@-]*", re.ASCII)
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+")


def is_loopback(address: str) -> bool:
    return ip_address(address).is_loopback


class ServerQuerySet(models.QuerySet["Server"]):
    """Servers, by what they are."""

    def made(self) -> "ServerQuerySet":
        """Those that should have a container."""
        return self.exclude(status__in=Server.WITHOUT_CONTAINER)

    def live(self) -> "ServerQuerySet":
        return self.filter(status=Server.Status.LIVE)


class Server(models.Model):
    """What is wanted of one container; what runs is asked of the engine."""

    class Status(models.TextChoices):
        NEW = "new", "Being made"
        UNMADE = "unmade", "Could not be made"
        LIVE = "live", "Live"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Does not answer"
        GONE = "gone", "Its container is gone"
        UNKNOWN = "unknown", "The engine does not answer"
        REMOVED = "removed", "Removed, its data is kept"

    WITHOUT_CONTAINER = (Status.NEW, Status.UNMADE, Status.REMOVED)
    RESTART_POLICIES = ("unless-stopped", "always", "on-failure", "no")

    name = models.CharField(
        max_length=63,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+\Z",
                "Use letters, digits, '.', '_' and '-', and begin with a letter or digit: "
                "the container gets this name.",
            )
        ],
    )
    engine = models.CharField(
        max_length=200, blank=True, help_text="Address of the container engine; empty: this machine"
    )
    image = models.CharField(max_length=255)
    address = models.GenericIPAddressField(
        default="127.0.0.1", help_text="127.0.0.1: this machine alone, 0.0.0.0: everybody"
    )
    port = models.PositiveIntegerField(
        default=8000, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    public_name = models.CharField(
        max_length=253, blank=True, help_text="Name under which hosts reach it; empty: the address"
    )
    data_directory = models.CharField(max_length=1024)
    is_append_only = models.BooleanField(default=True)
    has_private_repositories = models.BooleanField(default=True)
    has_prometheus = models.BooleanField(default=False)
    has_tls = models.BooleanField(default=False)
    tls_min_version = models.CharField(max_length=3, blank=True)
    has_access_log = models.BooleanField(default=False)
    max_size = models.PositiveBigIntegerField(null=True, blank=True, help_text="bytes")
    memory_limit = models.PositiveBigIntegerField(null=True, blank=True, help_text="bytes")
    restart_policy = models.CharField(max_length=20, default="unless-stopped")
    uid = models.PositiveIntegerField(default=1000)
    gid = models.PositiveIntegerField(default=1000)

    status = models.CharField(max_length=10, choices=Status, default=Status.NEW)
    reason = models.TextField(blank=True, help_text="Why it is not live, as a sentence")
    live_since = models.DateTimeField(null=True, blank=True)
    proven = models.DateTimeField(null=True, blank=True, help_text="Last probe that succeeded")
    scanned = models.DateTimeField(null=True, blank=True, help_text="Last look at its disk")
    created = models.DateTimeField(auto_now_add=True)

    objects = ServerQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["engine", "address", "port"],
                name="server_address_is_unique",
                violation_error_message="Another server has this address and port.",
            ),
            models.CheckConstraint(
                condition=models.Q(port__gte=1, port__lte=65535), name="server_port_is_a_port"
            ),
            models.CheckConstraint(
                condition=models.Q(data_directory__startswith="/"),
                name="server_data_directory_is_absolute",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("servers:show", args=[self.name])

    def clean(self) -> None:
        """What a field alone cannot know; of a server that is there, only what may change."""
        errors: dict[str, Any] = {}
        if self.public_name and not _HOST_NAME.fullmatch(self.public_name):
            errors["public_name"] = "Give the name alone, such as backup.example.org."
        if self.image and not _IMAGE.fullmatch(self.image):
            errors["image"] = "Write it as NAME:TAG, such as restic/rest-server:latest."
        if self._state.adding:
            if self.name in {"new", "authority"}:
                errors["name"] = "A page of this house has this name. Choose another."
            if reason := self._why_not_there():
                errors["data_directory"] = reason
        if errors:
            raise ValidationError(errors)

    def _why_not_there(self) -> str:
        """Why a container must not have this data directory."""
        if not self.data_directory:
            return ""
        self.data_directory = data_directory.normalised(self.data_directory)
        own = [str(settings.RESTHOUSE_DATA), str(settings.BASE_DIR)]
        try:
            data_directory.check(self.data_directory, is_here=not self.engine, own=own)
        except EngineError as error:
            return str(error)
        others = Server.objects.filter(engine=self.engine).exclude(
            status__in=(self.Status.UNMADE, self.Status.REMOVED)
        )
        for other in others:
            if data_directory.overlap(self.data_directory, other.data_directory):
                return f"The data of {other} lies there. Give each server a folder of its own."
        return ""

    @property
    def is_made(self) -> bool:
        """Whether its container exists or existed: then there is something to show of it."""
        return self.status not in {self.Status.NEW, self.Status.UNMADE}

    @property
    def is_live(self) -> bool:
        return self.status == self.Status.LIVE

    @property
    def is_loopback(self) -> bool:
        """Whether this machine alone reaches it, so that no line needs encryption."""
        return is_loopback(self.address)

    @property
    def options(self) -> Options:
        return Options(
            is_append_only=self.is_append_only,
            has_private_repositories=self.has_private_repositories,
            has_prometheus=self.has_prometheus,
            has_tls=self.has_tls,
            tls_min_version=self.tls_min_version,
            max_size=self.max_size,
            has_access_log=self.has_access_log,
        )

    @property
    def spec(self) -> Spec:
        """The container that is wanted."""
        return Spec(
            name=self.name,
            image=self.image,
            address=self.address,
            port=self.port,
            data_directory=self.data_directory,
            options=self.options,
            uid=self.uid,
            gid=self.gid,
            memory_limit=self.memory_limit,
            restart_policy=self.restart_policy,
        )

    @property
    def probe_address(self) -> str:
        """Where Resthouse itself reaches it: a wildcard address answers on loopback."""
        loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
        return loopback.get(self.address, self.address)

    @property
    def probe_url(self) -> str:
        return self._url(self.probe_address)

    @property
    def pin(self) -> str:
        """Fingerprint of the certificate that it must show; empty without TLS, or while unknown."""
        if not self.has_tls:
            return ""
        served = self.certificates.served().values_list("fingerprint", flat=True)
        return served.first() or ""

    @property
    def url(self) -> str:
        """Where hosts reach it."""
        return self._url(self.public_name) if self.public_name else self.probe_url

    def _url(self, host: str) -> str:
        scheme = "https" if self.has_tls else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/"
