"""What a person asks of a server."""

import posixpath
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import QueryDict

from backups.models import Server
from backups.models.servers import is_loopback
from dashboard.forms.options import LABELS, RESTARTS
from dashboard.sizes import SizeField

# Folded away: a good answer for most is filled in, or none is needed.
_RARE = (
    *("engine", "tls_min_version", "max_size", "has_prometheus", "has_access_log"),
    *("proxy_header", "restart_policy", "uid", "gid", "memory_limit", "selinux_label"),
)


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

    tls_min_version = forms.ChoiceField(
        label="Lowest TLS version", required=False, choices=[("", "1.2"), ("1.3", "1.3")]
    )
    max_size = SizeField(
        label="Maximum size of all data", help_text="Such as 500 GiB. Empty: no limit."
    )
    memory_limit = SizeField(
        label="Memory limit", least=16 * 1024**2, help_text="Such as 512 MiB. Empty: no limit."
    )
    restart_policy = forms.ChoiceField(label="Started again", choices=list(RESTARTS.items()))
    selinux_label = forms.ChoiceField(
        label="SELinux label of the folder", required=False, choices=list(LABELS.items())
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
            *_RARE,
        ]
        labels = {
            "data_directory": "Data directory, or volume",
            "is_append_only": "Append-only: a host cannot delete what it has sent",
            "has_private_repositories": "Private repositories: a user reaches only its own",
            "has_tls": "TLS: with a certificate that this house makes",
            "public_name": "Name under which hosts reach it",
            "engine": "Container engine",
            "has_prometheus": "Counters at /metrics, for Prometheus",
            "has_access_log": "Every request in its log",
            "uid": "User of the container",
            "gid": "Its group",
            "proxy_header": "A proxy signs users in, and names them in this header",
        }
        help_texts = {
            "name": "The container gets it, too.",
            "data_directory": "Made if it is not there; what lies in it stays. A name without / is "
            "a volume.",
            "image": "Pulled if it is not here; where nothing can be pulled, it is built here.",
            "has_tls": "Hosts trust the authority of this house once. Your own may come later.",
            "public_name": "Empty: the address above.",
            "engine": "Empty: that of this machine. Else unix://, tcp:// or ssh://.",
            "uid": "By number. The data has to belong to it.",
            "proxy_header": "No password is asked then: let the proxy alone reach the port.",
        }

        error_messages = {"name": {"unique": "There is a server of this name already."}}

    field_order = ["name", "bind", "data_directory"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("name", _free_name())
        self.initial.setdefault("data_directory", f"/srv/restic/{self.initial['name']}")
        self.initial.setdefault("image", settings.RESTHOUSE_SERVER_IMAGE)
        self.initial.setdefault("bind", f"127.0.0.1:{_free_port()}")
        for name in ("name", "data_directory", "image", "public_name", "engine", "proxy_header"):
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
        return bool(self.errors.keys() & {"image", "public_name", *_RARE})

    @property
    def rare_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("image", "public_name", *_RARE)]

    def clean_data_directory(self) -> str:
        path = str(self.cleaned_data["data_directory"])
        return posixpath.normpath(path) if path.startswith("/") else path

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


class EraseForm(forms.Form):
    """The name of the server, typed by somebody who means it."""

    typed = forms.CharField(
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, server: Server, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.server = server
        self.fields["typed"].label = f"Type {server} to delete all of it"

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if typed != self.server.name:
            raise ValidationError(f"Type {self.server}, letter by letter.")
        return typed


def _free_name() -> str:
    taken = set(Server.objects.values_list("name", flat=True))
    names = ("house-main", *(f"house-{number}" for number in range(2, 1000)))
    return next(name for name in names if name not in taken)


def _free_port() -> int:
    taken = set(Server.objects.values_list("port", flat=True))
    return next(port for port in range(8000, 9000) if port not in taken)
