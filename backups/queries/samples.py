"""What a container used in the last hour, as a page draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from backups.models import Server

SPAN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Series:
    """One measure over time, oldest first."""

    values: Sequence[float]

    @property
    def last(self) -> float:
        return self.values[-1]


@dataclass(frozen=True, slots=True)
class Usage:
    """All that is sampled; network and disk count both ways together."""

    cpu: Series
    memory: Series
    network: Series
    disk: Series
    uploads: int


def usage_of(server: Server) -> Usage | None:
    """None while there are not two samples to draw a line between."""
    since = timezone.now() - SPAN
    rows = list(
        server.samples.filter(at__gte=since)
        .order_by("at")
        .values_list("cpu", "memory", "received", "sent", "read", "written", "uploads")
    )
    if len(rows) < 2:
        return None
    cpu, memory, received, sent, read, written, uploads = zip(*rows, strict=True)
    return Usage(
        cpu=Series(cpu),
        memory=Series(memory),
        network=Series([a + b for a, b in zip(received, sent, strict=True)]),
        disk=Series([a + b for a, b in zip(read, written, strict=True)]),
        uploads=uploads[-1],
    )
