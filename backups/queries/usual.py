"""What is usual for a job, and where one run of it differs."""

from collections.abc import Sequence
from dataclasses import dataclass

from backups.models import Run

# Fewer runs than these say nothing about a habit.
_ENOUGH = 5
_LOOK_BACK = 30
_COMPLETE = (Run.Status.SUCCEEDED, Run.Status.WARNING)
# A habit has its exceptions: only what lies well outside is worth a word.
_TOLERANCE = 1.5


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a run beside the band that most runs of its job keep to."""

    name: str
    unit: str
    value: float
    low: float
    high: float

    @property
    def is_unusual(self) -> bool:
        return self.value < self.low / _TOLERANCE or self.value > self.high * _TOLERANCE


_FIGURES = (
    ("Took", "duration", "duration"),
    ("Read", "size", "bytes_processed"),
    ("Files", "count", "files_processed"),
    ("Added", "size", "bytes_added"),
)


def measures_of(run: Run) -> list[Measure]:
    """The run's figures with their bands; nothing while its job is young."""
    if run.kind != Run.Kind.BACKUP:
        return []
    # Chosen here and not by the database, which would walk through the runs of all jobs for it.
    earlier = run.job.runs.before(run.started, run.pk).defer("log", "errors", "advice")
    ended = [each for each in earlier[:_LOOK_BACK] if _is_complete(each)]
    found = []
    for name, unit, field in _FIGURES:
        value = _figure(run, field)
        values = [figure for each in ended if (figure := _figure(each, field)) is not None]
        if value is not None and len(values) >= _ENOUGH:
            found.append(Measure(name, unit, value, *_band(values)))
    return found


def _is_complete(run: Run) -> bool:
    return run.kind == Run.Kind.BACKUP and run.status in _COMPLETE


def _figure(run: Run, field: str) -> float | None:
    if field == "duration":
        return run.duration.total_seconds() if run.duration else None
    value: int | None = getattr(run, field)
    return value


def _band(values: Sequence[float]) -> tuple[float, float]:
    """The middle of the values: a tenth at each end may be what it likes."""
    ordered = sorted(values)
    cut = len(ordered) // 10
    return ordered[cut], ordered[-1 - cut]
