"""The hosts, each with what is worst about it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from backups.models import Host, Job, Unit
from backups.queries.ledger import Line, ledger_of


@dataclass(frozen=True, slots=True)
class Row:
    """One host of the fleet with its jobs, the worst first, and its most open unit."""

    host: Host
    lines: list[Line] = field(default_factory=list)
    unit: Unit | None = None

    @property
    def worst(self) -> Line | None:
        return self.lines[0] if self.lines else None

    @property
    def state(self) -> str:
        return self.standing[0]

    @property
    def words(self) -> str:
        return self.standing[1]

    @property
    def due(self) -> datetime | None:
        return min((line.job.due for line in self.lines if line.job.due), default=None)

    @property
    def last_arrived(self) -> datetime | None:
        """The oldest of its jobs' last arrivals: a host is as safe as its worst job."""
        arrived = [line.job.last_arrived for line in self.lines]
        return min((moment for moment in arrived if moment), default=None)

    @property
    def size(self) -> int | None:
        """What its repositories hold, each counted once."""
        found = {line.job.repository for line in self.lines if line.job.repository}
        return sum(repository.bytes for repository in found) if found else None

    @property
    def standing(self) -> tuple[str, str]:
        """Its state and that in words."""
        if self.host.is_retired:
            return "off", "Retired"
        if not self.host.is_enrolled:
            return "off", "Refused" if self.host.reported else "Never reported"
        if self.worst is not None and not self.worst.is_plain:
            return self.worst.state, self.worst.words
        if self.unit is not None and self.unit.finding:
            return "failed", "Its unit is wrong"
        if self.host.is_silent:
            return "warning", "Silent"
        if self.worst is not None:
            return self.worst.state, self.worst.words
        return "off", "No backup yet"


def rows_of(hosts: Iterable[Host]) -> list[Row]:
    """One row for each host; three queries, however many there are."""
    hosts = list(hosts)
    lines: dict[int, list[Line]] = defaultdict(list)
    for line in ledger_of(Job.objects.filter(is_backup=True, host__in=hosts).worst_first()):
        lines[line.job.host_id].append(line)
    scored = Unit.objects.filter(host__in=hosts, exposure__isnull=False)
    units = scored.only("host_id", "name", "exposure", "level", "finding")
    worst = {unit.host_id: unit for unit in sorted(units, key=_openness)}
    return [Row(host, lines[host.pk], worst.get(host.pk)) for host in hosts]


def _openness(unit: Unit) -> tuple[bool, int]:
    """A wrong line is worse than any figure."""
    return bool(unit.finding), unit.exposure or 0
