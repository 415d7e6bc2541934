"""The people who sign in to Resthouse."""

from django.contrib.auth.models import AbstractUser


class Operator(AbstractUser):
    """A person who signs in here; the entries of `.htpasswd` are called users."""

    def __str__(self) -> str:
        return self.username
