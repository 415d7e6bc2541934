"""How a person looks through the runs."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone

from backups.models import Job, Run
from backups.models.runs import RunQuerySet
from backups.queries.run_search import page_of

_PERIODS = [("", "Any time"), ("1", "Last 24 hours"), ("7", "Last 7 days"), ("30", "Last 30 days")]


class RunFilter(forms.Form):
    """The filter as it stands in the address; what it cannot read it leaves out."""

    q = forms.CharField(
        required=False,
        label="Search",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Host or job"}),
    )
    text = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Error, file or snapshot"}),
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

    def page(self, runs: RunQuerySet, before: tuple[datetime, int] | None, count: int) -> list[Run]:
        """The newest that fit, from a place on."""
        found = self.apply(runs)
        if text := self.cleaned_data.get("text"):
            return page_of(found, text, before, count)
        return list((found.before(*before) if before else found)[:count])

    def apply(self, runs: RunQuerySet) -> RunQuerySet:
        self.is_valid()
        data = self.cleaned_data
        if wanted := self._wanted_jobs(data):
            runs = runs.of(Job.objects.filter(wanted))
        if status := data.get("status"):
            runs = runs.filter(status=status)
        if kind := data.get("kind"):
            runs = runs.filter(kind=kind)
        if period := data.get("period"):
            runs = runs.since(timezone.now() - timedelta(days=int(period)))
        return runs

    @staticmethod
    def _wanted_jobs(data: dict[str, str]) -> Q:
        wanted = Q()
        if query := data.get("q"):
            wanted &= Q(host__name__icontains=query) | Q(name__icontains=query)
        if host := data.get("host"):
            wanted &= Q(host__name=host)
        if job := data.get("job"):
            wanted &= Q(name=job)
        return wanted
