"""What needs a person, worst first: the headline of the house."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from itertools import chain, islice
from operator import or_
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, TextField, Value, When
from django.urls import reverse
from django.utils.http import urlencode

from backups.models import Host, Job, Unit, UsersFile
from backups.models.present import Now, count_each
from backups.queries.certificate_needs import CERTIFICATE_NEEDS
from backups.queries.clocks import clock_finding
from backups.queries.need import Need, Source, source
from backups.queries.server_needs import SERVER_NEEDS

# A host that was added and never came: after a day, somebody has forgotten it.
_PATIENCE = timedelta(days=1)
_ALL = 1000
# Of each kind, since the worst of them need not come first.
_READ = 50
# So many jobs with one ailment have one cause, which is named once.
_MANY = 5
_NAMED = 3
_SAID = ("name", "state", "severity", "reason", "host__name", "last_run__started")


def needs(limit: int = _ALL) -> list[Need]:
    """Servers first, since all jobs hang on them; what is only a warning comes last."""
    counts = zip(_SOURCES, count_each(_COUNTED), strict=True)
    read = max(limit, _READ)
    found = chain.from_iterable(source.needs(read) for source, count in counts if count)
    return list(islice(_warnings_last(found), limit))


def count_needs() -> int:
    """How many there are, without looking at each."""
    return sum(count_each(_COUNTED))


def _warnings_last(found: Iterator[Need]) -> Iterator[Need]:
    warnings = []
    for need in found:
        if need.state == "warning":
            warnings.append(need)
        else:
            yield need
    yield from warnings


def _users_files(now: Now) -> QuerySet[UsersFile]:
    """As the last look found them; without the hashes, which are of ten thousand users."""
    differing = UsersFile.objects.filter(difference_count__gt=0)
    return differing.select_related("server").defer("known", "pending")


def _of_users_file(file: UsersFile) -> Need:
    """A damaged file has one difference, about nobody in particular."""
    is_damaged = any(not difference["name"] for difference in file.found)
    names = [difference["name"] for difference in file.found[:_NAMED]]
    more = file.difference_count - len(names)
    return Need(
        state="failed" if is_damaged else "warning",
        label="Damaged by hand" if is_damaged else "Changed by hand",
        name=file.server.name,
        sentence="has a users file that is damaged" if is_damaged else "has users changed by hand",
        reason=file.found[0]["sentence"]
        if is_damaged
        else ", ".join(names) + (f", and {more} more." if more else "."),
        button="Mend it" if is_damaged else "Adopt or undo",
        url=f"{reverse('users:index')}?{urlencode({'server': file.server.name})}",
        when="Found",
        since=file.found_since,
    )


_JOB_WORDS = {
    Job.State.DIFFERS: (
        "failed",
        "reports success, but nothing arrives",
        "report success, but nothing arrives",
    ),
    Job.State.FAILED: ("failed", "failed to back up", "failed for the same reason"),
    Job.State.MISSED: ("missed", "did not back up", "did not run"),
    Job.State.NEVER: ("missed", "has never backed up", "have never run"),
    Job.State.SKIPPED: ("missed", "skipped its backup", "were skipped"),
    Job.State.STUCK: ("failed", "has a backup that does not end", "have backups that do not end"),
    Job.State.OFF: ("warning", "has its timer switched off", "have their timers off"),
    Job.State.MASKED: ("warning", "has its timer masked", "have their timers masked"),
    Job.State.GONE: ("warning", "has lost its timer", "have lost their timers"),
    Job.State.WARNING: ("warning", "backed up with warnings", "have the same warning"),
}


def sentence_of(job: Job) -> str:
    """What a job that needs a look does, said of its host; empty when it needs none."""
    return _JOB_WORDS.get(Job.State(job.state), ("", "", ""))[1]


@dataclass(frozen=True, slots=True)
class _Group:
    """Jobs that ail from the same; when they are many, they are one need."""

    state: str
    severity: int
    reason: str
    count: int

    @property
    def is_one(self) -> bool:
        return self.count >= _MANY

    @property
    def terms(self) -> Q:
        alike = Q(state=self.state, severity=self.severity)
        # What was missed gives its own time as the reason; the cause is likely one.
        return alike if self.state in Job.ABSENT else alike & Q(reason=self.reason)

    @property
    def jobs(self) -> QuerySet[Job]:
        return Job.objects.filter(self.terms)


def _job_groups() -> list[_Group]:
    found: dict[tuple[str, str], _Group] = {}
    ill = Job.objects.needing_a_look().order_by("-severity")
    rows = ill.values_list("state", "severity", "reason").annotate(count=Count("pk"))
    for state, severity, reason, count in rows:
        key = (state, "" if state in Job.ABSENT else reason)
        so_far = found[key].count if key in found else 0
        found[key] = _Group(state, severity, reason, so_far + count)
    return sorted(found.values(), key=lambda group: (-group.severity, -group.count))


def _counted_jobs(now: Now) -> QuerySet[Job, Any]:
    """As `_job_groups`, by the database."""
    none = Value("", TextField())
    cause = Case(When(state__in=Job.ABSENT, then=none), default=F("reason"))
    groups = Job.objects.needing_a_look().order_by().annotate(cause=cause).values("state", "cause")
    alike = groups.annotate(alike=Count("pk"))
    return alike.values(count=Case(When(alike__gte=_MANY, then=1), default=F("alike")))


def _of_jobs(limit: int) -> Iterator[Need]:
    """By how bad it is, the many before the few."""
    groups = _job_groups()
    many = [group for group in groups if group.is_one]
    rest = Job.objects.needing_a_look().worst_first().exclude(pk__in=_in_any(many))
    few = list(rest.select_related("host", "last_run").only(*_SAID)[:limit])
    for severity in dict.fromkeys(group.severity for group in groups):
        yield from (_of_group(group) for group in many if group.severity == severity)
        yield from (_of_job(job) for job in few if job.severity == severity)


def _in_any(groups: list[_Group]) -> QuerySet[Job, int]:
    """None, where there are none."""
    alike = reduce(or_, (group.terms for group in groups), Q(pk__in=()))
    return Job.objects.filter(alike).order_by().values_list("pk", flat=True)


def _of_group(group: _Group) -> Need:
    names = group.jobs.order_by("host__name").values_list("host__name", flat=True)
    named = ", ".join(names[:_NAMED])
    return Need(
        state=_JOB_WORDS[Job.State(group.state)][0],
        label=Job.State(group.state).label,
        name=f"{group.count} jobs",
        sentence=_JOB_WORDS[Job.State(group.state)][2],
        reason=f"{group.reason} {named} and {group.count - _NAMED} more.",
        button="See the hosts",
        url=f"{reverse('hosts:index')}?state=needs",
    )


def _of_job(job: Job) -> Need:
    state, sentence, _ = _JOB_WORDS[Job.State(job.state)]
    has_run = job.state in (Job.State.FAILED, Job.State.STUCK, Job.State.WARNING)
    run = job.last_run if has_run else None
    differs = job.state == Job.State.DIFFERS
    return Need(
        state=state,
        label=job.get_state_display(),
        name=job.host.name,
        sentence=sentence,
        reason=f"Job {job.name}. {job.reason}",
        button="See the run" if run else "Compare the two" if differs else "See the host",
        url=(run or job).get_absolute_url(),
        when="Last run",
        since=job.last_run.started if job.last_run else None,
    )


def _units(now: Now) -> QuerySet[Unit]:
    """A finding is an error that the score hides."""
    wrong = Unit.objects.exclude(finding="").filter(host__retired=None)
    return wrong.select_related("host").only("name", "finding", "text_changed", "host__name")


def _of_unit(unit: Unit) -> Need:
    return Need(
        state="failed",
        label="Its unit is wrong",
        name=unit.host.name,
        sentence="has a line that does not do what it says",
        reason=f"{unit.name}: {unit.finding}",
        button="See the right line",
        url=unit.get_absolute_url(),
        when="Changed",
        since=unit.text_changed,
    )


def _silent(now: Now) -> QuerySet[Host]:
    return Host.objects.silent(now).only("name", "reported")


def _of_silent(host: Host) -> Need:
    return Need(
        state="warning",
        label="Silent",
        name=host.name,
        sentence="does not report any more",
        reason="Its backups may go on unseen.",
        button="See the host",
        url=host.get_absolute_url(),
        when="Heard last",
        since=host.reported,
    )


def _counted_clocks(now: Now) -> QuerySet[Host, Any]:
    # Of one group: none of them is retired.
    wrong = Host.objects.with_wrong_clock().order_by().values("retired")
    alike = wrong.annotate(alike=Count("pk"))
    return alike.values(count=Case(When(alike__gte=_MANY, then=1), default=F("alike")))


def _of_clocks(limit: int) -> Iterator[Need]:
    """Each that is wrong; where it is that of many, it is likely ours."""
    wrong = list(Host.objects.with_wrong_clock()[: max(limit, _MANY)])
    if len(wrong) < _MANY:
        yield from map(_of_clock, wrong)
        return
    count = Host.objects.with_wrong_clock().count()
    named = ", ".join(host.name for host in wrong[:_NAMED])
    yield Need(
        state="warning",
        label="Clocks differ",
        name=f"{count} hosts",
        sentence="have another time than this house",
        reason=f"If they agree with each other, the clock of this machine is wrong. {named} "
        f"and {count - _NAMED} more.",
        button="See the hosts",
        url=f"{reverse('hosts:index')}?state=needs",
    )


def _of_clock(host: Host) -> Need:
    return Need(
        state="warning",
        label="Its clock is wrong",
        name=host.name,
        sentence="has a wrong clock",
        reason=clock_finding(host),
        button="See the host",
        url=host.get_absolute_url(),
        when="Compared",
        since=host.reported,
    )


def _waiting(now: Now) -> QuerySet[Host]:
    """Never heard; a host that was refused on purpose needs nobody."""
    never = Host.objects.kept().waiting().filter(reported__isnull=True)
    return never.filter(created__lt=now - _PATIENCE)


def _of_waiting(host: Host) -> Need:
    return Need(
        state="warning",
        label="Never reported",
        name=host.name,
        sentence="was added, but its agent never came",
        reason="A new command, run on it, lets it report.",
        button="Give it a command",
        url=host.get_absolute_url(),
        when="Added",
        since=host.created,
    )


_SOURCES = (
    *SERVER_NEEDS,
    source(_users_files, _of_users_file),
    Source(_counted_jobs, _of_jobs),
    source(_units, _of_unit),
    source(_silent, _of_silent),
    Source(_counted_clocks, _of_clocks),
    *CERTIFICATE_NEEDS,
    source(_waiting, _of_waiting),
)
_COUNTED = tuple(source.counted for source in _SOURCES)
