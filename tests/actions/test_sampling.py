"""What a container uses is counted by the engine, and drawn from two samples on."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from backups.actions.sampling import forget_old_samples, sample_server
from backups.models import Sample, Server
from backups.queries.samples import usage_of
from tests.actions.conftest import add_person
from tests.rig.backups import Backup


def test_rates_follow_what_a_backup_sends(
    serve: Callable[..., Server], restic_binary: Path, cheap_hashes: None, tmp_path: Path
) -> None:
    server = serve()
    backup = Backup(server, add_person(server, "alice"), tmp_path, size=2)
    backup.run("init")
    assert sample_server(server) is None
    server.refresh_from_db()
    (tmp_path / "source" / "more").write_bytes(os.urandom(1024))

    backup.run("backup", str(tmp_path / "source"))
    first = sample_server(server)

    assert first is not None
    began = server.counters["at"]
    seconds = first.at.timestamp() - began
    assert first.received * seconds > 8 * 1024 * 1024
    assert first.cpu > 0
    assert 1024**2 < first.memory < 1024**3
    assert usage_of(server) is None
    server.refresh_from_db()
    sample_server(server)
    usage = usage_of(server)
    assert usage is not None
    assert max(usage.network.values) > usage.network.last


def test_samples_are_kept_for_a_day(db: None, unmade: Server) -> None:
    now = timezone.now()
    none = dict.fromkeys(("memory", "received", "sent", "read", "written", "uploads"), 0)
    for hours in (1, 23, 25):
        Sample.objects.create(server=unmade, at=now - timedelta(hours=hours), cpu=0.0, **none)

    forget_old_samples.call()

    assert Sample.objects.count() == 2
