"""Two witnesses of each run: what its host says, what the disk shows, what both mean together."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from backups.engines import restic
from backups.models import Receipt, Repository, Run

_TOGETHER = {
    Run.Status.RUNNING: ("running", "Running"),
    Run.Status.SUCCEEDED: ("ok", "Succeeded"),
    Run.Status.WARNING: ("warning", "With warnings"),
    Run.Status.FAILED: ("failed", "Failed"),
    Run.Status.CANCELLED: ("failed", "Cancelled"),
    Run.Status.LOST: ("failed", "Never ended"),
}
_PREDICATES = {
    Run.Status.RUNNING: "is running",
    Run.Status.SUCCEEDED: "succeeded",
    Run.Status.WARNING: "succeeded with warnings",
    Run.Status.FAILED: "failed",
    Run.Status.CANCELLED: "was cancelled",
    Run.Status.LOST: "never ended",
}
_MEANING = {
    Run.Verdict.NONE: "there is nothing to compare, since this run was to leave no snapshot.",
    Run.Verdict.WAITING: "the disk is being asked; its word comes within a minute.",
    Run.Verdict.AGREED: "the snapshot that the host speaks of lies on the disk.",
    Run.Verdict.UNSEEN: "no server of this house holds that repository, "
    "so the host's word stands alone.",
}


@dataclass(frozen=True, slots=True)
class Testimony:
    """A run as both tell it, in the few words of a ledger."""

    run: Run

    @property
    def host(self) -> str:
        run = self.run
        if run.status == Run.Status.RUNNING:
            return "running" if run.percent is None else f"running, {run.percent} %"
        if run.signal:
            return f"killed, {run.signal}"
        if run.result == restic.HOST_DOWN:
            return "went down"
        if run.exit_code is None:
            return run.result or "silent"
        return f"exit {run.exit_code}"

    @property
    def disk(self) -> str:
        if self.run.receipt is not None:
            return self.run.receipt.snapshot_id[:8]
        words = {Run.Verdict.DIFFERS: "nothing", Run.Verdict.WAITING: "being asked"}
        return words.get(Run.Verdict(self.run.verdict), "\u2013")

    @property
    def state(self) -> str:
        return self._together[0]

    @property
    def together(self) -> str:
        return self._together[1]

    @property
    def _together(self) -> tuple[str, str]:
        run = self.run
        state, word = _TOGETHER[Run.Status(run.status)]
        if run.verdict == Run.Verdict.DIFFERS:
            return "failed", "They differ"
        if run.verdict == Run.Verdict.AGREED:
            return state, "Agreed" if state == "ok" else "Agreed, with warnings"
        if run.verdict == Run.Verdict.WAITING:
            return "off", "Waiting for the disk"
        if run.verdict == Run.Verdict.UNSEEN:
            return "off", "Said by the host alone"
        return state, word


@dataclass(frozen=True, slots=True)
class Witnesses:
    """A run with all that the disk can add to it."""

    testimony: Testimony
    repository: Repository | None
    last: Receipt | None
    elsewhere: tuple[Repository, ...]

    @property
    def run(self) -> Run:
        return self.testimony.run

    @property
    def differ(self) -> bool:
        return self.run.verdict == Run.Verdict.DIFFERS

    @property
    def predicate(self) -> str:
        """The headline behind the names of host and job."""
        if self.differ:
            return "reports success, but nothing arrived"
        if self.run.verdict == Run.Verdict.AGREED and self.run.status == Run.Status.SUCCEEDED:
            return "arrived"
        return _PREDICATES[Run.Status(self.run.status)]

    @property
    def meaning(self) -> str:
        """What both say together, as the rest of a sentence."""
        if self.differ and self.elsewhere:
            path = self.elsewhere[0].path
            return f"the backups land in {path}. Correct the repository's address on the host."
        if self.differ:
            return (
                "the host believes that its backup is safe, and no disk of this house has it. "
                "Compare the address in its unit with the repository."
            )
        if self.run.status == Run.Status.RUNNING:
            return "the run is not over yet."
        if self.testimony.state == "failed":
            return "no backup came of this run."
        return _MEANING[Run.Verdict(self.run.verdict)]


def witnesses_of(run: Run) -> Witnesses:
    """Ask the receipts about one run."""
    found = run.receipt.repository if run.receipt else run.job.repository
    differs = run.verdict == Run.Verdict.DIFFERS
    return Witnesses(
        testimony=Testimony(run),
        repository=found,
        last=found.receipts.first() if found else None,
        elsewhere=tuple(_elsewhere(run, found)) if differs and found else (),
    )


def _elsewhere(run: Run, expected: Repository) -> QuerySet[Repository]:
    """Repositories of the same user that got something new since the run began."""
    siblings = Repository.objects.filter(server=expected.server_id, user_name=expected.user_name)
    return siblings.filter(last_arrived__gte=run.started).exclude(pk=expected.pk)


def testimonies(runs: Iterable[Run]) -> list[Testimony]:
    return [Testimony(run) for run in runs]
