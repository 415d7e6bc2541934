"""The only Python that knows htmx: a page, or the part of it that was asked for."""

from typing import Any

from django.http import HttpRequest as DjangoHttpRequest
from django.template.response import TemplateResponse
from django_htmx.http import HttpResponseClientRedirect, reselect, retarget
from django_htmx.middleware import HtmxDetails

from backups.models import Operator


class HttpRequest(DjangoHttpRequest):
    """A request of an operator who signed in."""

    htmx: HtmxDetails
    user: Operator


def render(
    request: DjangoHttpRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    partial: str = "",
    status: int = 200,
) -> TemplateResponse | HttpResponseClientRedirect:
    """Answer with the page, or with its `partial` when htmx asked for the element of that id.

    A page that htmx was led to by a redirect, but that has no such part, is opened as a page.
    """
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    if htmx is None or not htmx.target or htmx.history_restore_request:
        return TemplateResponse(request, template, context, status=status)
    if htmx.target == partial:
        return TemplateResponse(request, f"{template}#{partial}", context, status=status)
    if request.method == "GET":
        # Rendering nothing, this answer leaves the messages to the page that follows.
        return HttpResponseClientRedirect(request.get_full_path())
    return TemplateResponse(request, template, context, status=status)


def in_place_of_the_page(
    response: TemplateResponse | HttpResponseClientRedirect,
) -> TemplateResponse | HttpResponseClientRedirect:
    """For an answer to a POST that no address leads back to: htmx puts it where the page was."""
    response["HX-Reswap"] = "outerHTML show:window:top"
    return reselect(retarget(response, "#main"), "#main")


def page_of(request: DjangoHttpRequest, default: str = "/") -> str:
    """The page that the person looks at, as far as it is one of ours."""
    referer = request.headers.get("Referer", "")
    here = f"{request.scheme}://{request.get_host()}/"
    # A path that began with two slashes would name another host, and \ is one to browsers.
    path = "/" + referer.removeprefix(here).lstrip("/\\")
    return path if referer.startswith(here) else default
