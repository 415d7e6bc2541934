"""What a person wants a server to be told, and what of it is new."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from backups.actions import options as actions
from backups.actions.changing import FIELDS
from backups.actions.events import Actor
from backups.actions.options import UploadsUnderWayError
from backups.engines.errors import EngineError
from backups.models import Operation, Server
from backups.models.servers import is_loopback
from dashboard.sizes import SizeField
from dashboard.words import Setting, settings_of

_READABLE = (
    "Without TLS everybody between a host and this server can read the passwords of its users. "
    "Give it a certificate first, keep it on 127.0.0.1, or say below that you mean it."
)
_QUIET = {"autocomplete": "off", "spellcheck": "false"}
RESTARTS = {
    "unless-stopped": "Always, unless it was stopped",
    "always": "Always",
    "on-failure": "When it failed",
    "no": "Never",
}
LABELS = {
    "": "None",
    "z": "z: shared with other containers",
    "Z": "Z: for this container alone",
}


class OptionsForm(forms.Form):
    """The options of rest-server, and of its container, in words."""

    bind = forms.CharField(
        label="Address and port",
        widget=forms.TextInput(attrs=_QUIET),
        help_text="127.0.0.1 is this machine alone; 0.0.0.0 is everybody who reaches it.",
    )
    is_plain_wanted = forms.BooleanField(
        label="Reached by others without TLS all the same: nobody else is on this line",
        required=False,
        help_text="A VPN or a cable of your own, for example.",
    )
    is_closed = forms.BooleanField(
        label="Ask for passwords: now whoever reaches its port is let in", required=False
    )
    is_append_only = forms.BooleanField(
        label="Append-only: a host cannot delete what it has sent", required=False
    )
    has_private_repositories = forms.BooleanField(
        label="Private repositories: a user reaches only its own", required=False
    )
    has_prometheus = forms.BooleanField(
        label="Counters at /metrics, for Prometheus", required=False
    )
    has_access_log = forms.BooleanField(label="Every request in its log", required=False)
    proxy_header = forms.CharField(
        label="A proxy signs users in, and names them in this header",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs=_QUIET),
        help_text="Such as X-Forwarded-User, by rest-server 0.14 and newer. No password is asked "
        "any more: let the proxy alone reach the port. Empty: rest-server asks itself.",
    )
    max_size = SizeField(
        label="Maximum size of all data",
        help_text="Such as 500 GiB; what would be more is refused. Empty: no limit.",
    )
    memory_limit = SizeField(
        label="Memory limit",
        least=16 * 1024**2,
        help_text="Such as 512 MiB, at least 16 MiB. Empty: no limit.",
    )
    extra_options = forms.CharField(
        label="Other options of rest-server",
        required=False,
        widget=forms.TextInput(attrs=_QUIET),
        help_text="Words that Resthouse has no switch for. Best empty.",
    )
    restart_policy = forms.ChoiceField(label="Started again", choices=list(RESTARTS.items()))
    uid = forms.IntegerField(
        label="User of the container",
        min_value=0,
        max_value=2**31 - 1,
        help_text="By number. The data has to belong to it.",
    )
    gid = forms.IntegerField(label="Its group", min_value=0, max_value=2**31 - 1)
    selinux_label = forms.ChoiceField(
        label="SELinux label of the folder", required=False, choices=list(LABELS.items())
    )

    def __init__(self, server: Server, data: QueryDict | None = None) -> None:
        now = {name: getattr(server, name) for name in self.base_fields if hasattr(server, name)}
        own = {"bind": _bind_of(server), "is_plain_wanted": not server.is_loopback}
        super().__init__(data, initial=now | own)
        self.server = server
        if server.has_tls:
            del self.fields["is_plain_wanted"]
        if not server.is_open:
            del self.fields["is_closed"]
        if not server.extra_options:
            # Somebody who needs them has a container that is adopted with them.
            del self.fields["extra_options"]
        if server.restart_policy not in RESTARTS:
            kept = (server.restart_policy, f"As it is: {server.restart_policy}")
            self.fields["restart_policy"].choices = [kept, *RESTARTS.items()]  # type: ignore[attr-defined]

    def clean_bind(self) -> str:
        bind: str = self.cleaned_data["bind"]
        address, _, port = bind.rpartition(":")
        if not address or not (port.isdecimal() and len(port) <= 5):
            raise ValidationError("Write it as ADDRESS:PORT, such as 127.0.0.1:8000.")
        return bind

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and self._is_readable(data):
            self.add_error("bind", _READABLE)
        if not self.errors:
            try:
                news = actions.news_of(self.server, self.fields_of(data))
                actions.check_options(self.server, news)
            except ValidationError as error:
                self._show(error)
            except EngineError as error:
                self.add_error(None, str(error))
            else:
                if not news:
                    self.add_error(None, f"{self.server} is told just that already.")
        return data

    def _is_readable(self, data: dict[str, Any]) -> bool:
        """Whether passwords would cross a network as they are, and nobody has asked for that."""
        if self.server.has_tls or data["is_plain_wanted"]:
            return False
        try:
            return not is_loopback(self.fields_of(data)["address"])
        except ValueError:
            return False

    def _show(self, error: ValidationError) -> None:
        """Address and port are one field here."""
        for name, texts in error.message_dict.items():
            self.add_error(name if name in self.fields else "bind", texts)

    def fields_of(self, data: dict[str, Any]) -> dict[str, Any]:
        address, _, port = data["bind"].rpartition(":")
        fields = {name: value for name, value in data.items() if name in FIELDS}
        fields |= {"address": address.strip("[]"), "port": int(port)}
        return fields | (self.server.closed() if data.get("is_closed") else {})

    def differences(self) -> list[tuple[Setting, str]]:
        """What would be told anew, each with what it is now."""
        wanted = Server.objects.get(pk=self.server.pk)
        for name, value in self.fields_of(self.cleaned_data).items():
            setattr(wanted, name, value)
        before = {setting.name: setting.value for setting in settings_of(self.server)}
        after = settings_of(wanted)
        gone = before.keys() - {setting.name for setting in after}
        off = [Setting(name, "off", "Not told any more") for name in sorted(gone)]
        return [
            (setting, before.get(setting.name, "off"))
            for setting in [*after, *off]
            if before.get(setting.name, "off") != setting.value
        ]

    def save(self, *, by: Actor) -> Operation:
        return actions.change_options(self.server, self.fields_of(self.cleaned_data), by=by)


class UpgradeForm(forms.Form):
    """Another image, or what the same name stands for by now."""

    image = forms.CharField(
        max_length=255,
        widget=forms.TextInput(attrs=_QUIET),
        help_text="NAME:TAG. It is pulled first; nothing is stopped before it is here.",
    )
    uploads = forms.ChoiceField(
        label="Uploads under way",
        widget=forms.RadioSelect,
        choices=[
            ("wait", "Wait for their end, at most ten minutes"),
            ("force", "Go on all the same: restic tries again by itself"),
            ("", "Leave all as it is while there are any"),
        ],
        required=False,
    )

    def __init__(self, server: Server, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"image": server.image, "uploads": "wait"})
        self.server = server

    def save(self, *, by: Actor) -> Operation | None:
        """None, with the reason in the form, where it is refused."""
        choice = self.cleaned_data["uploads"]
        try:
            return actions.upgrade_server(
                self.server,
                by=by,
                image=self.cleaned_data["image"],
                wait=600.0 if choice == "wait" else None,
                is_forced=choice == "force",
            )
        except UploadsUnderWayError as error:
            self.add_error("uploads", str(error))
        except ValidationError as error:
            self.add_error("image", error.messages)
        return None


def _bind_of(server: Server) -> str:
    address = f"[{server.address}]" if ":" in server.address else server.address
    return f"{address}:{server.port}"
