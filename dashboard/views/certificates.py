"""Certificates: what the servers show to their hosts."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from backups.models import Certificate, Server
from dashboard.http import HttpRequest, render


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    context = {
        "certificates": Certificate.objects.select_related("server"),
        "servers": Server.objects.all(),
    }
    return render(request, "certificates/index.html", context)
