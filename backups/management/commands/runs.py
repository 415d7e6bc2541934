"""`manage.py runs`: what the hosts reported."""

from backups.management.noun import NounCommand, Option, Verb
from backups.models import Run


class Command(NounCommand):
    """Runs: the history of every job."""

    help = __doc__

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        limit: Option = ("--limit", {"type": int, "default": 50})
        return {"list": (self.list, [("--host", {"default": ""}), limit])}

    def list(self, host: str, limit: int) -> None:
        """Newest first."""
        runs = Run.objects.select_related("job__host")
        if host:
            runs = runs.filter(job__host__name=host)
        rows = [_facts(run) for run in runs[:limit]]
        lines = [
            f"{row['started']:%Y-%m-%d %H:%M}  {row['host']:20} {row['job']:20} {row['status']}"
            for row in rows
        ]
        self.answer(rows, "\n".join(lines) or "No run has been reported yet.")


def _facts(run: Run) -> dict[str, object]:
    return {
        "id": run.pk,
        "host": run.job.host.name,
        "job": run.job.name,
        "kind": run.kind,
        "status": run.status,
        "verdict": run.verdict,
        "started": run.started,
        "finished": run.finished,
        "exit_code": run.exit_code,
        "snapshot_id": run.snapshot_id,
        "bytes_added": run.bytes_added,
        "reason": run.reason,
    }
