"""Sign-in and engine errors, answered once for all views."""

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control, patch_vary_headers
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


class CacheMiddleware:
    """A page is its operator's alone, and the part of it that htmx asked for is another thing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
        patch_vary_headers(response, ["Cookie", "HX-Request", "HX-Target"])
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
