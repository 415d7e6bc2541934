"""Verdicts: what a host said and what the disk shows, taken together."""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import transaction

from backups import engines
from backups.actions.day_sums import sum_day
from backups.actions.jobs import refresh_job
from backups.models import Job, Receipt, Run, Server
from backups.queries.addresses import address_of, leads_to

# A snapshot file lies on the disk before restic ends; what is not seen by a look
# that began so long after the report has not arrived.
_ARRIVES_WITHIN = timedelta(seconds=5)
# restic before 0.15 tells eight digits of the file's name, later ones all of it.
_SNAPSHOT = re.compile(r"[0-9a-f]{8,64}")


def first_verdict(run: Run) -> Run.Verdict:
    """For a run as its report came in, before any look at the disk."""
    made_a_snapshot = run.status in {Run.Status.SUCCEEDED, Run.Status.WARNING}
    if run.kind != Run.Kind.BACKUP or not made_a_snapshot:
        return Run.Verdict.NONE
    return Run.Verdict.WAITING if _SNAPSHOT.fullmatch(run.snapshot_id) else Run.Verdict.NONE


def settle_verdicts(server: Server, looked: datetime, unread: Collection[str] = ()) -> None:
    """Compare runs with the receipts after a look at one disk.

    `looked`: when that look began; `unread`: paths below the disk's top that it could not read.
    """
    for run in Run.objects.differing().select_related("job"):
        # It came after all, from wherever it was held up.
        if receipt := _receipt_of(run):
            _settle(run, Run.Verdict.AGREED, receipt)
    for run in Run.objects.waiting_for_the_disk().select_related("job__repository__server"):
        if receipt := _receipt_of(run):
            _settle(run, Run.Verdict.AGREED, receipt)
        elif run.reported + _ARRIVES_WITHIN < looked and _all_disks_seen_since(run):
            _settle_without_receipt(run, server, unread)


def _settle_without_receipt(run: Run, looked_at: Server, unread: Collection[str]) -> None:
    goes_to = _server_of(run)
    if goes_to is None or not engines.is_visible(goes_to):
        _settle(run, Run.Verdict.UNSEEN, None)
    elif goes_to == looked_at and not any(_lies_in(run, path) for path in unread):
        _settle(run, Run.Verdict.DIFFERS, None)


def _receipt_of(run: Run) -> Receipt | None:
    """By the beginning of the name, as a range: the index answers that, but not LIKE."""
    beginning = run.snapshot_id
    if not _SNAPSHOT.fullmatch(beginning):
        return None
    return (
        Receipt.objects.select_related("repository")
        .filter(snapshot_id__gte=beginning, snapshot_id__lt=f"{beginning}g")
        .order_by("arrived")
        .last()
    )


def _settle(run: Run, verdict: Run.Verdict, receipt: Receipt | None) -> None:
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=run.job_id)
        run.verdict, run.receipt = verdict, receipt
        run.save(update_fields=["verdict", "receipt"])
        sum_day(job, run.started)
        if receipt is not None:
            job.repository = receipt.repository
            job.last_arrived = max(receipt.arrived, job.last_arrived or receipt.arrived)
        refresh_job(job)


def _all_disks_seen_since(run: Run) -> bool:
    """Of those that can be seen: a disk behind a remote engine has no word in this."""
    told = run.reported + _ARRIVES_WITHIN
    return all(
        server.scanned is not None and server.scanned >= told
        for server in Server.objects.lasting().made()
        if engines.is_visible(server)
    )


def _server_of(run: Run) -> Server | None:
    """The server that the host means: where it went before, or whose address it names."""
    if run.job.repository is not None:
        return run.job.repository.server
    address = address_of(run.job.repository_url)
    if address is None:
        return None
    same_port = Server.objects.lasting().filter(port=address.port)
    return next((server for server in same_port if leads_to(address, server)), None)


def _lies_in(run: Run, path: str) -> bool:
    way = urlsplit(run.job.repository_url.removeprefix("rest:")).path.strip("/")
    return path == "" or way == path or way.startswith(f"{path}/")
