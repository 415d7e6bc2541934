"""What is wanted of the container of a server."""

import re
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from backups.engines.addresses import is_address
from backups.engines.container_spec import Spec
from backups.engines.container_state import DATA_DIRECTORY, Mount
from backups.engines.errors import EngineError
from backups.engines.restserver import Options

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_NO_AUTH = "DISABLE_AUTHENTICATION"
_IMAGE = re.compile(r"[A-Za-z0-9][\w.:/@-]*", re.ASCII)


class Wanted(models.Model):
    """The options of rest-server and of its container; what runs is asked of the engine."""

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
    data_directory = models.CharField(
        max_length=1024, help_text="A folder of the engine's machine, or the name of a volume"
    )
    is_append_only = models.BooleanField(default=True)
    has_private_repositories = models.BooleanField(default=True)
    has_prometheus = models.BooleanField(default=False)
    has_tls = models.BooleanField(default=False)
    tls_min_version = models.CharField(max_length=3, blank=True)
    has_access_log = models.BooleanField(default=False)
    max_size = models.PositiveBigIntegerField(null=True, blank=True, help_text="bytes")
    proxy_header = models.CharField(
        max_length=100, blank=True, help_text="Header in which a proxy names the user"
    )
    memory_limit = models.PositiveBigIntegerField(null=True, blank=True, help_text="bytes")
    restart_policy = models.CharField(max_length=20, default="unless-stopped")
    uid = models.PositiveIntegerField(default=1000)
    gid = models.PositiveIntegerField(default=1000)
    selinux_label = models.CharField(
        max_length=1, blank=True, choices={"z": "shared (z)", "Z": "its own (Z)"}
    )
    extra_options = models.CharField(
        max_length=500, blank=True, help_text="Words of OPTIONS that Resthouse has no switch for"
    )
    extras = models.JSONField(
        default=dict,
        blank=True,
        help_text="What an adopted one has besides: data_target, environment, mounts, network",
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        """What a field alone cannot know; ValidationError by field."""
        errors: dict[str, Any] = {}
        if self.image and not _IMAGE.fullmatch(self.image):
            errors["image"] = "Write it as NAME:TAG, such as restic/rest-server:latest."
        if self.engine and not is_address(self.engine):
            errors["engine"] = "Write it as unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST."
        elif self.engine_host and self.address in {"127.0.0.1", "::1"}:
            errors["address"] = (
                f"On {self.engine_host} only that machine itself would reach {self.address}. Give "
                "an address of it, or 0.0.0.0."
            )
        if self.selinux_label and ":" in self.data_directory:
            errors["selinux_label"] = "A path with a colon cannot be relabelled for SELinux."
        policy, _, retries = self.restart_policy.partition(":")
        if policy not in self.RESTART_POLICIES or (retries and not retries.isdecimal()):
            known = ", ".join(self.RESTART_POLICIES)
            errors["restart_policy"] = f"It is one of {known}."
        try:
            self.options.render()
        except EngineError as error:
            errors["tls_min_version" if "TLS" in str(error) else "proxy_header"] = str(error)
        if errors:
            raise ValidationError(errors)

    @property
    def engine_host(self) -> str:
        """The machine of the engine, where that is another one; else empty."""
        host = urlsplit(self.engine).hostname or "" if is_address(self.engine) else ""
        return "" if host in _THIS_MACHINE else host

    @property
    def is_here(self) -> bool:
        """Whether its folders are folders of this machine."""
        return not self.engine or self.engine.startswith("unix:")

    @property
    def is_volume(self) -> bool:
        """Whether the data lies in a volume of the engine and not in a folder."""
        return not self.data_directory.startswith("/")

    @property
    def is_open(self) -> bool:
        """Whether it lets anybody in, as only a container of others does."""
        variables = self.extras.get("environment", {})
        return "--no-auth" in self.extra_options.split() or bool(variables.get(_NO_AUTH))

    def closed(self) -> dict[str, Any]:
        """The fields by which it would ask for passwords again."""
        variables = self.extras.get("environment", {})
        kept = {name: value for name, value in variables.items() if name != _NO_AUTH}
        words = [word for word in self.extra_options.split() if word != "--no-auth"]
        return {"extras": {**self.extras, "environment": kept}, "extra_options": " ".join(words)}

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
            proxy_header=self.proxy_header,
        )

    @property
    def spec(self) -> Spec:
        """The container that is wanted."""
        extras = self.extras
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
            labels=extras.get("labels", {}),
            selinux_label=cast(Literal["", "z", "Z"], self.selinux_label),
            data_target=extras.get("data_target", DATA_DIRECTORY),
            extra_options=tuple(self.extra_options.split()),
            extra_environment=extras.get("environment", {}),
            extra_mounts=tuple(Mount(*mount) for mount in extras.get("mounts", [])),
            network=extras.get("network", ""),
        )
