"""The pages of users: what one reads of the file, and changes that a real rest-server confirms."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from backups.actions.users_reconcile import adopt_users
from backups.engines.restserver import is_let_in
from backups.models import Event, Server, User
from tests.factories import make_repository, make_server, make_user
from tests.views.reading import text_of
from tests.views.users import BCRYPT, SHA1, file_of

ASK = Callable[..., HttpResponse]


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
    client: Client, stopped: Server
) -> None:
    response = client.post("/users/new/", {"server": "house-main", "name": "jörg"})

    password = response.context["password"]
    shown = text_of(response)
    assert response["Cache-Control"] == "no-store"
    assert f"export RESTIC_REST_USERNAME='jörg' RESTIC_REST_PASSWORD={password}" in shown
    assert f"restic -r rest:http://127.0.0.1:{stopped.port}/j%C3%B6rg/ init" in shown
    assert f"rest:http://j%C3%B6rg:{password}@127.0.0.1:{stopped.port}/j%C3%B6rg/" in shown
    assert "--cacert" not in shown
    assert "will apply when the server starts" in shown
    assert password not in text_of(client.get("/users/house-main/jörg/"))
    assert password not in str(list(Event.objects.values())) + str(list(User.objects.values()))


def test_create_names_the_certificate_where_there_is_tls(client: Client, stopped: Server) -> None:
    Server.objects.update(has_tls=True)

    response = client.post("/users/new/", {"server": "house-main", "name": "alice"})

    assert "--cacert /etc/restic/house-main.pem init" in text_of(response)


def test_create_answers_htmx_in_the_place_of_the_page(htmx: ASK, stopped: Server) -> None:
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
    htmx: ASK, stopped: Server, fields: dict[str, str], sentence: str
) -> None:
    make_user(stopped, name="taken")
    file_of(stopped).write_text(f"taken:{BCRYPT}\n")

    response = htmx("/users/new/", "form", method="post", data={"server": "house-main"} | fields)

    assert (response.status_code, response.template_name) == (422, "users/create.html#form")
    assert sentence in text_of(response)
    assert fields.get("password", "no password") not in text_of(response)
    assert file_of(stopped).read_text() == f"taken:{BCRYPT}\n"
    assert User.objects.count() == 1


def test_create_leaves_a_damaged_file_alone(client: Client, stopped: Server) -> None:
    file_of(stopped).write_text(f"alice:{BCRYPT}\nbo\n")

    response = client.post("/users/new/", {"server": "house-main", "name": "carl"})

    assert response.status_code == 422
    assert "Line 2: it has no colon" in text_of(response)
    assert file_of(stopped).read_text() == f"alice:{BCRYPT}\nbo\n"


def test_create_leads_to_a_server_where_there_is_none(client: Client) -> None:
    assert client.get("/users/new/")["Location"] == "/servers/new/"


def test_index_says_how_everybody_stands(client: Client, stopped: Server) -> None:
    now = timezone.now()
    Server.objects.update(scanned=now)
    long_ago = now - timedelta(days=141)
    make_user(stopped, name="fine", last_seen=now)
    make_repository(stopped, path="fine/pg", user_name="fine")
    make_user(stopped, name="gone")
    make_user(stopped, name="idle", last_seen=long_ago)
    make_user(stopped, name="never")
    User.objects.filter(name="never").update(created=long_ago)
    make_user(stopped, name="new")
    make_user(stopped, name="off", disabled=now, disabled_hash=BCRYPT)
    make_user(stopped, name="weak", last_seen=now)
    names = ["fine", "idle", "never", "new"]
    lines = [*(f"{name}:{BCRYPT}" for name in names), f"weak:{SHA1}", "bad:$apr1$x$y"]
    file_of(stopped).write_text("\n".join(lines) + "\n")
    adopt_users(stopped)
    file_of(stopped).write_text("\n".join([*lines, f"by-hand:{BCRYPT}"]) + "\n")

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
        (["alice", "bob"], "Both users were never used"),
    ],
)
def test_index_answers_in_its_headline(
    client: Client, stopped: Server, names: list[str], headline: str
) -> None:
    for name in names:
        make_user(stopped, name=name)
    User.objects.update(created=timezone.now() - timedelta(days=2))
    Server.objects.update(scanned=timezone.now())
    file_of(stopped).write_text("".join(f"{name}:{BCRYPT}\n" for name in names))

    assert headline in text_of(client.get("/users/"))


def test_index_shows_the_line_that_rest_server_refuses(client: Client, stopped: Server) -> None:
    file_of(stopped).write_text(f"alice:{BCRYPT}\nbo\n")

    shown = text_of(client.get("/users/"))

    assert "The users file is damaged" in shown
    assert "Line 2: it has no colon, so rest-server refuses the whole file." in shown


def test_index_stays_calm_where_the_file_cannot_be_read(
    client: Client, stopped: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    Server.objects.update(data_directory="/nonexistent/data")
    make_user(stopped, name="alice")

    response = client.get("/users/")

    assert "There is no container engine at unix:///nonexistent/docker.sock" in text_of(response)
    assert [one.code for one in response.context["page"]] == ["unread"]


def test_index_filters_and_sorts_by_its_address(client: Client, stopped: Server) -> None:
    for name, note in (("alice", "laptop"), ("bob", "Postgres"), ("carl", "")):
        make_user(stopped, name=name, note=note)
    make_repository(stopped, path="carl/postgres-old", user_name="carl", bytes=5)
    file_of(stopped).write_text(f"alice:{SHA1}\nbob:{BCRYPT}\ncarl:{BCRYPT}\n")

    def names(query: str) -> list[str]:
        return [one.user.name for one in client.get(f"/users/?{query}").context["page"]]

    assert names("q=postgres") == ["bob", "carl"]
    assert names("state=look") == ["alice"]
    assert names("sort=-name") == ["carl", "bob", "alice"]
    assert names("sort=-size") == ["carl", "alice", "bob"]
    assert names("q=zzz") == []
    assert names("state=nonsense&sort=nonsense&page=nonsense") == ["alice", "bob", "carl"]


def test_index_answers_htmx_with_the_ledger_alone(htmx: ASK, stopped: Server) -> None:
    assert htmx("/users/", "users").template_name == "users/index.html#users"


def test_index_asks_as_much_for_one_user_as_for_three(
    stopped: Server, queries_of: Callable[[str], int]
) -> None:
    make_repository(stopped, user_name=make_user(stopped).name)
    one = queries_of("/users/")

    for _ in range(2):
        make_repository(stopped, user_name=make_user(stopped).name)

    assert queries_of("/users/") == one


def test_hostile_words_stay_words(client: Client, stopped: Server) -> None:
    user = make_user(stopped, name="alice", note="<script>alert(1)</script>")
    make_repository(stopped, path="alice/<b>x</b>", user_name="alice")
    file_of(stopped).write_text(f"alice:{BCRYPT}\n")

    for path in ("/users/", user.get_absolute_url(), f"{user.get_absolute_url()}delete/"):
        content = client.get(path).content.decode()
        assert "<script>alert" not in content
        assert "<b>x</b>" not in content


def test_disable_from_the_ledger_answers_with_the_ledger(
    client: Client, htmx: ASK, stopped: Server
) -> None:
    make_user(stopped, name="alice")
    file_of(stopped).write_text(f"alice:{BCRYPT}\n")
    headers = {"HX-Request": "true", "HX-Target": "users", "Referer": "http://testserver/users/"}

    response = client.post("/users/house-main/alice/disabling/", headers=headers)

    assert response["Location"] == "/users/"
    assert file_of(stopped).read_text() == ""


def test_what_the_engine_refuses_is_said_on_the_page_it_was_asked_from(
    client: Client, stopped: Server
) -> None:
    user = make_user(stopped, name="alice", disabled=timezone.now(), disabled_hash=BCRYPT)
    page = f"http://testserver{user.get_absolute_url()}"

    response = client.post(
        f"{user.get_absolute_url()}disabling/", headers={"Referer": page}, follow=True
    )

    assert response.redirect_chain == [(user.get_absolute_url(), 302)]
    assert "alice is disabled already." in text_of(response)


def test_rotate_and_delete_ask_first(client: Client, stopped: Server) -> None:
    user = make_user(stopped, name="alice")
    file_of(stopped).write_text(f"alice:{BCRYPT}\n")

    for verb in ("rotation", "delete"):
        response = client.get(f"{user.get_absolute_url()}{verb}/")
        assert "Leave it as it is" in text_of(response)
    assert file_of(stopped).read_text() == f"alice:{BCRYPT}\n"


def test_rotate_refuses_a_disabled_user(client: Client, stopped: Server) -> None:
    user = make_user(stopped, name="alice", disabled=timezone.now(), disabled_hash=BCRYPT)

    response = client.post(f"{user.get_absolute_url()}rotation/")

    assert response.status_code == 302
    assert not file_of(stopped).exists()
    user.refresh_from_db()
    assert user.disabled_hash == BCRYPT


@pytest.mark.parametrize("verb", ["", "new/", "house-main/alice/", "house-main/alice/rotation/"])
def test_a_stranger_is_led_to_the_door_and_back(
    stranger: Client, stopped: Server, verb: str
) -> None:
    make_user(stopped, name="alice")
    path = f"/users/{verb}"

    assert stranger.get(path)["Location"] == f"/account/login/?next={path}"
    answer = stranger.get(path, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == f"/account/login/?next={path}"


@pytest.mark.parametrize("verb", ["rotation", "disabling", "enabling", "delete"])
def test_a_stranger_changes_nothing(stranger: Client, stopped: Server, verb: str) -> None:
    make_user(stopped, name="alice")
    file_of(stopped).write_text(f"alice:{BCRYPT}\n")

    response = stranger.post(f"/users/house-main/alice/{verb}/")

    assert response["Location"].startswith("/account/login/")
    assert file_of(stopped).read_text() == f"alice:{BCRYPT}\n"


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
def test_other_methods_are_refused(client: Client, stopped: Server, method: str, verb: str) -> None:
    make_user(stopped, name="alice")

    assert getattr(client, method)(f"/users/{verb}").status_code == 405


def test_edit_keeps_the_note_and_the_end(client: Client, stopped: Server) -> None:
    make_user(stopped, name="alice", note="laptop")
    file_of(stopped).write_text(f"alice:{BCRYPT}\n")
    end = timezone.localtime(timezone.now() + timedelta(days=40)).replace(second=0, microsecond=0)

    fields = {"note": "until it is sold", "expires": f"{end:%Y-%m-%dT%H:%M}"}
    client.post("/users/house-main/alice/edit/", fields)

    user = User.objects.get()
    assert (user.note, user.expires) == ("until it is sold", end)
    assert f"until {end:%-d %b}" in text_of(client.get("/users/"))
    verbs = set(Event.objects.values_list("verb", flat=True))
    client.post("/users/house-main/alice/edit/", {"note": "until it is sold", "expires": ""})
    user.refresh_from_db()
    assert (verbs, user.expires) == ({"noted", "set the expiry of"}, None)
    assert file_of(stopped).read_text() == f"alice:{BCRYPT}\n"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"expires": "2020-01-01T00:00"}, "That is over already."),
        ({"expires": "31st of never"}, "Enter a valid date/time."),
        ({"note": "x" * 201}, "at most 200 characters"),
        ({"note": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_edit_refuses_in_place_and_changes_nothing(
    htmx: ASK, stopped: Server, fields: dict[str, str], sentence: str
) -> None:
    make_user(stopped, name="alice", note="laptop")

    response = htmx("/users/house-main/alice/edit/", "form", method="post", data=fields)

    assert (response.status_code, response.template_name) == (422, "users/edit.html#form")
    assert sentence in text_of(response)
    assert list(User.objects.values_list("note", "expires")) == [("laptop", None)]


def test_the_hygiene_list_leads_to_those_whom_it_names(client: Client, stopped: Server) -> None:
    now = timezone.now()
    Server.objects.update(scanned=now)
    for name in ("fine", "weak"):
        make_user(stopped, name=name, last_seen=now)
        make_repository(stopped, path=name, user_name=name)
    make_user(stopped, name="old", last_seen=now - timedelta(days=100))
    make_user(stopped, name="off", disabled=now, disabled_hash=BCRYPT)
    make_repository(stopped, path="lost/pg", user_name="lost")
    file_of(stopped).write_text(f"fine:{BCRYPT}\nweak:{SHA1}\nold:{BCRYPT}\n")

    def names(state: str) -> list[str]:
        response = client.get(f"/users/?state={state}")
        return [one.user.name for one in response.context["page"]]

    page = client.get("/users/").content.decode()
    for state, name in {"weak-hash": "weak", "unused": "old", "disabled": "off"}.items():
        assert f'state={state}"' in page
        assert names(state) == [name]
    assert "lost/pg" in text_of(client.get("/users/?state=no-user"))


def test_the_lines_are_those_of_the_repository_that_was_asked_for(
    client: Client, stopped: Server
) -> None:
    page = make_user(stopped, name="alice").get_absolute_url()
    for path in ("alice/etc", "alice/pg"):
        make_repository(stopped, path=path, user_name="alice")
    file_of(stopped).write_text(f"alice:{BCRYPT}\n")

    shown = text_of(client.get(f"{page}?repository=alice/pg"))

    assert f"restic -r rest:http://127.0.0.1:{stopped.port}/alice/pg/ backup" in shown
    assert "init" not in shown
    assert "/etc/shadow" not in text_of(client.get(f"{page}?repository=/etc/shadow"))


def test_ten_thousand_users_fit_into_one_page(
    client: Client, stopped: Server, queries_of: Callable[[str], int]
) -> None:
    few = queries_of("/users/")
    names = [f"user-{number:05}" for number in range(10_000)]
    User.objects.bulk_create(User(server=stopped, name=name) for name in names)
    file_of(stopped).write_text("".join(f"{name}:{BCRYPT}\n" for name in names))

    response = client.get("/users/?q=user&sort=-name", headers={"Accept-Encoding": "gzip"})

    assert len(response.content) < 60_000
    assert queries_of("/users/") == few


def test_metrics_is_explained(client: Client, stopped: Server) -> None:
    user = make_user(stopped, name="metrics")
    file_of(stopped).write_text(f"metrics:{BCRYPT}\n")

    assert "shows its counters to this user alone" in text_of(client.get(user.get_absolute_url()))


def test_a_server_without_users_leads_to_the_others(client: Client, stopped: Server) -> None:
    make_server(name="house-offsite")

    shown = client.get("/users/?server=house-main").content.decode()

    assert 'href="?server=house-offsite"' in shown
    assert 'href="/users/import/?server=house-main"' in shown


def test_a_file_that_cannot_be_read_offers_no_first_user(
    client: Client, stopped: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    Server.objects.update(data_directory="/nonexistent/data")

    assert "A user is one machine's way in" not in text_of(client.get("/users/"))
