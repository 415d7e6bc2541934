"""The house's own policy: systemd's table without the risks that are accepted."""

import json
import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from backups.models import AcceptedRisk, Assessment, Unit
from backups.queries.hardening_rows import COULD
from backups.queries.scores import Scored, score_of

# systemd itself writes the name of this row with a parenthesis at its end, and looks for it so.
_STRAY = "CapabilityBoundingSet_CAP_NET_BIND_SERVICE_BROADCAST_RAW"


@dataclass(frozen=True, slots=True)
class Month:
    """What one unit did in a month."""

    unit: Unit
    first: Assessment | None
    last: Assessment | None
    scorings: int
    risks: int

    @property
    def change(self) -> int:
        return self.last.exposure - self.first.exposure if self.first and self.last else 0


def policy_json(risks: Iterable[AcceptedRisk]) -> str:
    """What `systemd-analyze security --security-policy=` reads: an accepted row weighs nothing."""
    fields = sorted({risk.field for risk in risks})
    names = [name for field in fields for name in _names(field)]
    return json.dumps({name: {"weight": 0} for name in names}, indent=2) + "\n"


def _names(field: str) -> tuple[str, ...]:
    return (field, f"{field})") if field == _STRAY else (field,)


def score_by_policy(unit: Unit, risks: Iterable[AcceptedRisk]) -> Scored | None:
    """By systemd-analyze with the policy; None where nothing is accepted."""
    risks = [risk for risk in risks if risk.is_in_force]
    if not risks or not unit.text:
        return None
    return score_of(unit.text, name=unit.name, policy=policy_json(risks))


def could_of_field(field: str) -> str:
    return COULD.get(field, field)


def month_of(text: str) -> tuple[datetime, datetime]:
    """Beginning and end of `2026-11`; of the present month where that says none."""
    now = timezone.localtime()
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if found := re.fullmatch(r"(2[0-9]{3})-(0[1-9]|1[0-2])", text):
        start = start.replace(year=int(found[1]), month=int(found[2]))
    return start, start + timedelta(days=monthrange(start.year, start.month)[1])


def report_of(start: datetime, end: datetime) -> list[Month]:
    """Every unit that had a score by the end of the month, the most open first."""
    units = Unit.objects.select_related("host").defer("text")
    scorings: dict[int, list[Assessment]] = {}
    found = Assessment.objects.filter(at__lt=end).defer("rows", "findings").order_by("at", "id")
    for each in found:
        scorings.setdefault(each.unit_id, []).append(each)
    risks = list(AcceptedRisk.objects.filter(at__lt=end, until__gte=start.date()))
    months = [
        _month(unit, scorings[unit.pk], risks, start) for unit in units if unit.pk in scorings
    ]
    return sorted(months, key=lambda month: (-_exposure(month), month.unit.host.name))


def _month(
    unit: Unit, scorings: list[Assessment], risks: list[AcceptedRisk], start: datetime
) -> Month:
    before = [each for each in scorings if each.at < start]
    within = [each for each in scorings if each.at >= start]
    first = before[-1] if before else within[0]
    held = {risk.field for risk in risks if risk.unit_id in (None, unit.pk)}
    return Month(unit, first, scorings[-1], len(within), len(held))


def _exposure(month: Month) -> int:
    return month.last.exposure if month.last else 0
