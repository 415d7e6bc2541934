"""A users file that the container of a server wrote to harm the house."""

from pathlib import Path

import pytest
from django.test import Client

from backups.actions.users_reconcile import reconcile_users
from backups.models import User
from tests.factories import make_server

HASH = "$2y$10$" + "a" * 53
NUL = b"a\x00b:x\n"


@pytest.mark.parametrize(
    "content",
    [
        f"..:{HASH}\n.:{HASH}\nweb-1:{HASH}\n".encode(),
        f"{'x' * 5000}:{HASH}\n{'y' * 5000}:{HASH}\n".encode(),
        b"<script>alert(1)</script>:x\n\x1b[31m:x\n",
        NUL,
        b"\xff\xfe:x\n" * 50,
        b'"' * 5000,
        b":" * 5000,
        b"web-1\n",
        f"web-1:{'z' * 5000}\n".encode(),
        "\n".join(f"user-{number}:{HASH}" for number in range(3000)).encode(),
        b"#" * 100_000,
    ],
    ids=range(11),
)
def test_it_breaks_no_page_and_no_check(client: Client, tmp_path: Path, content: bytes) -> None:
    server = make_server(data_directory=str(tmp_path), status="live")
    (tmp_path / ".htpasswd").write_bytes(content)

    reconcile_users.func()

    for path in ("/users/", "/", f"/servers/{server.name}/", f"/users/new/?server={server.name}"):
        response = client.get(path)

        assert response.status_code == 200, path
        assert b"<script>alert" not in response.content
    assert all(len(name) <= 100 for name in User.objects.values_list("name", flat=True))
