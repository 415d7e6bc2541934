"""`manage.py users`."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backups.models import Server
from tests.factories import make_server
from tests.rig.house import House
from tests.rig.servers import make_data_directory, owner_of

Answer = Callable[..., Any]


def test_the_printed_password_works_with_restic_at_once(
    answer: Answer,
    house: House,
    create_arguments: list[str],
    restic_binary: Path,
    tmp_path: Path,
) -> None:
    server = answer("servers", "create", *create_arguments)["name"]

    new = answer("users", "add", "web-1", "--server", server)

    assert set(new) == {"name", "server", "password", "repository", "live", "live_since"}
    where = new["repository"].replace("://", f"://web-1:{new['password']}@")
    for command in (["init"], ["backup", "/etc/hostname"]):
        environment = os.environ | {"RESTIC_PASSWORD": "of the repository"}
        environment |= {"RESTIC_REPOSITORY": where, "RESTIC_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run(
            [str(restic_binary), *command], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    told = [answer("users", "list"), answer("servers", "show", server)]
    assert new["password"] not in repr(told)
    assert new["password"].encode() not in (house.data / "resthouse.sqlite3").read_bytes()


@pytest.mark.django_db
def test_every_verb_of_the_page_has_its_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    directory = make_data_directory(tmp_path)
    fields = {"data_directory": str(directory), **owner_of(directory)}
    make_server(status=Server.Status.NEW, **fields)
    (tmp_path / "password").write_text("chosen-by-hand-1\n")

    def answer(*arguments: str) -> Any:
        call_command("users", *arguments, "--json")
        return json.loads(capsys.readouterr().out)

    def refusal(*arguments: str) -> str:
        with pytest.raises(CommandError) as error:
            call_command("users", *arguments)
        return str(error.value)

    chosen = answer("add", "web-1", "--password-file", str(tmp_path / "password"))
    assert chosen["password"] == "chosen-by-hand-1"
    assert answer("rotate", "web-1")["password"] != "chosen-by-hand-1"
    answer("note", "web-1", "in the cellar")
    answer("disable", "web-1")
    [listed] = answer("list")
    assert (listed["is_disabled"], listed["is_in_file"]) == (True, False)
    assert listed["note"] == "in the cellar"
    assert "already" in refusal("add", "web-1")
    assert "rest-server would ignore it" in refusal("add", "web 2")
    answer("enable", "web-1")
    answer("delete", "web-1")
    assert answer("list") == []
    assert refusal("disable", "web-1").endswith("has no user called web-1.")


def test_the_server_is_asked_for_where_there_is_none(refusal: Callable[..., str]) -> None:
    assert refusal("users", "list") == "There is no server yet."
    assert refusal("users", "list", "--server", "main") == "There is no server called main."


BCRYPT = "$2y$10$" + "a" * 53


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (f"# people\nweb-1:{BCRYPT}\n", 0),
        (f"web-1:{BCRYPT}\nbob\n", 1),
        (f"web-1:{BCRYPT}\nweb-2:$apr1$x$y\n", 2),
        ("", 0),
    ],
)
def test_a_file_is_checked_before_it_is_used(
    house: House, tmp_path: Path, text: str, status: int
) -> None:
    file = tmp_path / "users"
    file.write_text(text)

    done = house.manage("users", "check", str(file), "--json", check=False)

    lines = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (status, "")
    assert all(line["usable"] is (line["code"] == "usable") for line in lines)
    assert [line["name"] for line in lines if line["usable"]] == ["web-1"] * bool(text)
    assert all(line["why"] for line in lines if not line["usable"])
    assert BCRYPT not in done.stdout


@pytest.mark.django_db
def test_users_come_and_go_with_a_file_and_expire(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    directory = make_data_directory(tmp_path)
    fields = {"data_directory": str(directory), **owner_of(directory)}
    make_server(status=Server.Status.NEW, **fields)

    def answer(*arguments: str) -> Any:
        call_command("users", *arguments, "--json")
        return json.loads(capsys.readouterr().out)

    file, other = tmp_path / "users", BCRYPT.replace("a", "b")
    file.write_text(f"web-1:{BCRYPT}\nmd5:$apr1$x$y\n")
    imported = answer("import", str(file))
    assert (imported["added"], [line["name"] for line in imported["refused"]]) == (
        ["web-1"],
        ["md5"],
    )
    file.write_text(f"web-1:{other}\n")
    assert answer("import", str(file))["kept"] == ["web-1"]
    assert answer("export")["file"] == f"web-1:{BCRYPT}\n"
    assert answer("import", str(file), "--replace")["replaced"] == ["web-1"]
    assert answer("export")["file"] == f"web-1:{other}\n"

    assert answer("expire", "web-1", "2199-12-31")["expires"] == "2199-12-31T00:00:00Z"
    assert answer("expire", "web-1", "2199-12-31T18:00+01:00")["expires"].startswith("2199-12-31T1")
    assert answer("expire", "web-1", "never")["expires"] is None
    for when, why in (
        ("tomorrow", "no time"),
        ("2000-01-01", "is over"),
        ("2199-02-31", "no time"),
    ):
        with pytest.raises(CommandError, match=why):
            call_command("users", "expire", "web-1", when)
