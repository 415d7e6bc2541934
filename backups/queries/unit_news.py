"""What is new of units in a list: the change since last time, and what stands most open."""

from collections.abc import Iterable

from django.db.models import OuterRef, Subquery

from backups.engines.systemd import Row
from backups.models import Assessment, Unit
from backups.queries.hardening import directive_of

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
    """The lines with the most points; that of the network stays open in every backup."""
    points: dict[str, int] = {}
    for field, *rest in assessment.rows:
        row, name = Row(field, field, *rest), directive_of(field)
        if row.is_applicable and name != "PrivateNetwork":
            points[name] = points.get(name, 0) + row.points
    names = sorted((name for name in points if points[name]), key=lambda name: -points[name])
    return names[:_WORST]
