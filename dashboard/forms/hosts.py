"""What a person asks of a host."""

from django import forms

from backups.models import Host


class HostForm(forms.ModelForm[Host]):
    """A new host; its agent tells the rest."""

    class Meta:
        model = Host
        fields = ["name", "note"]
        help_texts = {
            "name": "As you call the machine.",
            "note": "For the people here.",
        }
