"""The page of an operation: while it goes on, and how it ended."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from backups.models import Operation
from tests.factories import make_operation, make_server
from tests.views.reading import text_of

ASK = Callable[..., HttpResponse]


def make_running(**fields: object) -> Operation:
    soon = timezone.now() + timedelta(seconds=15)
    return make_operation(
        make_server(name="house-main"),
        **{"state": "running", "finished": None, "lease_until": soon} | fields,
    )


def test_show_asks_again_while_it_goes_on(htmx: ASK) -> None:
    log = "".join(f"line {number}\n" for number in range(20))
    operation = make_running(kind="restart_server", step="Waiting", percent=85, log=log)

    response = htmx(operation.get_absolute_url(), "operation")

    assert response.template_name == "operations/show.html#operation"
    assert "house-main is restarting" in text_of(response)
    assert "Waiting 85 %" in text_of(response)
    assert "line 19" in text_of(response)
    assert "line 11 " not in text_of(response)
    assert 'hx-trigger="every 1s"' in response.content.decode()


@pytest.mark.parametrize(
    ("fields", "headline"),
    [
        ({"kind": "create_server"}, "house-main is live"),
        ({"kind": "stop_server"}, "house-main is stopped"),
        ({"kind": "remove_server", "state": "failed"}, "house-main could not be removed"),
    ],
)
def test_show_says_how_it_ended(
    client: Client, htmx: ASK, fields: dict[str, str], headline: str
) -> None:
    server = make_server(name="house-main")
    operation = make_operation(server, problem="The reason.", log="line 1\n", **fields)

    response = htmx(operation.get_absolute_url(), "operation")

    assert headline in text_of(response)
    assert "hx-trigger" not in response.content.decode()
    assert "line 1" in text_of(response)
    assert ("The reason." in text_of(response)) is (fields.get("state") == "failed")


def test_show_tells_of_a_worker_that_was_stopped(client: Client) -> None:
    operation = make_running(attempt=2, started=timezone.now())

    response = client.get(operation.get_absolute_url())

    assert "attempt 2: the worker before was stopped" in text_of(response)


def test_show_outlives_its_server(client: Client) -> None:
    operation = make_operation(make_server(name="house-main"), kind="remove_server")
    operation.server.delete()

    assert "house-main is removed" in text_of(client.get(operation.get_absolute_url()))


def test_show_escapes_the_log(client: Client) -> None:
    operation = make_running(log="<script>alert(1)</script>", step="<b>x</b>")

    content = client.get(operation.get_absolute_url()).content.decode()

    assert "<script>alert" not in content
    assert "<b>x</b>" not in content


def test_show_is_for_operators_to_read(client: Client, stranger: Client) -> None:
    path = make_operation().get_absolute_url()

    assert stranger.get(path)["Location"] == f"/account/login/?next={path}"
    assert "HX-Redirect" in stranger.get(path, headers={"HX-Request": "true"})
    assert client.post(path).status_code == 405
    assert client.get("/operations/999999/").status_code == 404
