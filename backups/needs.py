"""What needs a person, worst first: the headline of the house."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from backups.models import Host, Job, Server, Unit

# A host that was added and never came: after a day, somebody has forgotten it.
_PATIENCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that somebody must look at; `state` is one of the words of the look."""

    state: str
    label: str
    name: str
    sentence: str
    reason: str
    button: str
    url: str
    since: datetime | None = None


def needs(limit: int = 100) -> list[Need]:
    """Servers first, since all jobs hang on them; then jobs and hosts."""
    return [*_servers(), *_jobs(limit), *_units(limit), *_hosts()][:limit]


_SERVER_WORDS = {
    Server.Status.UNMADE: ("failed", "could not be made"),
    Server.Status.FAILED: ("failed", "does not answer"),
    Server.Status.GONE: ("failed", "has lost its container"),
    Server.Status.UNKNOWN: ("warning", "cannot be seen"),
    Server.Status.STOPPED: ("warning", "is stopped"),
}


def _servers() -> list[Need]:
    ill = Server.objects.filter(status__in=_SERVER_WORDS)
    return [
        Need(
            state=_SERVER_WORDS[Server.Status(server.status)][0],
            label=server.get_status_display(),
            name=server.name,
            sentence=_SERVER_WORDS[Server.Status(server.status)][1],
            reason=server.reason,
            button="See the server",
            url=server.get_absolute_url(),
            since=server.proven,
        )
        for server in ill
    ]


_JOB_WORDS = {
    Job.State.DIFFERS: ("failed", "reports success, but nothing arrives", "Compare the two"),
    Job.State.FAILED: ("failed", "failed to back up", "See the run"),
    Job.State.MISSED: ("missed", "did not back up", "See the host"),
    Job.State.WARNING: ("warning", "backed up with warnings", "See the run"),
}


def _jobs(limit: int) -> list[Need]:
    ill = Job.objects.needing_a_look().select_related("host", "last_run").worst_first()[:limit]
    return [
        Need(
            state=_JOB_WORDS[Job.State(job.state)][0],
            label=job.get_state_display(),
            name=job.host.name,
            sentence=_JOB_WORDS[Job.State(job.state)][1],
            reason=f"Job {job.name}: {job.reason}",
            button=_JOB_WORDS[Job.State(job.state)][2],
            url=_page_of(job),
            since=job.last_run.started if job.last_run else None,
        )
        for job in ill
    ]


def _page_of(job: Job) -> str:
    if job.last_run is not None and job.state in {Job.State.FAILED, Job.State.WARNING}:
        return job.last_run.get_absolute_url()
    return job.get_absolute_url()


def _units(limit: int) -> list[Need]:
    """A finding is an error that the score hides; it comes before any number."""
    ill = Unit.objects.exclude(finding="").select_related("host")[:limit]
    return [
        Need(
            state="failed",
            label="Its unit is wrong",
            name=unit.host.name,
            sentence="has a line that systemd ignores or misreads",
            reason=f"{unit.name}: {unit.finding}",
            button="See the right line",
            url=unit.get_absolute_url(),
            since=unit.text_changed,
        )
        for unit in ill
    ]


def _hosts() -> list[Need]:
    silent = [
        Need(
            state="warning",
            label="Silent",
            name=host.name,
            sentence="does not report any more",
            reason="Its agent was heard last at the time shown; its backups may go on unseen.",
            button="See the host",
            url=host.get_absolute_url(),
            since=host.reported,
        )
        for host in Host.objects.silent()
    ]
    waiting = [
        Need(
            state="missed",
            label="Never reported",
            name=host.name,
            sentence="was added, but its agent never came",
            reason="Run the command of its page on it.",
            button="Show the command",
            url=host.get_absolute_url(),
            since=host.created,
        )
        for host in Host.objects.waiting().filter(created__lt=timezone.now() - _PATIENCE)
    ]
    return [*silent, *waiting]
