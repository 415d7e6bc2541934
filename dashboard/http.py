"""The only Python that knows htmx: a page, or the part of it that was asked for."""

from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpRequest as DjangoHttpRequest
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from backups.models import Operator


class HttpRequest(DjangoHttpRequest):
    """A request of an operator who signed in."""

    htmx: HtmxDetails
    user: Operator  # type: ignore[assignment]


def render(
    request: DjangoHttpRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    partial: str = "",
    status: int = 200,
) -> TemplateResponse | HttpResponseClientRedirect:
    """Answer with the page, or with its `partial` when htmx asked for the element of that id.

    A page that htmx was redirected to, but that has no such part, is opened as a page.
    """
    htmx = getattr(request, "htmx", None)
    target = htmx.target if htmx else None
    if target and target == partial:
        return TemplateResponse(request, f"{template}#{partial}", context, status=status)
    if target and request.method == "GET" and not htmx.boosted and not _is_history(htmx):
        _keep_messages(request)
        return HttpResponseClientRedirect(resolve_url(request.get_full_path()))
    return TemplateResponse(request, template, context, status=status)


def _is_history(htmx: HtmxDetails) -> bool:
    return bool(htmx.history_restore_request)


def _keep_messages(request: DjangoHttpRequest) -> None:
    """The page that follows shows them, not this answer without a body."""
    get_messages(request).used = False  # type: ignore[attr-defined]
