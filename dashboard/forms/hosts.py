"""What a person asks of hosts."""

import re
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.db.models import F, Max, Min, OuterRef, Q, Subquery
from django.db.models.expressions import BaseExpression

from backups.models import Host, Job, Unit
from backups.models.hosts import HostQuerySet

_STATES = [
    ("", "Every host"),
    ("needs", "Needs a look"),
    ("silent", "Silent"),
    ("waiting", "Never reported"),
    ("retired", "Retired"),
]
_SLEEPS = [
    ("", "Always on"),
    ("1", "May be off for a day"),
    ("3", "May be off for 3 days"),
    ("7", "May be off for a week"),
    ("14", "May be off for 2 weeks"),
    ("30", "May be off for 30 days"),
]
_TAG = re.compile(r"[\w.:-]{1,30}")
_MOST_TAGS = 9


def _first_of(model: type[Job | Unit], extreme: Max | Min) -> Subquery:
    """Of all that a host has; joined to the hosts, it would be reckoned for every count, too."""
    rows = model._default_manager.filter(host=OuterRef("pk")).order_by().values("host")
    return Subquery(rows.annotate(extreme=extreme).values("extreme"))


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


class HostEditForm(forms.Form):
    """What people say of a host; the rest its agent tells."""

    note = forms.CharField(max_length=200, required=False, help_text="For the people here.")
    group = forms.CharField(
        max_length=50, required=False, help_text="One of its own: a site, a team, a customer."
    )
    tags = forms.CharField(
        max_length=290, required=False, help_text="As many as help to find it, between spaces."
    )
    sleep = forms.ChoiceField(
        label="Power",
        choices=_SLEEPS,
        required=False,
        help_text="A laptop that is off misses nothing until it was off for so long.",
    )

    @property
    def may_sleep(self) -> timedelta | None:
        days = self.cleaned_data["sleep"]
        return timedelta(days=int(days)) if days else None

    def clean_tags(self) -> list[str]:
        tags = re.split(r"[\s,]+", self.cleaned_data["tags"].lower().strip())
        tags = [tag for tag in tags if tag]
        if len(tags) > _MOST_TAGS or not all(map(_TAG.fullmatch, tags)):
            raise forms.ValidationError(
                f"At most {_MOST_TAGS} words of 30 letters, digits, dots and dashes each."
            )
        return tags


class HostFilter(forms.Form):
    """The filter as it stands in the address; what it cannot read it leaves out."""

    q = forms.CharField(
        required=False,
        label="Search",
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "placeholder": "Name, note, tag",
                "aria-label": "Search",
            }
        ),
    )
    state = forms.ChoiceField(
        required=False, choices=_STATES, widget=forms.Select(attrs={"aria-label": "State"})
    )

    group = forms.ChoiceField(required=False, widget=forms.Select(attrs={"aria-label": "Group"}))
    tag = forms.ChoiceField(required=False, widget=forms.Select(attrs={"aria-label": "Tag"}))

    ORDERS: ClassVar[dict[str, BaseExpression | F]] = {
        "name": F("name"),
        "group": F("group"),
        "state": _first_of(Job, Max("severity")),
        "arrived": _first_of(Job, Min("last_arrived")),
        "due": _first_of(Job, Min("due")),
        "exposure": _first_of(Unit, Max("exposure")),
        "heard": F("reported"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Groups and tags are offered where there are any."""
        super().__init__(*args, **kwargs)
        said = Host.objects.exclude(group="", tags="").order_by()
        rows = list(said.values_list("group", "tags").distinct())
        groups = sorted({group for group, _ in rows if group})
        tags = sorted({tag for _, tags in rows for tag in tags.split()})
        for name, words in (("group", groups), ("tag", tags)):
            if words:
                choices = [("", f"Any {name}"), *((word, word) for word in words)]
                self.fields[name].choices = choices  # type: ignore[attr-defined]
            else:
                del self.fields[name]

    def apply(self, hosts: HostQuerySet) -> HostQuerySet:
        self.is_valid()
        data = self.cleaned_data
        if query := data.get("q"):
            said = Q(note__icontains=query) | Q(group__icontains=query) | Q(tags__icontains=query)
            hosts = hosts.filter(Q(name__icontains=query) | said)
        if group := data.get("group"):
            hosts = hosts.filter(group=group)
        if tag := data.get("tag"):
            hosts = hosts.tagged(tag)
        hosts = self._in_state(hosts, data.get("state", ""))
        return self._sorted(hosts)

    @staticmethod
    def _in_state(hosts: HostQuerySet, state: str) -> HostQuerySet:
        """Those that are retired stand apart: only who asks for them sees them."""
        match state:
            case "needs":
                return hosts.needing_a_look()
            case "silent":
                return hosts.silent()
            case "waiting":
                return hosts.kept().waiting()
            case "retired":
                return hosts.retired()
        return hosts.kept()

    def _sorted(self, hosts: HostQuerySet) -> HostQuerySet:
        """Those that need a look first, unless a column was chosen."""
        asked = self.data.get("sort", "")
        key = self.ORDERS.get(asked.removeprefix("-"))
        if key is None:
            ill = Q(pk__in=Host.objects.needing_a_look().values("pk"))
            return hosts.annotate(ill=ill, severity=self.ORDERS["state"]).order_by(
                "-ill", F("severity").desc(nulls_last=True), "name"
            )
        key = F("key").desc(nulls_last=True) if asked[0] == "-" else F("key").asc(nulls_last=True)
        return hosts.annotate(key=self.ORDERS[asked.removeprefix("-")]).order_by(key, "name")
