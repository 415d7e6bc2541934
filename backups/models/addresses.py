"""Addresses of rows: a list asks for hundreds, and each is the same every time."""

from functools import lru_cache

from django.urls import reverse


@lru_cache(maxsize=20_000)
def address(view: str, *arguments: object) -> str:
    """As `reverse`, without working it out again."""
    return reverse(view, args=arguments)
