"""How the scores of the units in a list went."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from backups.models import Assessment, Unit

_TREND = timedelta(days=90)
_STEPS = 30
# Of one page; a unit whose text changes with every report must not fill the memory.
_SCORINGS = 3000


def tell_trends(units: Iterable[Unit]) -> None:
    """Set `trend` of each, by two questions for all."""
    units = list(units)
    start = timezone.now() - _TREND
    before = _scores_at(start, units)
    scored = _scored_since(start, units)
    for unit in units:
        unit.trend = _trend(start, before.get(unit.pk), scored[unit.pk])


def _scores_at(start: datetime, units: list[Unit]) -> dict[int, int | None]:
    earlier = Assessment.objects.filter(unit=OuterRef("pk"), at__lt=start).order_by("-at", "-id")
    shown = Unit.objects.filter(pk__in=[unit.pk for unit in units])
    return dict(shown.values_list("pk", Subquery(earlier.values("exposure")[:1])))


def _scored_since(start: datetime, units: list[Unit]) -> dict[int, list[tuple[datetime, int]]]:
    """The newest first."""
    scorings = Assessment.objects.filter(unit__in=units, at__gte=start).order_by("-at", "-id")
    scored = defaultdict(list)
    for pk, at, exposure in scorings.values_list("unit_id", "at", "exposure")[:_SCORINGS]:
        scored[pk].append((at, exposure))
    return scored


def _trend(
    start: datetime, at_first: int | None, scored: list[tuple[datetime, int]]
) -> tuple[int, ...]:
    """The score in even steps up to now; nothing where it never was another."""
    known = scored if at_first is None else [*scored, (start, at_first)]
    if len({exposure for _, exposure in known}) < 2:
        return ()
    begin, now = known[-1][0], timezone.now()
    moments = (begin + (now - begin) * step / _STEPS for step in range(_STEPS + 1))
    return tuple(next(score for at, score in known if at <= moment) for moment in moments)
