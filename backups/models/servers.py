"""Servers: a rest-server container and its data directory."""

import os
import re
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from backups.engines import data_directory
from backups.engines.errors import EngineError
from backups.models.addresses import address
from backups.models.wanted import Wanted

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+")
# Pages of this house that stand where a server's would.
_PAGES = frozenset({"new", "adopted", "authority"})


def is_loopback(address: str) -> bool:
    return ip_address(address).is_loopback


class ServerQuerySet(models.QuerySet["Server"]):
    """Servers, by what they are."""

    def made(self) -> "ServerQuerySet":
        """Those that should have a container."""
        return self.exclude(status__in=Server.WITHOUT_CONTAINER)

    def live(self) -> "ServerQuerySet":
        return self.filter(status=Server.Status.LIVE)

    def lasting(self) -> "ServerQuerySet":
        """Without maintenance windows, which are second containers over the same data."""
        return self.filter(window_of=None)


class Server(Wanted):
    """One container and its data, as it is wanted and as it was last seen."""

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

    public_name = models.CharField(
        max_length=253, blank=True, help_text="Name under which hosts reach it; empty: the address"
    )
    is_adopted = models.BooleanField(
        default=False, help_text="Runs as somebody else made it, until it is made anew here"
    )
    window_of = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="windows"
    )
    closes = models.DateTimeField(null=True, blank=True, help_text="When a window removes itself")

    status = models.CharField(max_length=10, choices=Status, default=Status.NEW)
    reason = models.TextField(blank=True, help_text="Why it is not live, as a sentence")
    since = models.DateTimeField(null=True, blank=True, help_text="When the status began")
    live_since = models.DateTimeField(null=True, blank=True)
    proven = models.DateTimeField(null=True, blank=True, help_text="Last probe that succeeded")
    scanned = models.DateTimeField(null=True, blank=True, help_text="Last look at its disk")
    seen = models.JSONField(
        default=dict, blank=True, help_text="What the engine last said: a Sight, as a mapping"
    )
    counters = models.JSONField(
        default=dict, blank=True, help_text="Sums of the last sample, for the rates of the next"
    )
    drift = models.JSONField(
        default=list, blank=True, help_text="What runs otherwise than wanted: name, wanted, found"
    )
    drift_since = models.DateTimeField(null=True, blank=True)
    newer_image = models.CharField(
        max_length=100, blank=True, help_text="Digest that the registry has for the image by now"
    )
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
                condition=models.Q(window_of=None) | models.Q(closes__isnull=False),
                name="server_window_closes",
            ),
            models.CheckConstraint(
                condition=models.Q(port__gte=1, port__lte=65535), name="server_port_is_a_port"
            ),
            models.CheckConstraint(
                condition=models.Q(data_directory__startswith="/")
                | ~models.Q(data_directory__contains="/") & ~models.Q(data_directory=""),
                name="server_data_directory_is_absolute_or_a_volume",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return address("servers:show", self.name)

    def become(
        self, status: Status, reason: str = "", *, now: datetime, is_anew: bool = False
    ) -> tuple[str, ...]:
        """Take on what was seen; the fields to save. `is_anew`: it began to live just now."""
        if status != self.status or self.since is None:
            self.since = now
        if status == self.Status.LIVE:
            was_live = self.status == self.Status.LIVE and self.live_since
            self.live_since = self.live_since if was_live and not is_anew else now
            self.proven = now
        elif status != self.Status.UNKNOWN:
            self.live_since = None
        self.status, self.reason = status, reason
        return ("status", "reason", "since", "live_since", "proven")

    def clean(self) -> None:
        """What a field alone cannot know; of a server that is there, only what may change."""
        errors: dict[str, Any] = {}
        try:
            super().clean()
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if self.public_name and not _HOST_NAME.fullmatch(self.public_name):
            errors["public_name"] = "Give the name alone, such as backup.example.org."
        if self._state.adding:
            if self.name in _PAGES:
                errors["name"] = "A page of this house has this name. Choose another."
            if reason := self.why_not_there():
                errors["data_directory"] = reason
        if errors:
            raise ValidationError(errors)

    def why_not_there(self) -> str:
        """Why a container must not have this data directory; empty where it may."""
        if not self.data_directory:
            return ""
        self.data_directory = data_directory.normalised(self.data_directory)
        own = [str(settings.RESTHOUSE_DATA), str(settings.BASE_DIR)]
        try:
            # Where somebody else has put the data, it is too late to say so.
            if not self.is_adopted and self.window_of_id is None:
                data_directory.check(self.data_directory, is_here=self.is_here, own=own)
        except EngineError as error:
            return str(error)
        for other in self._sharing():
            if self.window_of_id != other.pk:
                return f"The data of {other} lies there. Give each server a folder of its own."
        return ""

    def why_not_to_erase(self) -> str:
        """Why the data is not this server's alone, or not to be deleted from here."""
        if self.window_of_id is not None or self.windows.exists():
            return f"The maintenance window of {self} is open. Close it first."
        for other in self._sharing():
            return f"{other} keeps its data there as well. Nothing was deleted."
        try:
            own = [str(settings.RESTHOUSE_DATA), str(settings.BASE_DIR)]
            data_directory.check(self.data_directory, is_here=self.is_here, own=own)
        except EngineError:
            return f"{self.data_directory} is no folder for backups alone. Delete it by hand."
        if not self.is_volume and os.path.realpath(self.data_directory) != self.data_directory:
            return f"{self.data_directory} leads elsewhere, through a link. Delete it by hand."
        return ""

    def _sharing(self) -> Iterator["Server"]:
        """Servers with a container over the same data, or over a part of it."""
        others = Server.objects.filter(engine=self.engine).exclude(pk=self.pk)
        for other in others.exclude(status__in=(self.Status.UNMADE, self.Status.REMOVED)):
            if data_directory.overlap(self.data_directory, other.data_directory):
                yield other

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

    def reached_at(self, address: str) -> str:
        """Where Resthouse itself reaches it: a wildcard address answers on loopback as well."""
        loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address)  # noqa: S104
        return address if loopback is None else self.engine_host or loopback

    @property
    def probe_address(self) -> str:
        return self.reached_at(self.address)

    @property
    def probe_url(self) -> str:
        return self.url_at(self.probe_address, self.port)

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
        return self.url_at(self.public_name or self.probe_address, self.port)

    def url_at(self, host: str, port: int) -> str:
        scheme = "https" if self.has_tls else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"
