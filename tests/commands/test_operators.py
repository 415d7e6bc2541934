"""`manage.py operators`."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from backups.actions.api_keys import operator_of_key
from backups.models import Event, Operator
from tests.factories import make_operator

pytestmark = pytest.mark.django_db


def test_a_password_is_reset_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    make_operator(username="ines", password="the former one")
    monkeypatch.setattr("sys.stdin", io.StringIO("a rather long one\n"))

    call_command("operators", "reset", "ines")

    assert Operator.objects.get().check_password("a rather long one")
    assert [str(event) for event in Event.objects.all()] == [
        "terminal reset the password of operator ines"
    ]


@pytest.mark.parametrize(
    ("name", "password", "sentence"),
    [
        ("ines", "short", "This password is too short. It must contain at least 10 characters."),
        ("nobody", "a rather long one", "There is no operator called nobody."),
    ],
)
def test_what_does_not_do_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, name: str, password: str, sentence: str
) -> None:
    make_operator(username="ines", password="the former one")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))

    with pytest.raises(CommandError) as refusal:
        call_command("operators", "reset", name)

    assert str(refusal.value) == sentence
    assert Operator.objects.get().check_password("the former one")


def test_the_link_is_for_a_house_without_operators(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("operators", "link", "--json")
    assert "/setup/" in json.loads(capsys.readouterr().out)["link"]
    make_operator(username="ines")

    with pytest.raises(CommandError, match="has its first operator already"):
        call_command("operators", "link")

    call_command("operators", "list", "--json")
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["ines"]


def test_a_key_for_scripts_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    operator = make_operator(username="ines")

    call_command("operators", "key", "ines", "--note", "nightly", "--json")

    key = json.loads(capsys.readouterr().out)["key"]
    assert operator_of_key(key) == operator
    assert [key in repr(event.__dict__) for event in Event.objects.all()] == [False]
    with pytest.raises(CommandError, match="no operator called nobody"):
        call_command("operators", "key", "nobody")


def test_a_key_is_found_by_its_note_and_refused_after_it_was_revoked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_operator(username="ines")
    call_command("operators", "key", "ines", "--note", "nightly", "--json")
    key = json.loads(capsys.readouterr().out)["key"]
    call_command("operators", "keys", "--json")
    text = capsys.readouterr().out
    [row] = json.loads(text)
    assert (row["operator"], row["note"], key in text) == ("ines", "nightly", False)

    call_command("operators", "revoke", str(row["number"]))

    assert operator_of_key(key) is None
    with pytest.raises(CommandError, match="No key in force has the number"):
        call_command("operators", "revoke", str(row["number"]))
