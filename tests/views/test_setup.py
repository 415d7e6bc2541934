"""The one-time link: it makes the first operator, and never a second one."""

import pytest
from django.core import signing
from django.test import Client

from backups.actions.operators import setup_token
from backups.models import Event, Operator
from tests.factories import make_operator
from tests.views.reading import text_of

FORM = {"username": "ines", "email": "", "password": "ein langer Satz", "again": "ein langer Satz"}


def path() -> str:
    return f"/setup/{setup_token()}/"


def test_the_first_operator_is_signed_in_at_once(stranger: Client) -> None:
    response = stranger.post(path(), FORM)

    assert response["Location"] == "/"
    assert stranger.get("/settings/").status_code == 200
    assert Operator.objects.get().check_password("ein langer Satz")
    assert [(event.by_name, event.verb) for event in Event.objects.all()] == [("ines", "set up")]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"again": "another one"}, "The two differ."),
        ({"password": "short", "again": "short"}, "at least 10 characters"),
        ({"password": "password123", "again": "password123"}, "too common"),
        ({"username": ""}, "This field is required."),
    ],
)
def test_a_mistake_is_said_in_place(
    stranger: Client, fields: dict[str, str], sentence: str
) -> None:
    response = stranger.post(path(), FORM | fields)

    assert response.status_code == 422
    assert sentence in text_of(response)
    assert not Operator.objects.exists()


def test_the_link_ends_with_the_first_operator(stranger: Client) -> None:
    link = path()
    make_operator()

    assert stranger.get(link)["Location"] == "/account/login/"
    assert stranger.post(link, FORM)["Location"] == "/account/login/"
    assert Operator.objects.count() == 1


def test_another_link_opens_nothing_and_says_how_to_get_one(stranger: Client) -> None:
    forged = signing.dumps("first operator", key="another", salt="resthouse.setup")

    for token in (forged, "nonsense"):
        response = stranger.post(f"/setup/{token}/", FORM)
        assert response.status_code == 403
        assert "manage.py operators link" in text_of(response)
    assert not Operator.objects.exists()


def test_other_methods_are_refused(stranger: Client) -> None:
    assert stranger.put(path()).status_code == 405
