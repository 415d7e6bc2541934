"""Settings: the house, its engine, and the person's own ways to sign in."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from backups.models import ContainerEngine, Operator
from dashboard.http import HttpRequest, render


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    context = {
        "engine": ContainerEngine.objects.here(),
        "operators": Operator.objects.order_by("username"),
        "guarded": set(Authenticator.objects.values_list("user_id", flat=True)),
        "data": settings.RESTHOUSE_DATA,
        "url": settings.RESTHOUSE_URL,
        "image": settings.RESTHOUSE_SERVER_IMAGE,
        "database": connection.display_name,
        "time_zone": settings.TIME_ZONE,
    }
    return render(request, "settings/index.html", context)
