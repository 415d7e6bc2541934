"""How a person looks through the runs."""

from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone

from backups.models import Job, Run
from backups.models.runs import RunQuerySet

_PERIODS = [("", "Any time"), ("1", "Last 24 hours"), ("7", "Last 7 days"), ("30", "Last 30 days")]


class RunFilter(forms.Form):
    """The filter as it stands in the address; what it cannot read it leaves out."""

    q = forms.CharField(
        required=False,
        label="Search",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Host or job"}),
    )
    host = forms.CharField(required=False, widget=forms.TextInput(attrs={"type": "search"}))
    job = forms.CharField(required=False, widget=forms.TextInput(attrs={"type": "search"}))
    status = forms.ChoiceField(
        required=False, label="Result", choices=[("", "Any result"), *Run.Status.choices]
    )
    kind = forms.ChoiceField(required=False, choices=[("", "Any kind"), *Run.Kind.choices])
    period = forms.ChoiceField(required=False, choices=_PERIODS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """One host and one job are asked for by links; the boxes are there to leave them."""
        super().__init__(*args, **kwargs)
        for name in ("host", "job"):
            if not self.data.get(name):
                del self.fields[name]
        if "host" in self.fields:
            del self.fields["q"]

    @property
    def is_empty(self) -> bool:
        return not any(self.data.get(name) for name in self.base_fields)

    def apply(self, runs: RunQuerySet) -> RunQuerySet:
        self.is_valid()
        data = self.cleaned_data
        if (jobs := self._jobs(data)) is not None:
            # The ids themselves: from a subquery the database cannot tell that they are few.
            runs = runs.filter(job__in=list(jobs))
        if status := data.get("status"):
            runs = _by_status(runs, status)
        if kind := data.get("kind"):
            runs = runs.filter(kind=kind)
        if period := data.get("period"):
            runs = runs.since(timezone.now() - timedelta(days=int(period)))
        return runs

    @staticmethod
    def _jobs(data: dict[str, str]) -> Any:
        wanted = Q()
        if query := data.get("q"):
            wanted &= Q(host__name__icontains=query) | Q(name__icontains=query)
        if host := data.get("host"):
            wanted &= Q(host__name=host)
        if job := data.get("job"):
            wanted &= Q(name=job)
        return Job.objects.filter(wanted).values_list("pk", flat=True) if wanted else None


def _by_status(runs: RunQuerySet, status: str) -> RunQuerySet:
    if status != Run.Status.RUNNING:
        return runs.filter(status=status)
    # Found by its jobs: what runs is rare, and a search for it would read the whole book.
    newest = Job.objects.filter(state=Job.State.RUNNING).values("last_run")
    return runs.filter(status=status, pk__in=newest)
