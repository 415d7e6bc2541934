"""The pages of servers: asked for, driven, and shown as they are, with or without an engine."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import docker
import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from backups.actions.operations import work_on
from backups.actions.watching import check_engine
from backups.models import Event, Operation, Server
from tests.factories import make_event, make_operation, make_repository, make_server, make_user
from tests.rig.containers import PREFIX, removed_at_the_end
from tests.views.reading import text_of

ASK = Callable[..., HttpResponse]
FORM = {
    "name": "house-main",
    "bind": "127.0.0.1:8123",
    "data_directory": "/srv/restic/house-main",
    "is_append_only": "on",
    "has_private_repositories": "on",
    "image": "rest-server:test",
    "restart_policy": "unless-stopped",
    "uid": "1000",
    "gid": "1000",
}


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    return "There is no container engine at unix:///nonexistent/docker.sock"


def filled_buttons(response: HttpResponse) -> int:
    """In the page itself; the dialog that asks has one of its own."""
    return response.content.decode().partition("<dialog")[0].count("primary")


def failed(server: Server, **fields: Any) -> Operation:
    return make_operation(server, state=Operation.State.FAILED, **fields)


def running(server: Server, **fields: Any) -> Operation:
    soon = timezone.now() + timedelta(seconds=15)
    values = {"finished": None, "lease_until": soon, "started": timezone.now()}
    return make_operation(server, state=Operation.State.RUNNING, **values | fields)


def test_a_server_lives_through_the_pages(
    client: Client,
    docker_client: docker.DockerClient,
    server_image: str,
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    port = free_port()
    name = f"{PREFIX}{port}"
    fields = {
        "name": name,
        "bind": f"127.0.0.1:{port}",
        "data_directory": str(tmp_path / "data"),
        "image": server_image,
    }

    def work() -> str:
        """What the worker does, and what the page says after it."""
        work_on(Operation.objects.latest("pk").pk)
        return text_of(client.get(f"/servers/{name}/"))

    with removed_at_the_end(docker_client) as note:
        note(name)
        asked = client.post("/servers/new/", FORM | fields, follow=True)
        assert f"{name} is being made" in text_of(asked)
        assert f"{name} is live, proven" in work()

        client.post(f"/servers/{name}/stop/")
        assert f"{name} is stopped" in work()

        client.post(f"/servers/{name}/start/")
        assert f"{name} is live, proven" in work()

        client.post(f"/servers/{name}/remove/")
        assert "Made again over it, the server serves the same users as before." in work()
        assert (tmp_path / "data" / ".htpasswd").exists()

        client.post(f"/servers/{name}/forget/")
        assert not Server.objects.exists()


def test_create_hands_the_work_to_a_worker(client: Client) -> None:
    response = client.post("/servers/new/", FORM)

    server = Server.objects.get()
    assert response["Location"] == "/servers/house-main/"
    assert (server.address, server.port, server.status) == ("127.0.0.1", 8123, "new")
    assert server.operations.get().state == Operation.State.QUEUED


def test_create_fills_in_what_is_free(client: Client) -> None:
    make_server(name="house-main", port=8000)

    initial = client.get("/servers/new/").context["form"].initial

    assert (initial["name"], initial["bind"]) == ("house-2", "127.0.0.1:8001")
    assert initial["data_directory"] == "/srv/restic/house-2"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "a b"}, "Use letters, digits"),
        ({"name": "taken"}, "There is a server of this name already."),
        ({"bind": "8000"}, "Write it as ADDRESS:PORT"),
        ({"bind": "127.0.0.1:70000"}, "less than or equal to 65535"),
        ({"bind": "house:8000"}, "Enter a valid IPv4 or IPv6 address."),
        ({"bind": "127.0.0.1:8001"}, "Another server has this address and port."),
        ({"bind": "0.0.0.0:8123"}, "Without TLS everybody between a host and this server"),
        ({"data_directory": "srv/data"}, "Give an absolute path"),
        ({"data_directory": "/srv/../etc/.."}, "Give an absolute path"),
        ({"image": ""}, "This field is required."),
    ],
)
def test_create_refuses_in_place(htmx: ASK, fields: dict[str, str], sentence: str) -> None:
    make_server(name="taken", port=8001)

    response = htmx("/servers/new/", "form", method="post", data=FORM | fields)

    assert (response.status_code, response.template_name) == (422, "servers/create.html#form")
    assert sentence in text_of(response)
    assert (Server.objects.count(), Operation.objects.count()) == (1, 0)


def test_create_goes_to_the_network_without_tls_when_that_is_meant(client: Client) -> None:
    client.post("/servers/new/", FORM | {"bind": "0.0.0.0:8123", "is_plain_wanted": "on"})

    assert Server.objects.get().address == "0.0.0.0"


def test_index_says_how_many_are_live(client: Client) -> None:
    make_server(name="house-main")
    make_server(name="house-cold", status="failed", reason="Nothing listens.", live_since=None)

    shown = text_of(client.get("/servers/"))

    assert "1 of 2 servers is live" in shown
    assert "Nothing listens." in shown


def test_index_leads_to_the_first_server(client: Client) -> None:
    response = client.get("/servers/")

    assert "No server receives backups yet" in text_of(response)
    assert 'href="/servers/new/"' in response.content.decode()


def test_every_page_works_without_an_engine(client: Client, no_engine: str) -> None:
    check_engine("")
    assert no_engine in text_of(client.get("/servers/"))
    assert no_engine in text_of(client.get("/servers/new/"))
    assert no_engine in text_of(client.get("/settings/"))
    server = make_server(name="house-main", status="unknown", reason=no_engine)
    assert "house-main cannot be seen now" in text_of(client.get(server.get_absolute_url()))


def test_index_asks_as_much_for_one_server_as_for_three(queries_of: Callable[[str], int]) -> None:
    make_repository(make_user().server)
    one = queries_of("/servers/")

    for _ in range(2):
        make_repository(make_user().server)

    assert queries_of("/servers/") == one


def test_index_counts_users_and_repositories_once(client: Client) -> None:
    server = make_server()
    for _ in range(3):
        make_user(server)
        make_repository(server, bytes=7)
    make_repository(server, bytes=100, is_gone=True)

    [(row, _)] = client.get("/servers/").context["rows"]

    assert (row.user_count, row.repository_count, row.bytes) == (3, 3, 21)


@pytest.mark.parametrize(
    ("fields", "headline", "button"),
    [
        ({"status": "live"}, "is live, proven", "Add user"),
        ({"status": "stopped"}, "is stopped", "Start"),
        ({"status": "failed", "reason": "Nothing listens."}, "does not answer", "Restart"),
        (
            {"status": "gone", "reason": "It was removed."},
            "has lost its container",
            "Make it again",
        ),
        ({"status": "removed"}, "has no container", "Make it again"),
    ],
)
def test_show_has_one_thing_to_do(
    client: Client, fields: dict[str, str], headline: str, button: str
) -> None:
    server = make_server(name="house-main", **fields)

    response = client.get(server.get_absolute_url())

    shown = text_of(response)
    assert f"house-main {headline}" in shown
    assert fields.get("reason", "") in shown
    assert filled_buttons(response) == 1
    assert button in shown


def test_show_offers_to_build_the_image_where_it_cannot_be_had(client: Client) -> None:
    server = make_server(name="house-main", status="unmade", reason="It could not be pulled.")
    failed(server, problem="It could not be pulled.", problem_code="image-missing")

    response = client.get("/servers/house-main/")

    shown = text_of(response)
    assert "house-main could not be made It could not be pulled." in shown
    assert "That takes about 2 minutes" in shown
    assert filled_buttons(response) == 1
    assert [word for word in ("Build the image here", "Try again", "Forget") if word in shown] == [
        "Build the image here",
        "Try again",
        "Forget",
    ]


def test_image_builds_and_goes_on(client: Client) -> None:
    make_server(name="house-main", status="unmade")

    response = client.post("/servers/house-main/image/")

    assert response["Location"] == "/servers/house-main/"
    assert Operation.objects.get().kind == Operation.Kind.BUILD_IMAGE


def test_show_follows_the_work_and_ends_by_itself(htmx: ASK) -> None:
    server = make_server(name="house-main", status="new")
    operation = running(server, step="Pulling the image", percent=30, log="one\n")

    during = htmx("/servers/house-main/", "server")
    Operation.objects.filter(pk=operation.pk).update(state="succeeded", finished=timezone.now())
    Server.objects.update(status="live")
    after = htmx("/servers/house-main/", "server")

    assert during.template_name == "servers/show.html#server"
    assert "house-main is being made" in text_of(during)
    assert "Pulling the image 30 %" in text_of(during)
    assert 'hx-trigger="every 1s"' in during.content.decode()
    assert "house-main is live" in text_of(after)
    assert 'hx-trigger="every 5s"' in after.content.decode()


def test_a_making_that_ended_without_a_word_can_be_tried_again(client: Client) -> None:
    server = make_server(name="house-main", status="new")
    failed(server, problem="The worker was stopped 3 times.")

    assert "could not be made The worker was stopped 3 times." in text_of(
        client.get("/servers/house-main/")
    )
    client.post("/servers/house-main/retry/")
    assert server.operations.open().count() == 1


def test_show_prints_the_same_container_as_a_line(client: Client) -> None:
    server = make_server(name="house-main", image="rest-server:test")

    shown = text_of(client.get(server.get_absolute_url()))

    assert f"docker run --detach --name house-main --publish 127.0.0.1:{server.port}:8000" in shown


def test_show_warns_of_a_line_that_others_can_read(client: Client) -> None:
    server = make_server(address="0.0.0.0", is_append_only=False)

    shown = text_of(client.get(server.get_absolute_url()))

    assert "Passwords of users cross the network readable" in shown
    assert "A host that is broken into can delete its backups" in shown


def test_show_escapes_what_others_wrote(client: Client) -> None:
    server = make_server(status="failed", reason="<script>alert(1)</script>")
    make_event(noun="server", name=server.name, sentence="<b>x</b>")

    content = client.get(server.get_absolute_url()).content.decode()

    assert "<script>alert" not in content
    assert "<b>x</b>" not in content


@pytest.mark.parametrize("verb", ["stop", "restart", "remove", "forget"])
def test_what_interrupts_backups_is_asked_first(client: Client, verb: str) -> None:
    make_server(name="house-main")

    response = client.get(f"/servers/house-main/{verb}/")

    assert f"{verb.capitalize()} house-main?" in text_of(response)
    assert not Operation.objects.exists()


def test_drive_refuses_a_second_work_at_once(client: Client) -> None:
    server = make_server(name="house-main")
    running(server)

    response = client.post("/servers/house-main/restart/", follow=True)

    assert "Another operation on house-main is not finished yet." in text_of(response)
    assert Operation.objects.count() == 1


def test_drive_knows_no_other_verb(client: Client) -> None:
    make_server(name="house-main")

    assert client.post("/servers/house-main/destroy/").status_code == 404
    assert client.get("/servers/nobody/").status_code == 404


def test_forget_refuses_a_server_that_runs(client: Client) -> None:
    make_server(name="house-main")

    response = client.post("/servers/house-main/forget/", follow=True)

    assert "house-main has a container. Remove that first." in text_of(response)
    assert Server.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("path", ["", "new/", "house-main/", "house-main/stop/"])
def test_a_stranger_is_led_to_the_door(stranger: Client, path: str) -> None:
    make_server(name="house-main")
    path = f"/servers/{path}"

    assert stranger.get(path)["Location"] == f"/account/login/?next={path}"
    assert "HX-Redirect" in stranger.get(path, headers={"HX-Request": "true"})


@pytest.mark.parametrize("verb", ["retry", "image", "forget", "stop", "remove"])
def test_a_stranger_changes_nothing(stranger: Client, verb: str) -> None:
    make_server(name="house-main", status="unmade")

    assert stranger.post(f"/servers/house-main/{verb}/")["Location"].startswith("/account/login/")
    assert (Server.objects.count(), Operation.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", ""),
        ("delete", "new/"),
        ("post", "house-main/"),
        ("get", "house-main/retry/"),
        ("get", "house-main/image/"),
        ("put", "house-main/stop/"),
    ],
)
def test_other_methods_are_refused(client: Client, method: str, path: str) -> None:
    make_server(name="house-main")

    assert getattr(client, method)(f"/servers/{path}").status_code == 405


def test_create_with_tls_may_be_reached_by_everybody(client: Client) -> None:
    client.post("/servers/new/", FORM | {"bind": "0.0.0.0:8123", "has_tls": "on"})

    server = Server.objects.get()
    assert (server.has_tls, server.url.partition(":")[0]) == (True, "https")
