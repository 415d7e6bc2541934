"""What a person says of itself."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from backups.actions import operators
from backups.models import Operator


class FirstOperatorForm(forms.ModelForm[Operator]):
    """The operator who sets the house up."""

    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters.",
    )
    again = forms.CharField(
        label="The same again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = Operator
        fields = ["username", "email"]
        labels = {"username": "Name", "email": "E-mail"}
        help_texts = {"username": "With it you sign in.", "email": "May stay empty."}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        password = data.get("password", "")
        if password and password != data.get("again"):
            self.add_error("again", "The two differ. Write the password once more.")
        named = Operator(username=data.get("username", ""), email=data.get("email", ""))
        try:
            validate_password(password, named)
        except ValidationError as error:
            self.add_error("password", error)
        return data

    def save(self, commit: bool = True) -> Operator:  # noqa: FBT001, FBT002
        data = self.cleaned_data
        return operators.add_first_operator(
            name=data["username"], email=data["email"], password=data["password"]
        )
