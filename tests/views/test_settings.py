"""The page of settings: the house, who may sign in, and how oneself does."""

from django.test import Client

from tests.factories import make_operator
from tests.views.reading import text_of


def test_index_names_the_folder_and_the_ways_in(client: Client, settings: object) -> None:
    response = client.get("/settings/")

    shown = text_of(response)
    assert "One operator keeps this house" in shown or "no container engine" in shown
    assert str(settings.RESTHOUSE_DATA) in shown
    assert "SQLite" in shown
    for path in ("/account/password/change/", "/account/2fa/"):
        assert f'href="{path}"' in response.content.decode()


def test_index_lists_the_operators_and_no_secret_of_theirs(client: Client) -> None:
    other = make_operator(username="<b>jan</b>", email="jan@example.org", password="well-kept-word")

    response = client.get("/settings/")

    assert "ines you" in text_of(response)
    assert "jan@example.org" in text_of(response)
    assert "<b>jan</b>" not in response.content.decode()
    assert other.password not in response.content.decode()


def test_index_is_for_operators_to_read(client: Client, stranger: Client) -> None:
    assert stranger.get("/settings/")["Location"] == "/account/login/?next=/settings/"
    assert "HX-Redirect" in stranger.get("/settings/", headers={"HX-Request": "true"})
    assert client.post("/settings/").status_code == 405
