"""What takes secrets along has to be meant: the name of the server is written once more."""

from django import forms
from django.http import QueryDict

from backups.models import Server


class NameForm(forms.Form):
    """Nobody takes hashes or keys along by a slip of the hand."""

    name = forms.CharField(
        label="Name of the server",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, server: Server, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.server = server
        self.fields["name"].help_text = f"Write {server}, to say that you mean it."

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.server.name:
            raise forms.ValidationError(f"Write {self.server}.")
        return name
