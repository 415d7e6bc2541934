"""How the house stands, in figures: what its headline says."""

from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from backups.engines.systemd import level_of
from backups.models import Certificate, Job, Repository, Run, Server, Unit, User

# From here on systemd itself says MEDIUM: a good part of the machine lies open to the unit.
TOO_OPEN = 50
# Nothing is missing, and nothing has come.
_NOTHING_YET = [Job.State.NEW, Job.State.PAUSED, Job.State.LATE]


@dataclass(frozen=True, slots=True)
class Jobs:
    """All jobs that back up, counted."""

    count: int
    fine: int
    running: int
    new: int
    agreed: int
    last: datetime | None
    added: int | None

    @property
    def is_calm(self) -> bool:
        return self.fine + self.running == self.count and self.fine > 0

    @property
    def ill(self) -> int:
        return self.count - self.fine - self.running - self.new

    @property
    def words(self) -> str:
        return f"{self.fine} of {self.count} arrived"


@dataclass(frozen=True, slots=True)
class Servers:
    """All servers, and what is to be said of them together."""

    all: list[Server]

    @property
    def live(self) -> int:
        return sum(server.is_live for server in self.all)

    @property
    def proven(self) -> datetime | None:
        """The oldest proof among those that answer."""
        return min((server.proven for server in self.all if server.proven), default=None)

    @property
    def words(self) -> str:
        count, live = len(self.all), self.live
        if count == 1:
            return "The server is live" if live else "The server is not live"
        if live == count:
            return "Both servers are live" if count == 2 else f"All {count} servers are live"
        return f"{live} of {count} servers are live"


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the servers show, the first to end first."""

    all: list[Certificate]

    @property
    def ending(self) -> int:
        return sum(certificate.state != "ok" for certificate in self.all)

    @property
    def words(self) -> str:
        if self.ending:
            one = self.ending == 1
            return "One certificate ends soon" if one else f"{self.ending} certificates end soon"
        count = len(self.all)
        return "The certificate is good" if count == 1 else f"All {count} certificates are good"


@dataclass(frozen=True, slots=True)
class Level:
    """One of systemd's words, and how many units it is said of."""

    name: str
    least: int
    count: int
    state: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """The scores of all units, in tenths."""

    scores: list[int]
    wrong: int = 0
    limit: int = TOO_OPEN

    @property
    def count(self) -> int:
        return len(self.scores)

    @property
    def open(self) -> int:
        return sum(score >= self.limit for score in self.scores)

    @property
    def closed(self) -> int:
        return self.count - self.open

    @property
    def words(self) -> str:
        return f"{self.closed} of {self.count} OK or better"

    @property
    def headline(self) -> str:
        count, wrong, too_open = self.count, self.wrong, self.open
        if wrong:
            one = wrong == 1
            has = "One unit has a line" if one else f"{wrong} units have lines"
            return f"{has} that {'does' if one else 'do'} harm"
        if too_open:
            are = "is" if too_open == 1 else "are"
            return f"{too_open} of {count} unit{'s' * (count > 1)} {are} too open"
        return "The one unit is well closed" if count == 1 else f"All {count} units are well closed"

    @property
    def levels(self) -> list[Level]:
        """All of systemd's levels that a running unit can have, the worst first."""
        edges = [(90, "failed"), (75, "warning"), (TOO_OPEN, "warning"), (10, "ok"), (0, "ok")]
        found, above = [], 101
        for least, state in edges:
            count = sum(least <= score < above for score in self.scores)
            name = level_of(least or 1)
            found.append(Level(name if name == "OK" else name.capitalize(), least, count, state))
            above = least
        return found

    @property
    def median(self) -> int:
        return round(median(self.scores)) if self.scores else 0

    @property
    def worst(self) -> int:
        return max(self.scores, default=0)

    @property
    def sentence(self) -> str:
        if not self.open:
            return "All are OK or better by systemd's own measure, left of the dashed line."
        verb = "is" if self.closed == 1 else "are"
        return f"{self.closed} {verb} OK or better by systemd's own measure, the dashed line."


