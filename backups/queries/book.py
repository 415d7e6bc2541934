"""The book of runs: day by day, each entered as its host and the disk tell it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.db.models import Sum
from django.utils import timezone

from backups.models import DaySum, Run
from backups.queries.witnesses import Testimony, testimonies


@dataclass(frozen=True, slots=True)
class Day:
    """The runs of one day, newest first; `is_whole` when none of them is on another page."""

    date: date
    entries: list[Testimony]
    is_whole: bool
    missed: int = 0

    @property
    def name(self) -> str:
        """Today and yesterday by name; for the others the date says it."""
        distance = (timezone.localdate() - self.date).days
        return {0: "Today", 1: "Yesterday"}.get(distance, "")

    @property
    def words(self) -> str:
        if not self.is_whole:
            return ""
        count = len(self.entries)
        runs = "1 run" if count == 1 else f"{count} runs"
        bad = sum(entry.state == "failed" for entry in self.entries)
        if self.missed:
            return f"{runs}, {bad + self.missed} not well: {self.missed} did not come"
        if bad:
            return f"{runs}, {bad} not well"
        return f"{runs}, none failed"


def days_of_runs(
    runs: Iterable[Run], *, is_first: bool, is_last: bool, is_all: bool = False
) -> list[Day]:
    """Group a page of runs; at its edges a day may go on elsewhere.

    `is_all`: whether it is all that ran; then what did not come counts, too.
    """
    grouped = [
        (day, list(entries))
        for day, entries in groupby(
            testimonies(runs), lambda entry: timezone.localtime(entry.run.started).date()
        )
    ]
    last = len(grouped) - 1
    missed = _missed_on([day for day, _ in grouped]) if is_all else {}
    return [
        Day(
            day,
            entries,
            is_whole=(place > 0 or is_first) and (place < last or is_last),
            missed=missed.get(day, 0),
        )
        for place, (day, entries) in enumerate(grouped)
    ]


def _missed_on(days: list[date]) -> dict[date, int]:
    rows = DaySum.objects.filter(day__in=days, missed__gt=0, job__host__retired=None)
    return dict(rows.order_by().values_list("day").annotate(Sum("missed")))
