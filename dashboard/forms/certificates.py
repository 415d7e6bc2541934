"""What a person brings along, or asks, of the certificates of a server."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from backups.actions import certificates as actions
from backups.actions.certificates import UnfitCertificateError
from backups.actions.certificates_apply import change_line
from backups.actions.events import Actor
from backups.engines.certificates import KINDS, Checked
from backups.engines.errors import EngineError
from backups.models import Certificate, Operation, Server, SigningRequest
from backups.queries.trust import Client, clients_of, names_of, system_store
from dashboard.uploads import MOST_BYTES

TOO_LARGE = "That is more than 1 MB, and no certificate. Nothing of it was kept."
_MOST_FILES = 10
_WAYS = [
    ("authority", "By the authority of this house: hosts trust that once"),
    ("self-signed", "It signs itself: each host has to be given it"),
    ("request", "By somebody else: make a signing request, the key stays here"),
]
_KINDS = {
    "ecdsa-p256": "ECDSA P-256, which everything takes",
    "ecdsa-p384": "ECDSA P-384",
    "ed25519": "Ed25519",
    "rsa-2048": "RSA 2048",
    "rsa-4096": "RSA 4096",
}
_CONSENT = "I have read this, and want it all the same"
_UNREAD = "Say that you have read what is above."
_QUIET = {"autocomplete": "off", "spellcheck": "false"}


class Files(forms.FileInput):
    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[UploadedFile]:
        return list(files.getlist(name)) if files else []


class SecretTextarea(forms.Textarea):
    """As a password field: what was written is not sent back."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class FilesField(forms.FileField):
    """Any number of files, as a list of their contents."""

    def clean(self, data: Any, initial: Any = None) -> list[bytes]:
        files: list[UploadedFile] = [file for file in data or [] if file]
        if len(files) > _MOST_FILES:
            raise forms.ValidationError(f"Bring at most {_MOST_FILES} files.")
        if any((file.size or 0) > MOST_BYTES for file in files):
            raise forms.ValidationError(TOO_LARGE)
        return [file.read() for file in files]


class UploadForm(forms.Form):
    """A certificate, its chain and its key in any format and order; nothing is shown again."""

    brought = FilesField(
        label="Files",
        required=False,
        widget=Files(attrs={"multiple": True, "class": "drop"}),
        help_text="Choose or drop them here: PEM, DER, PKCS#12 or PKCS#7, in any order.",
    )
    text = forms.CharField(
        label="Or paste them",
        required=False,
        strip=False,
        widget=SecretTextarea(
            attrs={**_QUIET, "rows": 6, "placeholder": "-----BEGIN CERTIFICATE-----"}
        ),
    )
    password = forms.CharField(
        label="Password of the key",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Where it is encrypted. It is opened here, and kept with the key of this house.",
    )
    checked: Checked | None = None

    def __init__(
        self,
        server: Server,
        data: QueryDict | None = None,
        files: MultiValueDict[str, UploadedFile] | None = None,
    ) -> None:
        super().__init__(data, files)
        self.server = server

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if len(text) > MOST_BYTES:
            raise forms.ValidationError(TOO_LARGE)
        return text

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not data.get("brought") and not data.get("text", "").strip():
            raise forms.ValidationError("Choose the files, or paste what is in them.")
        return data

    def save(self, *, by: Actor) -> Certificate | None:
        """None, with the findings in `checked`, where it has errors."""
        data = self.cleaned_data
        text = [data["text"].encode()] if data["text"].strip() else []
        try:
            return actions.add_certificate(
                self.server, [*data["brought"], *text], password=data["password"], by=by
            )
        except UnfitCertificateError as error:
            self.checked = error.checked
            return None


class MakeForm(forms.Form):
    """A certificate, or the request for one, made here."""

    way = forms.ChoiceField(label="Signed", choices=_WAYS, widget=forms.RadioSelect)
    names = forms.CharField(
        label="Names and addresses that hosts use",
        widget=forms.Textarea(attrs={**_QUIET, "rows": 3}),
        help_text="One in each line.",
    )
    kind = forms.ChoiceField(label="Kind of key", choices=[(k, _KINDS.get(k, k)) for k in KINDS])

    def __init__(self, server: Server, data: QueryDict | None = None) -> None:
        names = "\n".join(names_of(server))
        super().__init__(data, initial={"way": "authority", "names": names})
        self.server = server

    def save(self, *, by: Actor) -> Certificate | SigningRequest | None:
        """None, with the reason in the form, when a name is none."""
        ways: dict[str, Callable[..., Certificate | SigningRequest]] = {
            "authority": actions.make_certificate,
            "self-signed": actions.make_self_signed,
            "request": actions.make_request,
        }
        make = ways[self.cleaned_data["way"]]
        names = self.cleaned_data["names"].split()
        try:
            return make(self.server, by=by, names=names, kind=self.cleaned_data["kind"])
        except EngineError as error:
            self.add_error("names", str(error))
            return None


class WatchForm(forms.Form):
    """A folder of another tool, such as certbot."""

    directory = forms.CharField(
        label="Folder",
        max_length=1024,
        widget=forms.TextInput(attrs={**_QUIET, "placeholder": "/etc/letsencrypt/live/NAME"}),
        help_text="A new pair there is checked and applied by itself.",
    )


class ApplyForm(forms.Form):
    """What is not plainly fine has to be read first."""

    is_read = forms.BooleanField(label=_CONSENT, error_messages={"required": _UNREAD})

    def __init__(self, data: QueryDict | None = None, *, asks: bool) -> None:
        super().__init__(data)
        if not asks:
            del self.fields["is_read"]


class LineForm(forms.Form):
    """TLS on or off, and its lowest version."""

    line = forms.ChoiceField(
        label="The line",
        widget=forms.RadioSelect,
        choices=[
            ("1.2", "TLS 1.2 and 1.3"),
            ("1.3", "TLS 1.3 alone: for restic 0.10 and newer, by rest-server 0.14 and newer"),
            ("plain", "No TLS: plain HTTP"),
        ],
    )
    is_read = forms.BooleanField(label=_CONSENT, required=False)
    broken: tuple[Client, ...] = ()

    def __init__(self, server: Server, data: QueryDict | None = None) -> None:
        now = (server.tls_min_version or "1.2") if server.has_tls else "plain"
        super().__init__(data, initial={"line": now})
        self.server, self.now = server, now

    def clean_line(self) -> str:
        line: str = self.cleaned_data["line"]
        if line == self.now:
            raise forms.ValidationError("It is so already.")
        return line

    def clean(self) -> dict[str, Any]:
        """Whoever locks hosts out has seen their names before."""
        data = super().clean() or {}
        if line := data.get("line"):
            self.broken = self._broken_by(line)
            if self.broken and not data["is_read"]:
                self.add_error("is_read", _UNREAD)
        return data

    def _broken_by(self, line: str) -> tuple[Client, ...]:
        """A version refuses no host that restic itself did not leave behind."""
        if (line != "plain") == self.server.has_tls:
            return ()
        last = self.server.certificates.shown_last().first()
        chain = last.chain if last and line != "plain" else ""
        return clients_of(self.server, chain, system_store()).broken

    def save(self, *, by: Actor) -> Operation | None:
        line = self.cleaned_data["line"]
        has_tls, lowest = line != "plain", "1.3" if line == "1.3" else ""
        try:
            return change_line(self.server, has_tls=has_tls, tls_min_version=lowest, by=by)
        except EngineError as error:
            self.add_error("line", str(error))
            return None
