"""What the containers use: counted by their engines, turned into rates here."""

import logging
from dataclasses import asdict
from datetime import timedelta

from django.db import IntegrityError
from django.utils import timezone
from django_tasks import task

from backups import engines
from backups.engines.container_usage import Usage
from backups.engines.errors import EngineError
from backups.models import Sample, Server

logger = logging.getLogger(__name__)

KEEP = timedelta(days=1)
# After a longer silence a rate would be a story about the past.
_STALE = 300


@task(queue_name="samples")
def sample_servers() -> None:
    for server in Server.objects.live():
        try:
            sample_server(server)
        except EngineError as error:
            logger.info("no sample of %s: %s", server, error)


def sample_server(server: Server) -> Sample | None:
    """Take one; the first after a start has nothing to compare with and is none yet."""
    usage = engines.containers_of(server).usage(server.name)
    if usage is None:
        return None
    now = timezone.now()
    before = server.counters
    counters = {**asdict(usage), "at": now.timestamp()}
    Server.objects.filter(pk=server.pk).update(counters=counters)
    seconds = now.timestamp() - before.get("at", 0)
    if not 0 < seconds < _STALE or usage.cpu_seconds < before.get("cpu_seconds", 0):
        return None
    return _write(server, usage, Usage(**{k: v for k, v in before.items() if k != "at"}), seconds)


def _write(server: Server, now: Usage, before: Usage, seconds: float) -> Sample | None:
    def rate(name: str) -> int:
        grown: int = getattr(now, name) - getattr(before, name)
        return max(0, round(grown / seconds))

    try:
        return Sample.objects.create(
            server=server,
            at=timezone.now(),
            cpu=(now.cpu_seconds - before.cpu_seconds) / seconds * 100,
            memory=now.memory,
            received=rate("received"),
            sent=rate("sent"),
            read=rate("read"),
            written=rate("written"),
            uploads=engines.uploads_of(server),
        )
    except IntegrityError:
        # The server was forgotten while its container was asked.
        return None


@task(queue_name="checks")
def forget_old_samples() -> None:
    Sample.objects.filter(at__lt=timezone.now() - KEEP).delete()
