"""How a person looks through the runs."""

from datetime import timedelta

from django import forms
from django.utils import timezone

from backups.models import Run
from backups.models.runs import RunQuerySet

_PERIODS = [("", "Any time"), ("1", "Last 24 hours"), ("7", "Last 7 days"), ("30", "Last 30 days")]


class RunFilter(forms.Form):
    """The filter as it stands in the address; what it cannot read it leaves out."""

    q = forms.CharField(required=False)
    status = forms.ChoiceField(required=False, choices=[("", "Any result"), *Run.Status.choices])
    kind = forms.ChoiceField(required=False, choices=[("", "Any kind"), *Run.Kind.choices])
    period = forms.ChoiceField(required=False, choices=_PERIODS)

    def apply(self, runs: RunQuerySet) -> RunQuerySet:
        self.is_valid()
        data = self.cleaned_data
        if data.get("q"):
            runs = runs.filter(job__host__name__icontains=data["q"]) | runs.filter(
                job__name__icontains=data["q"]
            )
        if data.get("status"):
            runs = runs.filter(status=data["status"])
        if data.get("kind"):
            runs = runs.filter(kind=data["kind"])
        if data.get("period"):
            runs = runs.since(timezone.now() - timedelta(days=int(data["period"])))
        return runs
