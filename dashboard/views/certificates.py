"""Certificates: what the servers show to their hosts."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from backups.models import Certificate, Server
from dashboard.http import HttpRequest, render


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    servers = list(Server.objects.all())
    context = {
        "certificates": Certificate.objects.select_related("server"),
        "servers": servers,
        "encrypted": [server for server in servers if server.has_tls],
        "exposed": [server for server in servers if not (server.has_tls or server.is_loopback)],
    }
    return render(request, "certificates/index.html", context)
