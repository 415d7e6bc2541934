"""The product's addresses and a view that does nothing: what a request costs in any case."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from dashboard.urls import urlpatterns as product


@login_not_required
def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello\n", content_type="text/plain")


urlpatterns = [path("hello/", hello), *product]

Ask = Callable[[HttpRequest], HttpResponse]


def count_queries(get_response: Ask) -> Ask:
    """Say how many queries an answer took, to whoever asks for that."""

    def answer(request: HttpRequest) -> HttpResponse:
        if "X-Count-Queries" not in request.headers:
            return get_response(request)
        statements: list[str] = []

        def note(execute: Callable[..., object], sql: str, *rest: object) -> object:
            statements.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            response = get_response(request)
        response["X-Queries"] = str(len(statements))
        return response

    return answer
