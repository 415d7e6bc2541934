"""How a person looks through the units."""

from typing import ClassVar

from django import forms
from django.db.models import F, Q, QuerySet

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
