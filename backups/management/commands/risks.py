"""`manage.py risks`: rows of systemd's table that stay open on purpose, for a time."""

from datetime import date

from backups.actions import risks
from backups.engines.errors import EngineError
from backups.management.noun import NounCommand, Option, Verb, named
from backups.models import AcceptedRisk, Host, Unit
from backups.queries.policy import policy_json

_FIELD: Option = ("field", {"help": "the row, by systemd's name for it, such as PrivateNetwork"})
_HOST: Option = ("--host", {"default": "", "help": "of the unit; without it, the whole house"})
_UNIT: Option = ("--unit", {"default": "restic-backup.service", "help": "on that host"})


class Command(NounCommand):
    """Risks: accepted with a reason and an end."""

    help = __doc__

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        reason: Option = ("--reason", {"required": True})
        until: Option = ("--until", {"required": True, "help": "the last day, as 2026-12-31"})
        return {
            "list": (self.list, []),
            "accept": (self.accept, [_FIELD, reason, until, _HOST, _UNIT]),
            "take-back": (self.take_back, [_FIELD, _HOST, _UNIT]),
            "policy": (self.policy, []),
        }

    def list(self) -> None:
        """Every accepted risk, also those that ran out."""
        found = [*AcceptedRisk.objects.select_related("unit__host")]
        data = [
            {
                "field": risk.field,
                "host": risk.unit.host.name if risk.unit else None,
                "unit": risk.unit.name if risk.unit else None,
                "reason": risk.reason,
                "by": risk.by_name,
                "until": risk.until,
                "is_in_force": risk.is_in_force,
            }
            for risk in found
        ]
        text = [f"{risk.field} until {risk.until}: {risk.reason}" for risk in found]
        self.answer(data, "\n".join(text) or "No risk is accepted.")

    def accept(self, field: str, reason: str, until: str, host: str, unit: str) -> None:
        """Leave a row out of the house's own policy, until a day within a year."""
        try:
            day = date.fromisoformat(until)
        except ValueError:
            raise EngineError(f"{until} is no day, such as 2026-12-31.") from None
        risk = risks.accept_risk(
            field, reason=reason, until=day, by="terminal", unit=_unit(host, unit)
        )
        self.answer({"field": risk.field, "until": risk.until}, f"{field} is accepted until {day}")

    def take_back(self, field: str, host: str, unit: str) -> None:
        """Count a row again."""
        risk = AcceptedRisk.objects.filter(field=field, unit=_unit(host, unit)).first()
        if risk is None:
            raise EngineError(f"{field} is not accepted there.")
        risks.take_back_risk(risk, by="terminal")
        self.answer({"field": field, "is_accepted": False}, f"{field} counts again")

    def policy(self) -> None:
        """What holds for every unit, for systemd-analyze --security-policy."""
        self.stdout.write(policy_json(AcceptedRisk.objects.of_the_house().in_force()), ending="")


def _unit(host: str, name: str) -> Unit | None:
    if not host:
        return None
    unit = Unit.objects.filter(host=named(Host, host), name=name).select_related("host").first()
    if unit is None:
        raise EngineError(f"{host} has no unit called {name}.")
    return unit
