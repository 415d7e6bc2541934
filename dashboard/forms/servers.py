"""What a person asks of a server."""

import posixpath
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from backups.models import Server
from backups.models.servers import is_loopback


class ServerForm(forms.ModelForm[Server]):
    """A new server; what is filled in already is a sensible answer."""

    bind = forms.CharField(
        label="Address and port",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="127.0.0.1 is this machine alone; 0.0.0.0 is everybody who reaches it.",
    )
    is_plain_wanted = forms.BooleanField(
        required=False,
        label="Without TLS all the same: nobody else is on this line",
        help_text="A VPN or a cable of your own, for example.",
    )

    class Meta:
        model = Server
        fields = [
            "name",
            "data_directory",
            "is_append_only",
            "has_private_repositories",
            "has_tls",
            "public_name",
            "image",
        ]
        labels = {
            "data_directory": "Data directory",
            "is_append_only": "Append-only: a host cannot delete what it has sent",
            "has_private_repositories": "Private repositories: a user reaches only its own",
            "has_tls": "TLS: with a certificate that this house makes",
            "public_name": "Name under which hosts reach it",
        }
        help_texts = {
            "name": "The container gets it, too.",
            "data_directory": "Made if it is not there; what lies in it stays.",
            "image": "Pulled if it is not here; where nothing can be pulled, it is built here.",
            "has_tls": "Hosts trust the authority of this house once. Your own may come later.",
            "public_name": "Empty: the address above.",
        }

        error_messages = {"name": {"unique": "There is a server of this name already."}}

    field_order = ["name", "bind", "data_directory"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("name", _free_name())
        self.initial.setdefault("data_directory", f"/srv/restic/{self.initial['name']}")
        self.initial.setdefault("image", settings.RESTHOUSE_SERVER_IMAGE)
        self.initial.setdefault("bind", f"127.0.0.1:{_free_port()}")
        for name in ("name", "data_directory", "image", "public_name"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}

    @property
    def asks_for_consent(self) -> bool:
        """Whether somebody wants passwords to cross a network readable."""
        return self.is_bound and (
            self.has_error("bind", "plain") or bool(self.data.get("is_plain_wanted"))
        )

    @property
    def has_rare_mistake(self) -> bool:
        """One in the fields that are folded away."""
        return bool(self.errors.keys() & {"image", "public_name"})

    def clean_data_directory(self) -> str:
        path = posixpath.normpath(str(self.cleaned_data["data_directory"]))
        if not path.startswith("/") or path.count("/") < 2:
            raise ValidationError("Give an absolute path at least two folders deep.")
        return path

    def clean_bind(self) -> str:
        address, _, port = self.cleaned_data["bind"].rpartition(":")
        if not address or not (port.isdecimal() and len(port) <= 5):
            raise ValidationError("Write it as ADDRESS:PORT, such as 127.0.0.1:8000.")
        self.instance.address, self.instance.port = address.strip("[]"), int(port)
        return f"{address}:{port}"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        is_plain = not data.get("has_tls") and not data["is_plain_wanted"]
        if "bind" in data and self._is_exposed() and is_plain:
            sentence = (
                "Without TLS everybody between a host and this server can read the passwords of "
                "its users. Choose TLS, keep it on 127.0.0.1, or say below that you mean it."
            )
            self.add_error("bind", ValidationError(sentence, code="plain"))
        return data

    def _is_exposed(self) -> bool:
        try:
            return not is_loopback(self.instance.address)
        except ValueError:
            return False

    def _get_validation_exclusions(self) -> set[str]:
        """The parts of `bind` are checked by the model, too, and shown beside it."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"engine", "address", "port"}

    def _update_errors(self, errors: ValidationError) -> None:
        if hasattr(errors, "error_dict"):
            # The one constraint over several fields is that of the address.
            for part in ("address", "port", NON_FIELD_ERRORS):
                found = errors.error_dict.pop(part, [])
                errors.error_dict.setdefault("bind", []).extend(found)
            errors.error_dict = {name: found for name, found in errors.error_dict.items() if found}
        super()._update_errors(errors)  # type: ignore[misc]


def _free_name() -> str:
    taken = set(Server.objects.values_list("name", flat=True))
    names = ("house-main", *(f"house-{number}" for number in range(2, 1000)))
    return next(name for name in names if name not in taken)


def _free_port() -> int:
    taken = set(Server.objects.values_list("port", flat=True))
    return next(port for port in range(8000, 9000) if port not in taken)
