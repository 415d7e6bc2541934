"""What a person asks of a user."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import QueryDict

from backups.actions import users as actions
from backups.actions.events import Actor
from backups.actions.users import NewPassword
from backups.engines import htpasswd
from backups.engines.errors import EngineError
from backups.hygiene import Standing
from backups.models import Server

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_STATES = {
    "": "Any state",
    "look": "Needs a look",
    "never": "Never used",
    "fine": "Fine",
    "disabled": "Disabled",
}
_SORTS: dict[str, Callable[[Standing], Any]] = {
    "name": lambda standing: standing.user.name.lower(),
    "state": lambda standing: (standing.order, standing.user.name),
    "seen": lambda standing: standing.user.last_seen or _LONG_AGO,
    "size": lambda standing: standing.bytes,
    "rotated": lambda standing: standing.user.rotated or _LONG_AGO,
}


class UserForm(forms.Form):
    """A new entry of `.htpasswd`; an empty password is generated."""

    server = forms.ModelChoiceField(Server.objects.all(), to_field_name="name", empty_label=None)
    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Usually the name of the machine; its backups go to a folder of this name.",
    )
    note = forms.CharField(
        max_length=200, required=False, help_text="For the people here; no machine reads it."
    )
    password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Leave it empty, and one of 24 characters is made and shown once.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if Server.objects.count() == 1:
            self.fields["server"].widget = forms.HiddenInput()

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password:
            try:
                htpasswd.check_password(password)
            except EngineError as error:
                raise forms.ValidationError(str(error)) from error
        return password

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "name" in data and "server" in data:
            is_private = data["server"].has_private_repositories
            try:
                htpasswd.check_name(data["name"], is_private=is_private)
            except EngineError as error:
                self.add_error("name", str(error))
            if data["server"].users.filter(name=data.get("name")).exists():
                self.add_error("name", "There is a user of this name already.")
        return data

    def save(self, *, by: Actor) -> NewPassword | None:
        """None, with the reason in the form, when the server did not take it."""
        data = self.cleaned_data
        try:
            return actions.add_user(
                data["server"], data["name"], note=data["note"], password=data["password"], by=by
            )
        except EngineError as error:
            self.add_error(None, str(error))
            return None


class UserFilter(forms.Form):
    """The filter as it stands in the address; what it cannot read it leaves out."""

    q = forms.CharField(
        label="Search users",
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Name, note or repository"}),
    )
    server = forms.ChoiceField(required=False)
    state = forms.ChoiceField(required=False, choices=list(_STATES.items()))

    def __init__(self, data: QueryDict, servers: list[Server]) -> None:
        super().__init__(data)
        names = [server.name for server in servers]
        self.fields["server"] = forms.ChoiceField(
            required=False, choices=[(name, name) for name in names]
        )
        if len(names) < 2:
            del self.fields["server"]

    def apply(self, standings: tuple[Standing, ...]) -> list[Standing]:
        self.is_valid()
        query, state = (self.cleaned_data.get(name, "") for name in ("q", "state"))
        found = [
            standing
            for standing in standings
            if _fits(standing, state) and _speaks_of(standing, query.strip().lower())
        ]
        order = self.data.get("sort", "")
        if key := _SORTS.get(order.removeprefix("-")):
            found.sort(key=key, reverse=order.startswith("-"))
        return found

    def count(self, found: int, of: int) -> str:
        users = "user" if of == 1 else "users"
        return f"{of} {users}" if found == of else f"{found} of {of} {users}"


def _fits(standing: Standing, state: str) -> bool:
    return not state or standing.code == state or (state == "look" and standing.needs_a_look)


def _speaks_of(standing: Standing, query: str) -> bool:
    words = [standing.user.name, standing.user.note]
    words += [repository.path for repository in standing.repositories]
    return any(query in word.lower() for word in words)
