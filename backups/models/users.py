"""Users: the entries of a server's `.htpasswd`, and what the house knows of that file."""

import json
from collections.abc import Mapping

from django.db import models

from backups.models.addresses import address
from backups.models.servers import Server

MAX_NAME = 100
MAX_NOTE = 200


class User(models.Model):
    """What `.htpasswd` cannot hold: notes, dates, and the hash of a disabled entry."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="users")
    name = models.CharField(max_length=MAX_NAME)
    note = models.CharField(max_length=MAX_NOTE, blank=True)
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
        return address("users:show", self.server.name, self.name)

    @property
    def is_disabled(self) -> bool:
        return self.disabled is not None

    @property
    def rotation(self) -> "Rotation | None":
        """The newest one, whether it is over or not."""
        return self.rotations.first()


# Name of an entry, and its hash: as JSON because a hash by hand may hold bytes that no text
# column takes.
Hashes = dict[str, str]
# Under a name first the hash that stood there, then those that may stand there by now; None: no
# entry.
Steps = dict[str, list[str | None]]


class UsersFile(models.Model):
    """The `.htpasswd` of one server as the house published or adopted it.

    With it a hand edit is a difference that can be undone, and a change that was cut off is
    known from one made by hand. The hashes are as secret here as in the file: pages, logs and
    exports never show these columns.
    """

    server = models.OneToOneField(Server, on_delete=models.CASCADE, related_name="users_file")
    known = models.TextField(blank=True, editable=False)
    pending = models.TextField(default="{}", editable=False)
    difference_count = models.PositiveIntegerField(default=0)
    found = models.JSONField(default=list, help_text="The first differences of the last look")
    found_since = models.DateTimeField(null=True, blank=True)
    looked = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"users file of {self.server}"

    @property
    def is_adopted(self) -> bool:
        """Whether the file was ever taken for right; a damaged one never is."""
        return bool(self.known)

    @property
    def hashes(self) -> Hashes:
        hashes: Hashes = json.loads(self.known or "{}")
        return hashes

    @hashes.setter
    def hashes(self, hashes: Mapping[str, str]) -> None:
        self.known = json.dumps(hashes)

    @property
    def steps(self) -> Steps:
        """The change that is being published, or was cut off."""
        steps: Steps = json.loads(self.pending)
        return steps

    @steps.setter
    def steps(self, steps: Steps) -> None:
        self.pending = json.dumps(steps)


class RotationQuerySet(models.QuerySet["Rotation"]):
    """Rotations, by how far they are."""

    def open(self) -> "RotationQuerySet":
        return self.filter(state__in=Rotation.OPEN)


class Rotation(models.Model):
    """A new password on its way to the host, kept as a hash until the host has it."""

    class State(models.TextChoices):
        STAGED = "staged", "Waits for the host"
        SWAPPED = "swapped", "Waits for the first success"
        DONE = "done", "Done"
        TAKEN_BACK = "taken-back", "Taken back"

    OPEN = (State.STAGED, State.SWAPPED)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="rotations")
    state = models.CharField(max_length=10, choices=State, default=State.STAGED)
    new_hash = models.CharField(max_length=255, blank=True, editable=False)
    former_hash = models.CharField(max_length=255, blank=True, editable=False)
    trusts_signs = models.BooleanField(
        default=True, help_text="A failed sign-in tells that the host has the new password"
    )
    is_by_sign = models.BooleanField(default=False, help_text="The host was seen to have it")
    staged = models.DateTimeField(auto_now_add=True)
    swapped = models.DateTimeField(null=True, blank=True)
    ends_by = models.DateTimeField(null=True, blank=True)
    ended = models.DateTimeField(null=True, blank=True)
    sentence = models.TextField(blank=True)
    by_name = models.CharField(max_length=150)

    objects = RotationQuerySet.as_manager()

    class Meta:
        ordering = ["-staged", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(state__in=["staged", "swapped"]),
                name="rotation_open_is_one",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["staged", "swapped"])
                | models.Q(new_hash="", former_hash=""),
                name="rotation_ended_keeps_no_hash",
            ),
        ]

    def __str__(self) -> str:
        return f"rotation of {self.user}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN
