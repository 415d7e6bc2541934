"""Guessing: of passwords, tokens and keys, by somebody who has time."""

from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from backups.actions import hosts
from tests.security.conftest import PASSWORD


def sign_in(client: Client, password: str, address: str = "192.0.2.7") -> HttpResponse:
    return client.post(
        "/account/login/",
        {"login": "ines", "password": password},
        REMOTE_ADDR="127.0.0.1",
        headers={"X-Forwarded-For": address},
    )


def test_who_guesses_a_password_is_stopped_whatever_address_it_claims(stranger: Client) -> None:
    for number in range(10):
        sign_in(stranger, f"wrong-{number}", f"192.0.2.{number}")

    assert sign_in(stranger, PASSWORD, "192.0.2.99").status_code != 302


def test_many_hosts_that_report_do_not_make_the_guesses_forgotten(stranger: Client) -> None:
    for number in range(10):
        sign_in(stranger, f"wrong-{number}")
    for number in range(1200):
        cache.set(f"throttle_auth_{number}", [1.0], 60)

    assert sign_in(stranger, PASSWORD).status_code != 302


def test_who_guesses_tokens_is_stopped_whatever_address_it_claims(stranger: Client) -> None:
    codes = {
        stranger.post(
            "/api/enrol",
            {"token": f"guess-{number}", "host": {}},
            "application/json",
            headers={"X-Forwarded-For": f"192.0.2.{number}"},
        ).status_code
        for number in range(21)
    }

    assert codes == {403, 429}


def test_an_empty_key_is_nobodys_even_when_keys_were_revoked(stranger: Client) -> None:
    new = hosts.add_host("web-1", by="test")
    hosts.revoke_key(new.host, by="test")

    for key in ("", " ", new.token):
        answer = stranger.get("/api/key", headers={"Authorization": f"Bearer {key}"})

        assert answer.status_code == 401


def test_a_session_begins_anew_with_the_sign_in(stranger: Client) -> None:
    stranger.get("/account/login/")
    session = stranger.session
    session["planted"] = True
    session.save()
    before = session.session_key
    stranger.cookies["sessionid"] = before or ""

    assert sign_in(stranger, PASSWORD).status_code == 302

    assert stranger.cookies["sessionid"].value != before
