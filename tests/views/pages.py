"""How tests read a page."""

from django.http import HttpResponse


def html_of(page: HttpResponse) -> str:
    """Its HTML, however the template breaks its lines."""
    return " ".join(page.content.decode().split())
