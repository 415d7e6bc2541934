"""What a person brings along to be imported."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

# Some fifty thousand users: more would be no users file.
MOST_BYTES = 4 * 1024 * 1024
_TOO_LARGE = "That is more than 4 MB, and no users file."


class ImportForm(forms.Form):
    """Lines of `.htpasswd`, pasted or as a file."""

    text = forms.CharField(
        label="Lines",
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "spellcheck": "false",
                "autocomplete": "off",
                "placeholder": "alice:$2y$10$…",
            }
        ),
        help_text="As in .htpasswd: a name, a colon, a hash. Passwords cannot be imported.",
    )
    file = forms.FileField(label="Or a file", required=False, allow_empty_file=True)

    def __init__(self, *args: Any, is_too_large: bool = False, **kwargs: Any) -> None:
        """Of what is too large, nothing is left to be given here."""
        super().__init__(*args, **kwargs)
        self.is_too_large = is_too_large

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if len(text) > MOST_BYTES:
            raise forms.ValidationError(_TOO_LARGE)
        return text

    def clean_file(self) -> str:
        file: UploadedFile | None = self.cleaned_data["file"]
        if file is None:
            return ""
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(_TOO_LARGE)
        try:
            text: str = file.read().decode()
        except UnicodeDecodeError:
            raise forms.ValidationError("That is no text in UTF-8.") from None
        if "\0" in text:
            raise forms.ValidationError("That is no text: it holds zero bytes.")
        return text

    def clean(self) -> dict[str, Any]:
        """One text, as `lines`; a browser sends it with CRLF, which rest-server reads as well."""
        data = super().clean() or {}
        if self.is_too_large:
            raise forms.ValidationError(_TOO_LARGE)
        text, file = data.get("text", ""), data.get("file", "")
        if not self.errors:
            if text.strip() and file.strip():
                raise forms.ValidationError("Give lines or a file, not both.")
            if not text.strip() and not file.strip():
                raise forms.ValidationError("There is not one line in it.")
        return data | {"lines": file or text.replace("\r\n", "\n")}
