"""Verdicts: what a host said and what the disk shows, taken together."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import transaction

from backups.actions.jobs import refresh_job
from backups.models import Job, Receipt, Run, Server

# A snapshot file lies on the disk before restic ends; what is not seen by a look
# that began so long after the report has not arrived.
_ARRIVES_WITHIN = timedelta(seconds=5)


def first_verdict(run: Run) -> Run.Verdict:
    """For a run as its report came in, before any look at the disk."""
    made_a_snapshot = run.snapshot_id and run.status in {Run.Status.SUCCEEDED, Run.Status.WARNING}
    if run.kind != Run.Kind.BACKUP or not made_a_snapshot:
        return Run.Verdict.NONE
    return Run.Verdict.WAITING


def settle_verdicts(looked: datetime) -> None:
    """Compare the waiting runs with the receipts; `looked`: when the last look began."""
    for run in Run.objects.waiting_for_the_disk().select_related("job__host", "job__repository"):
        receipt = _receipt_of(run)
        if receipt is not None:
            _settle(run, Run.Verdict.AGREED, receipt)
        elif run.received + _ARRIVES_WITHIN < looked and _all_disks_seen_since(run):
            ours = Run.Verdict.DIFFERS if _goes_to_this_house(run) else Run.Verdict.UNSEEN
            _settle(run, ours, None)


def _receipt_of(run: Run) -> Receipt | None:
    """restic before 0.15 tells eight digits of the file's name, later ones all of it."""
    return (
        Receipt.objects.select_related("repository")
        .filter(snapshot_id__startswith=run.snapshot_id)
        .order_by("arrived")
        .last()
    )


def _settle(run: Run, verdict: Run.Verdict, receipt: Receipt | None) -> None:
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=run.job_id)
        run.verdict, run.receipt = verdict, receipt
        run.save(update_fields=["verdict", "receipt"])
        if receipt is not None:
            job.repository = receipt.repository
            job.last_arrived = max(receipt.arrived, job.last_arrived or receipt.arrived)
        refresh_job(job)


def _all_disks_seen_since(run: Run) -> bool:
    return not Server.objects.made().filter(scanned__lt=run.received + _ARRIVES_WITHIN).exists()


def _goes_to_this_house(run: Run) -> bool:
    """Whether the host means one of our servers: it did before, or its address says so."""
    if run.job.repository_id:
        return True
    try:
        port = urlsplit(run.job.repository_url.removeprefix("rest:")).port
    except ValueError:
        return False
    return (
        run.job.repository_url.startswith("rest:")
        and port is not None
        and Server.objects.filter(port=port).exists()
    )
