"""Secrets: where they are kept, and where they must not show."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory
from django.utils import timezone

from backups.actions import hosts
from backups.engines.containers import _log
from backups.engines.errors import EngineError
from backups.models import Event, Host, Operator, Server
from dashboard.forms.operators import FirstOperatorForm
from dashboard.http import page_of
from tests.factories import make_host, make_user

TOTP_SECRET = "JBSWY3DPEHPK3PXP"


def test_the_second_factor_is_kept_encrypted_and_not_shown_to_others(
    client: Client, operator: Operator
) -> None:
    TOTP.activate(operator, TOTP_SECRET)

    kept = Authenticator.objects.get()

    assert TOTP_SECRET not in str(kept.data)
    page = client.get(f"/admin/mfa/authenticator/{kept.pk}/change/").content.decode()
    assert TOTP_SECRET not in page
    assert kept.data["secret"] not in page


def test_nobody_but_its_owner_reads_the_data_folder(tmp_path: Path) -> None:
    folder = tmp_path / "made-by-somebody"
    folder.mkdir(mode=0o755)
    plain = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    subprocess.run(
        [sys.executable, "manage.py", "operators", "list"],
        env=plain | {"RESTHOUSE_DATA": str(folder)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
    )

    loose = [
        path.name
        for path in folder.iterdir()
        if path.name != "static" and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]

    assert loose == []


@pytest.mark.parametrize("path", ["/", "/hosts/", "/settings/", "/admin/"])
def test_no_page_of_an_operator_stays_in_a_cache(client: Client, path: str) -> None:
    response = client.get(path)

    assert "private" in response["Cache-Control"]
    assert {"Cookie", "HX-Request"} <= {name.strip() for name in response["Vary"].split(",")}


def test_no_hash_is_shown_at_the_second_door(client: Client) -> None:
    user = make_user(disabled=timezone.now(), disabled_hash="$2y$10$hash-of-a-user")
    host = make_host(token_hash="hash-of-a-token", key_hash="hash-of-a-key")

    for path in (f"user/{user.pk}", f"host/{host.pk}"):
        page = client.get(f"/admin/backups/{path}/change/").content.decode()

        assert "change" in page
        assert "hash-of-a" not in page


@pytest.mark.parametrize(
    "path", ["//evil.example/", "/\\evil.example/", "///evil.example", "\\\\evil.example"]
)
def test_the_way_back_never_leads_to_another_house(path: str) -> None:
    request = RequestFactory().get("/", headers={"Referer": f"http://testserver/{path}"})

    assert page_of(request).rstrip("/") == "/evil.example"


@pytest.mark.parametrize("after", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_a_sign_in_never_leads_to_another_house(client: Client, after: str) -> None:
    response = client.get("/account/login/", {"next": after})

    assert response.status_code == 302
    assert "evil" not in response["Location"]


def test_a_password_like_the_name_is_refused(db: None) -> None:
    form = FirstOperatorForm(
        {"username": "ines-lindqvist", "email": "", "password": "ines-lindqvist"}
        | {"again": "ines-lindqvist"}
    )

    assert "similar" in str(form.errors["password"])


def test_what_a_container_logs_does_nothing_to_a_terminal() -> None:
    class Noisy:
        def logs(self, **_: Any) -> bytes:
            return b"\x1b[2J\x1b]0;owned\x07bad\x00 \xff line\nRESTIC_PASSWORD=hunter2 x\n"

    said = "\n".join(_log(Noisy(), tail=1))  # type: ignore[arg-type]

    assert "hunter2" not in said
    assert said.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "path",
    [
        "/events/?before=0001-01-01T00:00:00%2B14:00_1",
        "/events/?before=2026-01-01T00:00:00%2B00:00_" + "9" * 30,
        "/runs/?before=9999-12-31T23:59:59-14:00_1",
        "/runs/?page=" + "9" * 5000,
        "/runs/99999999999999999999999/",
        "/operations/99999999999999999999999/",
        "/hosts/?q=%00&state=%00&sort=%00&page=-1",
        "/users/?server=%00&sort=-",
        "/hardening/?sort=-&q=%25",
        "/hosts/%2e%2e/",
        "/hosts/..%2f..%2fetc/",
    ],
)
def test_no_address_breaks_a_page(client: Client, path: str) -> None:
    assert client.get(path).status_code in {200, 404}


def test_no_port_breaks_a_form(operator: Operator) -> None:
    client = Client()
    client.force_login(operator)

    for bind in ("127.0.0.1:" + "9" * 5000, "127.0.0.1:99999", "[::1]:\u0663", ":::1"):
        answer = client.post("/servers/new/", {"name": "a1", "bind": bind, "image": "x"})

        assert answer.status_code == 422


@pytest.mark.parametrize("model", [Host, Server])
def test_no_thing_hides_behind_the_page_for_new_ones(db: None, model: type[Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        model(name="new").full_clean()

    assert "name" in refused.value.message_dict


@pytest.mark.parametrize("name", ["x;reboot", "x\ny", "a b", "$(id)", "http://x", "-x", "x/y"])
def test_no_name_of_a_server_writes_into_the_lines_to_paste(db: None, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Server(
            name="main", image="-v/:/x", data_directory="/srv/r/m", public_name=name
        ).full_clean()

    assert {"public_name", "image"} <= refused.value.message_dict.keys()


def test_the_headers_that_browsers_heed_are_there(client: Client) -> None:
    response = client.get("/hosts/")

    policy = response["Content-Security-Policy"]
    for part in ("default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert client.get("/hosts/", headers={"Host": "evil.example"}).status_code == 400


def test_the_cookies_are_out_of_reach(stranger: Client) -> None:
    stranger.post("/account/login/", {"login": "ines", "password": "correct horse battery staple"})

    session = stranger.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"


@pytest.mark.parametrize("url", ["http://backup.example.org", "http://192.0.2.1:8080", "http://"])
def test_no_agent_is_handed_out_over_plain_http(db: None, settings: Any, url: str) -> None:
    settings.RESTHOUSE_URL = url

    with pytest.raises(EngineError, match="https://"):
        hosts.add_host("web-1", by="test")

    assert not Host.objects.exists()


def test_the_book_tells_who_made_and_who_deleted_an_operator(operator: Operator) -> None:
    client = Client()
    client.force_login(operator)
    secret = "a staple of correct horses"
    form = {"username": "second", "usable_password": "true", "password1": secret}

    client.post("/admin/backups/operator/add/", form | {"password2": secret})
    second = Operator.objects.get(username="second")
    client.post(f"/admin/backups/operator/{second.pk}/delete/", {"post": "yes"})

    told = Event.objects.filter(noun="operator", name="second").order_by("pk")
    assert [(event.by_name, event.verb) for event in told] == [
        ("ines", "added"),
        ("ines", "deleted"),
    ]
