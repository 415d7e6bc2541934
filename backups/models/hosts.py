"""Hosts: the machines that back up."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.lookups import LessThan
from django.utils import timezone

from backups.models.addresses import address
from backups.models.present import Now

# The agent's own timer runs every five minutes; three misses in a row are silence.
SILENT_AFTER = timedelta(minutes=16)
# What a host says of its agent where it has none, and lines of sh and curl tell of its runs.
CURL = "curl"
# A clock that is kept by NTP is within a second; a report on its way takes a few.
_CLOCK_TOLERANCE = timedelta(minutes=1)
# As in Job.SEVERITY: a warning, or worse.
_NEEDS_A_LOOK = 4
_UNLISTED = (
    *("tags", "created", "token_hash", "token_expires", "key_hash", "clock_offset"),
    *("hostname", "os", "kernel", "python"),
)


class HostQuerySet(models.QuerySet["Host"]):
    """Hosts, by what is known of them."""

    def enrolled(self) -> "HostQuerySet":
        return self.filter(enrolled__isnull=False)

    def waiting(self) -> "HostQuerySet":
        """Added, but its agent never came."""
        return self.filter(enrolled__isnull=True)

    def kept(self) -> "HostQuerySet":
        """The fleet; those that are retired stand apart."""
        return self.filter(retired__isnull=True)

    def retired(self) -> "HostQuerySet":
        return self.filter(retired__isnull=False)

    def silent(self, now: Now | None = None) -> "HostQuerySet":
        """A host that may sleep is silent once it has slept for too long."""
        return self.filter(_silent(now or timezone.now()))

    def listed(self) -> "HostQuerySet":
        """Without what no line of a list shows."""
        return self.defer(*_UNLISTED)

    def tagged(self, tag: str) -> "HostQuerySet":
        """Tags lie between spaces, so that each is found whole."""
        return self.filter(tags__contains=f" {tag} ")

    def with_wrong_clock(self) -> "HostQuerySet":
        """As their last reports show."""
        return self.filter(_WRONG_CLOCK)

    def needing_a_look(self) -> "HostQuerySet":
        """With a job, a unit or a clock that is not well, or silent."""
        of_a_job = Host.objects.filter(jobs__severity__gte=_NEEDS_A_LOOK).values("pk")
        of_a_unit = Host.objects.filter(units__finding__gt="").values("pk")
        ill = models.Q(pk__in=of_a_job) | models.Q(pk__in=of_a_unit) | _silent(timezone.now())
        return self.kept().filter(ill | _WRONG_CLOCK)


_OFF = models.Q(clock_offset__gt=_CLOCK_TOLERANCE) | models.Q(clock_offset__lt=-_CLOCK_TOLERANCE)
_WRONG_CLOCK = models.Q(enrolled__isnull=False, retired=None) & _OFF


def _silent(now: Now) -> models.Q:
    awake = models.Q(may_sleep=None, reported__lt=now - SILENT_AFTER)
    slept = models.ExpressionWrapper(
        models.F("reported") + models.F("may_sleep"), output_field=models.DateTimeField()
    )
    asleep = models.Q(may_sleep__isnull=False) & models.Q(LessThan(slept, now))
    # Without an agent it speaks when it backs up, and is missed by what is expected of its jobs.
    return models.Q(enrolled__isnull=False, retired=None) & (awake | asleep) & ~models.Q(agent=CURL)


class Host(models.Model):
    """A machine and its agent; tokens and keys are kept as SHA-256 alone."""

    name = models.CharField(
        max_length=100,
        unique=True,
        validators=[
            RegexValidator(
                r"^[\w][\w.-]*\Z", "Use letters, digits, '.', '_' and '-', without spaces."
            )
        ],
    )
    note = models.CharField(max_length=200, blank=True)
    group = models.CharField(max_length=50, blank=True, db_index=True)
    # Between spaces and sorted, so that one is found by a look for " it ".
    tags = models.CharField(max_length=300, blank=True)
    may_sleep = models.DurationField(
        null=True, blank=True, help_text="For how long it may be off; empty: it is always on"
    )
    retired = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    token_hash = models.CharField(max_length=64, blank=True, editable=False)
    token_expires = models.DateTimeField(null=True, blank=True)
    key_hash = models.CharField(max_length=64, blank=True, editable=False)
    enrolled = models.DateTimeField(null=True, blank=True)
    reported = models.DateTimeField(null=True, blank=True, help_text="Last word of its agent")
    clock_offset = models.DurationField(
        null=True, blank=True, help_text="Its clock minus ours, at the last report"
    )
    hostname = models.CharField(max_length=255, blank=True)
    os = models.CharField(max_length=200, blank=True)
    kernel = models.CharField(max_length=200, blank=True)
    systemd = models.CharField(max_length=100, blank=True)
    restic = models.CharField(max_length=100, blank=True)
    python = models.CharField(max_length=100, blank=True)
    agent = models.CharField(max_length=100, blank=True)

    objects = HostQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["token_hash"], condition=~models.Q(token_hash=""), name="host_token_is_one"
            ),
            models.UniqueConstraint(
                fields=["key_hash"], condition=~models.Q(key_hash=""), name="host_key_is_one"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return address("hosts:show", self.name)

    def clean(self) -> None:
        if self.name == "new":
            raise ValidationError({"name": "The page for new hosts has this name. Choose another."})

    @property
    def is_enrolled(self) -> bool:
        return self.enrolled is not None

    @property
    def has_agent(self) -> bool:
        return self.agent != CURL

    @property
    def is_always_on(self) -> bool:
        return self.may_sleep is None

    @property
    def is_retired(self) -> bool:
        return self.retired is not None

    @property
    def tag_list(self) -> list[str]:
        return self.tags.split()

    @property
    def has_wrong_clock(self) -> bool:
        is_expected = self.is_enrolled and not self.is_retired
        return is_expected and abs(self.clock_offset or timedelta()) > _CLOCK_TOLERANCE

    @property
    def is_silent(self) -> bool:
        if self.is_retired or self.reported is None or not self.has_agent:
            return False
        return timezone.now() - self.reported > (self.may_sleep or SILENT_AFTER)
