"""Which container becomes a server."""

from django import forms

from backups.engines.addresses import is_address

_QUIET = {"autocomplete": "off", "spellcheck": "false"}


class CandidateForm(forms.Form):
    """Where to look, and for what; asked in the address, since nothing changes by it."""

    engine = forms.CharField(
        label="Engine",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=_QUIET),
        help_text="Empty: that of this machine. Else unix://, tcp:// or ssh://.",
    )
    container = forms.CharField(
        label="Container", required=False, max_length=200, widget=forms.TextInput(attrs=_QUIET)
    )

    def clean_engine(self) -> str:
        engine: str = self.cleaned_data["engine"]
        if engine and not is_address(engine):
            raise forms.ValidationError(
                "Write it as unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST."
            )
        return engine


class AdoptForm(forms.Form):
    """What the container itself cannot tell."""

    public_name = forms.CharField(
        label="Name under which hosts reach it",
        required=False,
        max_length=253,
        widget=forms.TextInput(attrs=_QUIET),
        help_text="Empty: its address.",
    )
