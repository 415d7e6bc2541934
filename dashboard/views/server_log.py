"""The log of a server: followed on a page, which asks again and again, and taken along."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups.models import Server
from backups.queries.server_log import WIDE_WINDOW, log_of
from dashboard.forms.server_log import LogFilter
from dashboard.http import HttpRequest, render


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    server = get_object_or_404(Server, name=name)
    form = LogFilter(request.GET)
    log = log_of(server, form.wanted)
    if request.GET.get("seen") == log.state:
        return HttpResponse(status=204)
    context = {"server": server, "form": form, "wanted": form.wanted, "log": log}
    context["window"] = WIDE_WINDOW
    return render(request, "servers/log.html", context, partial="lines")


@require_safe
def text(request: HttpRequest, name: str) -> HttpResponse:
    """All lines that the page would show if it were longer."""
    server = get_object_or_404(Server, name=name)
    log = log_of(server, LogFilter(request.GET).wanted, tail=WIDE_WINDOW)
    whole = "".join(f"{line}\n" for line in log.lines) or f"{log.problem or 'No line.'}\n"
    answer = HttpResponse(whole, content_type="text/plain; charset=utf-8")
    answer.status_code = 503 if log.problem else 200
    file = f"{server.name}-{timezone.localtime():%Y-%m-%dT%H%M}.log"
    answer["Content-Disposition"] = f'attachment; filename="{file}"'
    return answer
