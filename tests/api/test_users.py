"""The users' routes: what a script with an operator's key may do."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from backups.actions.api_keys import make_key, revoke_key
from backups.engines.htpasswd import hash_password
from backups.models import ApiKey, Event, Operator, Server
from tests.factories import make_operator, make_server
from tests.rig.servers import make_data_directory, owner_of


class Script:
    """Speaks to the API with a key."""

    def __init__(self, key: str) -> None:
        self.client, self.headers = Client(), {"Authorization": f"Bearer {key}"}

    def get(self, path: str = "") -> Any:
        return self.client.get(f"/api/users{path}", headers=self.headers)

    def post(self, path: str, **body: Any) -> Any:
        content = json.dumps(body)
        return self.client.post(
            f"/api/users{path}", content, content_type="application/json", headers=self.headers
        )


@pytest.fixture
def operator(db: None) -> Operator:
    cache.clear()
    return make_operator(username="ines")


@pytest.fixture
def script(operator: Operator) -> Script:
    return Script(make_key(operator, by=operator, note="nightly").token)


@pytest.fixture
def server(tmp_path: Path, db: None, settings: Any) -> Server:
    settings.BCRYPT_COST = 4
    directory = make_data_directory(tmp_path)
    fields = {"data_directory": str(directory), **owner_of(directory)}
    return make_server(name="main", status=Server.Status.NEW, **fields)


def test_every_verb_of_the_page_has_its_route(script: Script, server: Server) -> None:
    added = script.post("", name="web-1", note="in the cellar")
    assert (added.status_code, added["Cache-Control"]) == (201, "no-store")
    assert len(added.json()["password"]) == 24
    rotated = script.post("/rotate", name="web-1", server="main").json()
    assert rotated["password"] != added.json()["password"]
    assert script.post("/note", name="web-1", note="on the roof").json()["note"] == "on the roof"
    until = (timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)
    told = script.post("/expire", name="web-1", expires=until.isoformat()).json()
    assert told["expires"].startswith(until.strftime("%Y-%m-%dT%H:%M:00"))
    assert script.post("/disable", name="web-1").json()["disabled"] is not None
    assert script.post("/enable", name="web-1").json()["disabled"] is None
    [listed] = script.get().json()["users"]
    assert (listed["name"], listed["server"], listed["note"]) == ("web-1", "main", "on the roof")
    exported = script.get("/export?server=main")
    assert exported.json()["file"].startswith("web-1:$2y$")
    assert exported["Cache-Control"] == "no-store"
    assert script.post("/delete", name="web-1").status_code == 204
    assert script.get().json() == {"users": []}
    verbs = list(Event.objects.filter(by_name="ines").values_list("verb", flat=True))
    assert verbs[::-1] == [
        "made a key for",
        "added",
        "rotated",
        "noted",
        "set the expiry of",
        "disabled",
        "enabled",
        "exported the users of",
        "deleted",
    ]


def test_a_file_is_taken_over_and_a_known_password_only_where_that_is_said(
    script: Script, server: Server
) -> None:
    script.post("", name="web-1")
    former = script.get("/export?server=main").json()["file"]
    other = hash_password("another-password", cost=4)
    file = f"web-1:{other}\nweb-2:{other}\nold:$apr1$1$abcdefgh\n"

    told = script.post("/import", file=file).json()["lines"]

    assert [(line["name"], line["code"]) for line in told] == [
        ("web-1", "changed"),
        ("web-2", "added"),
        ("old", "refused"),
    ]
    assert script.get("/export?server=main").json()["file"].startswith(former)
    script.post("/import", file=file, replace=["web-1"])
    assert f"web-1:{other}" in script.get("/export?server=main").json()["file"]


def test_a_password_is_in_no_other_answer_event_or_row(script: Script, server: Server) -> None:
    password = script.post("", name="web-1", password="chosen-by-hand-1").json()["password"]

    answers = [script.get().content, script.post("/disable", name="web-1").content]
    answers += [repr(list(Event.objects.values())).encode(), repr(server.users.values()).encode()]
    assert password == "chosen-by-hand-1"
    assert [answer for answer in answers if password.encode() in answer] == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", {"name": "we b"}, 409),
        ("", {"name": "data"}, 409),
        ("", {"name": "web-1", "password": "short"}, 409),
        ("", {"name": "web-1", "pasword": "chosen-by-hand-1"}, 422),
        ("", {"name": ""}, 422),
        ("", {"name": "web-1", "server": "other"}, 404),
        ("/rotate", {"name": "nobody"}, 404),
        ("/expire", {"name": "nobody", "expires": "tomorrow"}, 422),
    ],
)
def test_what_is_refused_is_told_in_a_sentence_and_changes_nothing(
    script: Script, server: Server, path: str, body: dict[str, str], status: int
) -> None:
    answer = script.post(path, **body)

    assert (answer.status_code, bool(answer.json()["detail"])) == (status, True)
    assert "chosen-by-hand-1" not in answer.content.decode()
    assert not (Path(server.data_directory) / ".htpasswd").exists()


def test_only_a_key_that_is_good_opens_a_route(operator: Operator, server: Server) -> None:
    new = make_key(operator, by=operator)
    assert new.token not in repr(new)
    assert new.token not in repr(ApiKey.objects.values())
    assert Script(new.token).get().status_code == 200
    new.key.refresh_from_db()
    assert new.key.last_used is not None

    session = Client()
    session.force_login(operator)
    assert session.get("/api/users").status_code == 401
    assert Script("rh_wrong").get().status_code == 401
    operator.is_active = False
    operator.save()
    assert Script(new.token).get().status_code == 401
    operator.is_active = True
    operator.save()
    revoke_key(new.key, by=operator)
    assert Script(new.token).get().status_code == 401
