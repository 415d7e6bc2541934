"""Sign-in and engine errors, answered once for all views."""

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect

from backups.engines.errors import EngineError, EngineUnavailable
from dashboard.http import page_of


class LoginMiddleware(LoginRequiredMiddleware):
    """A signed-out click within a page leads the whole page to sign-in, and back to it."""

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseRedirect:
        response = super().handle_no_permission(request, view_func)
        if getattr(request, "htmx", False):
            return cast(HttpResponseRedirect, HttpResponseClientRedirect(response["Location"]))
        return response


class EngineErrorMiddleware:
    """What an engine refuses is a message on the page it was asked from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, EngineError):
            return None
        if request.method == "POST":
            messages.error(request, str(error))
            return redirect(page_of(request))
        status = 503 if isinstance(error, EngineUnavailable) else 500
        return render(request, "503.html", {"sentence": str(error)}, status=status)
