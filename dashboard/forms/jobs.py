"""What a person states of a job: that it is held, and when it is expected."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from backups.engines import rhythms
from backups.engines.errors import EngineError
from backups.models import Job

_SPANS = [
    ("", "Until somebody resumes it"),
    ("1", "1 hour"),
    ("8", "8 hours"),
    ("24", "1 day"),
    ("72", "3 days"),
    ("168", "1 week"),
    ("720", "30 days"),
]
_HOLDS = [
    (Job.Hold.PAUSED, "Pause it: no run is expected"),
    (Job.Hold.SNOOZED, "Snooze it: ask nobody for a time"),
    (Job.Hold.ACKNOWLEDGED, "Acknowledge what it has now"),
]
_MONTH_IN_MINUTES = 31 * 24 * 60


class HoldForm(forms.Form):
    """Who does it is known; why is for those who come after."""

    hold = forms.ChoiceField(label="What", choices=_HOLDS)
    hours = forms.ChoiceField(label="For", choices=_SPANS, required=False)
    why = forms.CharField(
        max_length=200,
        required=False,
        help_text="Stands beside the job with your name.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, job: Job, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if job.severity <= Job.SEVERITY_OF_KNOWN and not job.is_held:
            self.fields["hold"] = forms.ChoiceField(label="What", choices=_HOLDS[:2])

    @property
    def until(self) -> datetime | None:
        hours = self.cleaned_data["hours"]
        return timezone.now() + timedelta(hours=int(hours)) if hours else None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("hold") == Job.Hold.SNOOZED and not data.get("hours"):
            self.add_error("hours", "Choose for how long; only a pause has no end.")
        return data


class ExpectationForm(forms.Form):
    """When a run is to begin, and how late it may be."""

    rhythm = forms.ChoiceField(label="Runs", choices=Job.Rhythm.choices, required=False)
    stated = forms.CharField(
        label="When",
        max_length=200,
        required=False,
        help_text="15 2 * * * for cron, Mon..Fri 02:15 for OnCalendar, 6 for hours.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    minutes = forms.IntegerField(
        label="May be late by, in minutes",
        min_value=5,
        max_value=_MONTH_IN_MINUTES,
        help_text="From then on the run is missed, which counts as failed.",
    )

    @property
    def grace(self) -> timedelta:
        return timedelta(minutes=self.cleaned_data["minutes"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("rhythm") and "stated" in data:
            try:
                rhythms.check(data["rhythm"], data["stated"].strip(), timezone.localtime())
            except EngineError as error:
                self.add_error("stated", str(error))
        return data
