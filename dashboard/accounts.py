"""How operators come in: never by signing up."""

import base64
from functools import cache

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from django.http import HttpRequest
from django.utils.crypto import salted_hmac


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The first operator comes by the set-up link, the others are invited."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps second factors so that a copy of the database alone is worth nothing."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()


@cache
def _cipher() -> Fernet:
    key = salted_hmac("resthouse.mfa", "second factors", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
