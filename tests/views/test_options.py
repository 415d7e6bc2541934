"""The options of a server: shown, compared, changed; and its image."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client

from backups.models import Operation, Server
from tests.factories import make_server
from tests.views.reading import text_of

Ask = Callable[..., HttpResponse]
OPTIONS, UPGRADE = "/servers/house-main/options/", "/servers/house-main/upgrade/"


@pytest.fixture
def server(db: None, tmp_path: Path) -> Server:
    return make_server(name="house-main", port=8123, data_directory=str(tmp_path))


def form(**fields: str) -> dict[str, str]:
    now = {"bind": "127.0.0.1:8123", "is_append_only": "on", "has_private_repositories": "on"}
    return now | {"restart_policy": "unless-stopped", "uid": "1000", "gid": "1000"} | fields


def test_the_difference_is_shown_before_anything_changes(client: Client, server: Server) -> None:
    data = form(max_size="1.5 TB", has_prometheus="on")
    del data["is_append_only"]

    response = client.post(OPTIONS, data)

    shown = text_of(response)
    assert "3 options of house-main would change" in shown
    assert "--append-only on off A host that is broken into can delete its backups" in shown
    assert "--max-size off 1,500 GB" in shown
    assert not Operation.objects.exists()


def test_what_was_confirmed_is_asked_of_a_worker(client: Client, server: Server) -> None:
    response = client.post(OPTIONS, form(bind="127.0.0.1:8124", confirmed="yes"))

    assert response["Location"] == "/servers/house-main/"
    operation = Operation.objects.get()
    assert (operation.kind, operation.wanted) == ("change_server", {"fields": {"port": 8124}})
    assert "is changing over" in text_of(client.get("/servers/house-main/"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "house-main is told just that already."),
        ({"bind": "8000"}, "Write it as ADDRESS:PORT"),
        ({"bind": "nowhere:8000"}, "Enter a valid IPv4 or IPv6 address."),
        ({"bind": "0.0.0.0:8123"}, "can read the passwords of its users"),
        ({"bind": "127.0.0.1:9999"}, "Another server has this address and port."),
        ({"max_size": "-1"}, "Write it as 500 GiB"),
        ({"max_size": "0"}, "It is at least 1 byte"),
        ({"max_size": "7 parrots"}, "Write it as 500 GiB"),
        ({"memory_limit": "1 KiB"}, "It is at least 16 MiB"),
        ({"restart_policy": "sometimes"}, "Select a valid choice"),
    ],
)
def test_bad_input_is_answered_in_place(
    htmx: Ask, server: Server, fields: dict[str, str], sentence: str
) -> None:
    make_server(port=9999)

    response = htmx(OPTIONS, "form", method="post", data=form(**fields))

    assert response.status_code == 422
    assert response.template_name == "servers/change.html#form"
    assert sentence in text_of(response)
    assert not Operation.objects.exists()


def test_who_means_it_may_be_reached_without_tls(client: Client, server: Server) -> None:
    client.post(OPTIONS, form(bind="0.0.0.0:8123", is_plain_wanted="on", confirmed="yes"))

    assert Operation.objects.get().wanted == {"fields": {"address": "0.0.0.0"}}


def test_an_upgrade_waits_for_uploads_or_leaves_all_as_it_is(
    client: Client, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "alice" / "data" / "0a").mkdir(parents=True)
    (tmp_path / "alice" / "data" / "0a" / "x.rest-server-temp1").write_text("part")

    assert "1 upload is under way" in text_of(client.get(UPGRADE))
    refused = client.post(UPGRADE, {"image": "rest-server:2", "uploads": ""})
    asked = client.post(UPGRADE, {"image": "rest-server:2", "uploads": "wait"})

    assert (refused.status_code, asked.status_code) == (422, 302)
    assert "An upload is under way." in text_of(refused)
    wanted = {"fields": {"image": "rest-server:2"}, "wait": 600.0}
    assert Operation.objects.get().wanted == wanted


def test_an_image_that_is_no_name_is_refused(client: Client, server: Server) -> None:
    response = client.post(UPGRADE, {"image": "no image", "uploads": "force"})

    assert response.status_code == 422
    assert "Write it as NAME:TAG" in text_of(response)


def test_what_was_taken_back_is_told_on_the_page(client: Client, server: Server) -> None:
    from django.utils import timezone

    from tests.factories import make_operation

    problem = "The container ends right after its start. house-main is as it was before."
    kind = Operation.Kind.UPGRADE_SERVER
    make_operation(server, kind=kind, state="failed", problem=problem, finished=timezone.now())

    assert problem in text_of(client.get("/servers/house-main/"))


def test_pages_are_for_operators(stranger: Client, server: Server) -> None:
    assert {stranger.get(path).status_code for path in (OPTIONS, UPGRADE)} == {302}
    assert {stranger.post(path).status_code for path in (OPTIONS, UPGRADE)} == {302}
