"""How a person looks through the log of a server."""

from typing import cast

from django import forms

from backups.engines.restserver_log import Level
from backups.queries.server_log import Wanted

_LEVELS = [("", "Every line"), ("warning", "Warnings and errors"), ("error", "Errors")]
_PROBES = [("", "Own probes hidden"), ("shown", "Own probes shown")]


class LogFilter(forms.Form):
    """The filter as it stands in the address; what it cannot read it leaves out."""

    q = forms.CharField(
        required=False,
        max_length=200,
        label="Search",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "User, path or message"}),
    )
    level = forms.ChoiceField(required=False, choices=_LEVELS)
    probes = forms.ChoiceField(required=False, label="Own probes", choices=_PROBES)

    @property
    def wanted(self) -> Wanted:
        self.is_valid()
        data = self.cleaned_data
        return Wanted(
            words=data.get("q", ""),
            level=cast(Level, data.get("level") or "note"),
            with_probes=bool(data.get("probes")),
        )
