"""How a person looks through the repositories."""

from django import forms
from django.db.models import F, QuerySet
from django.http import QueryDict

from backups.models import Repository, Server

_SORTS = {
    "path": F("path").asc(),
    "-path": F("path").desc(),
    "size": F("bytes").asc(),
    "-size": F("bytes").desc(),
    "snapshots": F("snapshot_count").asc(),
    "-snapshots": F("snapshot_count").desc(),
    "arrived": F("last_arrived").asc(nulls_first=True),
    "-arrived": F("last_arrived").desc(nulls_last=True),
}


class RepositoryFilter(forms.Form):
    """The filter as it stands in the address; what it cannot read it leaves out."""

    q = forms.CharField(
        label="Search repositories",
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Part of its path"}),
    )
    server = forms.ModelChoiceField(
        Server.objects.lasting(), required=False, to_field_name="name", empty_label="Any server"
    )

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        if Server.objects.lasting().count() < 2:
            del self.fields["server"]

    def apply(self, repositories: QuerySet[Repository]) -> QuerySet[Repository]:
        self.is_valid()
        if query := self.cleaned_data.get("q"):
            repositories = repositories.filter(path__icontains=query)
        if server := self.cleaned_data.get("server"):
            repositories = repositories.filter(server=server)
        if order := _SORTS.get(self.data.get("sort", "")):
            repositories = repositories.order_by(order, "server", "path")
        return repositories
