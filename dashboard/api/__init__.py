"""What hosts and scripts speak: JSON under /api/."""

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from ninja.errors import ValidationError
from ninja.openapi.docs import ABS_TPL_PATH, Swagger

from backups.actions.reports import UnknownHostError
from backups.engines.errors import EngineError, EngineUnavailable
from backups.version import VERSION
from dashboard.api.described import DescribedAPI
from dashboard.api.hosts import router as hosts
from dashboard.api.users import NobodyError
from dashboard.api.users import router as users

_MOST_PROBLEMS = 5


class Docs(Swagger):
    """With the house's own copy of its files, and none of a stranger's."""

    template_cdn = str(ABS_TPL_PATH / "swagger.html")


api = DescribedAPI(title="Resthouse", version=VERSION, description=__doc__, docs=Docs())
api.add_router("", hosts)
api.add_router("/users", users)

# Hosts have no session: each route says itself who may call it. What the API is like is no secret,
# and whoever writes a script against it has no session either.
urls = api.urls
for _pattern in urls[0]:
    if isinstance(_pattern, URLPattern):
        _pattern.callback = login_not_required(_pattern.callback)


@api.exception_handler(ValidationError)
def refuse_fields(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Names the places, but repeats no value: it may be a secret in the wrong field."""
    problems = [f"{_place(problem['loc'])}: {problem['msg']}" for problem in error.errors]
    told = problems[:_MOST_PROBLEMS]
    if len(problems) > _MOST_PROBLEMS:
        told.append(f"and {len(problems) - _MOST_PROBLEMS} more")
    return api.create_response(request, {"detail": "; ".join(told)}, status=422)


@api.exception_handler(RequestDataTooBig)
def refuse_size(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    detail = "This is too large. Send fewer runs or units at a time."
    return api.create_response(request, {"detail": detail}, status=413)


@api.exception_handler(UnknownHostError)
def refuse_key(request: HttpRequest, error: UnknownHostError) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=401)


@api.exception_handler(EngineError)
def refuse_change(request: HttpRequest, error: EngineError) -> HttpResponse:
    """What the engines refuse changed nothing."""
    status = 503 if isinstance(error, EngineUnavailable) else 409
    return api.create_response(request, {"detail": str(error)}, status=status)


@api.exception_handler(NobodyError)
def find_nobody(request: HttpRequest, error: NobodyError) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=404)


def _place(location: tuple[str | int, ...]) -> str:
    """`body.report.runs.0.key` as `runs.0.key`, and `query.exit` as `exit`."""
    steps = location[1:] if location[0] == "query" else location[2:]
    return ".".join(str(step) for step in steps) or str(location[0])
