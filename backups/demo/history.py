"""What the made-up jobs did: runs, and the receipts of what arrived."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from backups.demo.fleet import Member
from backups.demo.outcomes import Outcome, outcome_of
from backups.models import Job, Receipt, Repository, Run

# Of older runs that ended well no output is kept: a million of them would be mostly that.
_LOGS_KEPT = 30
_RECEIPTS_KEPT = timedelta(days=35)
_TOLD_AFTER = timedelta(seconds=2)
_GROWTH_A_YEAR = 0.35
# One night the line to the other house was cut.
_CUT_BEFORE = timedelta(days=17)


@dataclass(slots=True)
class Teller:
    """Tells the history of one job; `ids` give the numbers of the rows."""

    member: Member
    job: Job
    repository: Repository | None
    now: datetime
    random: Random
    run_ids: Iterator[int]
    receipt_ids: Iterator[int]
    receipts: list[Receipt] = field(default_factory=list)

    def tell(self, starts: list[datetime]) -> Iterator[Run]:
        """One run for each start, oldest first; the receipts gather on the way."""
        for turn, start in enumerate(starts, 1):
            run = self._run(start, outcome_of(self._ending(start), self.member.restic))
            if len(starts) - turn < _LOGS_KEPT:
                run.log = run.log or _words_of_restic(run)
            yield run

    def tell_cleaning(self, starts: list[datetime]) -> Iterator[Run]:
        """The job that forgets old snapshots; it makes none."""
        for start in starts:
            outcome = outcome_of("pruned", self.member.restic)
            run = self._bare(start, outcome, timedelta(seconds=self.random.uniform(40, 900)))
            run.kind, run.reason = Run.Kind.PRUNE, outcome.reason
            yield run

    def tell_running(self, started: datetime) -> Run:
        """The one that goes on now."""
        total = self.member.bytes
        return Run(
            pk=next(self.run_ids),
            job_id=self.job.pk,
            key=f"{self.random.getrandbits(128):032x}",
            status=Run.Status.RUNNING,
            started=started,
            received=started,
            reported=self.now,
            restic=self.member.restic,
            percent=62,
            bytes_done=total * 62 // 100,
            bytes_total=total,
            seconds_left=14 * 60,
        )

    def _ending(self, start: datetime) -> str:
        if self.member.story == "poisoned" and start > self.now - timedelta(hours=41):
            return "poisoned"
        if self.member.story == "unreadable" and start > self.now - timedelta(days=6):
            return "unreadable"
        cut = (self.now - _CUT_BEFORE).replace(hour=0, minute=0)
        if self.member.server == "house-offsite" and timedelta() < start - cut < timedelta(hours=5):
            return "refused"
        draw = self.random.random()
        if draw > 0.012 or start > self.now - timedelta(days=2):
            return "succeeded"
        return "unreadable" if draw > 0.006 else ("locked" if draw > 0.002 else "slow")

    def _run(self, start: datetime, outcome: Outcome) -> Run:
        if not outcome.makes_snapshot:
            patience = 6 * 3600 if outcome.result == "timeout" else self.random.uniform(1, 40)
            return self._bare(start, outcome, timedelta(seconds=patience))
        age = (self.now - start).days / 365
        size = int(self.member.bytes * (1 - _GROWTH_A_YEAR * age) * self.random.uniform(0.995, 1.0))
        files = int(self.member.files * (1 - _GROWTH_A_YEAR * age))
        added = int(size * min(0.6, 0.004 * self.random.lognormvariate(0, 0.7)))
        changed = int(files * min(0.5, 0.01 * self.random.lognormvariate(0, 0.6))) + 1
        seconds = 6 + files / 9000 + added / 45e6 * self.random.uniform(0.8, 1.6)
        run = self._bare(start, outcome, timedelta(seconds=seconds))
        run.bytes_processed, run.bytes_added = size, added
        run.files_processed, run.files_changed, run.files_new = files, changed, changed // 4
        self._arrive(run, outcome)
        return run

    def _bare(self, start: datetime, outcome: Outcome, duration: timedelta) -> Run:
        end = start + duration
        return Run(
            pk=next(self.run_ids),
            job_id=self.job.pk,
            key=f"{self.random.getrandbits(128):032x}",
            status=outcome.status,
            reason=outcome.reason,
            advice=outcome.advice,
            started=start,
            finished=end,
            received=end + _TOLD_AFTER,
            reported=end + _TOLD_AFTER,
            exit_code=outcome.exit_code,
            signal=outcome.signal,
            result=outcome.result,
            restic=self.member.restic,
            errors=outcome.errors,
            log=outcome.log.replace("HOST", self.member.name),
        )

    def _arrive(self, run: Run, outcome: Outcome) -> None:
        """The snapshot, its file on the disk, and whether both were seen."""
        snapshot_id = f"{self.random.getrandbits(256):064x}"
        # restic before 0.15 tells eight digits of the name.
        run.snapshot_id = snapshot_id[:8] if self.member.restic < "0.15" else snapshot_id
        run.reason = outcome.reason_for(snapshot_id)
        if self.repository is None:
            run.verdict = Run.Verdict.UNSEEN
        elif self.member.story == "differs" and run.started > self.now - timedelta(days=2):
            run.verdict = Run.Verdict.DIFFERS
        else:
            run.verdict = Run.Verdict.AGREED
            run.receipt_id = self._receipt(self.repository, run, snapshot_id).pk

    def _receipt(self, repository: Repository, run: Run, snapshot_id: str) -> Receipt:
        arrived = (run.finished or run.started) - timedelta(seconds=1)
        old = self.now - arrived > _RECEIPTS_KEPT and arrived.weekday() != 6
        receipt = Receipt(
            pk=next(self.receipt_ids),
            repository_id=repository.pk,
            snapshot_id=snapshot_id,
            arrived=arrived,
            first_seen=arrived + timedelta(seconds=3),
            is_gone=old and not repository.server.is_append_only,
        )
        self.receipts.append(receipt)
        repository.snapshot_count += not receipt.is_gone
        repository.bytes += 0 if receipt.is_gone else (run.bytes_added or 0) // 3
        repository.last_arrived = self.job.last_arrived = arrived
        return receipt


def _words_of_restic(run: Run) -> str:
    """What it prints by itself, without --json."""
    if not run.snapshot_id:
        return ""
    files, added = run.files_processed or 0, (run.bytes_added or 0) / 2**30
    unmodified = files - (run.files_new or 0) - (run.files_changed or 0)
    seconds = int((run.duration or timedelta()).total_seconds())
    return (
        f"Files:       {run.files_new} new, {run.files_changed} changed, {unmodified} unmodified\n"
        f"Added to the repository: {added:.3f} GiB ({added * 0.62:.3f} GiB stored)\n"
        f"processed {files} files, {(run.bytes_processed or 0) / 2**30:.3f} GiB "
        f"in {seconds // 60}:{seconds % 60:02}\n"
        f"snapshot {run.snapshot_id[:8]} saved"
    )
