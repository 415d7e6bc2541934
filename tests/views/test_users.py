"""The pages of users: what one reads of the file, and changes that a real rest-server confirms."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import docker
import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from backups.actions.users_reconcile import adopt_users
from backups.engines.restserver import is_let_in
from backups.models import Event, Server, User
from tests.factories import make_repository, make_server, make_user
from tests.rig.containers import PREFIX, removed_at_the_end
from tests.rig.servers import make_data_directory, owner_of, start_container
from tests.views.reading import text_of

BCRYPT = "$2y$10$" + "a" * 53
SHA1 = "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE="
ASK = Callable[..., HttpResponse]


@pytest.fixture
def house(db: None, tmp_path: Path) -> Server:
    """A server that is stopped: its file is changed, and nothing can be proven."""
    return make_server(name="house-main", status="stopped", data_directory=str(tmp_path))


@pytest.fixture(scope="module")
def container(
    docker_client: docker.DockerClient,
    server_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Any]]:
    """One rest-server that really runs, and what its row has to say of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    directory = make_data_directory(tmp_path_factory.mktemp("users"))
    fields = {
        "name": f"{PREFIX}{port}",
        "image": server_image,
        "port": port,
        "data_directory": str(directory),
        **owner_of(directory),
    }
    with removed_at_the_end(docker_client) as note:
        note(fields["name"])
        start_container(Server(**fields))
        yield fields


@pytest.fixture
def server(db: None, container: dict[str, Any]) -> Server:
    return make_server(**container)


def file_of(server: Server) -> Path:
    return Path(server.data_directory) / ".htpasswd"


def lets_in(server: Server, password: str) -> bool:
    return is_let_in(server.probe_url, "alice", password)


def test_a_user_lives_through_the_pages_as_the_server_sees_it(
    client: Client, server: Server
) -> None:
    added = client.post("/users/new/", {"server": server.name, "name": "alice", "note": "laptop"})
    first = added.context["password"]
    assert lets_in(server, first)

    page = f"/users/{server.name}/alice/"
    second = client.post(f"{page}rotation/").context["password"]
    assert (lets_in(server, first), lets_in(server, second)) == (False, True)

    client.post(f"{page}disabling/")
    assert not lets_in(server, second)

    client.post(f"{page}enabling/")
    assert lets_in(server, second)

    gone = client.post(f"{page}delete/", follow=True)
    assert not lets_in(server, second)
    assert "alice is deleted. Its repositories stay on the disk." in text_of(gone)
    verbs = [event.verb for event in Event.objects.order_by("pk")]
    assert verbs == ["added", "rotated", "disabled", "enabled", "deleted"]


def test_create_shows_the_password_once_with_the_lines_that_work(
    client: Client, house: Server
) -> None:
    response = client.post("/users/new/", {"server": "house-main", "name": "jörg"})

    password = response.context["password"]
    shown = text_of(response)
    assert response["Cache-Control"] == "no-store"
    assert f"export RESTIC_REST_USERNAME='jörg' RESTIC_REST_PASSWORD={password}" in shown
    assert f"restic -r rest:http://127.0.0.1:{house.port}/j%C3%B6rg/ init" in shown
    assert f"rest:http://j%C3%B6rg:{password}@127.0.0.1:{house.port}/j%C3%B6rg/" in shown
    assert "--cacert" not in shown
    assert "will apply when the server starts" in shown
    assert password not in text_of(client.get("/users/house-main/jörg/"))
    assert password not in str(list(Event.objects.values())) + str(list(User.objects.values()))


def test_create_names_the_certificate_where_there_is_tls(client: Client, house: Server) -> None:
    Server.objects.update(has_tls=True)

    response = client.post("/users/new/", {"server": "house-main", "name": "alice"})

    assert "--cacert /etc/restic/house-main.pem init" in text_of(response)


