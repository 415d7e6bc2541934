"""What a person says of a risk that is accepted."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from backups.actions import risks as actions
from backups.actions.events import Actor
from backups.engines.errors import EngineError
from backups.models import AcceptedRisk, Unit
from backups.queries.hardening_rows import COULD

_SPAN = timedelta(days=90)


class RiskForm(forms.Form):
    """A row, a reason, and the day on which somebody looks again."""

    field = forms.ChoiceField(label="What stays open")
    scope = forms.ChoiceField(label="Where", widget=forms.RadioSelect)
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For whoever asks in a year.",
    )
    until = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The last day; within a year.",
    )

    def __init__(self, *arguments: Any, unit: Unit, fields: list[str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.unit = unit
        row, scope = self.fields["field"], self.fields["scope"]
        row.choices = [(field, f"{field}: {COULD.get(field, '')}") for field in fields]  # type: ignore[attr-defined]
        scope.choices = [  # type: ignore[attr-defined]
            ("unit", f"{unit} on {unit.host} alone"),
            ("house", "Every unit of the house"),
        ]
        scope.initial = "unit"
        self.fields["until"].initial = timezone.localdate() + _SPAN

    def save(self, *, by: Actor) -> AcceptedRisk | None:
        """None where the action refused, and the form says why."""
        data = self.cleaned_data
        try:
            return actions.accept_risk(
                data["field"],
                reason=data["reason"],
                until=data["until"],
                by=by,
                unit=self.unit if data["scope"] == "unit" else None,
            )
        except EngineError as error:
            self.add_error("until", str(error))
            return None
