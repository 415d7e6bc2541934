"""How a person looks through the units."""

from typing import ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet

from backups.engines.errors import EngineError
from backups.engines.systemd_choices import CHOICES
from backups.engines.systemd_dropin import literal
from backups.models import Unit
from backups.queries.standing import TOO_OPEN

_STATES = [
    ("", "Any score"),
    ("open", "Too open"),
    ("wrong", "With a wrong line"),
    ("closed", "OK or better"),
    ("unscored", "Not scored"),
]


class UnitFilter(forms.Form):
    """The filter as it stands in the address; what it cannot read it leaves out."""

    q = forms.CharField(
        required=False,
        label="Search",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Host or unit"}),
    )
    state = forms.ChoiceField(required=False, label="Score", choices=_STATES)

    CHOSEN: ClassVar[dict[str, Q]] = {
        "open": Q(exposure__gte=TOO_OPEN),
        "wrong": ~Q(finding=""),
        "closed": Q(exposure__lt=TOO_OPEN),
        "unscored": Q(exposure__isnull=True),
    }
    ORDERS: ClassVar[dict[str, str]] = {
        "host": "host__name",
        "exposure": "exposure",
        "changed": "text_changed",
        "scored": "assessed",
    }

    @property
    def is_empty(self) -> bool:
        return not any(self.data.get(name) for name in self.fields)

    def apply(self, units: QuerySet[Unit]) -> QuerySet[Unit]:
        self.is_valid()
        data = self.cleaned_data
        if query := data.get("q"):
            units = units.filter(Q(host__name__icontains=query) | Q(name__icontains=query))
        units = units.filter(self.CHOSEN.get(data.get("state", ""), Q()))
        return self._sorted(units)

    def _sorted(self, units: QuerySet[Unit]) -> QuerySet[Unit]:
        """Wrong lines first, then the most open, unless a column was chosen."""
        asked = self.data.get("sort", "")
        if name := self.ORDERS.get(asked.removeprefix("-")):
            up, down = F(name).asc(nulls_last=True), F(name).desc(nulls_last=True)
            return units.order_by(down if asked[0] == "-" else up, "host__name", "name")
        units = units.alias(is_right=Q(finding=""))
        return units.order_by("is_right", F("exposure").desc(nulls_last=True), "host__name", "name")


class ChoiceForm(forms.Form):
    """Which lines a unit shall have; an address without a choice means what is advised."""

    line = forms.MultipleChoiceField(required=False, choices=[(key, key) for key in CHOICES])
    address = forms.CharField(
        required=False,
        max_length=200,
        label="Addresses that the backup may reach",
        help_text="The server's, and the resolver's unless it is on the machine: numbers alone, "
        "systemd ignores names.",
        widget=forms.TextInput(attrs={"placeholder": "192.0.2.10", "class": "code"}),
    )

    def clean_address(self) -> tuple[str, ...]:
        try:
            return literal(self.cleaned_data["address"].replace(",", " ").split()[:10])
        except EngineError as error:
            raise ValidationError(str(error)) from error

    @property
    def asked(self) -> list[str] | None:
        """None where nobody has chosen yet, and the advised lines stand for it."""
        return self.cleaned_data.get("line", []) if "chosen" in self.data else None

    @property
    def addresses(self) -> tuple[str, ...] | None:
        return self.cleaned_data.get("address", ()) if "chosen" in self.data else None
