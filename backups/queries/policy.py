"""The house's own policy: systemd's table without the risks that are accepted."""

import json
import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Q
from django.utils import timezone

from backups.models import AcceptedRisk, Assessment, Unit
from backups.queries.hardening_rows import COULD
from backups.queries.scores import Scored, score_of
from backups.queries.standing import TOO_OPEN

# systemd itself writes the name of this row with a parenthesis at its end, and looks for it so.
_STRAY = "CapabilityBoundingSet_CAP_NET_BIND_SERVICE_BROADCAST_RAW"


@dataclass(frozen=True, slots=True)
class Month:
    """What one unit did in a month; of its first score there is no change."""

    unit: Unit
    first: Assessment | None
    last: Assessment
    scorings: int
    risks: int
    # Its last score came with a line that does harm: then a better one is none.
    does_harm: bool = False

    @property
    def change(self) -> int:
        return self.last.exposure - self.first.exposure if self.first else 0


@dataclass(frozen=True, slots=True)
class MonthReport:
    """All units in a month, the most open first, and the risks that were in force."""

    months: list[Month]
    risks: list[AcceptedRisk]

    @property
    def changed(self) -> list[Month]:
        """Also what was scored anew and came out the same, and what is new."""
        return [month for month in self.months if month.scorings or month.first is None]

    @property
    def steady(self) -> list[Month]:
        return [month for month in self.months if not month.scorings and month.first]

    @property
    def answer(self) -> str:
        lower = [month for month in self.months if month.change < 0]
        false = sum(month.does_harm for month in lower)
        worse = sum(month.change > 0 for month in self.months)
        said = (
            (len(lower) - false, "got better", "got better"),
            (worse, "got worse", "got worse"),
            (false, "only looks better", "only look better"),
        )
        parts = [f"{count} {one if count == 1 else more}" for count, one, more in said if count]
        if not parts:
            return "No score changed" if self.months else "No unit had a score"
        first, *rest = parts
        count, _, how = first.partition(" ")
        return ", ".join([f"{count} unit{'s' * (count != '1')} {how}", *rest])

    @property
    def sentence(self) -> str:
        """From the beginning of the month to its end, over the units that had a score at both."""
        before = [month.first.exposure for month in self.months if month.first]
        after = [month.last.exposure for month in self.months]
        if not before:
            return ""
        went = f"went from {_said(before)} to {_said(after)}"
        if _said(before) == _said(after):
            went = f"stayed at {_said(after)}"
        return (
            f"The median {went}; {_open(after)} of {len(after)} stood too open at its end, "
            f"{_open(before)} of {len(before)} before."
        )


def _said(exposures: list[int]) -> str:
    return f"{round(median(exposures)) / 10:.1f}"


def _open(exposures: list[int]) -> int:
    return sum(exposure >= TOO_OPEN for exposure in exposures)


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


def report_of(start: datetime, end: datetime) -> MonthReport:
    """Every unit that had a score by the end of the month, of hosts that were not retired then."""
    alive = Q(host__retired=None) | Q(host__retired__gte=start)
    units = Unit.objects.filter(alive).select_related("host").defer("text")
    scorings: dict[int, list[Assessment]] = {}
    found = Assessment.objects.filter(at__lt=end).defer("rows", "findings").order_by("at", "id")
    for each in found:
        scorings.setdefault(each.unit_id, []).append(each)
    held = AcceptedRisk.objects.filter(at__lt=end, until__gte=start.date())
    risks = list(held.select_related("unit__host"))
    months = [
        _month(unit, scorings[unit.pk], risks, start) for unit in units if unit.pk in scorings
    ]
    harmful = _with_harm([month.last.pk for month in months if month.change < 0])
    months = [replace(month, does_harm=month.last.pk in harmful) for month in months]
    months.sort(key=lambda month: (-month.last.exposure, month.unit.host.name))
    return MonthReport(months, risks)


def _with_harm(pks: list[int]) -> set[int]:
    found = Assessment.objects.filter(pk__in=pks).values_list("pk", "findings")
    return {pk for pk, findings in found if any(each[1] == "error" for each in findings)}


def _month(
    unit: Unit, scorings: list[Assessment], risks: list[AcceptedRisk], start: datetime
) -> Month:
    before = [each for each in scorings if each.at < start]
    within = scorings[len(before) :]
    held = {risk.field for risk in risks if risk.unit_id in (None, unit.pk)}
    # A unit that came in this month is measured by its first score, where a second followed.
    first = before[-1] if before else within[0] if len(within) > 1 else None
    return Month(unit, first, scorings[-1], len(within), len(held))