@dataclass(frozen=True, slots=True)
class Disks:
    """What the servers hold."""

    bytes: int
    count: int


@dataclass(frozen=True, slots=True)
class Headline:
    """The answer that a page opens with, and the sentence below it."""

    answer: str
    sentence: str


def headline(jobs: Jobs, needs: int) -> Headline:
    """What somebody who looks in the morning wants to know first."""
    if needs:
        return Headline(_needs_in_words(needs), _share_in_words(jobs))
    if jobs.is_calm:
        return Headline("Everything arrived", _agreement_in_words(jobs))
    if jobs.running and not jobs.fine:
        return Headline("The first backup is running", "This page follows it by itself.")
    if jobs.fine:
        return Headline("Everything due has arrived", _share_in_words(jobs))
    return Headline("Waiting for the first backup", "It shows here by itself when it has run.")


def _needs_in_words(count: int) -> str:
    return "One thing needs you" if count == 1 else f"{count} things need you"


def _share_in_words(jobs: Jobs) -> str:
    agreement = ", and host and disk agree on each" if jobs.agreed == jobs.fine > 1 else ""
    still = f" {_in_words(jobs.running)} still run{'s' * (jobs.running == 1)}." * bool(jobs.running)
    verb = "is" if jobs.count == 1 else "are"
    return f"{jobs.fine} of {_jobs_in_words(jobs.count)} {verb} up to date{agreement}.{still}"


def _agreement_in_words(jobs: Jobs) -> str:
    if jobs.agreed < jobs.fine:
        seen = f"{jobs.agreed or 'None'} of {_jobs_in_words(jobs.fine)}"
        return f"{seen} could be seen on a disk of this house. Nothing needs you."
    if jobs.fine == 1:
        return "Host and disk agree on its one job. Nothing needs you."
    return f"Host and disk agree on every one of {jobs.fine} jobs. Nothing needs you."


def _jobs_in_words(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def _in_words(count: int) -> str:
    words = ("None", "One", "Two", "Three", "Four", "Five", "Six")
    return words[count] if count < len(words) else str(count)


def jobs() -> Jobs:
    def counted(**terms: Any) -> Count:
        return Count("pk", filter=Q(**terms))

    return Jobs(
        **Job.objects.backing_up().aggregate(
            count=Count("pk"),
            fine=counted(state__in=Job.FINE),
            running=counted(state=Job.State.RUNNING),
            new=counted(state__in=_NOTHING_YET),
            agreed=counted(state__in=Job.FINE, last_run__verdict=Run.Verdict.AGREED),
            last=Max("last_arrived"),
            added=Sum("last_run__bytes_added"),
        )
    )


def servers() -> Servers:
    # Counted apart: a join would group every user by all columns of its server.
    users = User.objects.filter(server=OuterRef("pk")).order_by().values("server")
    count = Coalesce(Subquery(users.annotate(count=Count("pk")).values("count")), 0)
    shown = Server.objects.lasting().only("name", "status", "proven", "live_since")
    return Servers(list(shown.annotate(user_count=count)))


def certificates() -> Certificates:
    served = Certificate.objects.served().select_related("server")
    shown = served.only("subject", "not_after", "server__name")
    return Certificates(list(shown.order_by("not_after")))


def exposure() -> Exposure:
    units = Unit.objects.filter(host__retired=None)
    scores = units.order_by().values_list("exposure", flat=True)
    wrong = units.exclude(finding="").count()
    return Exposure([score for score in scores if score is not None], wrong)


def disks() -> Disks:
    held = Repository.objects.filter(is_gone=False).aggregate(bytes=Sum("bytes"), count=Count("pk"))
    return Disks(held["bytes"] or 0, held["count"])


def running_now(limit: int) -> QuerySet[Run]:
    """What runs, found by its jobs: a look through all runs would take long."""
    newest = Job.objects.filter(state=Job.State.RUNNING).values("last_run")
    return Run.objects.filter(pk__in=newest).listed()[:limit]
