"""Answers that hold a password: shown once, kept nowhere."""

from typing import Any

from django.http import HttpResponse

from backups.actions.users import NewPassword
from backups.engines.htpasswd import explain_name
from dashboard.http import HttpRequest, in_place_of_the_page, render
from dashboard.lines import lines_for


def show_once(
    request: HttpRequest, new: NewPassword, *, template: str = "users/secret.html", **more: Any
) -> HttpResponse:
    """The answer to the POST itself: a page to come back to would have to keep the password."""
    server = new.user.server
    context = {
        "subject": new.user,
        "server": server,
        "password": new.password,
        "lines": lines_for(new.user, new.password),
        "explanation": explain_name(new.user.name, is_private=server.has_private_repositories),
        **more,
    }
    response = in_place_of_the_page(render(request, template, context))
    response["Cache-Control"] = "no-store"
    return response
