"""`manage.py runs`: what the hosts reported."""

from backups.management.noun import NounCommand, Option, Verb, named
from backups.models import Host, Run
from backups.queries.run_search import page_of


class Command(NounCommand):
    """Runs: the history of every job."""

    help = __doc__

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        limit: Option = ("--limit", {"type": int, "default": 50})
        state: Option = ("--state", {"default": "", "choices": ["", *Run.Status.values]})
        texts: list[Option] = [(f"--{name}", {"default": ""}) for name in ("host", "job", "text")]
        return {"list": (self.list, [*texts, state, limit])}

    def list(self, host: str, job: str, text: str, state: str, limit: int) -> None:
        """Newest first."""
        runs = Run.objects.select_related("job__host")
        if host:
            runs = runs.filter(job__host=named(Host, host))
        if job:
            runs = runs.filter(job__name=job)
        if state:
            runs = runs.filter(status=state)
        found = page_of(runs, text, None, limit) if text else runs[:limit]
        rows = [_facts(run) for run in found]
        lines = [
            f"{row['started']:%Y-%m-%d %H:%M}  {row['host']:20} {row['job']:20} {row['state']}"
            for row in rows
        ]
        self.answer(rows, "\n".join(lines) or "No run has been reported yet.")


def _facts(run: Run) -> dict[str, object]:
    return {
        "id": run.pk,
        "host": run.job.host.name,
        "job": run.job.name,
        "kind": run.kind,
        "state": run.status,
        "verdict": run.verdict,
        "started": run.started,
        "finished": run.finished,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "snapshot": run.snapshot_id,
        "bytes": run.bytes_processed,
        "bytes_added": run.bytes_added,
        "reason": run.reason,
    }
