"""How operators come in: never by signing up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The first operator comes by the set-up link, the others are invited."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
