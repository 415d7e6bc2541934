"""What a person asks of a user."""

from typing import Any

from django import forms

from backups.actions import users as actions
from backups.actions.events import Actor
from backups.actions.users import NewPassword
from backups.engines import htpasswd
from backups.engines.errors import EngineError
from backups.models import Server


class UserForm(forms.Form):
    """A new entry of `.htpasswd`; an empty password is generated."""

    server = forms.ModelChoiceField(Server.objects.all(), to_field_name="name", empty_label=None)
    name = forms.CharField(max_length=100, help_text="Usually the name of the machine.")
    note = forms.CharField(max_length=200, required=False, help_text="For the people here.")
    password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Empty: a good one is generated.",
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password:
            _check(htpasswd.check_password, password)
        return password

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "name" in data and "server" in data:
            is_private = data["server"].has_private_repositories
            try:
                htpasswd.check_name(data["name"], is_private=is_private)
            except EngineError as error:
                self.add_error("name", str(error))
        return data

    def save(self, *, by: Actor) -> NewPassword:
        data = self.cleaned_data
        return actions.add_user(
            data["server"], data["name"], note=data["note"], password=data["password"], by=by
        )


def _check(check: Any, value: str) -> None:
    try:
        check(value)
    except EngineError as error:
        raise forms.ValidationError(str(error)) from error
