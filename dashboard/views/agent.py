"""The agent's source, as hosts fetch it."""

from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpRequest
from django.views.decorators.http import require_safe

AGENT = Path(settings.BASE_DIR) / "agent" / "resthouse_agent.py"


@login_not_required
@require_safe
def show(request: HttpRequest) -> FileResponse:
    return FileResponse(AGENT.open("rb"), content_type="text/x-python; charset=utf-8")
