"""Hand edits of the users file, as the page shows them and as a person settles them."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from backups.actions.users_reconcile import adopt_users
from backups.models import Event, Server, User
from tests.factories import make_user
from tests.views.reading import text_of
from tests.views.users import BCRYPT, OTHER, file_of, write


@pytest.fixture
def edited(stopped: Server) -> Server:
    """Alice was known; then somebody changed her hash, removed bo and added carl."""
    write(stopped, alice=BCRYPT, bo=BCRYPT)
    adopt_users(stopped)
    write(stopped, alice=OTHER, carl=BCRYPT)
    adopt_users(stopped)
    return stopped


@pytest.fixture
def damaged(stopped: Server) -> Server:
    write(stopped, alice=BCRYPT)
    adopt_users(stopped)
    file_of(stopped).write_text(f"# ours\nalice:{BCRYPT}\nsecret-word-without-colon\n")
    return stopped


def settle(client: Client, verb: str, server: Server, name: str, **more: str) -> HttpResponse:
    return client.post(f"/users/{verb}/", {"server": server.name, "name": name} | more, follow=True)


def test_the_page_says_what_was_changed_and_leaves_it(client: Client, edited: Server) -> None:
    before = file_of(edited).read_bytes()

    response = client.get("/users/")

    assert "3 changes by hand wait for your word" in text_of(response)
    assert [(line.name, line.state) for line in response.context["differences"]] == [
        ("alice", "warning"),
        ("bo", "failed"),
        ("carl", "warning"),
    ]
    assert (OTHER in response.content.decode(), file_of(edited).read_bytes()) == (False, before)


def test_adopt_takes_the_file_for_right(client: Client, edited: Server) -> None:
    before = file_of(edited).read_bytes()

    for name in ("alice", "bo", "carl"):
        response = settle(client, "adopted", edited, name)

    assert response.context["differences"] == []
    assert file_of(edited).read_bytes() == before
    assert set(User.objects.values_list("name", flat=True)) == {"alice", "carl"}


def test_undo_puts_back_what_was_known(client: Client, edited: Server) -> None:
    for name in ("alice", "bo", "carl"):
        response = settle(client, "undone", edited, name)

    assert response.context["differences"] == []
    assert set(file_of(edited).read_text().split()) == {f"alice:{BCRYPT}", f"bo:{BCRYPT}"}
    assert Event.objects.filter(verb="undid a change of").count() == 3


def test_all_can_be_undone_at_once(client: Client, edited: Server) -> None:
    settle(client, "undone", edited, "")

    assert set(file_of(edited).read_text().split()) == {f"alice:{BCRYPT}", f"bo:{BCRYPT}"}


def test_a_difference_that_is_settled_already_is_said_and_nothing_changes(
    client: Client, edited: Server
) -> None:
    before = file_of(edited).read_bytes()

    response = settle(client, "undone", edited, "dora")

    assert "There is no difference about dora any more." in text_of(response)
    assert file_of(edited).read_bytes() == before


def test_a_damaged_file_shows_its_mending_before_it_is_written(
    client: Client, damaged: Server
) -> None:
    before = file_of(damaged).read_bytes()
    response = client.get("/users/")
    digest = response.context["mending"].digest
    assert "<del>- 3 secret-w…</del>" in " ".join(response.content.decode().split())
    assert "secret-word" not in response.content.decode()
    assert file_of(damaged).read_bytes() == before

    mended = settle(client, "mended", damaged, "", digest=digest)

    assert "The users file is mended" in text_of(mended)
    assert file_of(damaged).read_text() == (f"# ours\nalice:{BCRYPT}\n#secret-word-without-colon\n")


def test_mending_refuses_a_file_that_is_another_one_by_now(client: Client, damaged: Server) -> None:
    digest = client.get("/users/").context["mending"].digest
    file_of(damaged).write_text("somebody is at it\n")

    response = settle(client, "mended", damaged, "", digest=digest)

    assert "changed in the meantime" in text_of(response)
    assert file_of(damaged).read_text() == "somebody is at it\n"


def test_a_damaged_file_can_be_put_back_whole(client: Client, damaged: Server) -> None:
    settle(client, "undone", damaged, "")

    assert file_of(damaged).read_text() == f"# ours\nalice:{BCRYPT}\n"


def test_an_emptied_file_is_one_thing_to_undo(client: Client, stopped: Server) -> None:
    write(stopped, alice=BCRYPT, bo=BCRYPT)
    adopt_users(stopped)
    file_of(stopped).unlink()

    assert "Somebody emptied the users file" in text_of(client.get("/users/"))
    settle(client, "undone", stopped, "")
    assert set(file_of(stopped).read_text().split()) == {f"alice:{BCRYPT}", f"bo:{BCRYPT}"}


def test_the_ledger_alone_comes_back_to_the_button(client: Client, edited: Server) -> None:
    headers = {"HX-Request": "true", "HX-Target": "users", "Referer": "http://testserver/users/"}

    response = client.post(
        "/users/adopted/", {"server": edited.name, "name": "carl"}, headers=headers
    )

    assert response["Location"] == f"/users/?server={edited.name}"


def test_hostile_names_stay_words(client: Client, stopped: Server) -> None:
    write(stopped, alice=BCRYPT)
    adopt_users(stopped)
    file_of(stopped).write_text(f"alice:{BCRYPT}\n<script>alert(1)</script>\n")

    content = client.get("/users/").content.decode()

    assert "<script>alert" not in content


def test_many_differences_cost_as_much_as_one(
    stopped: Server, queries_of: Callable[[str], int]
) -> None:
    make_user(stopped, name="alice")
    write(stopped, alice=BCRYPT)
    adopt_users(stopped)
    write(stopped, alice=OTHER)
    one = queries_of("/users/")

    write(stopped, alice=OTHER, **{f"user-{number}": BCRYPT for number in range(200)})

    assert queries_of("/users/") == one


@pytest.mark.parametrize("verb", ["adopted", "undone", "mended"])
def test_only_somebody_signed_in_settles_and_only_by_a_post(
    client: Client, stranger: Client, edited: Server, verb: str
) -> None:
    before = file_of(edited).read_bytes()

    assert client.get(f"/users/{verb}/").status_code == 405
    answer = stranger.post(f"/users/{verb}/", {"server": edited.name, "name": "carl"})

    assert answer["Location"].startswith("/account/login/")
    assert file_of(edited).read_bytes() == before


def test_the_page_of_a_user_offers_the_same_choice(client: Client, edited: Server) -> None:
    response = client.get(f"/users/{edited.name}/alice/")

    assert "alice was changed by hand" in text_of(response)
    assert 'formaction="/users/undone/"' in response.content.decode()
