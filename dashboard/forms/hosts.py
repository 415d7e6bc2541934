"""What a person asks of hosts."""

from typing import ClassVar

from django import forms
from django.db.models import F, Max, Min, Q
from django.db.models.expressions import BaseExpression

from backups.models import Host
from backups.models.hosts import HostQuerySet

_STATES = [
    ("", "Every host"),
    ("needs", "Needs a look"),
    ("silent", "Silent"),
    ("waiting", "Never reported"),
]


class HostForm(forms.ModelForm[Host]):
    """A new host; its agent tells the rest."""

    class Meta:
        model = Host
        fields = ["name", "note"]
        help_texts = {
            "name": "As you call the machine: letters, digits, dots and dashes.",
            "note": "For the people here.",
        }
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        }


class HostFilter(forms.Form):
    """The filter as it stands in the address; what it cannot read it leaves out."""

    q = forms.CharField(
        required=False,
        label="Search",
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": "Name or note", "aria-label": "Search"}
        ),
    )
    state = forms.ChoiceField(
        required=False, choices=_STATES, widget=forms.Select(attrs={"aria-label": "State"})
    )

    ORDERS: ClassVar[dict[str, BaseExpression | F]] = {
        "name": F("name"),
        "state": Max("jobs__severity"),
        "arrived": Min("jobs__last_arrived"),
        "due": Min("jobs__due"),
        "exposure": Max("units__exposure"),
        "heard": F("reported"),
    }

    def apply(self, hosts: HostQuerySet) -> HostQuerySet:
        self.is_valid()
        data = self.cleaned_data
        if query := data.get("q"):
            hosts = hosts.filter(Q(name__icontains=query) | Q(note__icontains=query))
        match data.get("state"):
            case "needs":
                hosts = hosts.needing_a_look()
            case "silent":
                hosts = hosts.silent()
            case "waiting":
                hosts = hosts.waiting()
        # A filter by jobs joins them; counted again below, their rows would multiply.
        return self._sorted(Host.objects.filter(pk__in=hosts.values("pk")))

    def _sorted(self, hosts: HostQuerySet) -> HostQuerySet:
        """Those that need a look first, unless a column was chosen."""
        asked = self.data.get("sort", "")
        key = self.ORDERS.get(asked.removeprefix("-"))
        if key is None:
            ill = Q(pk__in=Host.objects.needing_a_look().values("pk"))
            return hosts.annotate(ill=ill, severity=Max("jobs__severity")).order_by(
                "-ill", F("severity").desc(nulls_last=True), "name"
            )
        key = F("key").desc(nulls_last=True) if asked[0] == "-" else F("key").asc(nulls_last=True)
        return hosts.annotate(key=self.ORDERS[asked.removeprefix("-")]).order_by(key, "name")
