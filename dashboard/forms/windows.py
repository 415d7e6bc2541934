"""For how long a maintenance window is open."""

from django import forms


class WindowForm(forms.Form):
    """It can be made longer while it is open."""

    minutes = forms.ChoiceField(
        label="Open for",
        choices=[("30", "30 minutes"), ("60", "an hour"), ("240", "4 hours"), ("720", "12 hours")],
        initial="60",
    )
