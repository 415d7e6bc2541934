"""Repositories: what the disk shows, kept as receipts."""

import logging
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from backups import engines
from backups.actions.verdicts import settle_verdicts
from backups.engines import repositories
from backups.engines.errors import EngineError
from backups.models import Receipt, Repository, Server, User

logger = logging.getLogger(__name__)


@task(queue_name="checks")
def scan_servers() -> None:
    for server in Server.objects.lasting().made():
        scan_server(server)


def scan_server(server: Server) -> None:
    """Look at the disk of a server and settle the runs that waited for it."""
    if not engines.is_visible(server):
        return
    looked = timezone.now()
    try:
        found = repositories.scan(Path(server.data_directory))
    except EngineError as error:
        logger.warning("the disk of %s: %s", server, error)
        return
    with transaction.atomic():
        known = {repository.path: repository for repository in server.repositories.all()}
        for seen in found:
            repository = known.pop(seen.path, None) or Repository(server=server, path=seen.path)
            _write_repository(repository, seen)
            _write_receipts(repository, seen)
            _write_last_seen(server, seen)
        server.repositories.filter(pk__in=[gone.pk for gone in known.values()]).update(is_gone=True)
        server.scanned = looked
        server.save(update_fields=["scanned"])
    settle_verdicts(server, looked, {seen.path for seen in found if seen.unreadable})


def _write_repository(repository: Repository, seen: repositories.Repository) -> None:
    # No user has a longer name, but a folder may.
    repository.user_name = seen.user[:100]
    repository.bytes = seen.bytes
    repository.snapshot_count = len(seen.snapshots)
    arrived = [snapshot.arrived for snapshot in seen.snapshots]
    # A forgotten snapshot takes nothing from the day on which it came.
    repository.last_arrived = max(filter(None, [*arrived, repository.last_arrived]), default=None)
    repository.seen, repository.is_gone = timezone.now(), False
    repository.save()


def _write_receipts(repository: Repository, seen: repositories.Repository) -> None:
    known = dict(repository.receipts.values_list("snapshot_id", "is_gone"))
    there = {snapshot.id: snapshot for snapshot in seen.snapshots}
    Receipt.objects.bulk_create(
        [
            Receipt(repository=repository, snapshot_id=snapshot.id, arrived=snapshot.arrived)
            for snapshot in seen.snapshots
            if snapshot.id not in known
        ],
        ignore_conflicts=True,
    )
    forgotten = [name for name, is_gone in known.items() if name not in there and not is_gone]
    back = [name for name, is_gone in known.items() if name in there and is_gone]
    if back:
        repository.receipts.filter(snapshot_id__in=back).update(is_gone=False)
    # What cannot be read is not gone.
    if forgotten and not seen.unreadable:
        repository.receipts.filter(snapshot_id__in=forgotten).update(is_gone=True)


def _write_last_seen(server: Server, seen: repositories.Repository) -> None:
    """New files tell when its user was here; a lock is renewed every five minutes."""
    times = [snapshot.arrived for snapshot in seen.snapshots] + [
        lock.touched for lock in seen.locks
    ]
    if times and seen.user:
        User.objects.filter(server=server, name=seen.user).exclude(
            last_seen__gte=max(times)
        ).update(last_seen=max(times))
