"""What is new of units in a list: the change since last time, and what stands most open."""

from collections.abc import Iterable

from django.db.models import OuterRef, Subquery

from backups.engines.systemd import Row
from backups.models import Assessment, Unit
from backups.queries.hardening import reckon

_WORST = 2


def tell_news(units: Iterable[Unit]) -> None:
    """Set `change` and `worst` of each, by two questions for all."""
    units = list(units)
    of_one = Assessment.objects.filter(unit=OuterRef("pk")).order_by("-at", "-id")
    ends = Unit.objects.filter(pk__in=[unit.pk for unit in units]).values_list(
        "pk", Subquery(of_one.values("pk")[:1]), Subquery(of_one.values("exposure")[1:2])
    )
    found = {pk: (newest, before) for pk, newest, before in ends}
    newest = Assessment.objects.in_bulk([pk for pk, _ in found.values() if pk])
    for unit in units:
        pk, before = found[unit.pk]
        if before is not None and unit.exposure is not None:
            unit.change = unit.exposure - before
        if pk in newest:
            unit.worst = _worst(newest[pk])


def _worst(assessment: Assessment) -> list[str]:
    """The lines that close most, among those that a backup survives."""
    rows = (Row(field, field, *rest) for field, *rest in assessment.rows)
    return [proposal.key for proposal in reckon(rows).helpful[:_WORST]]
