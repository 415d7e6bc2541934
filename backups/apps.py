"""The domain as a Django app."""

from django.apps import AppConfig


class BackupsConfig(AppConfig):
    """Models, actions and commands."""

    name = "backups"
    verbose_name = "Backups"
