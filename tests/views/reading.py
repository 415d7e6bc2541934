"""What a person reads of an answer."""

import html
import re

from django.http import HttpResponse


def text_of(response: HttpResponse) -> str:
    """Its words, without the tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())
