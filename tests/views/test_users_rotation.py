"""Rotation without a gap, on a rest-server that runs: which password works at which moment."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from backups.actions.users_rotation import drive_rotations
from backups.engines.restserver import is_let_in
from backups.models import Event, Rotation, Server, User
from tests.factories import make_user
from tests.views.reading import text_of
from tests.views.users import BCRYPT, file_of, write

ASK = Callable[..., HttpResponse]


def who_is_let_in(server: Server, *passwords: str) -> list[bool]:
    return [is_let_in(server.probe_url, "alice", password) for password in passwords]


@pytest.fixture
def page(stopped: Server) -> str:
    write(stopped, alice=BCRYPT)
    make_user(stopped, name="alice")
    return "/users/house-main/alice/rotation/"


def test_the_new_password_waits_for_its_machine_and_can_go_back(
    client: Client, server: Server
) -> None:
    new = {"server": server.name, "name": "alice"}
    first = client.post("/users/new/", new).context["password"]
    page = f"/users/{server.name}/alice/rotation/"

    staged = client.post(f"{page}staged/")
    second = staged.context["password"]
    assert staged["Cache-Control"] == "no-store"
    assert who_is_let_in(server, first, second) == [True, False]

    steps = client.post(f"{page}swapped/", follow=True)
    assert "It waits for its first success" in text_of(steps)
    assert second not in text_of(steps)
    assert who_is_let_in(server, first, second) == [False, True]

    client.post(f"{page}returned/")
    assert who_is_let_in(server, first, second) == [True, False]
    client.post(f"/users/{server.name}/alice/delete/")


def test_the_first_success_ends_it(client: Client, htmx: ASK, page: str) -> None:
    client.post(f"{page}staged/")
    client.post(f"{page}swapped/")
    User.objects.update(last_seen=timezone.now() + timedelta(seconds=10))

    drive_rotations.func()

    polled = htmx(f"{page}steps/", "rotation")
    assert polled.template_name == "users/rotation.html#rotation"
    assert "The new password is in use" in text_of(polled)
    assert "every 3s" not in polled.content.decode()


def test_without_a_success_the_former_one_comes_back(
    client: Client, page: str, stopped: Server
) -> None:
    client.post(f"{page}staged/")
    client.post(f"{page}swapped/")
    assert BCRYPT not in file_of(stopped).read_text()
    Rotation.objects.update(ends_by=timezone.now())

    drive_rotations.func()

    assert "No success was seen in time" in text_of(client.get(f"{page}steps/"))
    assert file_of(stopped).read_text() == f"alice:{BCRYPT}\n"


def test_the_page_follows_by_itself_while_it_is_open(client: Client, page: str) -> None:
    client.post(f"{page}staged/")

    for path in (f"{page}steps/", "/users/house-main/alice/"):
        assert 'hx-trigger="every 3s"' in client.get(path).content.decode()
    assert client.get(page)["Location"] == f"{page}steps/"


def test_what_is_dropped_before_the_swap_changed_nothing(
    client: Client, page: str, stopped: Server
) -> None:
    client.post(f"{page}staged/")

    client.post(f"{page}returned/")

    assert file_of(stopped).read_text() == f"alice:{BCRYPT}\n"
    assert "Taken back by ines." in text_of(client.get(f"{page}steps/"))


@pytest.mark.parametrize("verb", ["swapped", "returned"])
def test_without_a_rotation_nothing_changes(
    client: Client, page: str, stopped: Server, verb: str
) -> None:
    response = client.post(f"{page}{verb}/", follow=True)

    assert "No rotation of alice waits for this." in text_of(response)
    assert file_of(stopped).read_text() == f"alice:{BCRYPT}\n"
    assert client.get(f"{page}steps/").status_code == 404


def test_a_second_rotation_waits_for_the_first(client: Client, page: str) -> None:
    client.post(f"{page}staged/")

    assert "A rotation of alice is under way" in text_of(client.post(f"{page}staged/", follow=True))
    assert Rotation.objects.count() == 1


def test_a_password_is_kept_nowhere(client: Client, page: str) -> None:
    password = client.post(f"{page}staged/").context["password"]

    kept = [list(model.objects.values()) for model in (Event, User, Rotation)]

    assert password not in str(kept)


@pytest.mark.parametrize("verb", ["staged", "swapped", "returned"])
def test_only_somebody_signed_in_rotates_and_only_by_a_post(
    client: Client, stranger: Client, page: str, verb: str
) -> None:
    assert client.get(f"{page}{verb}/").status_code == 405
    assert stranger.post(f"{page}{verb}/")["Location"].startswith("/account/login/")
    assert stranger.get(f"{page}steps/")["Location"].startswith("/account/login/")
    assert not Rotation.objects.exists()
