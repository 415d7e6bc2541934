"""What a person asks of a user."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from backups.actions import users as actions
from backups.actions.events import Actor
from backups.actions.users import NewPassword
from backups.engines import htpasswd
from backups.engines.errors import EngineError
from backups.models import Server, User
from backups.queries.hygiene import Book, Finding, Standing

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
# After the first three, the findings of the hygiene list by their code.
_STATES = {
    "": "Any state",
    "look": "Needs a look",
    "fine": "Fine",
    "differs": "Changed by hand",
    "weak-hash": "Weak hash",
    "unusable": "Cannot sign in",
    "never-used": "Never used",
    "unused": "Unused for 90 days",
    "expired": "Expired",
    "disabled": "Disabled",
    "no-repository": "Without a repository",
    "no-user": "Repositories without a user",
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

    server = forms.ModelChoiceField(
        Server.objects.lasting(), to_field_name="name", empty_label=None
    )
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
        if Server.objects.lasting().count() == 1:
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


class EntryForm(forms.Form):
    """What Resthouse alone knows of a user: for whom it is, and how long."""

    note = forms.CharField(
        max_length=200, required=False, help_text="For the people here; no machine reads it."
    )
    expires = forms.DateTimeField(
        label="Ends",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="From that minute on it is disabled. Leave it empty, and it does not end.",
    )

    def __init__(self, user: User, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"note": user.note, "expires": user.expires})
        self.user = user

    def clean_expires(self) -> datetime | None:
        expires: datetime | None = self.cleaned_data["expires"]
        if expires and "expires" in self.changed_data and expires <= timezone.now():
            raise forms.ValidationError(
                "That is over already. Choose a later moment, or disable it now."
            )
        return expires

    def save(self, *, by: Actor) -> None:
        if "note" in self.changed_data:
            actions.note_user(self.user, self.cleaned_data["note"], by=by)
        if "expires" in self.changed_data:
            actions.set_expiry(self.user, self.cleaned_data["expires"], by=by)


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

    def apply(self, book: Book) -> list[Standing]:
        self.is_valid()
        query, state = (self.cleaned_data.get(name, "") for name in ("q", "state"))
        finding = self.finding_in(book)
        names = frozenset(finding.names) if finding else None
        found = [
            standing
            for standing in book.standings
            if (standing.user.name in names if names is not None else _fits(standing, state))
            and _speaks_of(standing, query.strip().lower())
        ]
        order = self.data.get("sort", "")
        if key := _SORTS.get(order.removeprefix("-")):
            found.sort(key=key, reverse=order.startswith("-"))
        return found

    def finding_in(self, book: Book) -> Finding | None:
        """The line of the hygiene list that was asked for."""
        asked = self.data.get("state", "")
        return next((finding for finding in book.hygiene if finding.code == asked), None)

    def count(self, found: int, of: int) -> str:
        users = "user" if of == 1 else "users"
        return f"{of} {users}" if found == of else f"{found} of {of} {users}"


def _fits(standing: Standing, state: str) -> bool:
    return not state or standing.code == state or (state == "look" and standing.needs_a_look)


def _speaks_of(standing: Standing, query: str) -> bool:
    words = [standing.user.name, standing.user.note]
    words += [repository.path for repository in standing.repositories]
    return any(query in word.lower() for word in words)