def test_create_answers_htmx_in_the_place_of_the_page(htmx: ASK, house: Server) -> None:
    data = {"server": "house-main", "name": "alice"}

    response = htmx("/users/new/", "form", method="post", data=data)

    assert response.template_name == "users/secret.html"
    assert (response["HX-Retarget"], response["HX-Reselect"]) == ("#main", "#main")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "ali ce"}, "is no name for a user"),
        ({"name": "data"}, "is a part of every repository"),
        ({"name": "alice", "password": "qwertz"}, "The password is too short"),
        ({"name": "alice", "password": "ä" * 40}, "The password is too long"),
        ({"name": "taken"}, "There is a user of this name already"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_create_refuses_in_place_and_changes_nothing(
    htmx: ASK, house: Server, fields: dict[str, str], sentence: str
) -> None:
    make_user(house, name="taken")
    file_of(house).write_text(f"taken:{BCRYPT}\n")

    response = htmx("/users/new/", "form", method="post", data={"server": "house-main"} | fields)

    assert (response.status_code, response.template_name) == (422, "users/create.html#form")
    assert sentence in text_of(response)
    assert fields.get("password", "no password") not in text_of(response)
    assert file_of(house).read_text() == f"taken:{BCRYPT}\n"
    assert User.objects.count() == 1


def test_create_leaves_a_damaged_file_alone(client: Client, house: Server) -> None:
    file_of(house).write_text(f"alice:{BCRYPT}\nbo\n")

    response = client.post("/users/new/", {"server": "house-main", "name": "carl"})

    assert response.status_code == 422
    assert "Line 2: it has no colon" in text_of(response)
    assert file_of(house).read_text() == f"alice:{BCRYPT}\nbo\n"


def test_create_leads_to_a_server_where_there_is_none(client: Client) -> None:
    assert client.get("/users/new/")["Location"] == "/servers/new/"


def test_index_says_how_everybody_stands(client: Client, house: Server) -> None:
    now = timezone.now()
    Server.objects.update(scanned=now)
    long_ago = now - timedelta(days=141)
    make_user(house, name="fine", last_seen=now)
    make_repository(house, path="fine/pg", user_name="fine")
    make_user(house, name="gone")
    make_user(house, name="idle", last_seen=long_ago)
    make_user(house, name="never")
    User.objects.filter(name="never").update(created=long_ago)
    make_user(house, name="new")
    make_user(house, name="off", disabled=now, disabled_hash=BCRYPT)
    make_user(house, name="weak", last_seen=now)
    names = ["fine", "idle", "never", "new"]
    lines = [*(f"{name}:{BCRYPT}" for name in names), f"weak:{SHA1}", "bad:$apr1$x$y"]
    file_of(house).write_text("\n".join(lines) + "\n")
    adopt_users(house)
    file_of(house).write_text("\n".join([*lines, f"by-hand:{BCRYPT}"]) + "\n")

    response = client.get("/users/")

    assert [(one.user.name, one.code, one.state) for one in response.context["page"]] == [
        ("by-hand", "differs", "failed"),
        ("gone", "missing", "failed"),
        ("bad", "unusable", "failed"),
        ("weak", "weak", "warning"),
        ("idle", "unused", "warning"),
        ("never", "never", "warning"),
        ("new", "new", "running"),
        ("fine", "fine", "ok"),
        ("off", "disabled", "off"),
    ]
    assert "1 change by hand waits for your word" in text_of(response)


@pytest.mark.parametrize(
    ("names", "headline"),
    [
        ([], "Nobody can back up yet"),
        (["alice"], "alice was never used"),
        (["alice", "bob"], "All 2 users were never used"),
    ],
)
def test_index_answers_in_its_headline(
    client: Client, house: Server, names: list[str], headline: str
) -> None:
    for name in names:
        make_user(house, name=name)
    User.objects.update(created=timezone.now() - timedelta(days=2))
    Server.objects.update(scanned=timezone.now())
    file_of(house).write_text("".join(f"{name}:{BCRYPT}\n" for name in names))

    assert headline in text_of(client.get("/users/"))


def test_index_shows_the_line_that_rest_server_refuses(client: Client, house: Server) -> None:
    file_of(house).write_text(f"alice:{BCRYPT}\nbo\n")

    shown = text_of(client.get("/users/"))

    assert "The users file is damaged" in shown
    assert "Line 2: it has no colon, so rest-server refuses the whole file." in shown


def test_index_stays_calm_where_the_file_cannot_be_read(
    client: Client, house: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    Server.objects.update(data_directory="/nonexistent/data")
    make_user(house, name="alice")

    response = client.get("/users/")

    assert "There is no container engine at unix:///nonexistent/docker.sock" in text_of(response)
    assert [one.code for one in response.context["page"]] == ["unread"]


def test_index_filters_and_sorts_by_its_address(client: Client, house: Server) -> None:
    for name, note in (("alice", "laptop"), ("bob", "Postgres"), ("carl", "")):
        make_user(house, name=name, note=note)
    make_repository(house, path="carl/postgres-old", user_name="carl", bytes=5)
    file_of(house).write_text(f"alice:{SHA1}\nbob:{BCRYPT}\ncarl:{BCRYPT}\n")

    def names(query: str) -> list[str]:
        return [one.user.name for one in client.get(f"/users/?{query}").context["page"]]

    assert names("q=postgres") == ["bob", "carl"]
    assert names("state=look") == ["alice"]
    assert names("sort=-name") == ["carl", "bob", "alice"]
    assert names("sort=-size") == ["carl", "alice", "bob"]
    assert names("q=zzz") == []
    assert names("state=nonsense&sort=nonsense&page=nonsense") == ["alice", "bob", "carl"]


def test_index_answers_htmx_with_the_ledger_alone(htmx: ASK, house: Server) -> None:
    assert htmx("/users/", "users").template_name == "users/index.html#users"


def test_index_asks_as_much_for_one_user_as_for_three(
    house: Server, queries_of: Callable[[str], int]
) -> None:
    make_repository(house, user_name=make_user(house).name)
    one = queries_of("/users/")

    for _ in range(2):
        make_repository(house, user_name=make_user(house).name)

    assert queries_of("/users/") == one


def test_hostile_words_stay_words(client: Client, house: Server) -> None:
    user = make_user(house, name="alice", note="<script>alert(1)</script>")
    make_repository(house, path="alice/<b>x</b>", user_name="alice")
    file_of(house).write_text(f"alice:{BCRYPT}\n")

    for path in ("/users/", user.get_absolute_url(), f"{user.get_absolute_url()}delete/"):
        content = client.get(path).content.decode()
        assert "<script>alert" not in content
        assert "<b>x</b>" not in content


def test_disable_from_the_ledger_answers_with_the_ledger(
    client: Client, htmx: ASK, house: Server
) -> None:
    make_user(house, name="alice")
    file_of(house).write_text(f"alice:{BCRYPT}\n")
    headers = {"HX-Request": "true", "HX-Target": "users", "Referer": "http://testserver/users/"}

    response = client.post("/users/house-main/alice/disabling/", headers=headers)

    assert response["Location"] == "/users/"
    assert file_of(house).read_text() == ""


def test_what_the_engine_refuses_is_said_on_the_page_it_was_asked_from(
    client: Client, house: Server
) -> None:
    user = make_user(house, name="alice", disabled=timezone.now(), disabled_hash=BCRYPT)
    page = f"http://testserver{user.get_absolute_url()}"

    response = client.post(
        f"{user.get_absolute_url()}disabling/", headers={"Referer": page}, follow=True
    )

    assert response.redirect_chain == [(user.get_absolute_url(), 302)]
    assert "alice is disabled already." in text_of(response)


def test_rotate_and_delete_ask_first(client: Client, house: Server) -> None:
    user = make_user(house, name="alice")
    file_of(house).write_text(f"alice:{BCRYPT}\n")

    for verb in ("rotation", "delete"):
        response = client.get(f"{user.get_absolute_url()}{verb}/")
        assert "Leave it as it is" in text_of(response)
    assert file_of(house).read_text() == f"alice:{BCRYPT}\n"


def test_rotate_refuses_a_disabled_user(client: Client, house: Server) -> None:
    user = make_user(house, name="alice", disabled=timezone.now(), disabled_hash=BCRYPT)

    response = client.post(f"{user.get_absolute_url()}rotation/")

    assert response.status_code == 302
    assert not file_of(house).exists()
    user.refresh_from_db()
    assert user.disabled_hash == BCRYPT


@pytest.mark.parametrize("verb", ["", "new/", "house-main/alice/", "house-main/alice/rotation/"])
def test_a_stranger_is_led_to_the_door_and_back(stranger: Client, house: Server, verb: str) -> None:
    make_user(house, name="alice")
    path = f"/users/{verb}"

    assert stranger.get(path)["Location"] == f"/account/login/?next={path}"
    answer = stranger.get(path, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == f"/account/login/?next={path}"


@pytest.mark.parametrize("verb", ["rotation", "disabling", "enabling", "delete"])
def test_a_stranger_changes_nothing(stranger: Client, house: Server, verb: str) -> None:
    make_user(house, name="alice")
    file_of(house).write_text(f"alice:{BCRYPT}\n")

    response = stranger.post(f"/users/house-main/alice/{verb}/")

    assert response["Location"].startswith("/account/login/")
    assert file_of(house).read_text() == f"alice:{BCRYPT}\n"


@pytest.mark.parametrize(
    ("method", "verb"),
    [
        ("post", ""),
        ("put", "new/"),
        ("post", "house-main/alice/"),
        ("get", "house-main/alice/disabling/"),
        ("get", "house-main/alice/enabling/"),
        ("delete", "house-main/alice/delete/"),
    ],
)
def test_other_methods_are_refused(client: Client, house: Server, method: str, verb: str) -> None:
    make_user(house, name="alice")

    assert getattr(client, method)(f"/users/{verb}").status_code == 405
