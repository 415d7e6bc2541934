"""How one host stands: the headline of its page, and all that stands below."""

from dataclasses import dataclass

from backups.models import Host, Job, Run
from backups.queries.clocks import clock_finding, clock_of
from backups.queries.days import added_by_day
from backups.queries.ledger import Line, ledger_of
from backups.queries.needs import sentence_of
from backups.queries.remedies import remedy_of_job
from backups.queries.witnesses import Testimony, Witnesses, testimonies, witnesses_of

_RUNS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class HostStanding:
    """One host with its jobs, the worst first, and its newest runs."""

    host: Host
    lines: list[Line]
    runs: list[Testimony]
    witnesses: Witnesses | None
    added: list[int | None]

    @property
    def worst(self) -> Line | None:
        return self.lines[0] if self.lines else None

    @property
    def running(self) -> list[Run]:
        return [found.run for found in self.runs if found.run.status == Run.Status.RUNNING]

    @property
    def is_refused(self) -> bool:
        return not self.host.is_enrolled and self.host.reported is not None

    @property
    def predicate(self) -> str:
        """The headline behind the host's name."""
        if self.host.is_retired:
            return "is retired"
        if not self.host.is_enrolled:
            return "is refused: its key was revoked" if self.is_refused else "has not reported yet"
        if self.worst is not None and (sentence := sentence_of(self.worst.job)):
            return sentence
        if self.host.is_silent:
            return "has fallen silent"
        if self.host.has_wrong_clock:
            return "has a wrong clock"
        if self.worst is not None and self.worst.job.state == Job.State.PAUSED:
            return "is paused"
        if self.worst is None or self.worst.job.last_run is None:
            return "reports, and has not backed up yet"
        return "is backing up" if self.worst.state == "running" else "is backed up"

    @property
    def remedy(self) -> str:
        """The command that helps on it, where its worst job did not come."""
        return remedy_of_job(self.worst.job) if self.worst is not None else ""

    @property
    def has_pattern(self) -> bool:
        """Whether the bytes of its days are worth a figure."""
        return sum(bool(count) for count in self.added) > 1

    @property
    def added_in_words(self) -> str:
        """The sentence of that figure."""
        came = sum(bool(count) for count in self.added)
        empty = sum(count is None for count in self.added)
        return (
            f"{came} days with something new" + f", {empty} that stayed empty" * bool(empty) + "."
        )

    @property
    def ticks(self) -> list[str]:
        first, middle = self.lines[0].marks[0][0], self.lines[0].marks[15][0]
        return [f"{day.day} {day:%b}" for day in (first, middle)] + ["today"]

    @property
    def clock(self) -> str:
        return clock_of(self.host)

    @property
    def clock_finding(self) -> str:
        return clock_finding(self.host)


def standing_of(host: Host) -> HostStanding:
    jobs = Job.objects.filter(host=host)
    # What prunes and checks, too: it can fail, and a script is known as a backup by its first one.
    lines = ledger_of(jobs.order_by("-severity", "-is_backup", "name"))
    runs = Run.objects.newest_of(list(jobs), _RUNS_SHOWN).listed()
    worst = lines[0] if lines else None
    run = _telling_run(worst.job) if worst else None
    return HostStanding(
        host=host,
        lines=lines,
        runs=testimonies(runs),
        witnesses=witnesses_of(run) if run else None,
        added=added_by_day(worst.job, worst.marks) if worst else [],
    )


def _telling_run(job: Job) -> Run | None:
    """The newest that has ended: of one that runs, the disk cannot speak yet."""
    runs = job.runs.exclude(status=Run.Status.RUNNING).defer("log", "errors")
    return runs.select_related("receipt__repository__server", "job__repository__server").first()
