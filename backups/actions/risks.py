"""Risks: accepted with a reason and an end, and taken back."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from backups.actions.events import Actor, operator_of, record_event
from backups.engines.errors import EngineError
from backups.models import AcceptedRisk, Unit
from backups.queries.hardening_rows import COULD

# Nothing is accepted for ever: within a year somebody looks again.
LONGEST = timedelta(days=366)


def accept_risk(
    field: str, *, reason: str, until: date, by: Actor, unit: Unit | None = None
) -> AcceptedRisk:
    """Accept that a row stays open, in one unit or in all; a second time replaces the first."""
    reason, today = reason.strip(), timezone.localdate()
    if field not in COULD:
        raise EngineError(f"systemd has no row called {field[:100]}.")
    if not reason:
        raise EngineError("Say why the risk is accepted: whoever comes later will ask.")
    if not today <= until <= today + LONGEST:
        raise EngineError("A risk is accepted until a day from today on, within a year.")
    with transaction.atomic():
        risk, _ = AcceptedRisk.objects.update_or_create(
            unit=unit,
            field=field,
            defaults={
                "reason": reason[:500],
                "until": until,
                "at": timezone.now(),
                "by": operator_of(by),
                "by_name": str(by)[:150],
            },
        )
        where = f"{unit.host.name} {unit.name}" if unit else "every unit"
        sentence = f"In {where}, until {until.isoformat()}: {risk.reason}"
        record_event(by, "accepted", "risk", name=field, sentence=sentence)
    return risk


def take_back_risk(risk: AcceptedRisk, *, by: Actor) -> None:
    """Count the row again."""
    where = f"{risk.unit.host.name} {risk.unit.name}" if risk.unit else "every unit"
    with transaction.atomic():
        record_event(by, "took back", "risk", name=risk.field, sentence=f"In {where}.")
        risk.delete()
